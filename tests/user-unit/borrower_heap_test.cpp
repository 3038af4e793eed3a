// What a vfork child allocates and frees, with the test in the child's place.
#include "user/memory/borrower_heap.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace tiercel::user {
namespace {

TEST(BorrowerHeap, GivesMemoryOfEveryKind) {
  void *plain, *zeroed, *aligned, *grown;
  {
    const BorrowerHeap::Scope child;
    plain = std::malloc(100);
    std::memset(plain, 0xff, 100);
    zeroed = std::calloc(10, 10);
    aligned = std::aligned_alloc(256, 512);
    grown = std::realloc(std::strcpy(static_cast<char*>(std::malloc(8)), "1234567"), 5000);
  }
  EXPECT_EQ(static_cast<char*>(zeroed)[99], 0);
  EXPECT_EQ(reinterpret_cast<unsigned long>(aligned) % 256, 0u);
  EXPECT_STREQ(static_cast<char*>(grown), "1234567");
  // The parent takes over what lives longer than the child.
  grown = std::realloc(grown, 20000);
  EXPECT_STREQ(static_cast<char*>(grown), "1234567");
  for (void* block : {plain, zeroed, aligned, grown}) std::free(block);
}

TEST(BorrowerHeap, FreesTheParentsBlocksWhenTheChildHasGone) {
  std::string text(1000, 'x');
  {
    const BorrowerHeap::Scope child;
    text = std::string(2000, 'y');
    auto* inner = new std::vector<int>(100);
    {
      const BorrowerHeap::Scope grandchild;
      inner->resize(10000);
    }
    delete inner;
  }
  EXPECT_EQ(text, std::string(2000, 'y'));
}

TEST(BorrowerHeap, UsesMemoryAgainBehindALivingBlock) {
  void* kept;
  {
    const BorrowerHeap::Scope child;
    kept = std::malloc(64);
  }
  void* first = nullptr;
  for (int i = 0; i < 100; ++i) {
    const BorrowerHeap::Scope child;
    void* block = std::malloc(1000);
    if (i == 0) first = block;
    EXPECT_EQ(block, first);
    std::free(block);
  }
  std::free(kept);
}

}  // namespace
}  // namespace tiercel::user
