// bench: class=integer flags=-O2 iterations=200 quick=20
// Bit manipulation: population counts, leading and trailing zeros, byte swaps, bit reversal, rotates, bit fields, wide
// multiplies, division.
#include "kernel.h"

static uint32_t reverse_bits(uint32_t x) {
  x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
  x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
  x = (x >> 4 & 0x0f0f0f0f) | (x & 0x0f0f0f0f) << 4;
  return __builtin_bswap32(x);
}

struct Fields {
  uint32_t low : 5, middle : 11, high : 16;
};

int main(int argc, char** argv) {
  uint32_t seed = 71;
  uint64_t sum = 1;
  struct Fields fields = {0, 0, 0};
  for (long n = kernel_iterations(argc, argv); n > 0; n--)
    for (int i = 0; i < 40000; i++) {
      uint32_t x = kernel_random(&seed);
      uint64_t wide = (uint64_t)x << 32 | (uint32_t)sum | 1;
      sum += (uint64_t)__builtin_clzll(wide) + (uint64_t)__builtin_ctz(x | 1 << 20) + reverse_bits(x);
      sum = sum << (x & 63) | sum >> (-x & 63);
      fields.low += x, fields.middle ^= x >> 7, fields.high += fields.middle;
      sum ^= (uint64_t)((unsigned __int128)wide * sum >> 64) + fields.low + fields.high;
      sum += (uint64_t)((int64_t)wide / (int32_t)(x | 3)) + x % (uint32_t)((n & 127) + 3);
    }
  return kernel_result(sum);
}
