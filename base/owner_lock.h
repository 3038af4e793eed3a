// A mutex that knows its owner, for state that processes share: a vfork child works in its parent's memory and may be
// killed anywhere. Whoever learns of that takes over what the dead owner held, and puts the guarded state right.
#pragma once

#include <atomic>

#include "base/types.h"

namespace tiercel {

/// BasicLockable. Not recursive.
class OwnerLock {
 public:
  /// Owners are numbers from 1 to 2^31 - 1. A thread that has not said who it is counts as kSomebody.
  static constexpr u32 kSomebody = 0x7fffffff;

  /// Names the calling thread. vfork children live on their parent's thread-local storage: the parent must name itself
  /// again afterwards.
  static void set_owner(u32 owner);

  void lock();
  void unlock();
  /// If `owner`, which no longer runs, holds the lock, the caller holds it instead. False: it does not.
  bool take_over(u32 owner);

 private:
  static constexpr u32 kWaiters = 0x80000000;  // somebody may be waiting

  std::atomic<u32> word_{0};  // the owner, 0 when free
};

}  // namespace tiercel
