// mmap, mremap, mprotect, brk, madvise, shared files, reservations of a size no machine has.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static int dies_writing(volatile char* at) {
  pid_t pid = fork();
  if (pid == 0) {
    *at = 1;
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int main(void) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  CHECK(page == 4096);
  const int private = MAP_PRIVATE | MAP_ANONYMOUS;
  char* a = mmap(NULL, 16 * page, PROT_READ | PROT_WRITE, private, -1, 0);
  CHECK(a != MAP_FAILED);
  memset(a, 7, 16 * page);
  CHECK(mprotect(a + 4 * page, page, PROT_READ) == 0);
  CHECK(dies_writing(a + 4 * page) == SIGSEGV);
  CHECK(dies_writing(a + 5 * page) == 0);
  CHECK(mprotect(a + 4 * page, page, PROT_NONE) == 0 && dies_writing(a + 4 * page) == SIGSEGV);
  CHECK(mprotect(a + 4 * page, page, PROT_READ | PROT_WRITE) == 0 && a[4 * page] == 7);
  CHECK(munmap(a + 8 * page, page) == 0 && dies_writing(a + 8 * page) == SIGSEGV);
  CHECK_ERRNO(mprotect(a + 8 * page, page, PROT_READ), ENOMEM);
  CHECK_ERRNO(munmap(a + 1, page), EINVAL);
  CHECK(mmap(a + 8 * page, page, PROT_READ | PROT_WRITE, private | MAP_FIXED_NOREPLACE, -1, 0) == a + 8 * page);
  errno = 0;
  CHECK(mmap(a, page, PROT_READ, private | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
  CHECK(a[8 * page] == 0 && a[9 * page] == 7);

  char* b = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, private, -1, 0);
  strcpy(b, "moves along");
  char* c = mremap(b, 4 * page, 1024 * page, MREMAP_MAYMOVE);
  CHECK(c != MAP_FAILED && !strcmp(c, "moves along") && c[1023 * page] == 0);
  CHECK(mremap(c, 1024 * page, 2 * page, 0) == c && dies_writing(c + 2 * page) == SIGSEGV);
  char* target = mmap(NULL, 8 * page, PROT_NONE, private, -1, 0);
  CHECK(mremap(c, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target &&
        !strcmp(target, "moves along"));

  // An allocator's reservation: free until touched.
  const size_t huge = 1ull << 40;
  char* reserve = mmap(NULL, huge, PROT_NONE, private | MAP_NORESERVE, -1, 0);
  CHECK(reserve != MAP_FAILED);
  CHECK(mprotect(reserve + huge / 2, page, PROT_READ | PROT_WRITE) == 0);
  reserve[huge / 2] = 1;
  CHECK(reserve[huge / 2] == 1 && dies_writing(reserve + huge / 2 + page) == SIGSEGV);
  CHECK(munmap(reserve, huge) == 0);

  // AddressSanitizer's shadow of a 47-bit address space lies at a fixed place; program, loader and stack must leave it free.
  char* shadow = (char*)0xffffff000;
  const size_t shadow_size = 0x100fffffffff + 1 - 0xffffff000;
  CHECK(mmap(shadow, shadow_size, PROT_NONE, private | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == shadow);
  CHECK(munmap(shadow, shadow_size) == 0);

  memset(a, 9, page);
  CHECK(madvise(a, page, MADV_DONTNEED) == 0 && a[0] == 0);
  unsigned char resident[16];
  CHECK(mincore(a, 16 * page, resident) == 0);
  CHECK(mlock(a, page) == 0 || errno == EPERM || errno == ENOMEM);
  CHECK(msync(a, page, MS_SYNC) == 0);

  char* start = sbrk(0);
  CHECK(sbrk(1 << 20) == start && sbrk(0) == start + (1 << 20));
  start[(1 << 20) - 1] = 1;
  CHECK(sbrk(-(1 << 20)) == start + (1 << 20) && sbrk(0) == start);

  char name[] = "/tmp/tiercel-map-XXXXXX";
  int file = mkstemp(name);
  CHECK(file >= 0 && unlink(name) == 0 && ftruncate(file, (off_t)(3 * page)) == 0);
  char* shared = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  char* view = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, (off_t)page);
  strcpy(shared + page, "seen in the file");
  CHECK(!strcmp(view, "seen in the file"));
  view[0] = 'S';
  CHECK(shared[page] == 's');
  char text[32] = {0};
  CHECK(pread(file, text, 16, (off_t)page) == 16 && !strcmp(text, "seen in the file"));
  errno = 0;
  CHECK(mmap(NULL, page, PROT_READ, MAP_SHARED, file, 100) == MAP_FAILED && errno == EINVAL);
  errno = 0;
  CHECK(mmap(NULL, page, PROT_READ, MAP_PRIVATE, 9999, 0) == MAP_FAILED && errno == EBADF);
  errno = 0;
  CHECK(mmap(NULL, 0, PROT_READ, private, -1, 0) == MAP_FAILED && errno == EINVAL);

  // Shared memory between parent and child.
  volatile int* common = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = fork();
  if (pid == 0) {
    *common = 77;
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  CHECK(*common == 77);

  // Many small mappings, and a hint that is free is taken.
  int fine = 1;
  for (int i = 0; i < 2000; i++) {
    char* p = mmap(NULL, page, PROT_READ | PROT_WRITE, private, -1, 0);
    if (p == MAP_FAILED)
      fine = 0;
    else
      p[i % (int)page] = 1;
    if (i % 2 && p != MAP_FAILED) munmap(p, page);
  }
  CHECK(fine);
  char* hint = (char*)0x5000000000;
  CHECK(mmap(hint, page, PROT_READ, private, -1, 0) == hint);
  // A deep stack grows on its own.
  volatile char deep[6 << 20];
  deep[0] = 1;
  deep[sizeof deep - 1] = 2;
  CHECK(deep[0] == 1);
  return finish();
}
