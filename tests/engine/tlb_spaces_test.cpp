// A kernel's context, which serves all address spaces, with a guest whose tables lie in its memory: a root per address
// space, whose upper half all of them have in common.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>

#include "engine/tlb.h"

namespace tiercel::engine {
namespace {

constexpr u64 kRam = 0x10000, kPages = 64;
constexpr u64 kKernel = guest::Mmu::kCommon | 1 << 16;
constexpr u64 kRegion = u64{1} << guest::WalkMemo::kRegionLog2;

class Memory final : public guest::PhysicalMemory {
 public:
  alignas(64) u8 ram[kPages * kPageSize] = {};
  Direct direct(PAddr a) override {
    if (a.value < kRam || a.value - kRam >= sizeof ram) return {};
    return {ram + (a.value - kRam), true};
  }
  std::optional<u64> read(PAddr, unsigned) override { return std::nullopt; }
  bool write(PAddr, unsigned, u64) override { return false; }
  u64& word(u64 address) { return *reinterpret_cast<u64*>(ram + (address - kRam)); }
};

/// A descriptor is a physical page with permissions below; 0 maps nothing. Each region has a table of a page.
class TableMmu final : public guest::Mmu {
 public:
  static constexpr u64 kReadable = 1, kWritable = 2, kExecutable = 4, kGlobal = 8;
  explicit TableMmu(Memory& memory) : memory_(memory) {}
  u16 space = 1;
  std::map<std::pair<u16, u64>, u64> tables;  // by address space and region
  mutable unsigned long_walks = 0;

  u64 context(const void*, bool unprivileged) const override { return unprivileged ? space : kKernel | space; }
  u64 entry_of(u16 in, u64 address) const {
    const auto it = tables.find({in, address / kRegion});
    return it == tables.end() ? 0 : it->second + address % kRegion / kPageSize * 8;
  }
  guest::Walk walk(const void*, guest::PhysicalMemory&, VAddr va, guest::Access access, bool,
                   guest::WalkMemo* memo) const override {
    guest::Walk failed{std::nullopt, {va, access, false, 7}};
    const u64 region = va.value / kRegion;
    u64 entry = 0;
    if (memo && memo->at(va.value).region == region) {
      entry = memo->at(va.value).path + va.value % kRegion / kPageSize * 8;
    } else {
      ++long_walks;
      entry = entry_of(space, va.value);
    }
    if (entry == 0) return failed;
    const u64 d = memory_.word(entry);
    const u64 needed = access == guest::Access::Write  ? kWritable
                       : access == guest::Access::Read ? kReadable
                                                       : kExecutable;
    if (!(d & needed)) return failed;
    const u64 path = entry / kPageSize * kPageSize;
    if (memo) memo->at(va.value) = {region, path};
    guest::Mapping m{PAddr{d / kPageSize * kPageSize},
                     12,
                     (d & kReadable) != 0,
                     (d & kWritable) != 0,
                     (d & kExecutable) != 0,
                     (d & kGlobal) != 0};
    m.origin = {path, PAddr{entry}, d};
    return {m, {}};
  }
  u32 alignment_status() const override { return 33; }
  u32 external_status() const override { return 16; }

 private:
  Memory& memory_;
};

class TlbSpacesTest : public testing::Test {
 protected:
  static constexpr u64 kLow = 0, kHigh = ~u64{0} << 40;
  static constexpr u64 kAll = TableMmu::kReadable | TableMmu::kWritable | TableMmu::kExecutable;
  static constexpr u64 kSpaces = 6;

  TlbSpacesTest() {
    void* place = std::aligned_alloc(64, backend::kStateOffset + 64);
    std::memset(place, 0, backend::kStateOffset + 64);
    vm = new (place) backend::VmContext;
    for (u64 page = 20; page < kPages; ++page) memory.ram[page * kPageSize] = static_cast<u8>(page);
    // Pages below 20 are tables: the first one the upper half's, the next ones the lower halves'.
    for (u16 s = 1; s <= kSpaces; ++s) {
      mmu.tables[{s, kHigh / kRegion}] = kRam;
      mmu.tables[{s, kLow / kRegion}] = kRam + s * kPageSize;
    }
    tlb = std::make_unique<Tlb>(mmu, memory, *vm, 1 << 20);
  }
  ~TlbSpacesTest() override {
    tlb.reset();
    vm->~VmContext();
    std::free(vm);
  }
  void enter(u16 space) {
    mmu.space = space;
    tlb->select(0);
  }
  void map(u16 space, u64 address, u64 page, u64 permissions = kAll) {
    memory.word(mmu.entry_of(space, address)) = page ? kRam + page * kPageSize + permissions : 0;
  }
  /// The number of the page there, -1 if there is none.
  int load(u64 address) {
    U128 v;
    return tlb->load(address, {.size_log2 = 0}, v) ? static_cast<int>(v.lo) : -1;
  }
  Memory memory;
  TableMmu mmu{memory};
  backend::VmContext* vm;
  std::unique_ptr<Tlb> tlb;
};

TEST_F(TlbSpacesTest, WhatAllSpacesHaveInCommonIsLookedForOnce) {
  int host = 0;
  for (u64 i = 0; i < 100; ++i) map(1, kHigh + i * kPageSize, 20 + i % 40);
  enter(1);
  for (u64 i = 0; i < 100; ++i) EXPECT_EQ(load(kHigh + i * kPageSize), static_cast<int>(20 + i % 40));
  ASSERT_TRUE(tlb->code_space(kHigh));
  tlb->jumps().insert(kHigh + 4, &host);
  const unsigned before = mmu.long_walks;
  for (u16 space = 2; space <= kSpaces; ++space) {
    enter(space);
    EXPECT_EQ(mmu.long_walks, before + space - 1) << "the way to the table";
    for (u64 i = 0; i < 100; ++i) EXPECT_EQ(load(kHigh + i * kPageSize), static_cast<int>(20 + i % 40));
    EXPECT_EQ(tlb->jumps().find(kHigh + 4), &host);
    EXPECT_EQ(mmu.long_walks, before + space - 1);
  }
  enter(1);
  EXPECT_EQ(mmu.long_walks, before + kSpaces - 1) << "nothing is new to the first one";
}

TEST_F(TlbSpacesTest, ChangesThatNobodyAnnouncedToANewSpaceAreSeenThere) {
  int host = 0;
  map(1, kHigh, 20);
  map(1, kLow, 21);
  enter(1);
  EXPECT_EQ(load(kHigh), 20);
  EXPECT_EQ(load(kLow), 21);
  ASSERT_TRUE(tlb->code_space(kHigh));
  tlb->jumps().insert(kHigh, &host);
  // The second one has never been entered, so nothing has to be invalidated for it.
  map(1, kHigh, 30);
  map(2, kLow, 31, TableMmu::kReadable);
  enter(2);
  EXPECT_EQ(load(kHigh), 30);
  EXPECT_EQ(load(kLow), 31);
  EXPECT_EQ(tlb->jumps().find(kHigh), nullptr);
  EXPECT_FALSE(tlb->store(kLow, {.size_log2 = 0}, U128{}));
  tlb->flush_space(1);
  enter(1);
  EXPECT_EQ(load(kHigh), 30);
  EXPECT_EQ(load(kLow), 21);
}

TEST_F(TlbSpacesTest, ASpaceWithOtherTablesForTheUpperHalfIsToldApart) {
  map(1, kHigh, 20);
  enter(1);
  EXPECT_EQ(load(kHigh), 20);
  mmu.tables[{2, kHigh / kRegion}] = kRam + 10 * kPageSize;
  std::memset(memory.ram + 10 * kPageSize, 0, kPageSize);
  map(2, kHigh, 22);
  for (int i = 0; i < 3; ++i) {
    enter(2);
    EXPECT_EQ(load(kHigh), 22);
    enter(1);
    EXPECT_EQ(load(kHigh), 20);
  }
}

TEST_F(TlbSpacesTest, WhereSpacesHaveNothingInCommonTheyAreApart) {
  for (u16 s = 1; s <= 2; ++s)
    for (u64 i = 0; i < 512; ++i) map(s, kLow + i * kPageSize, 20 + s);
  enter(1);
  for (u64 i = 0; i < 512; ++i) ASSERT_EQ(load(kLow + i * kPageSize), 21);
  enter(2);  // all of it is wrong
  for (u64 i = 0; i < 512; ++i) ASSERT_EQ(load(kLow + i * kPageSize), 22);
  enter(1);
  for (u64 i = 0; i < 512; ++i) ASSERT_EQ(load(kLow + i * kPageSize), 21);
  const unsigned before = mmu.long_walks;
  for (u16 s = 1; s <= 2; ++s) {
    enter(s);
    for (u64 i = 0; i < 512; ++i) ASSERT_EQ(load(kLow + i * kPageSize), 20 + s);
  }
  EXPECT_EQ(mmu.long_walks, before);
}

TEST_F(TlbSpacesTest, TheListOfEntriesStaysShort) {
  constexpr u64 kSamePlace = kHigh + backend::kTlbSize * kPageSize;
  for (u16 s = 1; s <= 2; ++s) {
    mmu.tables[{s, kSamePlace / kRegion}] = kRam;
    map(s, kLow, 20 + s);
    map(s, kLow + kPageSize, 22 + s);
  }
  map(1, kHigh, 30);
  enter(1);
  EXPECT_EQ(load(kLow), 21);
  enter(2);
  EXPECT_EQ(load(kLow), 22);
  EXPECT_EQ(load(kHigh), 30);
  enter(1);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(load(kHigh), 30);
    ASSERT_EQ(load(kSamePlace), 30);
    if (i == 3'000) {
      EXPECT_EQ(load(kLow + kPageSize), 23);
    }
  }
  const unsigned before = mmu.long_walks;
  enter(2);
  EXPECT_LE(mmu.long_walks, before + 3) << "a region is walked to once";
  EXPECT_EQ(load(kLow), 22);
  EXPECT_EQ(load(kLow + kPageSize), 24);
  enter(1);
  EXPECT_EQ(load(kLow), 21);
  EXPECT_EQ(load(kLow + kPageSize), 23);
}

/// A guest that invalidates what it changed, as narrowly as it may, never sees what was there before.
TEST_F(TlbSpacesTest, RandomChangesAreSeen) {
  std::mt19937 random(1);
  const auto any = [&random](u64 n) { return random() % n; };
  int hosts[kPages];
  const auto change = [&](u16 space, u64 address) {
    const u64 permissions = any(4) ? kAll : TableMmu::kReadable | TableMmu::kExecutable;
    map(space, address, any(8) ? 20 + any(40) : 0, permissions);
    // The upper half is everybody's.
    const auto whose = address < kHigh ? std::optional(space) : std::nullopt;
    const u64 how = any(8);
    if (how == 0) return tlb->flush();
    if (how == 1 && whose) return tlb->flush_space(*whose);
    tlb->flush_range(address, kPageSize, whose);
  };
  for (unsigned step = 0; step < 200'000; ++step) {
    const u64 address = (any(2) ? kHigh : kLow) + any(24) * kPageSize;
    const u64 what = any(16);
    if (what < 2) {
      mmu.space = static_cast<u16>(1 + any(kSpaces));
    } else if (what < 4) {
      change(static_cast<u16>(1 + any(kSpaces)), address);
    }
    tlb->select(0);
    const u64 d = memory.word(mmu.entry_of(mmu.space, address));
    const int page = d ? static_cast<int>((d - kRam) / kPageSize) : -1;
    if (what < 8) {
      ASSERT_EQ(load(address), page) << step;
      const bool writable = d & TableMmu::kWritable;
      ASSERT_EQ(tlb->store(address, {.size_log2 = 0}, U128{static_cast<u64>(page), 0}), writable) << step;
    } else if (const void* known = tlb->jumps().find(address)) {
      ASSERT_EQ(known, page < 0 ? nullptr : &hosts[page]) << step;
    } else if (const auto space = tlb->code_space(address)) {
      ASSERT_EQ(*space & ~guest::BlockKey::kPhysical, d / kPageSize) << step;
      tlb->jumps().insert(address, &hosts[page]);
    } else {
      ASSERT_EQ(page, -1) << step;
    }
  }
}

}  // namespace
}  // namespace tiercel::engine
