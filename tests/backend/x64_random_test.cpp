// Random functions over every opcode: the fast tier must leave what the interpreter leaves.
// TIERCEL_RANDOM_ROUNDS=n makes n times as many; TIERCEL_RANDOM_SEED=n makes one and cuts it down if it fails.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include "ir/printer.h"
#include "ir/verifier.h"
#include "tests/backend/harness.h"
#include "tests/support/random_ir.h"
#include "tests/support/reduce_ir.h"

namespace tiercel::backend::test {
namespace {

using tiercel::test::RandomIr;
using tiercel::test::RandomIrOptions;

constexpr int kStates = 2;

u64 number_from(const char* variable, u64 otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

RandomIrOptions options() {
  return {.slots = slots(), .memory = Machine::kMemory, .helpers = Machine::kHelperOperands, .excluded = {}};
}

/// What runs right now, for the message when the tier or its code dies.
u64 current_seed = 0;

void name_seed(int how) {
  fmt::print(stderr, "signal {}, seed {}\n", how, current_seed);
  signal(how, SIG_DFL);
}

struct Start {
  State state;
  u32 mxcsr;
  u32 exit_request, masked_request;
};

Start start_of(RandomIr& random) {
  Start start{};
  random.fill(start.state.bytes);
  start.mxcsr = 0x1f80 | random.pick(4) << 13;
  start.exit_request = random.pick(8) == 0;
  start.masked_request = random.pick(2) == 0;
  return start;
}

class Comparison {
 public:
  Comparison(const HostFeatures& features, bool chaos) : features_(features), chaos_(chaos), random_(options()) {
    machine_ = std::make_unique<Machine>(features);
  }

  void run(u64 first_seed, u64 count) {
    for (const int how : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE}) signal(how, name_seed);
    if (const u64 only = number_from("TIERCEL_RANDOM_SEED", 0)) return show(only);
    count *= number_from("TIERCEL_RANDOM_ROUNDS", 1);
    for (u64 seed = first_seed; seed < first_seed + count; ++seed) {
      const std::string difference = differences(function(seed));
      ASSERT_TRUE(difference.empty()) << "seed " << seed << "\n" << difference;
    }
  }

 private:
  ir::Function function(u64 seed) {
    current_seed = seed;
    random_.seed(seed);
    const ir::Function f = random_.make(5 + random_.pick(60));
    ir::verify_or_die(f, slots(), "generation");
    return f;
  }

  std::string differences(const ir::Function& f) {
    random_.seed(current_seed);
    if (chaos_) machine_ = std::make_unique<Machine>(features_, static_cast<u32>(current_seed));
    auto* memory = reinterpret_cast<u64*>(Machine::kMemory);
    for (u64 i = 0; i < Machine::kMemorySize / 8; ++i) memory[i] = random_.integer();
    for (int k = 0; k < kStates; ++k) {
      const Start start = start_of(random_);
      machine_->context().exit_request = start.exit_request;
      machine_->context().masked_request = start.masked_request;
      if (const std::string difference = machine_->compare(f, start.state, start.mxcsr); !difference.empty())
        return difference;
    }
    return {};
  }

  void show(u64 seed) {
    const auto fails = [this](const ir::Function& f) {
      const std::string difference = differences(f);
      return !difference.empty() && difference != Machine::kFaults;
    };
    const ir::Function f = tiercel::test::reduce(function(seed), slots(), fails);
    if (f.insts.empty()) return;
    fmt::print("{}", ir::print(f, slots()));
    std::fflush(stdout);
    ADD_FAILURE() << differences(f);
  }

  const HostFeatures features_;
  const bool chaos_;
  std::unique_ptr<Machine> machine_;
  RandomIr random_;
};

TEST(X64Random, HostFeatures) {
  Comparison(HostFeatures::detect(), false).run(1, 3000);
}
TEST(X64Random, Chaos) {
  Comparison(HostFeatures::detect(), true).run(10'000'001, 2000);
}
TEST(X64Random, LeastFeatures) {
  Comparison(HostFeatures{}, false).run(20'000'001, 2000);
}
TEST(X64Random, Avx2) {
  HostFeatures h = HostFeatures::detect();
  h.avx512vl = h.avx512vbmi = h.avx512bitalg = h.gfni = h.vpclmul = false;
  Comparison(h, false).run(30'000'001, 2000);
}

TEST(X64Random, EveryOpcodeIsMade) {
  EXPECT_EQ(tiercel::test::opcodes_never_made(options(), 3000), std::vector<std::string_view>());
}

}  // namespace
}  // namespace tiercel::backend::test
