// Threads that fault all the time while another executes more code than a small code cache holds: each fault is that of
// its own insn, wherever the translation of that has gone meanwhile.
// flags: -pthread
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "check.h"

enum { kThreads = 2, kFunctions = 32768, kInsns = 4, kPasses = 4 };

// add x0, x0, #1; ror x1, x1, #7; eor x1, x1, x0; ret
static const uint32_t kWords[kInsns] = {0x91000400, 0x93c11c21, 0xca000021, 0xd65f03c0};

static _Thread_local uint64_t expected_pc;
static volatile int wrong, stop;

static void on_fault(int signal, siginfo_t* info, void* raw) {
  (void)signal;
  ucontext_t* context = raw;
  if (context->uc_mcontext.pc != expected_pc || info->si_addr != (void*)context->uc_mcontext.regs[9]) wrong = 1;
  context->uc_mcontext.pc += 4;
}

static void* fault_on(void* raw) {
  uint64_t* faults = raw;
  while (!stop) {
    const uint64_t address = 0x10 + (*faults % 64) * 8;
    __asm__ volatile("mov x9, %1\n\tadr x10, 1f\n\tstr x10, %0\n1:\tldr x11, [x9]"
                     : "=m"(expected_pc)
                     : "r"(address)
                     : "x9", "x10", "x11", "memory");
    ++*faults;
  }
  return NULL;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  uint32_t* code =
      mmap(NULL, kFunctions * kInsns * 4, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(code != MAP_FAILED);
  for (int i = 0; i < kFunctions * kInsns; ++i) code[i] = kWords[i % kInsns];
  __builtin___clear_cache((char*)code, (char*)(code + kFunctions * kInsns));
  pthread_t threads[kThreads];
  uint64_t faults[kThreads] = {0};
  for (int i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, fault_on, &faults[i]) == 0);
  uint64_t sum = 0;
  for (int pass = 0; pass < kPasses; ++pass)
    for (int i = 0; i < kFunctions; ++i) sum = ((uint64_t(*)(uint64_t))(code + i * kInsns))(sum);
  stop = 1;
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(threads[i], NULL);
    CHECK(faults[i] > 0);
  }
  CHECK(sum == (uint64_t)kPasses * kFunctions);
  CHECK(!wrong);
  return finish();
}
