// The AArch64 EL0 state block and the slots the IR knows it by.
#pragma once

#include <cstddef>

#include "base/types.h"
#include "ir/types.h"

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

/// PSTATE.NZCV in bits 31..28.
inline u32 read_nzcv(const A64State& s) {
  return ir::nzcv_from_flags(s.flags) << 28;
}
inline void write_nzcv(A64State& s, u32 pstate) {
  s.flags = ir::flags_from_nzcv(pstate >> 28);
}

/// FPSR from the state block and the cumulative exceptions (ir::fpstatus) that the vCPU keeps apart. IOC, DZC, OFC, UFC
/// and IXC are bits 0..4 in the same order; IDC is bit 7, QC bit 27.
inline u32 read_fpsr(const A64State& s, u32 fp_status) {
  return (fp_status & 31) | (fp_status & ir::fpstatus::kInputDenormal ? 1u << 7 : 0) | (s.qc != U128{} ? 1u << 27 : 0);
}
/// Writes QC and returns the ir::fpstatus bits for the vCPU.
inline u32 write_fpsr(A64State& s, u32 fpsr) {
  s.qc = U128{fpsr >> 27 & 1, 0};
  return (fpsr & 31) | (fpsr >> 7 & 1 ? ir::fpstatus::kInputDenormal : 0);
}

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
