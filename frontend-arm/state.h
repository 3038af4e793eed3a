// The AArch64 EL0 state block and the slots the IR knows it by.
#pragma once

#include <cstddef>

#include "base/types.h"

namespace tiercel::arm {

/// Offsets matter only through a64_layout(). `flags` is in the stored form of ir::flags_from_nzcv.
struct A64State {
  u64 x[31] = {};
  u64 sp = 0;
  u64 pc = 0;
  u32 flags = 0;
  u32 fpcr = 0;             // AHP 26, DN 25, FZ 24, RMode 23..22
  u64 tpidr = 0;            // TPIDR_EL0
  u64 tpidrro = 0;          // TPIDRRO_EL0
  u64 excl_addr = ~u64{0};  // address of the open exclusive, ~0: none
  u64 excl_lo = 0;          // the value LDXR saw
  u64 excl_hi = 0;          // second half for LDXP
  u64 reserved = 0;
  U128 qc;  // any bit set: FPSR.QC
  U128 v[32];
};
static_assert(offsetof(A64State, qc) % 16 == 0);

/// Slot numbers of the A64 layout.
namespace slot {
inline constexpr u16 kX0 = 0;  // x0..x30
inline constexpr u16 kSp = 31;
inline constexpr u16 kFlags = 32;
inline constexpr u16 kFpcr = 33;
inline constexpr u16 kTpidr = 34;
inline constexpr u16 kTpidrRo = 35;
inline constexpr u16 kExclAddr = 36;
inline constexpr u16 kExclLo = 37;
inline constexpr u16 kExclHi = 38;
inline constexpr u16 kQc = 39;
inline constexpr u16 kV0 = 40;  // v0..v31
inline constexpr u16 kCount = 72;
}  // namespace slot

}  // namespace tiercel::arm
