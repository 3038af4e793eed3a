// Bare-metal programs on each tier: what they print must be what is written beside them. The expectations were recorded
// from QEMU 10 (-M virt,gic-version=3 -cpu cortex-a76), but for one: the syndrome of a trapped MSR (immediate), where
// QEMU exchanges Op1 and Op2 ("ISS encoding for an exception from MSR, MRS, or System instruction execution").
#include <gtest/gtest.h>

#include "tests/machine/bare_machine.h"

namespace tiercel::test {
namespace {

struct Case {
  const char* program;
  engine::Tier tier;
  unsigned cpus = 1;
};

class BareMetal : public testing::TestWithParam<Case> {};

TEST_P(BareMetal, PrintsWhatIsExpected) {
  engine::Options options;
  options.tier = GetParam().tier;
  options.code_cache_bytes = 16 << 20;
  const BareResult result = run_bare(GetParam().program, options, "max", GetParam().cpus);
  EXPECT_EQ(result.output, expected_output(GetParam().program));
  EXPECT_TRUE(result.powered_off);
}

using engine::Tier;
constexpr Case kCases[] = {
    {"hello", Tier::Interp},        {"exceptions", Tier::Interp}, {"mmu", Tier::Interp},    {"timer", Tier::Interp},
    {"hello", Tier::Fast},          {"exceptions", Tier::Fast},   {"mmu", Tier::Fast},      {"timer", Tier::Fast},
    {"pairs", Tier::Interp},        {"pairs", Tier::Fast},        {"unmask", Tier::Interp}, {"unmask", Tier::Fast},
    {"shootdown", Tier::Interp, 2}, {"shootdown", Tier::Fast, 2}};
INSTANTIATE_TEST_SUITE_P(All, BareMetal, testing::ValuesIn(kCases), [](const auto& info) {
  return std::string(info.param.program) + "_" + engine::tier_name(info.param.tier);
});

}  // namespace
}  // namespace tiercel::test
