// bench: class=simd flags=-O3 iterations=6000 quick=600
// Byte and halfword loops that the compiler vectorises: blending, thresholds, sums of differences, saturation, widening
// products.
#include "kernel.h"

enum { kCount = 16384 };
static uint8_t p[kCount], q[kCount], out[kCount];
static int16_t wide[kCount];

__attribute__((noinline)) static void blend(int alpha) {
  for (int i = 0; i < kCount; i++) out[i] = (uint8_t)((p[i] * alpha + q[i] * (256 - alpha)) >> 8);
}
__attribute__((noinline)) static uint32_t difference(void) {
  uint32_t sum = 0;
  for (int i = 0; i < kCount; i++) sum += (uint32_t)abs(p[i] - q[i]);
  return sum;
}
__attribute__((noinline)) static void threshold(uint8_t level) {
  for (int i = 0; i < kCount; i++) out[i] = out[i] > level ? (uint8_t)(out[i] ^ p[i]) : q[i];
}
__attribute__((noinline)) static void saturate(int16_t add) {
  for (int i = 0; i < kCount; i++) {
    int v = wide[i] + (out[i] << 3) - add;
    wide[i] = (int16_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
  }
}
__attribute__((noinline)) static int32_t product(void) {
  int32_t sum = 0;
  for (int i = 0; i < kCount; i++) sum += wide[i] * (int16_t)q[i];
  return sum;
}
__attribute__((noinline)) static uint32_t most(void) {
  uint8_t m = 0;
  for (int i = 0; i < kCount; i++) m = out[i] > m ? out[i] : m;
  return m;
}

int main(int argc, char** argv) {
  uint32_t seed = 29;
  for (int i = 0; i < kCount; i++) p[i] = (uint8_t)kernel_random(&seed), q[i] = (uint8_t)(kernel_random(&seed) >> 9);
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    blend((int)(n & 255));
    sum = kernel_mix(sum, difference());
    threshold((uint8_t)(n * 3));
    saturate((int16_t)(n * 5));
    sum = kernel_mix(sum, (uint32_t)product());
    sum = kernel_mix(sum, most());
    p[n % kCount] ^= (uint8_t)n;
  }
  return kernel_result(sum);
}
