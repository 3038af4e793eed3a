// bench: class=memory flags=-O2 iterations=8 quick=2
// Follows a random cycle through 16 MiB: every load waits for the one before.
#include "kernel.h"

enum { kCount = 1 << 18 };

struct Line {
  struct Line* next;
  uint64_t pad[7];
};

int main(int argc, char** argv) {
  static struct Line lines[kCount];
  static uint32_t order[kCount];
  uint32_t seed = 13;
  for (uint32_t i = 0; i < kCount; i++) order[i] = i;
  for (uint32_t i = kCount - 1; i > 0; i--) {
    uint32_t j = kernel_random(&seed) % (i + 1), t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
  for (uint32_t i = 0; i < kCount; i++) lines[order[i]].next = &lines[order[(i + 1) % kCount]];
  struct Line* at = lines;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    for (int i = 0; i < 100003; i++) at = at->next;
    sum = kernel_mix(sum, (uint64_t)(at - lines));
  }
  return kernel_result(sum);
}
