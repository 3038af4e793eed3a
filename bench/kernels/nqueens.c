// bench: class=integer flags=-O2 iterations=13 quick=10 steady=15
// Counts the ways to place queens on a board of the given size, with bit masks.
#include "kernel.h"

static uint64_t place(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
  if (columns == all) return 1;
  uint64_t found = 0;
  for (uint32_t open = all & ~(columns | left | right); open;) {
    uint32_t bit = open & -open;
    open ^= bit;
    found += place(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return found;
}

int main(int argc, char** argv) {
  uint64_t sum = 0;
  for (long size = 4, last = kernel_iterations(argc, argv); size <= last; size++)
    sum = kernel_mix(sum, place((1u << size) - 1, 0, 0, 0));
  return kernel_result(sum);
}
