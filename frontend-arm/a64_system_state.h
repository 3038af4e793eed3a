// The state block of a CPU in a machine: that of EL0, and what EL1 adds.
#pragma once

#include "frontend-arm/state.h"

namespace tiercel::arm {

/// PSTATE bits where SPSR holds them.
namespace pstate {
inline constexpr u32 kSpSel = 1, kEl1 = 4, kAarch32 = 1 << 4, kF = 1 << 6, kI = 1 << 7, kA = 1 << 8, kD = 1 << 9,
                     kIl = 1 << 20, kSs = 1 << 21, kPan = 1 << 22, kUao = 1 << 23;
inline constexpr u32 kDaif = kD | kA | kI | kF;
}  // namespace pstate

/// The performance monitors: what their registers hold.
struct PmuState {
  u64 control = 0, enabled = 0, overflowed = 0, interrupts = 0, selected = 0, filter = 0, user = 0;
  u64 cycles = 0, since = 0;  // counted up to `since`
};

struct A64SystemState : A64State {
  u64 sp_el0 = 0;  // the stack pointers that are not in `sp`
  u64 sp_el1 = 0;
  u32 daif = pstate::kDaif;                    // PSTATE.DAIF where SPSR has it; a slot
  u32 pstate = pstate::kEl1 | pstate::kSpSel;  // EL, SPSel, PAN, UAO and IL where SPSR has them
#define SYSREG(field, ...) u64 field = 0;
#include "frontend-arm/system_registers.def"
#undef SYSREG
  struct Breakpoint {
    u64 value = 0, control = 0;
  };
  Breakpoint breakpoints[6], watchpoints[4];
  u64 os_lock = 1;
  u64 debug_claim = 0;
  PmuState pmu;

  unsigned el() const {
    return pstate & pstate::kEl1 ? 1 : 0;
  }
  bool uses_sp_el0() const {
    return (pstate & (pstate::kEl1 | pstate::kSpSel)) != (pstate::kEl1 | pstate::kSpSel);
  }
};

namespace slot {
inline constexpr u16 kDaif = kCount;
inline constexpr u16 kSpEl0 = kCount + 1;
enum SystemSlot : u16 {
  kFirstSystem = kSpEl0,
#define SYSREG(field, ...) k_##field,
#include "frontend-arm/system_registers.def"
#undef SYSREG
  kSystemCount
};
}  // namespace slot

/// Op0, Op1, CRn, CRm and Op2 as bits 20 to 5 of MSR, MRS and SYS hold them.
constexpr u32 system_encoding(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2) {
  return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
}
constexpr u32 system_encoding_of(u32 word) {
  return word >> 5 & 0xffff;
}

}  // namespace tiercel::arm
