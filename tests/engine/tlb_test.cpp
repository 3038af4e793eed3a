// The TLB with a guest whose address spaces are a map from pages to pages.
#include "engine/tlb.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>

namespace tiercel::engine {
namespace {

constexpr u64 kRam = 0x10000, kRamBytes = 0x10000, kDevice = 0x40000;

class FakeMemory final : public guest::PhysicalMemory {
 public:
  alignas(64) u8 ram[kRamBytes] = {};
  std::string log;
  Direct direct(PAddr a) override {
    if (a.value < kRam || a.value - kRam >= kRamBytes) return {};
    return {ram + (a.value - kRam), true};
  }
  std::optional<u64> read(PAddr a, unsigned bytes) override {
    if (a.value < kDevice || a.value >= kDevice + kPageSize) return std::nullopt;
    log += fmt::format("r{} ", bytes);
    return a.value;
  }
  bool write(PAddr a, unsigned bytes, u64) override {
    if (a.value < kDevice || a.value >= kDevice + kPageSize) return false;
    log += fmt::format("w{} ", bytes);
    return true;
  }
};

class FakeMmu final : public guest::Mmu {
 public:
  u64 now = 1, user = 2;
  std::map<std::pair<u64, u64>, guest::Mapping> maps;  // (context, page)
  mutable int walks = 0;
  u64 context(const void*, bool unprivileged) const override { return unprivileged ? user : now; }
  guest::Walk walk(const void*, guest::PhysicalMemory&, VAddr va, guest::Access access, bool unprivileged,
                   guest::WalkMemo*) const override {
    ++walks;
    const auto it = maps.find({unprivileged ? user : now, va.value / kPageSize});
    if (it == maps.end()) return {std::nullopt, {va, access, false, 7}};
    const guest::Mapping& m = it->second;
    const bool ok = access == guest::Access::Write ? m.write : access == guest::Access::Read ? m.read : m.execute;
    if (!ok) return {std::nullopt, {va, access, false, 15}};
    return {m, {}};
  }
  u32 alignment_status() const override { return 33; }
  u32 external_status() const override { return 16; }
  void map(u64 context, u64 page, u64 pa, bool write = true, u8 size_log2 = 12) {
    maps[{context, page}] = {PAddr{pa}, size_log2, true, write, true, false, pa >= kDevice};
  }
};

class TlbTest : public testing::Test {
 protected:
  TlbTest() {
    void* memory = std::aligned_alloc(64, backend::kStateOffset + 64);
    std::memset(memory, 0, backend::kStateOffset + 64);
    vm = new (memory) backend::VmContext;
    tlb = std::make_unique<Tlb>(mmu, memory_, *vm, 1 << 20);
  }
  ~TlbTest() override {
    tlb.reset();
    vm->~VmContext();
    std::free(vm);
  }
  /// The byte at `address`, or -1.
  int load(u64 address, ir::MemAttr attr = {.size_log2 = 0}) {
    U128 v;
    return tlb->load(address, attr, v) ? static_cast<int>(v.lo) : -1;
  }
  FakeMmu mmu;
  FakeMemory memory_;
  backend::VmContext* vm;
  std::unique_ptr<Tlb> tlb;
};

TEST_F(TlbTest, WalksOnceAndKeepsContextsApart) {
  memory_.ram[0x123] = 5;
  memory_.ram[0x1123] = 6;
  mmu.map(1, 0x7, kRam);
  mmu.map(3, 0x7, kRam + 0x1000);
  EXPECT_EQ(load(0x7123), 5);
  EXPECT_EQ(load(0x7123), 5);
  EXPECT_EQ(mmu.walks, 1);
  mmu.now = 3;
  tlb->select(0);
  EXPECT_EQ(load(0x7123), 6);
  mmu.now = 1;
  tlb->select(0);
  EXPECT_EQ(load(0x7123), 5);
  EXPECT_EQ(mmu.walks, 2) << "a context that comes back is still there";
  EXPECT_EQ(load(0x7123, {.size_log2 = 0, .user = true}), -1) << "unprivileged accesses have a context of their own";
}

TEST_F(TlbTest, ContextsThatWereNotUsedForLongGiveTheirMemoryBack) {
  constexpr u64 kContexts = 16, kParts = 32;
  memory_.ram[0] = 5;
  const auto use = [&](u64 name) {
    mmu.now = name;
    tlb->select(0);
    for (u64 n = 0; n < kParts; ++n) EXPECT_EQ(load(n << 20), 5);
  };
  for (u64 name = 1; name < 2 * kContexts; name += 2) {
    for (u64 n = 0; n < kParts; ++n) mmu.map(name, n << 8, kRam);
    use(name);
  }
  EXPECT_GT(tlb->memory(), kContexts * kParts * kPageSize);
  for (u64 i = 0; i < 4096; ++i) {
    mmu.now = i % 2 ? 1 : 3;
    tlb->select(0);
  }
  EXPECT_LE(tlb->memory(), 1u << 20);
  const int before = mmu.walks;
  use(1);
  EXPECT_EQ(mmu.walks, before) << "one that is used stays";
  use(5);
  EXPECT_GT(mmu.walks, before);
}

TEST_F(TlbTest, ForgetsPagesSpacesAndLargeMappings) {
  mmu.map(1, 0x400, kRam);
  mmu.map(1, 0x401, kRam + 0x1000, true, 21);
  mmu.map(1, 0x402, kRam + 0x2000, true, 21);
  for (const u64 page : {0x400, 0x401, 0x402}) EXPECT_EQ(load(page << 12), 0);
  mmu.maps.clear();
  tlb->flush_range(0x401000, kPageSize, std::nullopt);
  EXPECT_EQ(load(0x401000), -1);
  EXPECT_EQ(load(0x402000), -1) << "an address ends all of a larger mapping";
  mmu.map(1, 0x500, kRam);
  mmu.map(0x10001, 0x500, kRam + 0x1000);
  EXPECT_EQ(load(0x500000), 0);
  mmu.maps.clear();
  EXPECT_EQ(load(0x500000), 0);
  tlb->flush_space(2);
  EXPECT_EQ(load(0x500000), 0);
  tlb->flush_space(1);
  EXPECT_EQ(load(0x500000), -1);
}

TEST_F(TlbTest, AccessesThatCrossPagesAreAllOrNothing) {
  mmu.map(1, 0x10, kRam);
  mmu.map(1, 0x11, kRam + 0x3000, false);
  memory_.ram[0xffe] = 1, memory_.ram[0xfff] = 2, memory_.ram[0x3000] = 3, memory_.ram[0x3001] = 4;
  U128 v;
  ASSERT_TRUE(tlb->load(0x10ffe, {.size_log2 = 2}, v));
  EXPECT_EQ(v.lo, 0x04030201u);
  EXPECT_FALSE(tlb->store(0x10ffe, {.size_log2 = 2}, v));
  EXPECT_EQ(tlb->fault().address.value, 0x11000u);
  EXPECT_EQ(tlb->fault().status, 15u);
  EXPECT_EQ(memory_.ram[0xffe], 1) << "nothing was stored";
  U128 expected;
  EXPECT_FALSE(tlb->cas(0x10ffe, {.size_log2 = 2}, expected, v));
  EXPECT_EQ(tlb->fault().status, 33u);
}

TEST_F(TlbTest, DevicesAreReachedInAlignedPieces) {
  mmu.map(1, 0x20, kDevice);
  U128 v;
  ASSERT_TRUE(tlb->load(0x20010, {.size_log2 = 4}, v));
  EXPECT_EQ(v.hi, kDevice + 0x18);
  ASSERT_TRUE(tlb->store(0x20014, {.size_log2 = 2}, v));
  EXPECT_EQ(memory_.log, "r8 r8 w4 ");
  EXPECT_FALSE(tlb->load(0x20011, {.size_log2 = 2}, v));
  EXPECT_EQ(tlb->fault().status, 33u) << "misaligned";
  mmu.map(1, 0x21, kDevice + kPageSize);
  EXPECT_FALSE(tlb->load(0x21000, {.size_log2 = 2}, v));
  EXPECT_EQ(tlb->fault().status, 16u) << "nothing answers";
}

TEST_F(TlbTest, GeneratedCodeGetsHostAddressesOrNothing) {
  mmu.map(1, 0x30, kRam, false);
  mmu.map(1, 0x31, kDevice);
  EXPECT_EQ(vm->tlb_fill(vm, 0x30008, 8), reinterpret_cast<u64>(memory_.ram + 8));
  EXPECT_EQ(vm->tlb_read->page[0x30], 0x30000u);
  EXPECT_EQ(vm->tlb_write->page[0x30], 0u);
  EXPECT_EQ(load(~u64{0}), -1) << "no empty entry looks like the last page";
  EXPECT_EQ(vm->tlb_fill(vm, 0x30008, 8 | backend::kTlbFillWrite), 0u);
  EXPECT_TRUE(tlb->refused());
  EXPECT_EQ(vm->tlb_fill(vm, 0x30008, 8 | backend::kTlbFillWrite | backend::kTlbFillAtomic), 0u);
  EXPECT_FALSE(tlb->refused()) << "it may be refused as a read";
  EXPECT_EQ(vm->tlb_fill(vm, 0x31000, 8 | backend::kTlbFillWrite), 0u) << "a device";
  EXPECT_FALSE(tlb->refused());
}

TEST_F(TlbTest, GeneratedCodeGetsValuesOfWhatHasNoEntry) {
  mmu.map(1, 0x30, kRam, false);
  mmu.map(1, 0x31, kDevice);
  memory_.ram[0xffc] = 0x44;
  const u64 device = vm->tlb_fill(vm, 0x31008, 4);
  ASSERT_NE(device, 0u);
  EXPECT_EQ(*reinterpret_cast<const u32*>(device), kDevice + 8);
  EXPECT_EQ(memory_.log, "r4 ");
  mmu.map(1, 0x31, kRam + 0x1000);
  const u64 across = vm->tlb_fill(vm, 0x30ffc, 8);
  ASSERT_NE(across, 0u);
  EXPECT_EQ(*reinterpret_cast<const u64*>(across), 0x44u);
  mmu.maps.erase({1, 0x31});
  EXPECT_EQ(vm->tlb_fill(vm, 0x30ffc, 8), 0u);
  EXPECT_TRUE(tlb->refused());
  EXPECT_EQ(tlb->fault().address.value, 0x31000u);
}

TEST_F(TlbTest, CodeOutlivesInvalidationsWhereItHasNotMoved) {
  int here = 0, there = 0;
  mmu.map(1, 0x40, kRam);
  mmu.map(1, 0x41, kRam + 0x1000);
  for (const u64 pc : {0x40010, 0x41010}) ASSERT_TRUE(tlb->code_space(pc));
  tlb->jumps().insert(0x40010, &here);
  tlb->jumps().insert(0x41010, &there);
  tlb->flush_space(1);
  mmu.maps.erase({1, 0x41});
  tlb->select(0);
  EXPECT_EQ(tlb->jumps().find(0x40010), &here);
  EXPECT_EQ(tlb->jumps().find(0x41010), nullptr);
  // Another space of the kind starts with what is at the same place there.
  mmu.map(3, 0x40, kRam);
  mmu.now = 3;
  tlb->select(0);
  EXPECT_EQ(tlb->jumps().find(0x40010), &here);
  mmu.map(5, 0x40, kRam + 0x2000);
  mmu.now = 5;
  tlb->select(0);
  EXPECT_EQ(tlb->jumps().find(0x40010), nullptr);
  mmu.now = 3;
  tlb->select(0);
  EXPECT_EQ(tlb->jumps().find(0x40010), &here);
}

TEST_F(TlbTest, ANewSpaceBeginsWithTheCodeOfOneThatHasTheSame) {
  int here = 0, elsewhere = 0;
  mmu.map(1, 0x40, kRam);
  ASSERT_TRUE(tlb->code_space(0x40010));
  tlb->jumps().insert(0x40010, &here);
  mmu.map(3, 0x40, kRam + 0x1000);
  mmu.now = 3;
  tlb->select(0);
  ASSERT_TRUE(tlb->code_space(0x40010));
  tlb->jumps().insert(0x40010, &elsewhere);
  mmu.map(5, 0x40, kRam);
  mmu.now = 5;
  tlb->select(0);
  EXPECT_EQ(tlb->jumps().find(0x40010), &here);
}

TEST_F(TlbTest, OnlyWhatWasEvictedIsDoubtedWithoutAnEntry) {
  int first = 0, second = 0;
  mmu.map(1, 0x40, kRam);
  mmu.map(1, 0x1040, kRam + 0x1000);  // in the same place of the table
  mmu.map(1, 0x60, kRam + 0x2000);
  for (const u64 pc : {0x40000, 0x1040000, 0x60000}) ASSERT_TRUE(tlb->code_space(pc));
  tlb->jumps().insert(0x40000, &first);
  tlb->jumps().insert(0x60000, &second);
  int before = mmu.walks;
  tlb->flush_range(0x2060000, kPageSize, std::nullopt);
  tlb->select(0);
  EXPECT_EQ(mmu.walks, before) << "nothing was executed there";
  EXPECT_EQ(tlb->jumps().find(0x40000), &first);
  tlb->flush_range(0x40000, kPageSize, std::nullopt);
  tlb->select(0);
  EXPECT_EQ(tlb->jumps().find(0x40000), nullptr);
  EXPECT_EQ(tlb->jumps().find(0x60000), &second);
}

TEST_F(TlbTest, TheCodeOfABlockIsVerifiedWithOneWalk) {
  int host[8];
  for (u64 page = 0; page < 8; ++page) {
    mmu.map(1, 0x400 + page, kRam + page * kPageSize, false, 15);
    ASSERT_TRUE(tlb->code_space((0x400 + page) << 12));
    tlb->jumps().insert((0x400 + page) << 12, &host[page]);
  }
  tlb->flush_space(1);
  const int before = mmu.walks;
  tlb->select(0);
  EXPECT_EQ(mmu.walks, before + 1);
  for (u64 page = 0; page < 8; ++page) EXPECT_EQ(tlb->jumps().find((0x400 + page) << 12), &host[page]);
}

TEST_F(TlbTest, ACommonContextServesAllSpaces) {
  constexpr u64 kFirst = guest::Mmu::kCommon | 1, kSecond = kFirst + 2, kThird = kFirst + 4;
  mmu.now = kFirst;
  tlb->select(0);
  memory_.ram[0] = 9;
  for (u64 page = 0; page < 100; ++page) {
    mmu.map(kFirst, 0x100 + page, kRam);
    mmu.maps[{kFirst, 0x100 + page}].global = true;
    EXPECT_EQ(load((0x100 + page) << 12), 9);
  }
  mmu.map(kFirst, 0x10, kRam);
  EXPECT_EQ(load(0x10000), 9);
  mmu.now = kSecond;
  tlb->select(0);
  const int walks = mmu.walks;
  EXPECT_EQ(load(0x123000), 9);
  EXPECT_EQ(mmu.walks, walks);
  EXPECT_EQ(load(0x10000), -1) << "it was the first one's own";
  mmu.map(kSecond, 0x11, kRam);
  EXPECT_EQ(load(0x11000), 9);
  tlb->flush_space(3);
  mmu.maps.erase({kSecond, 0x11});
  tlb->select(0);
  EXPECT_EQ(load(0x11000), -1);
  EXPECT_EQ(load(0x123000), 9) << "global entries are in no space";
  tlb->flush_range(0x123000, kPageSize, u16{77});
  EXPECT_EQ(load(0x123000), -1) << "by address they go, whatever the space";
  // Many mappings of a space's own: the kind is not shared any more.
  for (u64 page = 0; page < 600; ++page) {
    mmu.map(kSecond, 0x1000 + page, kRam);
    EXPECT_EQ(load((0x1000 + page) << 12), 9);
  }
  mmu.now = kThird;
  tlb->select(0);
  EXPECT_EQ(load(0x124000), -1);
  EXPECT_EQ(load(0x1001000), -1);
}

TEST_F(TlbTest, CodeIsFoundByItsPhysicalPage) {
  mmu.map(1, 0x40, kRam + 0x2000);
  EXPECT_EQ(tlb->code_space(0x40010), guest::BlockKey::kPhysical | (kRam + 0x2000) / kPageSize);
  const guest::BlockKey key{0x40010, 0, *tlb->code_space(0x40010)};
  EXPECT_EQ(key.location(), kRam + 0x2010);
  int here = 0;
  tlb->jumps().insert(0x40010, &here);
  tlb->flush_range(0x50000, kPageSize, std::nullopt);
  EXPECT_EQ(tlb->jumps().find(0x40010), &here);
  tlb->flush_range(0x40000, kPageSize, std::nullopt);
  tlb->select(0);
  EXPECT_EQ(tlb->jumps().find(0x40010), &here) << "the page is where it was";
  mmu.map(1, 0x40, kRam + 0x3000);
  tlb->flush_range(0x40000, kPageSize, std::nullopt);
  tlb->select(0);
  EXPECT_EQ(tlb->jumps().find(0x40010), nullptr) << "what the page led to goes with it";
  EXPECT_EQ(tlb->code_space(0x40010), guest::BlockKey::kPhysical | (kRam + 0x3000) / kPageSize);
  EXPECT_FALSE(tlb->code_space(0x99000).has_value());
  EXPECT_EQ(tlb->fault().access, guest::Access::Execute);
}

}  // namespace
}  // namespace tiercel::engine
