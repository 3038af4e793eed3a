// bench: class=callret flags=-O2 iterations=15 quick=2
// Call-heavy recursion: Fibonacci, Ackermann, Takeuchi and mutual recursion. The attributes keep gcc from unrolling the
// calls away.
#include "kernel.h"

#define RECURSIVE __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls", "no-ipa-cp")))

RECURSIVE static uint32_t fib(uint32_t n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

RECURSIVE static uint32_t ackermann(uint32_t m, uint32_t n) {
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

RECURSIVE static int tak(int x, int y, int z) {
  return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static uint32_t odd(uint32_t n);
RECURSIVE static uint32_t even(uint32_t n) {
  return n == 0 ? 1 : odd(n - 1) ^ 2;
}
RECURSIVE static uint32_t odd(uint32_t n) {
  return n == 0 ? 0 : even(n - 1) + 1;
}

int main(int argc, char** argv) {
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    sum = kernel_mix(sum, fib(29));
    sum = kernel_mix(sum, ackermann(2, 300 + (uint32_t)(n & 7)));
    sum = kernel_mix(sum, ackermann(3, 7));
    sum = kernel_mix(sum, (uint32_t)tak(18, 12, 6));
    for (uint32_t i = 0; i < 20; i++) sum = kernel_mix(sum, even(5000 + i));
  }
  return kernel_result(sum);
}
