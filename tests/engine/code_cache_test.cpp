#include "engine/code_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>

namespace tiercel::engine {
namespace {

/// A block of one patchable jump: `nop*3; jmp rel32` to its own stub at offset 16.
backend::CompiledCode one_exit(u64 target_pc) {
  backend::CompiledCode c;
  c.code.assign(32, 0xcc);
  c.code[3] = 0xe9;
  const u32 to_stub = 16 - 8;
  std::memcpy(c.code.data() + 4, &to_stub, 4);
  c.exits = {{4, 16, target_pc}};
  return c;
}

ir::Function function(u64 pc, u64 end) {
  ir::Function f;
  f.pc = pc;
  f.end_pc = end;
  f.insn_count = 1;
  return f;
}

class CodeCacheTest : public testing::Test {
 protected:
  explicit CodeCacheTest(u64 bytes = 2 << 20) : cache(*CodeMemory::create(bytes)) {}
  CodeCache cache;
  CachedBlock* add(u64 pc, u64 end, u64 target) {
    const auto code = one_exit(target);
    return cache.add({pc, 0, 0}, function(pc, end), &code);
  }
  /// Where the block's jump leads now.
  static const u8* jump_target(const CachedBlock& b) {
    s32 distance;
    std::memcpy(&distance, b.host + 4, 4);
    return b.host + 8 + distance;
  }
};

std::vector<u64> pcs_of(const CodeCache::Dropped& dropped) {
  std::vector<u64> pcs;
  for (const guest::BlockKey& key : dropped.keys) pcs.push_back(key.pc);
  return pcs;
}

TEST_F(CodeCacheTest, FindsBlocksByKeyAndAddress) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  EXPECT_EQ(cache.find({0x1000, 0, 0}), a);
  EXPECT_EQ(cache.find({0x1000, 1, 0}), nullptr);
  EXPECT_EQ(cache.containing(reinterpret_cast<u64>(b->host) + 5), b);
  EXPECT_EQ(cache.containing(reinterpret_cast<u64>(a->host) - 1), nullptr);
  EXPECT_EQ(&cache.exit_at(reinterpret_cast<u64>(a->host) + 4), &a->exits()[0]);
}

TEST_F(CodeCacheTest, LinksAndUnlinks) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  EXPECT_EQ(jump_target(*a), a->host + 16);
  cache.link(a->exits()[0], *b);
  EXPECT_EQ(jump_target(*a), b->host);
  const CodeCache::Dropped dropped = cache.invalidate(0x200c, 0x200d);
  EXPECT_EQ(dropped.blocks, 1u);
  EXPECT_EQ(pcs_of(dropped), std::vector<u64>{0x2000});
  EXPECT_EQ(jump_target(*a), a->host + 16);
  EXPECT_EQ(cache.find({0x2000, 0, 0}), nullptr);
  EXPECT_TRUE(b->dead);
  cache.link(a->exits()[0], *b);
  EXPECT_EQ(jump_target(*a), a->host + 16) << "a dead block is never linked to";
}

TEST_F(CodeCacheTest, RegionsStandInForTheirHeads) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  CachedBlock* c = add(0x3000, 0x3010, 0x2000);
  cache.link(a->exits()[0], *b);
  cache.link(c->exits()[0], *b);
  CachedBlock* const members[] = {b, a};
  CachedBlock* region = cache.add_region(members, {}, one_exit(0x3000));
  EXPECT_EQ(cache.find(b->key), region);
  EXPECT_EQ(region->plain(), b);
  EXPECT_EQ(jump_target(*a), region->host);
  EXPECT_EQ(jump_target(*c), region->host);
  EXPECT_EQ(cache.containing(reinterpret_cast<u64>(region->host) + 4), region);
  CachedBlock* larger = cache.add_region(std::array{b, a, c}, {}, one_exit(0x4000));
  EXPECT_TRUE(region->dead);
  EXPECT_EQ(cache.find(b->key), larger);
  EXPECT_EQ(jump_target(*a), a->host + 16) << "links anew at its next way out";
}

TEST_F(CodeCacheTest, RegionsDieWithAnyMember) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  cache.link(a->exits()[0], *b);
  CachedBlock* region = cache.add_region(std::array{b, a}, {}, one_exit(0x3000));
  cache.link(b->exits()[0], *a);
  const CodeCache::Dropped dropped = cache.invalidate(0x1000, 0x1004);
  EXPECT_EQ(dropped.blocks, 1u);
  EXPECT_EQ(dropped.regions, 1u);
  EXPECT_EQ(pcs_of(dropped), (std::vector<u64>{0x2000, 0x1000}));
  EXPECT_TRUE(region->dead);
  EXPECT_EQ(cache.find({0x2000, 0, 0}), b) << "the head takes its place again";
  cache.invalidate(0x2000, 0x2004);
  EXPECT_EQ(cache.find({0x2000, 0, 0}), nullptr);
}

TEST_F(CodeCacheTest, ChangedCodeTellsOfRegionsDroppedBefore) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  CachedBlock* region = cache.add_region(std::array{b, a}, {}, one_exit(0x3000));
  cache.drop_region(*region);
  const CodeCache::Dropped dropped = cache.invalidate(0x1000, 0x1004);
  EXPECT_EQ(dropped.regions, 1u) << "a vCPU may still be inside";
  EXPECT_EQ(pcs_of(dropped), (std::vector<u64>{0x2000, 0x1000})) << "predictions may still lead to the head's region";
}

TEST_F(CodeCacheTest, CountedExitsLeadThroughGatesWhileTheyCount) {
  CachedBlock* head = add(0x1000, 0x1010, 0x2000);
  CachedBlock* back = add(0x2000, 0x2010, 0x1000);
  CachedBlock* other = add(0x3000, 0x3010, 0x1000);
  back->exits()[0].counted = true;
  cache.link(back->exits()[0], *head);
  cache.link(other->exits()[0], *head);
  cache.add_gate(*head, one_exit(0x1000));
  const CachedBlock& gate = *head->details().gate;
  EXPECT_EQ(jump_target(gate), head->host);
  EXPECT_EQ(jump_target(*back), head->host) << "linked before";
  cache.set_counting(*head, true);
  EXPECT_EQ(jump_target(*back), gate.host);
  EXPECT_EQ(jump_target(*other), head->host);
  CachedBlock* watched = cache.watch(*head, one_exit(0x2000));
  EXPECT_EQ(jump_target(*back), gate.host);
  EXPECT_EQ(jump_target(gate), watched->host);
  EXPECT_EQ(jump_target(*other), watched->host);
  cache.set_counting(*head, false);
  EXPECT_EQ(jump_target(*back), watched->host);
  cache.unwatch(*watched);
  EXPECT_EQ(jump_target(*back), head->host);
  cache.set_counting(*head, true);
  EXPECT_EQ(jump_target(*back), gate.host);
  EXPECT_EQ(jump_target(gate), head->host);
  cache.invalidate(0x1000, 0x1004);
  EXPECT_EQ(jump_target(*back), back->host + 16) << "the gate goes with its block";
  EXPECT_EQ(jump_target(*other), other->host + 16);
}

TEST_F(CodeCacheTest, ARegionsCountedExitsAreNotLinkedPastGatesToCome) {
  CachedBlock* head = add(0x1000, 0x1010, 0x2000);
  CachedBlock* inner = add(0x2000, 0x2010, 0x2000);
  backend::CompiledCode code = one_exit(0x1000);
  code.exits[0].counted = true;
  CachedBlock* region = cache.add_region(std::array{inner}, {}, code);
  EXPECT_EQ(jump_target(*region), region->host + 16) << "whoever comes by links it, and makes the gate";
  cache.drop_region(*region);
  cache.add_gate(*head, one_exit(0x1000));
  region = cache.add_region(std::array{inner}, {}, code);
  EXPECT_EQ(jump_target(*region), head->details().gate->host);
}

TEST_F(CodeCacheTest, WhereARegionWasDroppedIsCountedAgain) {
  CachedBlock* head = add(0x1000, 0x1010, 0x2000);
  CachedBlock* back = add(0x2000, 0x2010, 0x1000);
  back->exits()[0].counted = true;
  cache.add_gate(*head, one_exit(0x1000));
  cache.link(back->exits()[0], *head);
  EXPECT_EQ(jump_target(*back), head->details().gate->host);
  CachedBlock* region = cache.add_region(std::array{head, back}, {}, one_exit(0x3000));
  EXPECT_EQ(jump_target(*head->details().gate), region->host);
  cache.set_counting(*head, false);
  EXPECT_EQ(jump_target(*back), region->host);
  cache.drop_region(*region);
  EXPECT_EQ(jump_target(*back), back->host + 16);
  cache.link(back->exits()[0], *head);
  EXPECT_EQ(jump_target(*back), head->details().gate->host);
}

TEST_F(CodeCacheTest, WatchedBlocksGiveTheirPlaceBack) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  cache.link(a->exits()[0], *b);
  CachedBlock* watched = cache.watch(*b, one_exit(0x1000));
  EXPECT_EQ(cache.find(b->key), watched);
  EXPECT_EQ(watched->plain(), b);
  EXPECT_EQ(jump_target(*a), watched->host);
  EXPECT_EQ(jump_target(*watched), a->host) << "linked at once";
  cache.unwatch(*watched);
  EXPECT_EQ(cache.find(b->key), b);
  EXPECT_EQ(jump_target(*a), b->host);
}

TEST_F(CodeCacheTest, RegionsComeBackAfterTheirHeadWasWatched) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  cache.link(a->exits()[0], *b);
  CachedBlock* region = cache.add_region(std::array{b, a}, {}, one_exit(0x3000));
  CachedBlock* watched = cache.watch(*b, one_exit(0x1000));
  EXPECT_EQ(jump_target(*a), watched->host);
  cache.unwatch(*watched);
  EXPECT_EQ(cache.find(b->key), region);
  EXPECT_EQ(jump_target(*a), region->host);

  watched = cache.watch(*b, one_exit(0x1000));
  cache.invalidate(0x1000, 0x1004);  // the region dies, its head does not
  EXPECT_TRUE(region->dead);
  EXPECT_EQ(cache.find(b->key), watched);
  cache.unwatch(*watched);
  EXPECT_EQ(cache.find(b->key), b);

  watched = cache.watch(*b, one_exit(0x1000));
  cache.invalidate(0x2000, 0x2004);
  EXPECT_TRUE(watched->dead);
  cache.unwatch(*watched);
  EXPECT_EQ(cache.find(b->key), nullptr);
}

TEST_F(CodeCacheTest, InvalidatesOnlyOverlappingBlocks) {
  add(0x1000, 0x1010, 0);
  add(0x1010, 0x1020, 0);
  add(0x1ff8, 0x2008, 0);  // over a page border
  EXPECT_EQ(cache.invalidate(0x1020, 0x1ff8).blocks, 0u);
  EXPECT_EQ(cache.invalidate(0x100f, 0x1010).blocks, 1u);
  EXPECT_EQ(cache.invalidate(0x2000, 0x2001).blocks, 1u);
  EXPECT_EQ(cache.invalidate(0, ~u64{0}).blocks, 1u);
  EXPECT_EQ(cache.invalidate(0, ~u64{0}).blocks, 0u);
}

TEST_F(CodeCacheTest, KeepsThousandsOfBlocksApart) {
  std::vector<CachedBlock*> blocks;
  for (u64 i = 0; i < 10000; ++i) blocks.push_back(add(0x10000 + 20 * i, 0x10000 + 20 * i + 20, 0));
  for (u64 i = 0; i < 10000; i += 3) cache.invalidate(0x10000 + 20 * i + 7, 0x10000 + 20 * i + 8);
  for (u64 i = 0; i < 10000; ++i) {
    EXPECT_EQ(cache.find({0x10000 + 20 * i, 0, 0}), i % 3 == 0 ? nullptr : blocks[i]);
    EXPECT_EQ(cache.containing(reinterpret_cast<u64>(blocks[i]->host) + 31), blocks[i]);
  }
}

/// Two segments.
class CodeCacheEvictionTest : public CodeCacheTest {
 protected:
  CodeCacheEvictionTest() : CodeCacheTest(1 << 20) {}
  /// Whatever is left of what it changes is checked by ASan.
  void check(const CachedBlock& b) const {
    for (const CachedExit& e : b.exits()) {
      EXPECT_EQ(jump_target(b), e.target ? e.target->host : b.host + e.stub_offset);
      EXPECT_FALSE(e.target && e.target->dead);
    }
    EXPECT_EQ(cache.containing(reinterpret_cast<u64>(b.host)), &b);
  }
};

TEST_F(CodeCacheEvictionTest, NothingLeadsToWhatIsGone) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  ASSERT_TRUE(cache.open_next());
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  cache.link(a->exits()[0], *b);
  cache.link(b->exits()[0], *a);
  EXPECT_FALSE(cache.open_next()) << "the other one is not empty";
  EXPECT_TRUE(cache.is_oldest(*a));
  cache.evict();
  EXPECT_EQ(cache.find({0x1000, 0, 0}), nullptr);
  EXPECT_EQ(jump_target(*b), b->host + 16);
  EXPECT_EQ(b->incoming, nullptr);
  a = add(0x1000, 0x1010, 0x2000);
  cache.link(b->exits()[0], *a);
  EXPECT_EQ(jump_target(*b), a->host);
  EXPECT_EQ(cache.invalidate(0, 0x3000).blocks, 2u);
}

TEST_F(CodeCacheEvictionTest, RegionsGoWithTheirMembersAndNotTheOtherWayRound) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  ASSERT_TRUE(cache.open_next());
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  CachedBlock* region = cache.add_region(std::array{b, a}, {}, one_exit(0x3000));
  cache.evict();
  EXPECT_TRUE(region->dead);
  EXPECT_EQ(cache.find({0x2000, 0, 0}), b);
  a = add(0x1000, 0x1010, 0x2000);
  region = cache.add_region(std::array{b, a}, {}, one_exit(0x3000));
  CachedBlock* later = cache.add_region(std::array{a}, {}, one_exit(0x3000));
  EXPECT_TRUE(cache.is_oldest(*b));
  cache.evict();
  EXPECT_EQ(cache.find({0x1000, 0, 0}), later) << "a region of what is still there";
  EXPECT_EQ(cache.invalidate(0x1000, 0x1001).regions, 1u);
}

TEST_F(CodeCacheEvictionTest, GatesGoWithTheirBlocksAndBlocksForgetTheirGates) {
  CachedBlock* a = add(0x1000, 0x1010, 0x2000);
  ASSERT_TRUE(cache.open_next());
  CachedBlock* b = add(0x2000, 0x2010, 0x1000);
  b->exits()[0].counted = true;
  cache.add_gate(*a, one_exit(0x1000));
  cache.link(b->exits()[0], *a);
  EXPECT_EQ(jump_target(*b), a->details().gate->host);
  cache.evict();
  EXPECT_EQ(jump_target(*b), b->host + 16);
  a = add(0x1000, 0x1010, 0x2000);
  a->exits()[0].counted = true;
  cache.add_gate(*b, one_exit(0x2000));  // in the segment of a
  ASSERT_EQ(b->details().gate->segment, a->segment);
  cache.evict();
  EXPECT_EQ(cache.find({0x2000, 0, 0}), nullptr);
  b = add(0x2000, 0x2010, 0x1000);
  cache.add_gate(*a, one_exit(0x1000));
  cache.evict();
  EXPECT_EQ(cache.find({0x1000, 0, 0}), nullptr);
  EXPECT_EQ(cache.find({0x2000, 0, 0}), b);
  cache.add_gate(*b, one_exit(0x2000));
  EXPECT_EQ(jump_target(*b->details().gate), b->host);
}

TEST_F(CodeCacheEvictionTest, AnythingInAnyOrder) {
  std::mt19937 random(1);
  const auto below = [&random](u32 n) { return static_cast<u32>(random() % n); };
  const auto any = [&]() -> CachedBlock* { return cache.find({0x1000 + 0x100 * u64{below(64)}, 0, 0}); };
  for (int step = 0; step < 20000; ++step) {
    const u64 pc = 0x1000 + 0x100 * u64{below(64)};
    CachedBlock *one = any(), *other = any();
    switch (below(8)) {
      case 0:
      case 1:
        if (!cache.find({pc, 0, 0}))
          add(pc, pc + 8 + below(400), 0x1000 + 0x100 * u64{below(64)})->exits()[0].counted = below(2);
        break;
      case 2:
        if (one)
          if (CachedBlock* to = cache.find({one->exits()[0].target_pc, 0, 0})) cache.link(one->exits()[0], *to);
        break;
      case 3:
        if (one && other && &plain_of(*one) != &plain_of(*other))
          cache.add_region(std::array{&plain_of(*one), &plain_of(*other)}, {}, one_exit(pc));
        break;
      case 4:
        if (one && !plain_of(*one).details().gate) cache.add_gate(plain_of(*one), one_exit(one->key.pc));
        break;
      case 5:
        if (one) cache.set_counting(plain_of(*one), below(2));
        break;
      case 6:
        if (below(8) == 0) cache.invalidate(pc, pc + below(0x200));
        break;
      case 7:
        if (below(64) == 0 && !cache.open_next()) cache.evict();
        break;
    }
    if (one = any(); one) check(*one);
    if (one) check(plain_of(*one));
  }
}

}  // namespace
}  // namespace tiercel::engine
