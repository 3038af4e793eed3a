// What CPU time was spent so far, in nanoseconds.
#pragma once

#include <ctime>

#include "base/types.h"

namespace tiercel {

inline u64 cpu_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<u64>(t.tv_sec) * 1'000'000'000 + static_cast<u64>(t.tv_nsec);
}
inline u64 thread_cpu_ns() {
  return cpu_ns(CLOCK_THREAD_CPUTIME_ID);
}
inline u64 process_cpu_ns() {
  return cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
}

}  // namespace tiercel
