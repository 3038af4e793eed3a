// bench: class=integer flags=-O2 iterations=50 quick=5
// Data-dependent branches: binary gcd, Collatz runs, a number parser and a hailstone of compares.
#include "kernel.h"

static uint32_t gcd(uint32_t a, uint32_t b) {
  while (a != b) {
    if (a > b)
      a -= b & 1 || !(a & 1) ? b : b >> 1;
    else
      b -= a & 1 || !(b & 1) ? a : a >> 1;
    if (!a || !b) return a | b;
  }
  return a;
}

static uint32_t collatz(uint64_t n) {
  uint32_t steps = 0;
  for (; n != 1; steps++) n = n & 1 ? 3 * n + 1 : n >> 1;
  return steps;
}

static uint32_t classify(uint32_t x) {
  if (x < 0x20000000) return x & 4 ? 1 : 2;
  if (x < 0x48000000) return x & 1 ? (x & 2 ? 3 : 4) : 5;
  if (x > 0xe0000000) return (int32_t)x > -1000 ? 6 : 7;
  if ((x & 0xff) > 200 || (x & 0xff00) < 0x3000) return 8;
  return x % 3 == 0 ? 9 : 10;
}

int main(int argc, char** argv) {
  uint32_t seed = 5;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    uint32_t classes[11] = {0};
    for (int i = 0; i < 100000; i++) classes[classify(kernel_random(&seed))]++;
    for (int i = 0; i < 11; i++) sum = kernel_mix(sum, classes[i]);
    for (int i = 0; i < 4000; i++) sum += gcd(kernel_random(&seed) % 4096 + 1, kernel_random(&seed) % 4096 + 1);
    for (int i = 0; i < 3000; i++) sum = kernel_mix(sum, collatz(1 + kernel_random(&seed) % 100000));
  }
  return kernel_result(sum);
}
