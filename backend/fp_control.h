// MXCSR while generated code runs.
//
// Under ir::FpRules::host_flush (Arm FPCR.FZ) the host flushes subnormals itself. What it does not do as Arm does is
// told by exceptions that are left unmasked, as SIGFPE; as the guest's exceptions are cumulative, each has to be told
// once:
// - A host that takes subnormal operands for zeros does not tell. So it does not until there was one.
// - A host that makes zeros of tiny results says that they are inexact, Arm does not. So it does not as long as nothing
//   was inexact; whatever is tiny or inexact then is computed by the evaluator (Backend::settle_fp_trap).
#pragma once

#include "base/mxcsr.h"
#include "ir/types.h"

namespace tiercel::backend {

/// `seen`: MXCSR with the guest's exceptions, `fp_extra` VmContext's.
constexpr u32 mxcsr_for(ir::Round rounding, bool host_flush, u32 seen, u32 fp_extra) {
  const auto mask = [](u32 exceptions) { return exceptions << mxcsr::kMaskShift; };
  const u32 field = rounding == ir::Round::NegInf   ? 1
                    : rounding == ir::Round::PosInf ? 2
                    : rounding == ir::Round::Zero   ? 3
                                                    : 0;
  u32 value = mxcsr::kMasks | field << mxcsr::kRoundingShift | (seen & mxcsr::kCommonFlags);
  if (!host_flush) return value;
  if (seen & mxcsr::kInexact)
    value |= mxcsr::kZeroResults;
  else
    value &= ~mask(mxcsr::kUnderflow | mxcsr::kInexact);
  if (fp_extra & ir::fpstatus::kInputDenormal) return value | mxcsr::kZeroOperands;
  return value & ~mask(mxcsr::kDenormal);
}

}  // namespace tiercel::backend
