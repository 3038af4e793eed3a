// Exception classes and syndromes: Arm ARM (DDI 0487), "ESR_EL1".
#pragma once

#include "frontend-arm/a64_system_frontend.h"

namespace tiercel::arm {

namespace ec {
inline constexpr u32 kUnknown = 0x00, kWait = 0x01, kFp = 0x07, kIllegalState = 0x0e, kSvc = 0x15, kSystem = 0x18,
                     kInsnAbort = 0x20, kPcAlignment = 0x22, kDataAbort = 0x24, kHardBreak = 0x30, kStep = 0x32,
                     kWatch = 0x34, kBrk = 0x3c;  // from EL0; debug exceptions of EL1 are one more
}
namespace iss {
inline constexpr u32 kWnr = 1 << 6, kCm = 1 << 8;
}

/// MSR, MRS, SYS and SYSL of FPCR or FPSR.
constexpr bool is_fp_register(u32 word) {
  constexpr u32 kFpcrAndFpsr = 0xd51b'4400;
  return (word & 0xffdf'ff00) == kFpcrAndFpsr;
}

/// "ISS encoding for an exception from MSR, MRS, or System instruction execution".
constexpr u32 system_iss(u32 word) {
  const u32 op0 = word >> 19 & 3, op1 = word >> 16 & 7, crn = word >> 12 & 15, crm = word >> 8 & 15,
            op2 = word >> 5 & 7;
  return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | (word & 31) << 5 | crm << 1 | (word >> 21 & 1);
}

}  // namespace tiercel::arm
