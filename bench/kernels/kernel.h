// What every kernel shares: its iteration count comes from argv[1], its random numbers from here, and it ends by
// printing one line. A kernel's first line, "// bench: key=value ...", is read by CMake (flags, libs) and by bench/run
// (class, iterations, quick, cpus).
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline long kernel_argument(int argc, char** argv, int index) {
  long value = index < argc ? atol(argv[index]) : 0;
  if (value <= 0) {
    fprintf(stderr, "usage: %s ITERATIONS [...]: argument %d must be a positive number\n", argv[0], index);
    exit(2);
  }
  return value;
}

static inline long kernel_iterations(int argc, char** argv) {
  return kernel_argument(argc, argv, 1);
}

// xorshift32 (Marsaglia 2003): the same sequence on every machine.
static inline uint32_t kernel_random(uint32_t* state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

static inline uint64_t kernel_mix(uint64_t sum, uint64_t value) {
  return (sum ^ value) * 0x100000001b3u;
}

static inline int kernel_result(uint64_t sum) {
  return printf("%016llx\n", (unsigned long long)sum) < 0;
}
