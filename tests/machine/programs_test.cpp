// Bare-metal programs on each tier: what they print must be what is written beside them. The expectations were recorded
// from QEMU 10 (-M virt,gic-version=3 -cpu cortex-a76), but for one: the syndrome of a trapped MSR (immediate), where
// QEMU exchanges Op1 and Op2 ("ISS encoding for an exception from MSR, MRS, or System instruction execution").
#include <gtest/gtest.h>

#include <tuple>

#include "tests/machine/bare_machine.h"

namespace tiercel::test {
namespace {

/// A tier, and when it takes code for hot.
struct Way {
  const char* name;
  engine::Tier tier;
  u32 hot;
};
constexpr Way kWays[] = {{"interp", engine::Tier::Interp, 4096},
                         {"fast", engine::Tier::Fast, 4096},
#ifdef MACHINE_REGIONS
                         {"every_block", engine::Tier::Llvm, 1},
                         {"loops", engine::Tier::Llvm, 16}
#endif
};

struct Program {
  const char* name;
  unsigned cpus = 1;
};
constexpr Program kPrograms[] = {{"hello"},  {"exceptions"}, {"mmu"},    {"timer"},       {"pairs"},   {"unmask"},
                                 {"loops"},  {"debug"},      {"pmu"},    {"cycles"},      {"atomics"}, {"groups"},
                                 {"spaces"}, {"aliases"},    {"beyond"}, {"shootdown", 2}};

using Case = std::tuple<Program, Way>;
class BareMetal : public testing::TestWithParam<Case> {};

TEST_P(BareMetal, PrintsWhatIsExpected) {
  const auto& [program, way] = GetParam();
  engine::Options options;
  options.tier = way.tier;
  options.hot = way.hot;
  options.code_cache_bytes = 16 << 20;
  const BareResult result = run_bare(program.name, options, "max", program.cpus);
  EXPECT_EQ(result.output, expected_output(program.name));
  EXPECT_TRUE(result.powered_off);
}

INSTANTIATE_TEST_SUITE_P(All, BareMetal, testing::Combine(testing::ValuesIn(kPrograms), testing::ValuesIn(kWays)),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) + "_" + std::get<1>(info.param).name;
                         });

class Features : public testing::TestWithParam<std::tuple<const char*, Way>> {};

TEST_P(Features, AreThereIfTheyAreAdvertised) {
  const auto& [model, way] = GetParam();
  engine::Options options;
  options.tier = way.tier;
  options.hot = way.hot;
  options.code_cache_bytes = 16 << 20;
  const BareResult result = run_bare("features", options, model);
  EXPECT_EQ(result.output.find("MISMATCH"), std::string::npos) << result.output;
  EXPECT_TRUE(result.output.ends_with("done\n")) << result.output;
}

INSTANTIATE_TEST_SUITE_P(All, Features,
                         testing::Combine(testing::Values("max", "cortex-a72"), testing::ValuesIn(kWays, kWays + 2)),
                         [](const auto& info) {
                           const std::string model = std::get<0>(info.param);
                           return (model == "max" ? "max_" : "a72_") + std::string(std::get<1>(info.param).name);
                         });

}  // namespace
}  // namespace tiercel::test
