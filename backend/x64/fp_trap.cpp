#include "backend/x64/fp_trap.h"

#include <cstring>

#include "backend/fp_control.h"
#include "backend/x64/fp_insn.h"
#include "ir/eval.h"

namespace tiercel::backend::x64 {
namespace {

ir::PureOp operation(const FpInsn& insn) {
  using Kind = FpInsn::Kind;
  constexpr ir::Opcode kOps[] = {ir::Opcode::FAdd, ir::Opcode::FSub, ir::Opcode::FMul,
                                 ir::Opcode::FDiv, ir::Opcode::FCvt, ir::Opcode::FMulAdd};
  ir::PureOp op;
  op.op = kOps[static_cast<unsigned>(insn.kind)];
  op.type = op.arg_type = insn.vector ? ir::Type::V128 : insn.wide ? ir::Type::F64 : ir::Type::F32;
  op.arr = !insn.vector ? ir::Arr::None : insn.wide ? ir::Arr::D2 : ir::Arr::S4;
  op.fp = ir::FpRules{.flush = true}.pack();
  if (insn.kind != Kind::Narrow) return op;
  op.aux = static_cast<u32>(ir::Round::Current);
  if (insn.vector)
    op.op = ir::Opcode::VFCvtDown, op.arr = ir::Arr::S2;
  else
    op.type = ir::Type::F32;
  return op;
}

/// Does the instruction at the frame's pc as Arm does. NaNs come out as any, for they are looked at. False: it is none
/// whose result may be tiny.
bool evaluate(HostFrame& frame, VmContext& context, u32& seen) {
  const std::optional<FpInsn> insn = decode_fp_insn(frame);
  if (!insn) return false;
  const ir::PureOp op = operation(*insn);
  ir::FpEnv env{&context.fp_extra};
  U128 result;
  {
    const mxcsr::Lent lent(seen);
    result = ir::eval(op, insn->operands, env);
  }
  if (!insn->vector) {
    U128 whole = insn->kept;
    std::memcpy(&whole, &result, ir::type_bits(op.type) / 8);
    result = whole;
  }
  frame.set_vector(insn->destination, result);
  frame.set_pc(frame.pc() + insn->length);
  return true;
}

}  // namespace

bool settle_fp_trap(HostFrame frame, VmContext& context) {
  constexpr u32 kTold = mxcsr::kDenormal | mxcsr::kUnderflow | mxcsr::kInexact;
  u32 seen = frame.mxcsr();
  const u32 trapped = seen & ~(seen >> mxcsr::kMaskShift) & kTold;
  if (trapped == 0) return false;
  if (trapped & mxcsr::kDenormal) {
    context.fp_extra |= ir::fpstatus::kInputDenormal;
  } else {
    // Nothing was inexact before. Underflow is Arm's, too, if the host says so.
    u32 before = seen & ~mxcsr::kInexact;
    // Else a conversion or rounding, which is never tiny, is told to be inexact.
    if (evaluate(frame, context, before))
      seen = before;
    else
      seen |= mxcsr::kInexact;
  }
  frame.set_mxcsr(mxcsr_for(ir::Round::TieEven, true, seen, context.fp_extra));
  return true;
}

}  // namespace tiercel::backend::x64
