// flags: -pthread
// FPCR.FZ in loops that are hot: each exception in FPSR comes when it has to and never before, whoever flushes; control
// words that change on the way, signals in the middle, threads that differ (Arm ARM, "Flushing denormalized numbers to
// zero").
#include <arm_neon.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

enum { kInvalid = 1, kDivByZero = 2, kOverflow = 4, kUnderflow = 8, kInexact = 16, kInputDenormal = 0x80 };
enum { kSize = 64, kHot = 3000 };
static const uint64_t kFz = UINT64_C(1) << 24;

static void set_fpcr(uint64_t v) {
  __asm__ volatile("msr fpcr, %0" : : "r"(v) : "memory");
}
static uint64_t fpcr(void) {
  uint64_t v;
  __asm__ volatile("mrs %0, fpcr" : "=r"(v) : : "memory");
  return v;
}
static void set_fpsr(uint64_t v) {
  __asm__ volatile("msr fpsr, %0" : : "r"(v) : "memory");
}
static unsigned fpsr(void) {
  uint64_t v;
  __asm__ volatile("mrs %0, fpsr" : "=r"(v) : : "memory");
  return (unsigned)(v & 0x9f);
}

static float a[kSize], b[kSize], c[kSize];

static void reset(float x, float y, float z) {
  for (int i = 0; i < kSize; ++i) a[i] = x, b[i] = y, c[i] = z;
}

// c += a * b, `times` times.
__attribute__((noinline)) static void accumulate(int times) {
  for (int n = 0; n < times; ++n)
    for (int i = 0; i < kSize; i += 4)
      vst1q_f32(c + i, vfmaq_f32(vld1q_f32(c + i), vld1q_f32(a + i), vld1q_f32(b + i)));
}
// c = a * b - b / a and the like.
__attribute__((noinline)) static void mix(int times) {
  for (int n = 0; n < times; ++n)
    for (int i = 0; i < kSize; ++i) {
      const float p = a[i] * b[i];
      c[i] = a[i] > b[i] ? p - b[i] : p + b[i];
    }
}

// Products that Arm calls tiny and other machines round first: just below 2^-126, but nearer to it than to anything.
static const float kBelow = 0x1.fffp-64f, kAbove = 0x1.0008p-63f;
static const float kLeast = 0x1p-126f;

static void exceptions(void) {
  set_fpcr(kFz);
  set_fpsr(0);
  reset(2, 3, 0);
  accumulate(kHot);
  CHECK(fpsr() == 0 && c[0] == 6 * kHot && c[kSize - 1] == 6 * kHot);

  b[17] = 1.5f * kLeast, a[17] = 1, c[17] = -kLeast;  // an exact result that is tiny
  accumulate(1);
  CHECK(fpsr() == kUnderflow && c[17] == 0 && c[16] == 6 * (kHot + 1));
  accumulate(kHot);
  CHECK(fpsr() == kUnderflow);

  set_fpsr(0);
  reset(2, 3, 0);
  accumulate(kHot);
  a[5] = b[5] = 0x1.000002p-64f;  // an inexact one
  c[5] = 0;
  accumulate(kHot);
  CHECK(fpsr() == kUnderflow && c[5] == 0);

  set_fpsr(0);
  reset(2, 3, 0);
  a[9] = kBelow, b[9] = kAbove;
  accumulate(kHot);
  CHECK(fpsr() == kUnderflow && c[9] == 0);
  set_fpsr(kInexact);
  accumulate(kHot);
  CHECK(fpsr() == (kUnderflow | kInexact) && c[9] == 0);

  set_fpsr(0);
  reset(2, 3, 0);
  a[8] = a[9] = b[8] = 0x1.000002p-64f, b[9] = 0x1.000002p64f;  // a tiny lane beside an inexact one
  accumulate(1);
  CHECK(fpsr() == (kUnderflow | kInexact) && c[8] == 0 && c[9] == 0x1.000004p0f);

  set_fpsr(0);
  reset(2, 3, 0);
  accumulate(kHot);
  a[3] = 0x1p-130f;
  accumulate(kHot);
  CHECK(fpsr() == kInputDenormal && c[3] == 6 * kHot);
  set_fpsr(0);
  accumulate(kHot);
  CHECK(fpsr() == kInputDenormal);

  set_fpsr(0);
  reset(kBelow, kAbove, 0);
  mix(kHot);
  CHECK(fpsr() == kUnderflow && c[0] == kAbove);
  for (int n = 0, good = 0; n < 200; ++n) {
    set_fpsr(0);
    reset(0x1p-127f, 3, 0);
    a[1] = 1.1f;
    mix(3);
    good += fpsr() == (kInputDenormal | kInexact) && c[0] == 3;
    if (n == 199) CHECK(good == 200);
  }
}

// The control changes in the middle of a loop.
__attribute__((noinline)) static int switches(int times) {
  int good = 0;
  volatile float tiny = 0x1p-100f, small = 0x1p-40f, third = 3;
  for (int n = 0; n < times; ++n) {
    set_fpcr(n % 3 == 1 ? kFz : 0);
    const float product = tiny * small;
    const float quotient = 1 / third;
    good += (n % 3 == 1 ? product == 0 : product == 0x1p-140f) && quotient > 0.333f;
  }
  return good;
}

static volatile sig_atomic_t ticks, wrong_frames;
static void on_tick(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)info;
  const ucontext_t* uc = context;
  const struct fpsimd_context* fp = (const void*)uc->uc_mcontext.__reserved;
  wrong_frames += fp->head.magic != FPSIMD_MAGIC || fp->fpcr != kFz || (fp->fpsr & kInputDenormal);
  const uint64_t before = fpcr();
  set_fpcr(0);
  set_fpsr(0);
  volatile float x = 0x1p-140f;
  const float y = x * 3;
  wrong_frames += before != kFz || y != 0x1.8p-139f || fpsr() != 0;
  ++ticks;
}

static void signals(void) {
  struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO};
  sigaction(SIGALRM, &action, NULL);
  set_fpcr(kFz);
  set_fpsr(0);
  reset(2, 3, 0);
  const struct itimerval every = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &every, NULL);
  int good = 1, rounds = 0;
  while (ticks < 5) {
    reset(2, 3, 0);
    accumulate(100);
    good &= c[0] == 600 && fpsr() == 0;
    a[1] = b[1] = 0x1.000002p-64f;
    c[1] = 1;
    mix(10);
    good &= (fpsr() & ~(unsigned)kInexact) == kUnderflow;
    set_fpsr(0);
    ++rounds;
  }
  setitimer(ITIMER_REAL, &never, NULL);
  CHECK(good && rounds > 0 && wrong_frames == 0);
  set_fpcr(0);
}

static void* thread(void* argument) {
  const int flushes = argument != NULL;
  set_fpcr(flushes ? kFz : 0);
  volatile float tiny = 0x1p-100f, small = 0x1p-40f;
  long good = 0;
  for (int n = 0; n < kHot; ++n) {
    set_fpsr(0);
    float sum = 0;
    for (int i = 0; i < 50; ++i) sum += tiny * small;
    good += flushes ? sum == 0 && fpsr() == kUnderflow : sum > 0 && fpsr() == 0;
  }
  return (void*)good;
}

static void threads(void) {
  pthread_t t[4];
  void* good[4];
  for (int i = 0; i < 4; ++i) pthread_create(t + i, NULL, thread, i % 2 ? t : NULL);
  for (int i = 0; i < 4; ++i) pthread_join(t[i], good + i);
  for (int i = 0; i < 4; ++i) CHECK((long)good[i] == kHot);
}

static volatile sig_atomic_t caught, code;
static void on_fpe(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)context;
  code = info->si_code;
  ++caught;
}

// A SIGFPE that somebody sends is a signal like any other.
static void sent_signals(void) {
  struct sigaction action = {.sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO};
  sigaction(SIGFPE, &action, NULL);
  set_fpcr(kFz);
  set_fpsr(0);
  reset(1.1f, 0x1p-130f, 0);
  kill(getpid(), SIGFPE);
  accumulate(10);
  CHECK(caught == 1 && code == SI_USER && fpsr() == kInputDenormal);
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGFPE);
  sigprocmask(SIG_BLOCK, &set, &old);
  set_fpsr(0);
  kill(getpid(), SIGFPE);
  accumulate(10);
  CHECK(caught == 1 && fpsr() == kInputDenormal);
  sigprocmask(SIG_SETMASK, &old, NULL);
  CHECK(caught == 2);
  signal(SIGFPE, SIG_IGN);
  set_fpsr(0);
  kill(getpid(), SIGFPE);
  accumulate(10);
  CHECK(caught == 2 && fpsr() == kInputDenormal);
  set_fpcr(0);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGFPE, SIG_DFL);
    set_fpcr(kFz);
    accumulate(10);
    raise(SIGFPE);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGFPE);
}

int main(void) {
  exceptions();
  CHECK(switches(kHot) == kHot);
  signals();
  threads();
  sent_signals();
  return finish();
}
