// bench: class=os flags=-O2 iterations=8000 quick=800
// Signals: raise with a handler, a caught SIGSEGV that repairs the page's protection, sigaltstack and masks.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel.h"

static volatile uint64_t handled, faults;
static uint8_t* page;

static void on_user(int number, siginfo_t* info, void* context) {
  (void)context;
  handled += (uint64_t)number * 0 + (uint64_t)(info->si_pid == getpid());
}

static void on_fault(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  if (info->si_addr != page + 16) _exit(3);
  faults++;
  mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

int main(int argc, char** argv) {
  static uint8_t alternate[65536];
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  struct sigaction user = {.sa_sigaction = on_user, .sa_flags = SA_SIGINFO};
  struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || sigaltstack(&stack, NULL) || sigaction(SIGUSR1, &user, NULL) ||
      sigaction(SIGSEGV, &fault, NULL))
    return 1;
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    raise(SIGUSR1);
    if (n % 4 == 0) {
      mprotect(page, 4096, PROT_NONE);
      *(volatile uint8_t*)(page + 16) = (uint8_t)n;
      sigprocmask(SIG_BLOCK, &set, &old);
      raise(SIGUSR1);
      sigprocmask(SIG_SETMASK, &old, NULL);
    }
  }
  return kernel_result(kernel_mix(handled, faults + page[16]));
}
