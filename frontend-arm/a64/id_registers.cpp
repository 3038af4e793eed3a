// The space op0 = 3, op1 = 0, CRn = 0, which Linux emulates for EL0: fields that it does not show to user space hold
// their "safe" values. Arm ARM, "AArch64 System register descriptions"; Linux,
// Documentation/arch/arm64/cpu-feature-registers.
#include "frontend-arm/a64/id_registers.h"

namespace tiercel::arm {
namespace {

/// MIDR_EL1: implementer 0 (software), architecture "see the ID registers", a part number of our own.
constexpr u64 kMidr = 0x000f'0540;
/// MPIDR_EL1: RES1 only, the value that Linux shows.
constexpr u64 kMpidr = u64{1} << 31;

/// ID_AA64PFR0_EL1: EL0 and EL1 AArch64 only (hidden fields), FP and AdvSIMD without half-precision arithmetic.
constexpr u64 kPfr0 = 0x11;
/// ID_AA64DFR0_EL1: Armv8.0 debug, the safe value.
constexpr u64 kDfr0 = 0x6;
/// ID_AA64ISAR0_EL1: AES and PMULL, SHA1, SHA256, CRC32, LSE atomics, RDM.
constexpr u64 kIsar0 = u64{2} << 4 | u64{1} << 8 | u64{1} << 12 | u64{1} << 16 | u64{2} << 20 | u64{1} << 28;
/// ID_AA64MMFR0_EL1: no granule is admitted to (hidden fields).
constexpr u64 kMmfr0 = 0x0000'0111'ff00'0000;

}  // namespace

std::optional<u64> id_register(u32 crm, u32 op2) {
  switch (crm << 4 | op2) {
    case 0x00:
      return kMidr;
    case 0x05:
      return kMpidr;
    case 0x06:
      return 0;  // REVIDR_EL1
    case 0x40:
      return kPfr0;
    case 0x50:
      return kDfr0;
    case 0x60:
      return kIsar0;
    case 0x70:
      return kMmfr0;
    default:
      if (crm >= 2 && crm <= 7) return 0;  // allocated or not, reads as zero
      return std::nullopt;
  }
}

}  // namespace tiercel::arm
