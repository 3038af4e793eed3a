// Asynchronous signals: masks, nesting, alternate stack, siginfo, one-shot handlers.
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <unistd.h>
#include "check.h"

static volatile sig_atomic_t count, depth, max_depth, seen_code, seen_value, seen_pid, on_alt_stack, order[8],
    order_used;
static char alt_stack[65536];

static void on_count(int signal) {
  (void)signal;
  count++;
}
static void on_info(int signal, siginfo_t* info, void* context) {
  (void)context;
  CHECK(signal == info->si_signo);
  seen_code = info->si_code;
  seen_pid = info->si_pid;
  seen_value = info->si_value.sival_int;
}
static void on_nested(int signal) {
  depth++;
  if (depth > max_depth) max_depth = depth;
  if (signal == SIGUSR1) raise(SIGUSR2);
  depth--;
}
static void on_same(int signal) {
  depth++;
  if (depth > max_depth) max_depth = depth;
  if (++count < 3) raise(signal);
  depth--;
}
static void on_alt(int signal) {
  (void)signal;
  char here;
  on_alt_stack = &here >= alt_stack && &here < alt_stack + sizeof alt_stack;
  stack_t now;
  sigaltstack(NULL, &now);
  CHECK(now.ss_flags == SS_ONSTACK);
}
static void on_order(int signal) {
  order[order_used++] = signal;
}

static void install(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaction(signal, &action, NULL);
}

int main(void) {
  install(SIGUSR1, on_count, 0);
  CHECK(raise(SIGUSR1) == 0);
  CHECK(count == 1);
  CHECK(kill(getpid(), SIGUSR1) == 0);
  CHECK(count == 2);

  struct sigaction info = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO};
  CHECK(sigaction(SIGRTMIN + 1, &info, NULL) == 0);
  CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 1234}) == 0);
  CHECK(seen_code == SI_QUEUE);
  CHECK(seen_value == 1234);
  CHECK(seen_pid == getpid());
  sigaction(SIGUSR2, &info, NULL);
  kill(getpid(), SIGUSR2);
  CHECK(seen_code == SI_USER);
  raise(SIGUSR2);
  CHECK(seen_code == SI_TKILL);

  // A blocked signal waits; a standard one is kept once, real-time ones queue, lowest number first.
  sigset_t set, old, pending;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 2);
  sigaddset(&set, SIGRTMIN + 3);
  install(SIGUSR1, on_order, 0);
  install(SIGRTMIN + 2, on_order, 0);
  install(SIGRTMIN + 3, on_order, 0);
  CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
  CHECK(!sigismember(&old, SIGUSR1));
  raise(SIGRTMIN + 3);
  raise(SIGRTMIN + 2);
  raise(SIGRTMIN + 2);
  raise(SIGUSR1);
  raise(SIGUSR1);
  CHECK(order_used == 0);
  CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
  CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
  CHECK(order_used == 4);

  // sigsuspend swaps the mask atomically and returns after the handler.
  count = 0;
  install(SIGUSR1, on_count, 0);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGUSR1);
  CHECK(count == 0);
  sigset_t none;
  sigemptyset(&none);
  CHECK_ERRNO(sigsuspend(&none), EINTR);
  CHECK(count == 1);
  sigprocmask(SIG_SETMASK, NULL, &old);
  CHECK(sigismember(&old, SIGUSR1));
  sigprocmask(SIG_UNBLOCK, &set, NULL);

  // sigwait takes a blocked signal without a handler.
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGUSR1);
  int which = 0;
  CHECK(sigwait(&set, &which) == 0 && which == SIGUSR1);
  siginfo_t waited;
  CHECK_ERRNO(sigtimedwait(&set, &waited, &(struct timespec){0, 1000000}), EAGAIN);
  sigprocmask(SIG_UNBLOCK, &set, NULL);

  // Nesting: another signal interrupts a handler, the same one does not unless SA_NODEFER.
  install(SIGUSR1, on_nested, 0);
  install(SIGUSR2, on_nested, 0);
  raise(SIGUSR1);
  CHECK(max_depth == 2);
  max_depth = count = 0;
  install(SIGUSR1, on_same, 0);
  raise(SIGUSR1);
  CHECK(max_depth == 1 && count == 3);
  max_depth = count = 0;
  install(SIGUSR1, on_same, SA_NODEFER);
  raise(SIGUSR1);
  CHECK(max_depth == 3);

  install(SIGUSR1, on_count, SA_RESETHAND);
  raise(SIGUSR1);
  struct sigaction now;
  sigaction(SIGUSR1, NULL, &now);
  CHECK(now.sa_handler == SIG_DFL);

  stack_t stack = {.ss_sp = alt_stack, .ss_size = sizeof alt_stack}, was;
  CHECK(sigaltstack(&stack, &was) == 0);
  CHECK(was.ss_flags == SS_DISABLE);
  install(SIGUSR1, on_alt, SA_ONSTACK);
  raise(SIGUSR1);
  CHECK(on_alt_stack == 1);
  CHECK_ERRNO(sigaltstack(&(stack_t){.ss_sp = alt_stack, .ss_size = 16}, NULL), ENOMEM);

  install(SIGUSR1, SIG_IGN, 0);
  CHECK(raise(SIGUSR1) == 0);
  CHECK_ERRNO(sigaction(SIGKILL, &(struct sigaction){.sa_handler = on_count}, NULL), EINVAL);

  // A timer interrupts a loop that makes no system call.
  count = 0;
  install(SIGALRM, on_count, 0);
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 2000}, {0, 2000}}, NULL);
  volatile uint64_t spin = 0;
  while (count < 5) spin++;
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
  CHECK(count >= 5);
  return finish();
}
