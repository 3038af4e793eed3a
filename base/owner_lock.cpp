#include "base/owner_lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tiercel {
namespace {

thread_local u32 this_owner = OwnerLock::kSomebody;

void futex(std::atomic<u32>& word, int operation, u32 value) {
  syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

}  // namespace

void OwnerLock::set_owner(u32 owner) {
  this_owner = owner;
}

void OwnerLock::lock() {
  const u32 owner = this_owner;
  u32 seen = 0;
  if (word_.compare_exchange_strong(seen, owner, std::memory_order_acquire)) return;
  for (;;) {
    if (seen == 0) {
      // There may be more who wait: the last one leaves with a needless wake-up.
      if (word_.compare_exchange_weak(seen, owner | kWaiters, std::memory_order_acquire)) return;
      continue;
    }
    if (!(seen & kWaiters) && !word_.compare_exchange_weak(seen, seen | kWaiters, std::memory_order_relaxed)) continue;
    futex(word_, FUTEX_WAIT, seen | kWaiters);
    seen = word_.load(std::memory_order_relaxed);
  }
}

void OwnerLock::unlock() {
  if (word_.exchange(0, std::memory_order_release) & kWaiters) futex(word_, FUTEX_WAKE, 1);
}

bool OwnerLock::take_over(u32 owner) {
  if ((word_.load(std::memory_order_acquire) & ~kWaiters) != owner) {
    // It may have ended after it freed the lock, or after it was woken to take it: the next one still sleeps.
    futex(word_, FUTEX_WAKE, 1);
    return false;
  }
  word_.store(this_owner | kWaiters, std::memory_order_relaxed);
  return true;
}

}  // namespace tiercel
