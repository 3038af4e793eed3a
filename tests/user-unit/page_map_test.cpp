#include "user/memory/page_map.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <random>

namespace tiercel::user {
namespace {

constexpr u64 kP = kPageSize;

TEST(PageMap, JoinsEqualNeighbours) {
  PageMap map;
  map.insert(kP, 2 * kP, {.prot = PROT_READ});
  map.insert(2 * kP, 3 * kP, {.prot = PROT_READ});
  EXPECT_EQ(map.size(), 1u);
  map.insert(4 * kP, 5 * kP, {.prot = PROT_READ});
  EXPECT_EQ(map.size(), 2u);
  map.insert(3 * kP, 4 * kP, {.prot = PROT_READ});
  EXPECT_EQ(map.size(), 1u);
}

TEST(PageMap, ProtectSplitsAndJoins) {
  PageMap map;
  map.insert(0, 10 * kP, {.prot = PROT_READ});
  map.protect(3 * kP, 4 * kP, PROT_READ | PROT_EXEC);
  EXPECT_EQ(map.size(), 3u);
  EXPECT_EQ(map.find(3 * kP)->mapping.prot, PROT_READ | PROT_EXEC);
  EXPECT_TRUE(map.any_with(0, 10 * kP, PROT_EXEC));
  EXPECT_FALSE(map.any_with(4 * kP, 10 * kP, PROT_EXEC));
  map.protect(3 * kP, 4 * kP, PROT_READ);
  EXPECT_EQ(map.size(), 1u);
}

TEST(PageMap, FileOffsetsFollowSplits) {
  PageMap map;
  map.insert(0x10000, 0x20000, {.prot = PROT_READ, .offset = 0x5000, .inode = 7});
  map.erase(0x12000, 0x13000);
  EXPECT_EQ(map.find(0x13000)->mapping.offset, 0x8000u);
  EXPECT_EQ(map.gaps(0x10000, 0x20000).size(), 1u);
  const auto parts = map.parts(0x11000, 0x14000);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].mapping.offset, 0x6000u);
}

TEST(PageMap, ATerabyteIsOneEntry) {
  PageMap map;
  map.insert(0x100000000000, 0x110000000000, {.prot = PROT_NONE});
  EXPECT_EQ(map.size(), 1u);
  EXPECT_TRUE(map.covers(0x100000000000, 0x110000000000));
}

// Against the plainest model: an array of pages.
TEST(PageMap, AgreesWithAnArray) {
  constexpr int kPages = 64;
  std::mt19937 random(3);
  PageMap map;
  std::vector<int> model(kPages, -1);
  for (int step = 0; step < 20000; ++step) {
    const u64 from = random() % kPages, to = from + 1 + random() % (kPages - from);
    const int prot = static_cast<int>(random() % 8);
    switch (random() % 3) {
      case 0:
        map.insert(from * kP, to * kP, {.prot = prot});
        for (u64 i = from; i < to; ++i) model[i] = prot;
        break;
      case 1:
        map.erase(from * kP, to * kP);
        for (u64 i = from; i < to; ++i) model[i] = -1;
        break;
      default:
        map.protect(from * kP, to * kP, prot);
        for (u64 i = from; i < to; ++i)
          if (model[i] >= 0) model[i] = prot;
    }
    for (u64 i = 0; i < kPages; ++i) {
      const PageMap::Region* r = map.find(i * kP + 5);
      ASSERT_EQ(r ? r->mapping.prot : -1, model[i]) << step;
    }
    std::size_t regions = 0;
    for (int i = 0; i < kPages; ++i) regions += model[i] >= 0 && (i == 0 || model[i - 1] != model[i]);
    ASSERT_EQ(map.size(), regions) << step;
  }
}

}  // namespace
}  // namespace tiercel::user
