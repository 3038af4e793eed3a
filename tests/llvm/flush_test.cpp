// Chains of arithmetic under rules that let the host flush subnormals, on numbers around the least normal one, as a
// block of a region and as a block of the fast tier, from every state of the exceptions. TIERCEL_FLUSH_CHAINS=n makes
// n.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "frontend-arm/a64_frontend.h"
#include "ir/builder.h"
#include "tests/llvm/harness.h"
#include "tests/support/fp_trap.h"
#include "tests/support/x64_tier.h"

namespace tiercel::test {
namespace {

using ir::Arr;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr unsigned kSlots = 8;

class Chains {
 public:
  explicit Chains(u64 seed) : random_(seed), builder_(a64_slots()) {}

  u32 pick(u32 n) { return static_cast<u32>(random_() % n); }

  ir::Function make() {
    constexpr std::pair<Type, Arr> kTypes[] = {{Type::F32, Arr::None},
                                               {Type::F64, Arr::None},
                                               {Type::V128, Arr::S4},
                                               {Type::V128, Arr::D2},
                                               {Type::V128, Arr::S2}};
    std::tie(type_, arr_) = kTypes[pick(std::size(kTypes))];
    ir::Function f;
    builder_.begin(f, 0x4000, {.default_nan = pick(2) != 0, .flush = true, .host_flush = true});
    builder_.insn(0x4000);
    values_.clear();
    for (u16 i = 0; i < kSlots; ++i) values_.push_back(builder_.get(type_, slot(i)));
    for (unsigned n = 2 + pick(10); n > 0; --n) step();
    for (u16 i = 0; i < kSlots; ++i) builder_.set(static_cast<u16>(slot(i) + kSlots), values_[values_.size() - 1 - i]);
    builder_.jump(0x8000);
    return f;
  }

  void fill(arm::A64State& s) {
    const bool wide = type_ == Type::F64 || arr_ == Arr::D2;
    for (U128& v : s.v) v = wide ? U128{number(kDoubles, 63), number(kDoubles, 63)} : U128{singles(), singles()};
  }

  /// Some exceptions, in MXCSR and beside it.
  void fill(backend::VmContext& c) {
    c.mxcsr = 0x1f80 | (pick(2) ? mxcsr::kInexact : 0) | (pick(2) ? mxcsr::kUnderflow : 0);
    c.fp_extra = pick(2) ? ir::fpstatus::kInputDenormal : 0;
  }

 private:
  static u16 slot(u16 i) { return static_cast<u16>(arm::slot::kV0 + i); }

  void step() {
    constexpr Opcode kOps[] = {Opcode::FAdd,    Opcode::FSub,    Opcode::FMul,    Opcode::FMul, Opcode::FMul,
                               Opcode::FMulAdd, Opcode::FMulAdd, Opcode::FMulAdd, Opcode::FDiv, Opcode::FSqrt,
                               Opcode::FNeg,    Opcode::FAbs,    Opcode::FMax};
    const Opcode op = kOps[pick(std::size(kOps))];
    // Mostly with something recent.
    const auto any = [&] {
      const auto count = static_cast<u32>(values_.size());
      return values_[pick(2) ? pick(count) : count - 1 - pick(3)];
    };
    switch (ir::info(op).operands.size()) {
      case 1:
        return values_.push_back(builder_.fp(op, type_, arr_, {any()}));
      case 2:
        return values_.push_back(builder_.fp(op, type_, arr_, {any(), any()}));
      default:
        return values_.push_back(builder_.fp(op, type_, arr_, {any(), any(), any()}));
    }
  }

  template <typename T, std::size_t N>
  u64 number(const T (&values)[N], unsigned sign) {
    return values[pick(N)] ^ u64 { pick(2) } << sign;
  }
  u64 singles() { return number(kSingles, 31) | number(kSingles, 31) << 32; }

  // Zero, subnormals, around the least normal number, pairs whose product is just below it, numbers whose product is a
  // tie at the largest one, ordinary ones, infinity, NaNs.
  static constexpr u32 kSingles[] = {0,          1,          0x007fffff, 0x00800000, 0x00800001, 0x00c00000, 0x01000000,
                                     0x1ffff800, 0x20000400, 0x1fffffff, 0x20000001, 0x20000000, 0x1f800000, 0x3f800000,
                                     0x3fc00000, 0x3f800001, 0x7f7fffff, 0x41f80000, 0x7b84210c, 0x73000000, 0x40000000,
                                     0x3f000000, 0x7f800000, 0x7fc00001, 0x7fa00000};
  static constexpr u64 kDoubles[] = {0,
                                     1,
                                     0x000fffffffffffff,
                                     0x0010000000000000,
                                     0x0010000000000001,
                                     0x0018000000000000,
                                     0x0020000000000000,
                                     0x1ffffffffff80000,
                                     0x2000000000040000,
                                     0x2000000000000000,
                                     0x1ff0000000000000,
                                     0x3ff0000000000000,
                                     0x3ff8000000000000,
                                     0x3ff0000000000001,
                                     0x7fefffffffffffff,
                                     0x7c90000000000000,
                                     0x4000000000000000,
                                     0x3fe0000000000000,
                                     0x7ff0000000000000,
                                     0x7ff8000000000001,
                                     0x7ff4000000000000};

  std::mt19937_64 random_;
  ir::Builder builder_;
  Type type_ = Type::F32;
  Arr arr_ = Arr::None;
  std::vector<Value> values_;
};

unsigned chains() {
  const char* text = std::getenv("TIERCEL_FLUSH_CHAINS");
  return text != nullptr ? static_cast<unsigned>(std::atoi(text)) : 400;
}

void run_regions(const backend::HostFeatures& features, u64 first_seed) {
  RegionTester tester(features);
  for (u64 seed = first_seed; seed < first_seed + chains(); ++seed) {
    Chains g(seed);
    ir::Region region;
    region.blocks.push_back(g.make());
    ASSERT_EQ(tester.compile(region), "");
    for (int n = 0; n < 40; ++n) {
      g.fill(tester.start().state());
      g.fill(tester.start().context());
      const std::string wrong = tester.run(region);
      ASSERT_EQ(wrong, "") << "seed " << seed << " run " << n << "\n" << tester.describe(region);
    }
  }
}

void run_blocks(const backend::HostFeatures& features, u64 first_seed) {
  const auto frontend = arm::make_a64_frontend();
  X64Tier tier(frontend->layout(), features);
  Machine wanted(*frontend), made(*frontend);
  for (u64 seed = first_seed; seed < first_seed + chains(); ++seed) {
    Chains g(seed);
    const ir::Function f = g.make();
    tier.compile(f);
    for (int n = 0; n < 40; ++n) {
      wanted.reset();
      g.fill(*reinterpret_cast<arm::A64State*>(wanted.state().data()));
      g.fill(wanted.context());
      std::memcpy(made.state().data(), wanted.state().data(), wanted.state().size());
      made.context().mxcsr = wanted.context().mxcsr;
      made.context().fp_extra = wanted.context().fp_extra;
      wanted.interpret(f);
      tier.run(made);
      for (u16 i = 0; i < 2 * kSlots; ++i) {
        const auto s = static_cast<ir::SlotId>(arm::slot::kV0 + i);
        ASSERT_EQ(wanted.slot(s), made.slot(s)) << "seed " << seed << " run " << n << " v" << i << "\n"
                                                << tier.listing(f);
      }
      ASSERT_EQ(wanted.fp_status(), made.fp_status()) << "seed " << seed << " run " << n << "\n" << tier.listing(f);
    }
  }
}

TEST(FlushedChains, InRegions) {
  run_regions(backend::HostFeatures::detect(), 1);
}
TEST(FlushedChains, InRegionsWithoutAvx512) {
  run_regions(without_avx512(), 10'001);
}
TEST(FlushedChains, InRegionsOnTheLeastHost) {
  run_regions(least_features(), 20'001);
}
TEST(FlushedChains, InBlocks) {
  run_blocks(backend::HostFeatures::detect(), 30'001);
}
TEST(FlushedChains, InBlocksWithoutAvx512) {
  run_blocks(without_avx512(), 40'001);
}
TEST(FlushedChains, InBlocksOnTheLeastHost) {
  run_blocks(least_features(), 50'001);
}

}  // namespace
}  // namespace tiercel::test
