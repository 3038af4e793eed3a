// Every register survives an asynchronous signal, and the frame shows and takes vector registers.
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <ucontext.h>
#include "check.h"

static volatile int ticks, found_fpsimd, bad_sp;
static volatile uint64_t seen_v0;
static volatile int patch;

static void on_tick(int signal, siginfo_t* info, void* raw) {
  (void)signal, (void)info;
  ucontext_t* context = raw;
  ticks++;
  if (context->uc_mcontext.sp % 16) bad_sp = 1;
  struct fpsimd_context* fp = (void*)context->uc_mcontext.__reserved;
  if (fp->head.magic == FPSIMD_MAGIC && fp->head.size == sizeof *fp) {
    found_fpsimd++;
    if (patch) {
      seen_v0 = (uint64_t)fp->vregs[0];
      fp->vregs[1] = (__uint128_t)0x1234 << 64 | 0x5678;
      context->uc_mcontext.pstate ^= 1u << 30;  // Z
    }
  }
  // Use what a careless implementation would not restore.
  asm volatile("movi v0.16b, #1\n movi v8.16b, #2\n movi v31.16b, #3\n mov x9, #5\n mov x17, #6\n cmp x9, x17" ::
                   : "v0", "v8", "v31", "x9", "x17", "cc");
}

// Keeps known values in registers while timer signals arrive; returns the number of rounds that found them changed.
static int spin(void) {
  uint64_t bad = 0;
  asm volatile(
      "mov x9, #9\n mov x10, #10\n mov x11, #11\n mov x12, #12\n mov x13, #13\n mov x14, #14\n mov x15, #15\n"
      "mov x16, #16\n mov x17, #17\n mov x20, #20\n mov x28, #28\n mov x30, #30\n"
      "dup v0.2d, x9\n dup v7.2d, x10\n dup v8.2d, x11\n dup v15.2d, x12\n dup v16.2d, x13\n dup v31.2d, x14\n"
      "1: ldr w1, [%1]\n cmp w1, #40\n b.ge 3f\n"
      "cmp x9, #9\n ccmp x10, #10, #0, eq\n ccmp x11, #11, #0, eq\n ccmp x12, #12, #0, eq\n ccmp x13, #13, #0, eq\n"
      "ccmp x14, #14, #0, eq\n ccmp x15, #15, #0, eq\n ccmp x16, #16, #0, eq\n ccmp x17, #17, #0, eq\n"
      "ccmp x20, #20, #0, eq\n ccmp x28, #28, #0, eq\n ccmp x30, #30, #0, eq\n b.ne 2f\n"
      "mov x2, v0.d[1]\n cmp x2, #9\n mov x2, v7.d[1]\n ccmp x2, #10, #0, eq\n mov x2, v8.d[0]\n ccmp x2, #11, #0, eq\n"
      "mov x2, v15.d[1]\n ccmp x2, #12, #0, eq\n mov x2, v16.d[0]\n ccmp x2, #13, #0, eq\n mov x2, v31.d[1]\n"
      "ccmp x2, #14, #0, eq\n b.eq 1b\n"
      "2: add %0, %0, #1\n 3:\n"
      : "+&r"(bad)
      : "r"(&ticks)
      : "x1", "x2", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x20", "x28", "x30", "v0", "v7", "v8",
        "v15", "v16", "v31", "cc", "memory");
  return (int)bad;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO};
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGILL, &action, NULL);
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 1000}, {0, 1000}}, NULL);
  CHECK(spin() == 0);
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
  CHECK(ticks >= 40);
  CHECK(found_fpsimd == ticks);
  CHECK(!bad_sp);

  // A change made in the frame is seen after the return. The system call is tgkill(self), so the frame is at the svc.
  patch = 1;
  uint64_t low, high, z;
  register uint64_t x8 asm("x8") = 131, x0 asm("x0"), x1 asm("x1"), x2 asm("x2") = SIGUSR1;
  register uint64_t n asm("x8");
  n = 172;
  asm volatile("svc 0" : "=r"(x0) : "r"(n) : "memory");
  uint64_t pid = x0;
  n = 178;
  asm volatile("svc 0" : "=r"(x0) : "r"(n) : "memory");
  x1 = x0;
  x0 = pid;
  x8 = 131;
  asm volatile(
      "mov x9, #99\n fmov d0, x9\n movi v1.16b, #0\n cmp x9, x9\n svc 0\n cset %2, eq\n mov %0, v1.d[0]\n mov %1, "
      "v1.d[1]"
      : "=&r"(low), "=&r"(high), "=&r"(z), "+r"(x0)
      : "r"(x1), "r"(x2), "r"(x8)
      : "x9", "v0", "v1", "cc", "memory");
  CHECK(x0 == 0);
  CHECK(seen_v0 == 99);
  CHECK(low == 0x5678);
  CHECK(high == 0x1234);
  CHECK(z == 0);
  return finish();
}
