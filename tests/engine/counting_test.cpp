#include "engine/counting.h"

#include <gtest/gtest.h>

#include <array>

namespace tiercel::engine {
namespace {

constexpr u64 kFarAway = ~u64{0} >> 1;

class CountingTest : public testing::Test {
 protected:
  CodeCache cache{*CodeMemory::create(2 << 20)};
  Counting counting{cache, true};
  CachedBlock* head(u64 pc) {
    backend::CompiledCode code;
    code.code.assign(32, 0xcc);
    ir::Function f;
    f.pc = pc;
    f.end_pc = pc + 4;
    f.insn_count = 1;
    return cache.add({pc, 0, 0}, f, &code);
  }
};

TEST_F(CountingTest, OfTheHeadsThatWaitFourAreCounted) {
  for (u64 i = 0; i < 8; ++i) {
    CachedBlock* waits = head(0x1000 + 16 * i);
    counting.wait(*waits, kFarAway);
    EXPECT_EQ(waits->settled, i >= 4) << i;
  }
}

TEST_F(CountingTest, WhatIsDecidedMakesPlaceForOneThatAsks) {
  std::array<CachedBlock*, 4> first{};
  for (u64 i = 0; i < first.size(); ++i) counting.wait(*(first[i] = head(0x1000 + 16 * i)), kFarAway);
  for (CachedBlock* decided : first) counting.settle(*decided, 0);
  CachedBlock* late = head(0x2000);
  counting.wait(*late, kFarAway);
  EXPECT_FALSE(late->settled) << "nobody would ask any more";
}

TEST_F(CountingTest, AHeadIsReconsideredOnce) {
  CachedBlock* a = head(0x1000);
  for (int i = 0; i < 3; ++i) counting.settle(*a, 1);
  EXPECT_TRUE(a->settled);
  EXPECT_EQ(counting.reconsider(), std::vector<u32>{backend::hot_counter_index(0x1000)});
  EXPECT_FALSE(a->settled);
}

}  // namespace
}  // namespace tiercel::engine
