// flags: -pthread
// vfork children that are killed at random moments, most of them while their code is being translated, must not harm
// the parent: it and its other threads go on, run new code, and can make children again.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { kRounds = 200, kInsns = 12, kFunctions = 40, kParentFunctions = 3 };

typedef long (*Function)(long);

static volatile pid_t child_pid;
static volatile int stopping;

static unsigned next_random(unsigned* seed) {
  return *seed = *seed * 1664525 + 1013904223;
}

// Functions nobody has run: x0 = x0 + 1, twelve times, with a branch to the next insn in the middle.
static void write_functions(unsigned* code, int count) {
  for (int f = 0; f < count; f++) {
    for (int i = 0; i < kInsns - 1; i++) *code++ = i == kInsns / 2 ? 0x14000001 : 0x91000400;
    *code++ = 0xd65f03c0;
  }
}

static unsigned* new_code(int count) {
  unsigned* code = mmap(0, count * kInsns * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 0;
  write_functions(code, count);
  mprotect(code, count * kInsns * 4, PROT_READ | PROT_EXEC);
  return code;
}

static long run_functions(unsigned* code, int count) {
  long x = 0;
  for (int f = 0; f < count; f++) x = ((Function)(code + f * kInsns))(x);
  return x;
}

static void* killer(void* unused) {
  unsigned seed = 1;
  while (!stopping) {
    pid_t pid = child_pid;
    if (!pid) {
      sched_yield();
      continue;
    }
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long delay = (next_random(&seed) >> 8) % 1000000;
    do clock_gettime(CLOCK_MONOTONIC, &end);
    while ((end.tv_sec - now.tv_sec) * 1000000000 + end.tv_nsec - now.tv_nsec < delay);
    child_pid = 0;  // before the next child can set it
    kill(pid, SIGKILL);
  }
  return unused;
}

// A thread that does nothing but run new code, so that it often waits for the translator.
static void* worker(void* bad) {
  while (!stopping) {
    unsigned* code = new_code(kFunctions);
    if (!code || run_functions(code, kFunctions) != kFunctions * (kInsns - 2)) *(volatile int*)bad = 1;
    munmap(code, kFunctions * kInsns * 4);
  }
  return 0;
}

// One child; 1 if it was killed.
static int round_of(unsigned* code) {
  pid_t pid = vfork();
  if (pid == 0) {
    child_pid = getpid();
    for (;;) run_functions(code, kFunctions);
  }
  int status = 0;
  return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

int main(void) {
  pthread_t threads[2];
  volatile int bad = 0;
  alarm(100);  // instead of hanging
  CHECK(pthread_create(&threads[0], 0, killer, 0) == 0);
  CHECK(pthread_create(&threads[1], 0, worker, (void*)&bad) == 0);
  int killed = 0, right = 0;
  for (int i = 0; i < kRounds; i++) {
    unsigned* code = new_code(kFunctions);
    if (!code) break;
    killed += round_of(code);
    right += run_functions(code, kParentFunctions) == kParentFunctions * (kInsns - 2);
    munmap(code, kFunctions * kInsns * 4);
  }
  stopping = 1;
  CHECK(pthread_join(threads[0], 0) == 0);
  CHECK(pthread_join(threads[1], 0) == 0);
  CHECK(killed == kRounds);
  CHECK(right == kRounds);
  CHECK(!bad);
  pid_t pid = fork();
  if (pid == 0) _exit(7);
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
  return finish();
}
