// The page walker against a second one, which follows the manual's pseudocode table by table, on random tables.
#include "frontend-arm/mmu/walker.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

namespace tiercel::arm {
namespace {

constexpr u64 kBytes = 1 << 17;

class Memory final : public guest::PhysicalMemory {
 public:
  std::vector<u64> words = std::vector<u64>(kBytes / 8);
  Direct direct(PAddr) override { return {}; }
  std::optional<u64> read(PAddr a, unsigned) override {
    if (a.value >= kBytes) return std::nullopt;
    return words[a.value / 8];
  }
  bool write(PAddr, unsigned, u64) override { return false; }
};

struct Expected {
  int status = -1;  // -1: a mapping
  u64 page = 0;
  bool read = false, write = false, execute = false, global = false;
  u64 attributes = 0;
};

u64 field(u64 x, int high, int low) {
  return (x >> low) & (~u64{0} >> (63 - (high - low)));
}

/// "AArch64.TranslationTableWalk" for stage 1, written out per granule: where each level's index lies.
struct Levels {
  int page_bits;
  std::array<std::array<int, 2>, 4> index;  // per level: high and low bit of its index; -1: not a level
  std::array<bool, 4> block;
};
constexpr Levels k4K = {12, {{{47, 39}, {38, 30}, {29, 21}, {20, 12}}}, {false, true, true, false}};
constexpr Levels k16K = {14, {{{47, 47}, {46, 36}, {35, 25}, {24, 14}}}, {false, false, true, false}};
constexpr Levels k64K = {16, {{{-1, -1}, {47, 42}, {41, 29}, {28, 16}}}, {false, false, true, false}};

const Levels& levels_of(u64 tcr, bool upper) {
  const u64 tg = upper ? field(tcr, 31, 30) : field(tcr, 15, 14);
  if (upper) return tg == 1 ? k16K : tg == 3 ? k64K : k4K;
  return tg == 1 ? k64K : tg == 2 ? k16K : k4K;
}

Expected reference(const TranslationRegisters& r, Memory& memory, const WalkRequest& q) {
  Expected e;
  const bool upper = field(q.address, 55, 55);
  const u64 tcr = r.tcr;
  const bool tbi = upper ? field(tcr, 38, 38) : field(tcr, 37, 37);
  u64 tsz = upper ? field(tcr, 21, 16) : field(tcr, 5, 0);
  if (tsz < 16) tsz = 16;
  if (tsz > 39) tsz = 39;
  const int size = 64 - static_cast<int>(tsz);
  for (int bit = size; bit < (tbi ? 56 : 64); ++bit)
    if (field(q.address, bit, bit) != (upper ? 1u : 0u)) return e.status = 0x04, e;
  if (upper ? field(tcr, 23, 23) : field(tcr, 7, 7)) return e.status = 0x04, e;
  if (!q.privileged && (upper ? field(tcr, 56, 56) : field(tcr, 55, 55))) return e.status = 0x04, e;
  const Levels& l = levels_of(tcr, upper);
  const int oa = std::min<int>(std::array<int, 8>{32, 36, 40, 42, 44, 48, 48, 48}[field(tcr, 34, 32)],
                               static_cast<int>(r.pa_bits));
  int level = 0;
  while (l.index[static_cast<std::size_t>(level)][1] < 0 || l.index[static_cast<std::size_t>(level)][1] >= size)
    ++level;
  const int start_entries_log2 = size - l.index[static_cast<std::size_t>(level)][1];
  u64 table = field(upper ? r.ttbr1 : r.ttbr0, 47, 0);
  table = table >> (start_entries_log2 + 3) << (start_entries_log2 + 3);
  if (table >> oa) return e.status = 0, e;
  bool ro = false, no_el0 = false, uxn = false, pxn = false;
  bool first = true;
  for (;; ++level, first = false) {
    const auto i = static_cast<std::size_t>(level);
    const int high = first ? size - 1 : l.index[i][0], low = l.index[i][1];
    const auto d = memory.read(PAddr{table + 8 * field(q.address, high, low)}, 8);
    if (!d) return e.status = 0x14 + level, e;
    const bool page = level == 3 && (*d & 3) == 3, next = level < 3 && (*d & 3) == 3;
    const bool block = level < 3 && (*d & 3) == 1 && l.block[i];
    if (!page && !next && !block) return e.status = 0x04 + level, e;
    const int output_low = next ? l.page_bits : low;
    const u64 output = field(*d, 47, output_low) << output_low;
    if (output >> oa) return e.status = level, e;
    if (next) {
      table = output;
      if (!(upper ? field(tcr, 42, 42) : field(tcr, 41, 41))) {
        ro |= field(*d, 62, 62);
        no_el0 |= field(*d, 61, 61);
        uxn |= field(*d, 60, 60);
        pxn |= field(*d, 59, 59);
      }
      continue;
    }
    if (!field(*d, 10, 10)) return e.status = 0x08 + level, e;
    const bool writable = !field(*d, 7, 7) && !ro, user = field(*d, 6, 6) && !no_el0;
    uxn |= field(*d, 54, 54);
    pxn |= field(*d, 53, 53);
    const bool wxn = field(r.sctlr, 19, 19);
    if (q.privileged) {
      e.execute = !pxn && !(user && writable) && !(wxn && writable);
      e.read = !(q.pan && user);
      e.write = writable && !(q.pan && user);
    } else {
      e.execute = !uxn && !(wxn && user && writable);
      e.read = user;
      e.write = user && writable;
    }
    const bool good = q.access == guest::Access::Read ? e.read : q.access == guest::Access::Write ? e.write : e.execute;
    if (!good) return e.status = 0x0c + level, e;
    e.page = (output | field(q.address, low - 1, 0)) & ~u64{0xfff};
    e.global = !field(*d, 11, 11);
    e.attributes = r.mair >> (8 * field(*d, 4, 2)) & 0xff;
    return e;
  }
}

class WalkerTest : public testing::Test {
 protected:
  std::mt19937_64 random{20230607};
  Memory memory;
  u64 any(u64 below) { return random() % below; }
  bool chance(unsigned percent) { return any(100) < percent; }

  u64 descriptor() {
    u64 d = any(kBytes) & ~u64{0xfff};
    if (chance(20)) d = any(kBytes) & ~u64{0xffff};
    d |= chance(85) ? 3 : any(4);
    if (chance(90)) d |= 1 << 10;
    d |= (random() & 0xbdc) & (chance(50) ? ~u64{0} : u64{0});
    if (chance(25)) d |= u64{1} << (53 + any(2));
    if (chance(15)) d |= u64{1} << (59 + any(4));
    if (chance(3)) d |= u64{1} << (32 + any(16));
    return d;
  }
  TranslationRegisters registers() {
    TranslationRegisters r;
    r.sctlr = 1 | (chance(20) ? 1 << 19 : 0);
    constexpr u64 kUsual[] = {16, 25, 28, 33};
    const auto tsz = [&] { return chance(80) ? kUsual[any(4)] : any(64); };
    r.tcr = tsz() | tsz() << 16 | any(4) << 14 | any(4) << 30 | (chance(80) ? u64{5} : any(8)) << 32;
    for (const unsigned bit : {7, 23, 55, 56})
      if (chance(5)) r.tcr |= u64{1} << bit;
    for (const unsigned bit : {37, 38, 41, 42})
      if (chance(30)) r.tcr |= u64{1} << bit;
    r.ttbr0 = (any(kBytes) & ~u64{0x3f}) | random() << 48;
    r.ttbr1 = (any(kBytes) & ~u64{0x3f}) | random() << 48;
    r.mair = random();
    r.pa_bits = chance(50) ? 44 : 48;
    return r;
  }
  u64 address() {
    u64 a = random() >> (16 + any(32));
    if (chance(50)) a = ~a;
    if (chance(10)) a ^= u64{1} << any(64);
    return a;
  }
};

TEST_F(WalkerTest, AgreesWithASecondImplementation) {
  std::array<unsigned, 64> statuses{};
  unsigned mapped = 0;
  for (unsigned round = 0; round < 60; ++round) {
    for (u64& w : memory.words) w = descriptor();
    for (unsigned i = 0; i < 500; ++i) {
      const TranslationRegisters r = registers();
      const WalkRequest q{address(), static_cast<guest::Access>(any(3)), chance(50), chance(30)};
      const WalkResult got = walk_el1(r, memory, q);
      const Expected want = reference(r, memory, q);
      ASSERT_EQ(got.failed ? static_cast<int>(got.status) : -1, want.status)
          << std::hex << q.address << " tcr " << r.tcr << " ttbr " << r.ttbr0 << ", " << r.ttbr1;
      if (got.failed) {
        ++statuses[got.status];
        continue;
      }
      ++mapped;
      const guest::Mapping& m = got.mapping;
      ASSERT_EQ(m.address.value, want.page) << std::hex << q.address << " tcr " << r.tcr;
      ASSERT_EQ(std::tuple(m.read, m.write, m.execute, m.global),
                std::tuple(want.read, want.write, want.execute, want.global));
      ASSERT_EQ(m.attributes, want.attributes);
      ASSERT_EQ(m.device, want.attributes < 0x10);
    }
  }
  EXPECT_GT(mapped, 1000u);
  for (const u32 status : {0u, 1u, 4u, 5u, 6u, 7u, 9u, 10u, 11u, 13u, 14u, 15u})
    EXPECT_GT(statuses[status], 0u) << status;
}

TEST_F(WalkerTest, WhatWalksRemembersChangesNothing) {
  unsigned mapped = 0, remembered = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    if (round % 50 == 0)
      for (u64& w : memory.words) w = descriptor();
    const TranslationRegisters r = registers();
    const bool privileged = chance(50), pan = chance(30);
    guest::WalkMemo memo;
    const u64 near = address();
    for (unsigned i = 0; i < 20; ++i) {
      const WalkRequest q{near ^ any(1 << 23), static_cast<guest::Access>(any(3)), privileged, pan};
      const guest::WalkMemo::Table known = memo.at(q.address);
      const WalkResult with = walk_el1(r, memory, q, &memo), without = walk_el1(r, memory, q);
      ASSERT_EQ(with.failed, without.failed);
      ASSERT_EQ(with.status, without.status);
      if (with.failed) continue;
      ++mapped;
      const guest::Mapping &a = with.mapping, &b = without.mapping;
      ASSERT_EQ(std::tuple(a.address.value, a.size_log2, a.read, a.write, a.execute, a.global, a.attributes),
                std::tuple(b.address.value, b.size_log2, b.read, b.write, b.execute, b.global, b.attributes));
      ASSERT_EQ(std::tuple(a.origin.path, a.origin.entry.value, a.origin.value),
                std::tuple(b.origin.path, b.origin.entry.value, b.origin.value));
      ASSERT_EQ(memo.at(q.address).path, a.origin.path);
      remembered += known.region == q.address >> guest::WalkMemo::kRegionLog2;
    }
  }
  EXPECT_GT(mapped, 1000u);
  EXPECT_GT(remembered, 500u);
}

TEST_F(WalkerTest, WithoutTranslationOnlyPhysicalAddressesExist) {
  TranslationRegisters r;
  r.pa_bits = 40;
  EXPECT_TRUE(walk_el1(r, memory, {u64{1} << 40}).failed);
  const WalkResult w = walk_el1(r, memory, {0x1234567});
  ASSERT_FALSE(w.failed);
  EXPECT_EQ(w.mapping.address.value, 0x1234000u);
  EXPECT_TRUE(w.mapping.device && w.mapping.write && w.mapping.execute);
}

}  // namespace
}  // namespace tiercel::arm
