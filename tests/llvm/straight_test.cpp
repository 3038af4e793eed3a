// Random functions over every opcode as regions of one block: the optimising tier must leave what the interpreter
// leaves. TIERCEL_RANDOM_ROUNDS=n makes n times as many; TIERCEL_RANDOM_SEED=n makes one and cuts it down if it fails.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "ir/printer.h"
#include "ir/verifier.h"
#include "tests/llvm/harness.h"
#include "tests/support/fp_trap.h"
#include "tests/support/random_ir.h"
#include "tests/support/reduce_ir.h"

namespace tiercel::test {
namespace {

constexpr int kStates = 3;
constexpr Excluded kExcluded[] = {{ir::Opcode::Exit, "a region ends before the insn"},
                                  {ir::Opcode::CallHelper, "a region ends before the insn"}};

u64 number_from(const char* variable, u64 otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

RandomIrOptions options(u64 memory) {
  return {.slots = a64_slots(), .memory = memory, .helpers = {}, .excluded = kExcluded};
}

bool may_repeat(const ir::Function& f) {
  const ir::Inst& last = f.insts.back();
  const bool branch = last.op == ir::Opcode::Branch;
  return ((branch || last.op == ir::Opcode::Jump || last.op == ir::Opcode::Call) && last.imm == f.pc) ||
         (branch && f.constant(last.aux).lo == f.pc);
}

class Comparison {
 public:
  explicit Comparison(const backend::HostFeatures& features = backend::HostFeatures::detect(), bool base_is_zero = true)
      : tester_(features, base_is_zero), random_(options(tester_.guest_memory())) {}

  void run(u64 first_seed, u64 count) {
    if (const u64 only = number_from("TIERCEL_RANDOM_SEED", 0)) return show(only);
    count *= number_from("TIERCEL_RANDOM_ROUNDS", 1);
    for (u64 seed = first_seed; seed < first_seed + count; ++seed) {
      const ir::Function f = function(seed);
      const std::string difference = differences(f, seed);
      ASSERT_TRUE(difference.empty()) << "seed " << seed << "\n" << difference << ir::print(f, a64_slots());
    }
  }

 private:
  ir::Function function(u64 seed) {
    random_.seed(seed);
    const ir::Function f = random_.make(5 + random_.pick(60));
    ir::verify_or_die(f, a64_slots(), "generation");
    return f;
  }

  std::string differences(const ir::Function& f, u64 seed) {
    ir::Region region;
    region.blocks.push_back(f);
    if (const std::string refusal = tester_.compile(region); !refusal.empty()) return refusal;
    random_.seed(seed);
    for (int k = 0; k < kStates; ++k) {
      random_.fill(&tester_.start().state());
      backend::VmContext& c = tester_.start().context();
      c.mxcsr = start_mxcsr(f.fp, 0x1f80 | random_.pick(4) << 13);
      c.fp_extra = 0;
      c.exit_request = random_.pick(8) == 0 || may_repeat(f);
      for (u64 i = 0; i < RegionTester::kMemorySize; i += 8) {
        const u64 word = random_.integer();
        std::memcpy(tester_.start_memory() + i, &word, 8);
      }
      if (const std::string difference = tester_.run(region); !difference.empty()) return difference;
    }
    return {};
  }

  void show(u64 seed) {
    const auto fails = [this, seed](const ir::Function& f) { return !differences(f, seed).empty(); };
    ir::Region region;
    region.blocks.push_back(reduce(function(seed), a64_slots(), fails));
    if (region.blocks[0].insts.empty()) return;
    fmt::print("{}", tester_.describe(region));
    std::fflush(stdout);
    ADD_FAILURE() << differences(region.blocks[0], seed);
  }

  RegionTester tester_;
  RandomIr random_;
};

TEST(RandomStraight, OnThisHost) {
  Comparison().run(1, 200);
}
TEST(RandomStraight, WithAMemoryBase) {
  Comparison(backend::HostFeatures::detect(), false).run(10'000'001, 100);
}
TEST(RandomStraight, OnTheLeastHost) {
  Comparison(backend::HostFeatures{}).run(20'000'001, 100);
}

TEST(RandomStraight, EveryOpcodeIsMade) {
  EXPECT_EQ(opcodes_never_made(options(RegionTester::kMemory), 3000), std::vector<std::string_view>());
}

}  // namespace
}  // namespace tiercel::test
