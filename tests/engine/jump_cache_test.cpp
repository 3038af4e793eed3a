#include "backend/jump_cache.h"

#include <gtest/gtest.h>

namespace tiercel::backend {
namespace {

/// A pc that shares the first table's entry with `pc`.
u64 rival_of(u64 pc, u64 n = 1) {
  for (u64 candidate = pc + 4;; candidate += 4)
    if (jump_cache_index(candidate) == jump_cache_index(pc) && --n == 0) return candidate;
}

TEST(JumpCache, NoPcHitsAnEmptyEntry) {
  JumpCache cache;
  for (u64 pc = 0; pc < 64 * kJumpCacheSize; ++pc) ASSERT_EQ(cache.find(pc), nullptr) << pc;
  for (u64 pc = ~u64{0}; pc > ~u64{0} - 64; --pc) EXPECT_EQ(cache.find(pc), nullptr) << pc;
}

TEST(JumpCache, KeepsTwoThatCollide) {
  JumpCache cache;
  int a = 0, b = 0;
  const u64 pc = 0x5500001230, rival = rival_of(pc);
  cache.insert(pc, &a);
  cache.insert(rival, &b);
  EXPECT_EQ(cache.find(pc), &a);
  EXPECT_EQ(cache.find(rival), &b);
  cache.insert(pc, &a);
  EXPECT_EQ(cache.find(pc), &a);
  EXPECT_EQ(cache.find(rival), &b);
}

TEST(JumpCache, CopiesAndKeepsWhatIsWanted) {
  for (const u64 count : {u64{100}, u64{20000}}) {
    JumpCache one, two;
    int here = 0, old = 0;
    two.insert(0x7770, &old);
    for (u64 i = 0; i < count; ++i) one.insert(0x5500000000 + 4 * i, &here);
    two.copy(one);
    EXPECT_EQ(two.find(0x7770), nullptr);
    for (u64 i = 0; i < count; ++i) ASSERT_EQ(two.find(0x5500000000 + 4 * i), one.find(0x5500000000 + 4 * i));
    two.keep_if([](u64 pc) { return pc % 8 == 0; });
    EXPECT_EQ(two.find(0x5500000000 + 8), one.find(0x5500000000 + 8));
    EXPECT_EQ(two.find(0x5500000000 + 4), nullptr);
    two.clear();
    for (u64 i = 0; i < count; ++i) ASSERT_EQ(two.find(0x5500000000 + 4 * i), nullptr);
  }
}

TEST(JumpCache, ForgetsInBothTables) {
  JumpCache cache;
  int a = 0, b = 0;
  const u64 pc = 0x5500001230, rival = rival_of(pc);
  cache.insert(pc, &a);
  cache.insert(rival, &b);
  cache.insert(pc, &a);  // now in both tables
  cache.forget(pc);
  EXPECT_EQ(cache.find(pc), nullptr);
  EXPECT_EQ(cache.find(rival), &b);
  cache.forget(rival);
  EXPECT_EQ(cache.find(rival), nullptr);
}

TEST(JumpCache, ForgettingPcZeroLeavesItMissing) {
  JumpCache cache;
  int a = 0;
  cache.insert(0, &a);
  EXPECT_EQ(cache.find(0), &a);
  cache.forget(0);
  EXPECT_EQ(cache.find(0), nullptr);
  cache.insert(0, &a);
  cache.insert(rival_of(0), &a);
  cache.clear();
  EXPECT_EQ(cache.find(0), nullptr);
}

TEST(JumpCache, ClearsFewAndMany) {
  JumpCache cache;
  int a = 0;
  for (const u64 count : {u64{1}, u64{50}, u64{2} * kJumpCacheSize, u64{3}}) {
    for (u64 i = 0; i < count; ++i) {
      cache.insert(0x1000 + 4 * i, &a);
      cache.insert(rival_of(0x1000 + 4 * i), &a);
    }
    EXPECT_NE(cache.find(0x1000 + 4 * (count - 1)), nullptr);
    cache.clear();
    for (u32 i = 0; i < kJumpCacheSize + kVictimSize; ++i) {
      const bool first = i < kJumpCacheSize;
      ASSERT_EQ(cache.data()[i].pc, empty_pc(first ? i : i - kJumpCacheSize)) << i << " of " << count;
    }
  }
}

}  // namespace
}  // namespace tiercel::backend
