// The frozen CPU models: whoever changes what a model advertises changes this list too.
#include "frontend-arm/a64/cpu_models.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "frontend-arm/a64/system_registers.h"
#include "frontend-arm/a64_system_frontend.h"

namespace tiercel::arm {
namespace {

using Golden = std::map<std::string, u64>;

const Golden kMax = {
    {"MIDR_EL1", 0x000f'0540},
    {"REVIDR_EL1", 0},
    {"ID_AA64PFR0_EL1", 0x1100'0000'0100'0011},
    {"ID_AA64PFR1_EL1", 0},
    {"ID_AA64DFR0_EL1", 0x1030'5106},
    {"ID_AA64ISAR0_EL1", 0x1021'1120},
    {"ID_AA64ISAR1_EL1", 0},
    {"ID_AA64MMFR0_EL1", 0x0010'0024},
    {"ID_AA64MMFR1_EL1", 0x0010'1000},
    {"ID_AA64MMFR2_EL1", 0x1000'0000'0000'0001},
    {"CLIDR_EL1", 0x0a20'0023},
    {"AIDR_EL1", 0},
    {"CTR_EL0", 0x9444'c004},
    {"DCZID_EL0", 4},
};

// As the Cortex-A72's, but for what is absent: AArch32, EL2 and EL3, big-endian data; the GIC's registers are
// there.
const Golden kCortexA72 = {
    {"MIDR_EL1", 0x410f'd083},        {"REVIDR_EL1", 0},
    {"ID_AA64PFR0_EL1", 0x0100'0011}, {"ID_AA64PFR1_EL1", 0},
    {"ID_AA64DFR0_EL1", 0x1030'5106}, {"ID_AA64ISAR0_EL1", 0x0001'1120},
    {"ID_AA64ISAR1_EL1", 0},          {"ID_AA64MMFR0_EL1", 0x0000'0024},
    {"ID_AA64MMFR1_EL1", 0},          {"ID_AA64MMFR2_EL1", 0},
    {"CLIDR_EL1", 0x0a20'0023},       {"AIDR_EL1", 0},
    {"CTR_EL0", 0x8444'c004},         {"DCZID_EL0", 4},
};

void expect_golden(const char* name, const Golden& golden) {
  const CpuModel* model = find_cpu_model(name);
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->values.size(), golden.size());
  for (const IdValue& v : model->values) {
    const auto it = golden.find(std::string(v.name));
    ASSERT_NE(it, golden.end()) << v.name;
    EXPECT_EQ(v.value, it->second) << v.name << std::hex << " is " << v.value;
    EXPECT_EQ(model->value(v.encoding), v.value);
  }
}

TEST(CpuModels, AreFrozen) {
  ASSERT_EQ(cpu_models().size(), 2u);
  ASSERT_EQ(cpu_model_names().size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(cpu_models()[i].name, cpu_model_names()[i]);
  expect_golden("max", kMax);
  expect_golden("cortex-a72", kCortexA72);
}

TEST(CpuModels, BesideAGicv2HaveNoRegistersOfIt) {
  for (const std::string_view name : cpu_model_names()) {
    const CpuModel& with = *find_cpu_model(name, true);
    const CpuModel& without = *find_cpu_model(name, false);
    for (const IdValue& v : with.values) {
      const u64 gic = v.name == "ID_AA64PFR0_EL1" ? u64{0xf} << 24 : 0;
      EXPECT_EQ(without.value(v.encoding), v.value & ~gic) << v.name;
    }
  }
}

TEST(CpuModels, TheRestOfTheIdentificationSpaceReadsAsZero) {
  const CpuModel& model = *find_cpu_model("max");
  for (u32 crm = 1; crm <= 7; ++crm)
    for (u32 op2 = 0; op2 < 8; ++op2) EXPECT_TRUE(model.value(system_encoding(3, 0, 0, crm, op2)).has_value());
  EXPECT_FALSE(model.value(system_encoding(3, 0, 0, 0, 1)).has_value());
  EXPECT_FALSE(model.value(system_encoding(3, 0, 0, 8, 0)).has_value());
  EXPECT_EQ(find_cpu_model("z80"), nullptr);
}

TEST(SystemRegisters, AreFoundByTheirEncodings) {
  for (const SystemRegister& r : system_registers()) EXPECT_EQ(find_system_register(r.encoding), &r) << r.name;
  EXPECT_EQ(find_system_register(system_encoding(3, 0, 15, 15, 7)), nullptr);
  EXPECT_EQ(find_system_register(system_encoding(3, 0, 1, 0, 0))->written(0), 0u);
}

}  // namespace
}  // namespace tiercel::arm
