// bench: class=integer flags=-O2 iterations=10 quick=8 steady=11
// Pancake flips over all permutations of the given length.
#include "kernel.h"

enum { kMost = 12 };

int main(int argc, char** argv) {
  int n = (int)kernel_iterations(argc, argv);
  if (n > kMost) return 2;
  int perm[kMost], work[kMost], count[kMost];
  for (int i = 0; i < n; i++) perm[i] = i;
  int most = 0, r = n;
  int64_t checksum = 0;
  for (int64_t index = 0;; index++) {
    for (; r != 1; r--) count[r - 1] = r;
    for (int i = 0; i < n; i++) work[i] = perm[i];
    int flips = 0;
    for (int k; (k = work[0]) != 0; flips++)
      for (int i = 0, j = k; i < j; i++, j--) {
        int t = work[i];
        work[i] = work[j];
        work[j] = t;
      }
    if (flips > most) most = flips;
    checksum += index & 1 ? -flips : flips;
    for (;; r++) {
      if (r == n) return kernel_result(kernel_mix((uint64_t)checksum, (uint64_t)most));
      int first = perm[0];
      for (int i = 0; i < r; i++) perm[i] = perm[i + 1];
      perm[r] = first;
      if (--count[r] > 0) break;
    }
  }
}
