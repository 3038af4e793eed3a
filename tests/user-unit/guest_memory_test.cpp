#include "user/memory/guest_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>

namespace tiercel::user {
namespace {

constexpr int kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS;

TEST(GuestMemory, CannotTouchWhatIsOurs) {
  GuestMemory memory;
  void* ours = mmap(nullptr, 4 * kPageSize, PROT_READ | PROT_WRITE, kAnonymous, -1, 0);
  const u64 at = reinterpret_cast<u64>(ours);
  *static_cast<int*>(ours) = 42;
  EXPECT_EQ(memory.unmap(at, kPageSize), 0);  // a hole for the guest: nothing happens
  EXPECT_EQ(memory.map(at, kPageSize, PROT_READ, kAnonymous | MAP_FIXED, -1, 0), -ENOMEM);
  EXPECT_EQ(memory.protect(at, kPageSize, PROT_NONE), -ENOMEM);
  EXPECT_EQ(memory.advise(at, kPageSize, MADV_DONTNEED), -ENOMEM);
  EXPECT_EQ(memory.remap(at, kPageSize, 2 * kPageSize, MREMAP_MAYMOVE, 0), -EFAULT);
  EXPECT_EQ(*static_cast<int*>(ours), 42);
  munmap(ours, 4 * kPageSize);
}

TEST(GuestMemory, CodeIsReadNeverExecuted) {
  GuestMemory memory;
  const s64 at = memory.map(0, 2 * kPageSize, PROT_READ | PROT_EXEC, kAnonymous, -1, 0);
  ASSERT_GT(at, 0);
  const u64 page = static_cast<u64>(at);
  EXPECT_EQ(memory.code_window(VAddr{page + 0x10}).size(), kPageSize - 0x10);
  int told = 0;
  memory.set_code_listener([&](u64, u64) { ++told; });
  EXPECT_EQ(memory.protect(page, kPageSize, PROT_READ), 0);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(memory.code_window(VAddr{page}).empty());
  EXPECT_FALSE(memory.code_window(VAddr{page + kPageSize}).empty());
  EXPECT_EQ(memory.unmap(page, 2 * kPageSize), 0);
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(memory.code_window(VAddr{page + kPageSize}).empty());
}

TEST(GuestMemory, FixedMappingsFillHoles) {
  GuestMemory memory;
  const u64 at = static_cast<u64>(memory.map(0, 8 * kPageSize, PROT_NONE, kAnonymous, -1, 0));
  EXPECT_EQ(memory.unmap(at + 2 * kPageSize, kPageSize), 0);
  EXPECT_EQ(memory.map(at, 8 * kPageSize, PROT_READ, kAnonymous | MAP_FIXED, -1, 0), static_cast<s64>(at));
  EXPECT_TRUE(memory.owns(at, 8 * kPageSize));
  EXPECT_EQ(memory.map(at, kPageSize, PROT_READ, kAnonymous | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST);
  EXPECT_EQ(memory.unmap(at, 8 * kPageSize), 0);
}

TEST(GuestMemory, ReservationsCostNothing) {
  GuestMemory memory;
  constexpr u64 kTerabyte = u64{1} << 40;
  const s64 at = memory.map(0, kTerabyte, PROT_NONE, kAnonymous | MAP_NORESERVE, -1, 0);
  ASSERT_GT(at, 0);
  EXPECT_EQ(memory.protect(static_cast<u64>(at) + (kTerabyte / 2), kPageSize, PROT_READ | PROT_WRITE), 0);
  EXPECT_EQ(memory.list().size(), 3u);
  EXPECT_EQ(memory.unmap(static_cast<u64>(at), kTerabyte), 0);
}

TEST(GuestMemory, RefusesNonsense) {
  GuestMemory memory;
  EXPECT_EQ(memory.map(0, 0, PROT_READ, kAnonymous, -1, 0), -EINVAL);
  EXPECT_EQ(memory.map(0, ~u64{0}, PROT_READ, kAnonymous, -1, 0), -ENOMEM);
  EXPECT_EQ(memory.map(0, kPageSize, PROT_READ, kAnonymous, -1, 5), -EINVAL);
  EXPECT_EQ(memory.map(123, kPageSize, PROT_READ, kAnonymous | MAP_FIXED, -1, 0), -EINVAL);
  EXPECT_EQ(memory.map(~u64{0xfff}, kPageSize, PROT_READ, kAnonymous | MAP_FIXED, -1, 0), -ENOMEM);
  EXPECT_EQ(memory.unmap(1, kPageSize), -EINVAL);
  EXPECT_EQ(memory.unmap(0, 0), -EINVAL);
}

TEST(GuestMemory, BrkGrowsAndShrinks) {
  GuestMemory memory;
  const u64 start = static_cast<u64>(memory.map(0, 16 * kPageSize, PROT_NONE, kAnonymous, -1, 0));
  memory.unmap(start, 16 * kPageSize);
  memory.set_brk_start(start);
  EXPECT_EQ(memory.brk(0), static_cast<s64>(start));
  EXPECT_EQ(memory.brk(start + 0x1800), static_cast<s64>(start + 0x1800));
  *reinterpret_cast<u8*>(start + 0x17ff) = 1;
  EXPECT_EQ(memory.brk(start + 0x100), static_cast<s64>(start + 0x100));
  EXPECT_FALSE(memory.owns(start + kPageSize, kPageSize));
  EXPECT_EQ(memory.brk(start - 1), static_cast<s64>(start + 0x100));
  EXPECT_EQ(memory.brk(start), static_cast<s64>(start));
}

TEST(GuestMemory, MovesMappings) {
  GuestMemory memory;
  const u64 at = static_cast<u64>(memory.map(0, 2 * kPageSize, PROT_READ | PROT_WRITE, kAnonymous, -1, 0));
  *reinterpret_cast<u64*>(at) = 77;
  const s64 moved = memory.remap(at, 2 * kPageSize, 64 * kPageSize, MREMAP_MAYMOVE, 0);
  ASSERT_GT(moved, 0);
  EXPECT_EQ(*reinterpret_cast<u64*>(moved), 77u);
  EXPECT_TRUE(memory.owns(static_cast<u64>(moved), 64 * kPageSize));
  EXPECT_EQ(memory.unmap(static_cast<u64>(moved), 64 * kPageSize), 0);
}

}  // namespace
}  // namespace tiercel::user
