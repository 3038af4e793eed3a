// A lock whose owner dies.
#include "base/owner_lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace tiercel {
namespace {

TEST(OwnerLock, ExcludesThreads) {
  OwnerLock lock;
  long sum = 0;
  const auto count = [&] {
    for (int i = 0; i < 20000; ++i) {
      const std::lock_guard guard(lock);
      ++sum;
    }
  };
  std::thread other(count);
  count();
  other.join();
  EXPECT_EQ(sum, 40000);
}

TEST(OwnerLock, IsTakenOverFromItsOwnerOnly) {
  OwnerLock lock;
  std::thread([&] {
    OwnerLock::set_owner(7);
    lock.lock();
  }).join();
  EXPECT_FALSE(lock.take_over(8));
  std::atomic<bool> entered{false};
  std::thread waiter([&] {
    const std::lock_guard guard(lock);
    entered = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(entered);
  EXPECT_TRUE(lock.take_over(7));
  EXPECT_FALSE(entered);
  lock.unlock();
  waiter.join();
  EXPECT_TRUE(entered);
  EXPECT_FALSE(lock.take_over(7));
}

}  // namespace
}  // namespace tiercel
