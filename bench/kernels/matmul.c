// bench: class=simd flags=-O3,-ffast-math iterations=120 quick=8
// Single-precision matrix product that the compiler vectorises.
#include "kernel.h"

enum { kSize = 160 };

static float a[kSize][kSize], b[kSize][kSize], c[kSize][kSize];

__attribute__((noinline)) static void multiply(void) {
  for (int i = 0; i < kSize; i++) {
    for (int j = 0; j < kSize; j++) c[i][j] = 0;
    for (int k = 0; k < kSize; k++) {
      float x = a[i][k];
      for (int j = 0; j < kSize; j++) c[i][j] += x * b[k][j];
    }
  }
}

int main(int argc, char** argv) {
  // Small whole numbers: every sum is exact, so fused and unfused multiply-adds agree.
  for (int i = 0; i < kSize; i++)
    for (int j = 0; j < kSize; j++) a[i][j] = (float)((i + j) % 8), b[i][j] = (float)((i * 3 + j) % 16);
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    multiply();
    for (int i = 0; i < kSize; i++) sum = kernel_mix(sum, (uint64_t)c[i][(i * 7) % kSize]);
    for (int i = 0; i < kSize; i++) a[i][n % kSize] = (float)((int)c[i][0] % 8);
  }
  return kernel_result(sum);
}
