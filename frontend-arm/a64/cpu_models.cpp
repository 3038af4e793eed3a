// Arm ARM (DDI 0487), "AArch64 System register descriptions", by field; Cortex-A72 TRM (DDI 100095).
#include "frontend-arm/a64/cpu_models.h"

#include <algorithm>
#include <array>

#include "frontend-arm/a64/id_registers.h"
#include "frontend-arm/a64_system_state.h"

namespace tiercel::arm {
namespace {

constexpr u32 id(u32 crm, u32 op2) {
  return system_encoding(3, 0, 0, crm, op2);
}
constexpr u64 field(unsigned lsb, u64 value) {
  return value << lsb;
}

constexpr u32 kMidr = id(0, 0), kRevidr = id(0, 6), kPfr0 = id(4, 0), kPfr1 = id(4, 1), kDfr0 = id(5, 0),
              kIsar0 = id(6, 0), kIsar1 = id(6, 1), kMmfr0 = id(7, 0), kMmfr1 = id(7, 1), kMmfr2 = id(7, 2),
              kClidr = system_encoding(3, 1, 0, 0, 1), kAidr = system_encoding(3, 1, 0, 0, 7),
              kCtrEl0 = system_encoding(3, 3, 0, 0, 1), kDczidEl0 = system_encoding(3, 3, 0, 0, 7);

// EL0 and EL1 in AArch64 only, FP and Advanced SIMD, the GIC's system registers.
constexpr u64 kPfr0Common = field(0, 1) | field(4, 1) | field(24, 1), kPfr0Gic = field(24, 0xf);
// Armv8.0 debug, 6 breakpoints and 4 watchpoints of which 2 breakpoints know contexts; PMUv3.
constexpr u64 kDfr0Common = field(0, 6) | field(8, 1) | field(12, 5) | field(20, 3) | field(28, 1);
// Two levels of cache that need no maintenance towards each other.
constexpr u64 kClidrCommon = 0x0a20'0023;
constexpr u64 kTcrBase = 0x0000'0077'ffff'ffbf, kTcrHpd = u64{3} << 41, kTcrE0pd = u64{3} << 55;

// Only what is complete is advertised; no pointer authentication, SVE, MTE or half-precision arithmetic yet.
constexpr IdValue kMax[] = {
    {"MIDR_EL1", kMidr, 0x000f'0540},
    {"REVIDR_EL1", kRevidr, 0},
    // CSV2 and CSV3: branch prediction and speculation leak nothing, so kernels need no mitigations.
    {"ID_AA64PFR0_EL1", kPfr0, kPfr0Common | field(56, 1) | field(60, 1)},
    {"ID_AA64PFR1_EL1", kPfr1, 0},
    {"ID_AA64DFR0_EL1", kDfr0, kDfr0Common},
    // AES and PMULL, SHA1, SHA256, CRC32, LSE, RDM.
    {"ID_AA64ISAR0_EL1", kIsar0, field(4, 2) | field(8, 1) | field(12, 1) | field(16, 1) | field(20, 2) | field(28, 1)},
    {"ID_AA64ISAR1_EL1", kIsar1, 0},
    // 44 bits of physical address, 16 bits of ASID, 16K and 64K granules besides 4K.
    {"ID_AA64MMFR0_EL1", kMmfr0, field(0, 4) | field(4, 2) | field(20, 1)},
    // Hierarchical permissions can be disabled; PAN.
    {"ID_AA64MMFR1_EL1", kMmfr1, field(12, 1) | field(20, 1)},
    // Common not private translations (a hint), E0PD.
    {"ID_AA64MMFR2_EL1", kMmfr2, field(0, 1) | field(60, 1)},
    {"CLIDR_EL1", kClidr, kClidrCommon},
    {"AIDR_EL1", kAidr, 0},
    {"CTR_EL0", kCtrEl0, kCtr},
    {"DCZID_EL0", kDczidEl0, kDczid},
};

constexpr IdValue kCortexA72[] = {
    {"MIDR_EL1", kMidr, 0x410f'd083},
    {"REVIDR_EL1", kRevidr, 0},
    {"ID_AA64PFR0_EL1", kPfr0, kPfr0Common},
    {"ID_AA64PFR1_EL1", kPfr1, 0},
    {"ID_AA64DFR0_EL1", kDfr0, kDfr0Common},
    {"ID_AA64ISAR0_EL1", kIsar0, 0x0001'1120},
    {"ID_AA64ISAR1_EL1", kIsar1, 0},
    // No 16K granule.
    {"ID_AA64MMFR0_EL1", kMmfr0, field(0, 4) | field(4, 2)},
    {"ID_AA64MMFR1_EL1", kMmfr1, 0},
    {"ID_AA64MMFR2_EL1", kMmfr2, 0},
    {"CLIDR_EL1", kClidr, kClidrCommon},
    {"AIDR_EL1", kAidr, 0},
    {"CTR_EL0", kCtrEl0, 0x8444'c004},
    {"DCZID_EL0", kDczidEl0, kDczid},
};

constexpr u32 feature_bits(std::initializer_list<Feature> list) {
  u32 bits = 0;
  for (const Feature f : list) bits |= u32{1} << static_cast<unsigned>(f);
  return bits;
}

constexpr std::array<CpuModel, 2> kModels = {{
    {"max", kMax, 0, kTcrBase | kTcrHpd | kTcrE0pd, true, true},
    {"cortex-a72", kCortexA72, feature_bits({Feature::LSE, Feature::RDM}), kTcrBase, false, false},
}};

/// The same beside a GICv2.
constexpr std::array<CpuModel, 2> kModelsWithoutGic = [] {
  std::array<CpuModel, 2> models = kModels;
  for (CpuModel& m : models) m.gic_registers = false;
  return models;
}();

}  // namespace

std::optional<u64> CpuModel::value(u32 encoding) const {
  for (const IdValue& v : values)
    if (v.encoding == encoding) return encoding == kPfr0 && !gic_registers ? v.value & ~kPfr0Gic : v.value;
  // The rest of the identification space is allocated and reads as zero: no AArch32, no extension.
  const bool identification = encoding >> 7 == system_encoding(3, 0, 0, 0, 0) >> 7 && (encoding >> 3 & 15) <= 7;
  const bool other_main = (encoding >> 3 & 15) == 0;  // MIDR, MPIDR, REVIDR only
  if (identification && !other_main) return 0;
  return std::nullopt;
}

std::span<const CpuModel> cpu_models() {
  return kModels;
}

std::span<const std::string_view> cpu_model_names() {
  static constexpr std::string_view kNames[] = {"max", "cortex-a72"};
  return kNames;
}

const CpuModel* find_cpu_model(std::string_view name, bool gic_registers) {
  for (const CpuModel& m : gic_registers ? kModels : kModelsWithoutGic)
    if (m.name == name) return &m;
  return nullptr;
}

}  // namespace tiercel::arm
