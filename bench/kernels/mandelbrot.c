// bench: class=fp flags=-O2,-ffp-contract=off iterations=800 quick=150 steady=2400
// Escape times, doubles. Without contraction, since a fused multiply-add would move points on the edge of the set.
#include "kernel.h"

int main(int argc, char** argv) {
  int size = (int)kernel_iterations(argc, argv);
  uint64_t sum = 0;
  for (int row = 0; row < size; row++) {
    double ci = 2.0 * row / size - 1.0;
    uint32_t steps = 0;
    for (int column = 0; column < size; column++) {
      double cr = 2.0 * column / size - 1.5, r = 0, i = 0, rr = 0, ii = 0;
      int n = 0;
      for (; n < 100 && rr + ii <= 4.0; n++) {
        i = 2.0 * r * i + ci;
        r = rr - ii + cr;
        rr = r * r;
        ii = i * i;
      }
      steps += (uint32_t)n;
    }
    sum = kernel_mix(sum, steps);
  }
  return kernel_result(sum);
}
