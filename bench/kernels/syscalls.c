// bench: class=os flags=-O2 iterations=30000 quick=3000
// Short system calls: getppid, a pipe, stat, open, lseek, read and close.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

int main(int argc, char** argv) {
  int ends[2];
  if (pipe(ends)) return 1;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    sum += (uint64_t)(syscall(SYS_getppid) > 0);
    uint64_t message = (uint64_t)n, got = 0;
    if (write(ends[1], &message, sizeof message) != sizeof message || read(ends[0], &got, sizeof got) != sizeof got)
      return 1;
    sum = kernel_mix(sum, got);
    if (n % 16 == 0) {
      struct stat st;
      int fd = open("/dev/null", O_RDONLY);
      if (fd < 0 || fstat(fd, &st) || stat("/", &st)) return 1;
      sum += (uint64_t)lseek(fd, 0, SEEK_SET) + (uint64_t)read(fd, &got, sizeof got) + S_ISDIR(st.st_mode);
      close(fd);
    }
  }
  return kernel_result(sum);
}
