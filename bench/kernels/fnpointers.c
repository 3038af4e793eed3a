// bench: class=indirect flags=-O2 iterations=40 quick=4
// Calls through function pointers: a dispatch table indexed by random data, and qsort and bsearch with callbacks.
#include "kernel.h"

typedef uint32_t (*Step)(uint32_t);
static uint32_t step0(uint32_t x) {
  return x + 1;
}
static uint32_t step1(uint32_t x) {
  return x * 3;
}
static uint32_t step2(uint32_t x) {
  return x ^ x >> 5;
}
static uint32_t step3(uint32_t x) {
  return x << 3 | x >> 29;
}
static uint32_t step4(uint32_t x) {
  return x - 77;
}
static uint32_t step5(uint32_t x) {
  return ~x;
}
static uint32_t step6(uint32_t x) {
  return x & 0xffff ? x : x + 9;
}
static uint32_t step7(uint32_t x) {
  return (x >> 16) * (x & 0xffff);
}
static Step const kSteps[8] = {step0, step1, step2, step3, step4, step5, step6, step7};

static int by_value(const void* a, const void* b) {
  uint32_t x = *(const uint32_t*)a, y = *(const uint32_t*)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char** argv) {
  enum { kCount = 6000 };
  static uint32_t values[kCount];
  uint32_t seed = 3, x = 1;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    for (int i = 0; i < 100000; i++) x = kSteps[kernel_random(&seed) & 7](x);
    for (int i = 0; i < kCount; i++) values[i] = kernel_random(&seed) ^ x;
    qsort(values, kCount, sizeof *values, by_value);
    for (int i = 0; i < 1000; i++) {
      uint32_t key = values[kernel_random(&seed) % kCount];
      sum = kernel_mix(sum, (uint32_t)((uint32_t*)bsearch(&key, values, kCount, sizeof key, by_value) - values));
    }
    sum = kernel_mix(sum, x);
  }
  return kernel_result(sum);
}
