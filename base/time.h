// The host's clocks in nanoseconds.
#pragma once

#include <ctime>

#include "base/types.h"

namespace tiercel {

inline u64 clock_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<u64>(t.tv_sec) * 1'000'000'000 + static_cast<u64>(t.tv_nsec);
}
inline u64 monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}
/// To a few milliseconds, and cheap.
inline u64 coarse_monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC_COARSE);
}
inline u64 thread_cpu_ns() {
  return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}
inline u64 process_cpu_ns() {
  return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

}  // namespace tiercel
