#include "engine/code_mappings.h"

#include <gtest/gtest.h>

namespace tiercel::engine {
namespace {

constexpr u32 kSpace = guest::BlockKey::kPhysical | guest::BlockKey::kRelative | 5;

CachedBlock block(u64 pc) {
  CachedBlock b;
  b.key = {pc, 0, kSpace};
  return b;
}

TEST(CodeMappings, KnowsTheLastAddressesAndWhetherThereWereOthers) {
  CodeMappings mappings;
  EXPECT_TRUE(mappings.addresses(kSpace).all);
  for (u64 i = 1; i <= 8; ++i) {
    mappings.note(kSpace, i * kPageSize);
    mappings.note(kSpace, i * kPageSize);
  }
  EXPECT_EQ(mappings.addresses(kSpace).last.size(), 8u);
  EXPECT_TRUE(mappings.addresses(kSpace).all);
  mappings.note(kSpace, 9 * kPageSize);
  EXPECT_FALSE(mappings.addresses(kSpace).all);
  mappings.forget(kSpace);
  EXPECT_TRUE(mappings.addresses(kSpace).last.empty());
  EXPECT_TRUE(mappings.addresses(kSpace).all);
}

TEST(CodeMappings, DoesNotGrowWithCodeThatIsMadeAnewAgainAndAgain) {
  CodeMappings mappings;
  CachedBlock lasting = block(0x10);
  mappings.note_jump(lasting);
  std::vector<CachedBlock> blocks(1000, block(0x20));
  for (CachedBlock& b : blocks) {
    mappings.note_jump(b);
    mappings.note_jump(b);
    EXPECT_LE(mappings.targets(kSpace).size(), 2u);
    b.dead = true;
  }
  EXPECT_EQ(mappings.targets(kSpace).front(), &lasting);
}

}  // namespace
}  // namespace tiercel::engine
