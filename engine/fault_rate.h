// Whether a region faults so often that the program is better off without it.
#pragma once

#include "base/types.h"

namespace tiercel::engine {

/// In a region a guest's fault is two signals for the host and not one, which costs 2.5 us more. About 5 us of
/// execution gain as much, and the fault itself takes another 5.
class FaultRate {
 public:
  static constexpr u32 kFaults = 256;
  static constexpr u64 kTooShort = kFaults * u64{10'000};  // ns, for that many

  /// One more, at `now` (monotonic_ns). True: there were too many since some time.
  bool add(u64 now) {
    if (count_++ == 0) since_ = now;
    if (count_ <= kFaults) return false;
    count_ = 0;
    return now - since_ < kTooShort;
  }

 private:
  u32 count_ = 0;
  u64 since_ = 0;
};

}  // namespace tiercel::engine
