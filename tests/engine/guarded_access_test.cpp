#include "engine/guarded_access.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>

#include <cstring>

#include "engine/engine.h"

namespace tiercel::engine {
namespace {

/// Two pages, the second inaccessible, and the engine's SIGSEGV handler.
class GuardedAccess : public testing::Test {
 protected:
  void SetUp() override {
    sigaction(SIGSEGV, nullptr, &old_);
    Engine::catch_host_faults();
    page_ = static_cast<u8*>(mmap(nullptr, 2 * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(page_ + kPageSize, kPageSize, PROT_NONE);
  }
  void TearDown() override {
    munmap(page_, 2 * kPageSize);
    sigaction(SIGSEGV, &old_, nullptr);
  }
  u64 end() const { return reinterpret_cast<u64>(page_) + kPageSize; }

  u8* page_ = nullptr;
  struct sigaction old_ = {};
};

TEST_F(GuardedAccess, CopyReportsWhatIsMissing) {
  std::memset(page_, 'x', kPageSize);
  char buffer[64] = {};
  EXPECT_EQ(guarded_copy(buffer, page_ + kPageSize - 10, 10), 0u);
  EXPECT_EQ(guarded_copy(buffer, page_ + kPageSize - 10, 30), 20u);
  EXPECT_EQ(buffer[9], 'x');
  EXPECT_EQ(buffer[10], 'x' * 0);
  EXPECT_EQ(guarded_copy(page_ + kPageSize - 3, buffer, 8), 5u);
}

TEST_F(GuardedAccess, LoadsStoresAndCas) {
  for (const unsigned bytes : {1u, 2u, 4u, 8u, 16u}) {
    const u64 good = end() - 16;
    const U128 value{0x8877665544332211, 0x00ffeeddccbbaa99};
    EXPECT_TRUE(guarded_store(good, bytes, value));
    U128 out{~u64{0}, ~u64{0}};
    ASSERT_TRUE(guarded_load(good, bytes, out));
    const u64 mask = bytes >= 8 ? ~u64{0} : (u64{1} << bytes * 8) - 1;
    EXPECT_EQ(out.lo, value.lo & mask) << bytes;
    EXPECT_EQ(out.hi, bytes == 16 ? value.hi : 0) << bytes;
    U128 expected = out;
    const U128 desired{7, 9};
    ASSERT_TRUE(guarded_cas(good, bytes, expected, desired));
    EXPECT_EQ(expected, out);
    expected = {1, 1};
    ASSERT_TRUE(guarded_cas(good, bytes, expected, {3, 3}));
    EXPECT_EQ(expected.lo, 7u);
    EXPECT_EQ(expected.hi, bytes == 16 ? 9u : 0u);
    const u64 bad = end();
    EXPECT_FALSE(guarded_load(bad, bytes, out));
    EXPECT_FALSE(guarded_store(bad, bytes, value));
    EXPECT_FALSE(guarded_cas(bad, bytes, expected, desired));
    EXPECT_FALSE(guarded_load(u64{0x80} << 56, bytes, out)) << "non-canonical";
  }
}

TEST_F(GuardedAccess, StrlenStopsAtLimitAndFault) {
  std::memset(page_, 'x', kPageSize);
  EXPECT_EQ(guarded_strlen(end() - 4, 100), -1);
  EXPECT_EQ(guarded_strlen(end() - 4, 4), 4);
  page_[kPageSize - 1] = 0;
  EXPECT_EQ(guarded_strlen(end() - 4, 100), 3);
  EXPECT_EQ(guarded_strlen(end() - 1000, 100), 100);
}

}  // namespace
}  // namespace tiercel::engine
