// bench: class=os flags=-O2 iterations=2000000 quick=200000
// clock_gettime in a loop, as logging and event loops call it.
#include <time.h>

#include "kernel.h"

int main(int argc, char** argv) {
  struct timespec last = {0, 0};
  long backwards = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now)) return 1;
    if (now.tv_sec < last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec < last.tv_nsec)) backwards++;
    last = now;
  }
  return kernel_result((uint64_t)backwards);
}
