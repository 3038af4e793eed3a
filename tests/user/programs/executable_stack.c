// Code on the stack: trampolines of nested functions, on the first stack and on a thread's.
// flags: -pthread -Wl,--no-warn-execstack
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

static __attribute__((noinline)) int apply(int (*f)(int), int n) {
  return f(n);
}

static __attribute__((noinline)) int nested(int base) {
  int add(int n) {
    return base + n;
  }
  return apply(add, 2);
}

static void* thread(void* result) {
  *(int*)result = nested(50);
  return NULL;
}

int main(void) {
  CHECK(nested(40) == 42);
  int result = 0;
  pthread_t id;
  CHECK(pthread_create(&id, NULL, thread, &result) == 0 && pthread_join(id, NULL) == 0 && result == 52);

  // What a C library does when it loads a library that needs such a stack: from this page down to wherever it begins.
  char* page = (char*)((uintptr_t)__builtin_frame_address(0) & -4096ul);
  CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_GROWSDOWN) == 0);
  CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN) == 0 && nested(40) == 42);
  char* other = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_ERRNO(mprotect(other, 4096, PROT_READ | PROT_GROWSDOWN), EINVAL);
  return finish();
}
