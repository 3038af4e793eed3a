// bench: class=os flags=-O2 iterations=300 quick=30
// fork, a message through a pipe from the child, and wait.
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

int main(int argc, char** argv) {
  uint64_t sum = 0;
  int ends[2];
  if (pipe(ends)) return 1;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
      uint64_t message = kernel_mix((uint64_t)n, 77);
      _exit(write(ends[1], &message, sizeof message) == sizeof message ? (int)(n & 31) : 99);
    }
    int status;
    uint64_t got;
    if (read(ends[0], &got, sizeof got) != sizeof got) return 1;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 1;
    sum = kernel_mix(sum, got + (uint64_t)WEXITSTATUS(status));
  }
  return kernel_result(sum);
}
