// What a handler sees of a hot loop: every register, the flags and the memory as they are at the insn where the loop
// was stopped, by a fault or by a timer; and each access happens once.
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#include "check.h"

enum {
  kPage = 4096,
  kPages = 8,
  kCells = kPages * kPage / 8,
  kRounds = 200000,
  kFlagPages = 40,
  kFlagRounds = kFlagPages * kPage / 8
};

static uint64_t* cells;
static volatile int faults, ticks, wrong, closed;

static uint64_t nzcv_of(const ucontext_t* c) {
  return c->uc_mcontext.pstate & 0xf0000000;
}
static double double_of(const ucontext_t* c, int n) {
  const struct fpsimd_context* f = (const void*)c->uc_mcontext.__reserved;
  double d;
  memcpy(&d, &f->vregs[n], sizeof d);
  return d;
}
static uint64_t high_of(const ucontext_t* c, int n) {
  const struct fpsimd_context* f = (const void*)c->uc_mcontext.__reserved;
  return (uint64_t)(f->vregs[n] >> 64);
}
static void expect(int line, int holds) {
  if (!holds && wrong++ < 5) printf("FAIL: line %d, seen by a handler\n", line);
}
#define EXPECT(condition) expect(__LINE__, condition)

// The first loop. In round i, behind the insn at each label: see judge().
extern const char loop_begin[], loop_and[], loop_load[], loop_add[], loop_store[], loop_float[], loop_double[],
    loop_vector[], loop_flags[], loop_select[], loop_next[], loop_compare[], loop_branch[], loop_end[];
asm(".pushsection .text\n.global work\nwork:\n"  // x0 first round, x1 7 * x0, x2 cells, x7 last round
    "loop_begin: add x1, x1, #7\n"
    "loop_and: and x3, x0, #0xfff\n"
    "loop_load: ldr x4, [x2, x3, lsl #3]\n"
    "loop_add: add x4, x4, x0\n"
    "loop_store: str x4, [x2, x3, lsl #3]\n"
    "loop_float: scvtf d0, x0\n"
    "loop_double: fadd d1, d0, d0\n"
    "loop_vector: dup v2.2d, x0\n"
    "loop_flags: adds x5, x0, x1\n"
    "loop_select: csel x6, x0, x1, pl\n"
    "loop_next: add x0, x0, #1\n"
    "loop_compare: cmp x0, x7\n"
    "loop_branch: b.lo loop_begin\n"
    "loop_end: ret\n.popsection\n");
extern void work(uint64_t from, uint64_t seven, uint64_t* cells, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t to);

static void judge(const ucontext_t* c) {
  const char* pc = (const char*)c->uc_mcontext.pc;
  const unsigned long long* x = c->uc_mcontext.regs;
  if (pc < loop_begin || pc >= loop_end) return;
  const uint64_t i = x[0] - (pc > loop_next);
  if (i == 0) return;  // what the last round left behind is looked at as well
#define AFTER(label, now, before) (pc > label ? (now) : (before))
  EXPECT(x[1] == 7 * AFTER(loop_begin, i + 1, i));
  EXPECT(x[3] == (AFTER(loop_and, i, i - 1) & 0xfff));
  EXPECT(double_of(c, 0) == (double)AFTER(loop_float, i, i - 1));
  EXPECT(double_of(c, 1) == 2.0 * (double)AFTER(loop_double, i, i - 1));
  EXPECT(high_of(c, 0) == 0 && high_of(c, 1) == 0);
  EXPECT(high_of(c, 2) == AFTER(loop_vector, i, i - 1));
  EXPECT(x[5] == AFTER(loop_flags, i + 7 * (i + 1), i - 1 + 7 * i));
  EXPECT(x[6] == AFTER(loop_select, i, i - 1));
  EXPECT(nzcv_of(c) == (pc > loop_flags && pc <= loop_compare ? 0 : 0x80000000));  // i + ...: none; i - last: N
  EXPECT(x[7] == kRounds && (uint64_t*)x[2] == cells);
}

// The other loops: flags of several kinds wait to be read while an access faults.
static uint32_t seen_flags[kFlagRounds];
static uint64_t* watched;  // one cell for each round; every other page is closed
static volatile int in_flags_loop;
#define FLAGS_LOOP(name, code)                                                                \
  extern void name(uint64_t from, uint64_t to, uint64_t* at, uint32_t* seen);                 \
  asm(".pushsection .text\n.global " #name "\n" #name                                         \
      ":\n"                                                                                   \
      "mov x7, #0x9e37\nmovk x7, #0x79b9, lsl #16\nmov x6, #1\n"                              \
      "1: mul x6, x6, x7\nadd x6, x6, x0\nasr x5, x6, #40\nscvtf d0, x5\nscvtf d1, x6\n" code \
      "\nldr x4, [x2, x0, lsl #3]\nmrs x8, nzcv\nstr w8, [x3, x0, lsl #2]\n"                  \
      "add x0, x0, #1\ncmp x0, x1\nb.lo 1b\nret\n.popsection\n")
FLAGS_LOOP(with_adds, "adds x8, x5, x6");
FLAGS_LOOP(with_subs_32, "subs w8, w5, w6");
FLAGS_LOOP(with_ands, "ands x8, x5, x6");
FLAGS_LOOP(with_adcs, "cmp x6, x7\nadcs x8, x5, x6");
FLAGS_LOOP(with_sbcs, "cmp x6, x7\nsbcs w8, w5, w6");
FLAGS_LOOP(with_ccmp, "cmp x6, x7\nccmp x5, x6, #6, lt");
FLAGS_LOOP(with_ccmn, "cmp x6, x7\nccmn x5, #3, #9, hi");
FLAGS_LOOP(with_fcmp, "fcmp d0, d1");
FLAGS_LOOP(with_fcmp_nan, "fsub d2, d1, d1\nfdiv d2, d2, d2\nfcmp d2, d1");
FLAGS_LOOP(with_fccmp, "cmp x6, x7\nfccmp d0, d1, #5, ge");
FLAGS_LOOP(with_msr, "and x8, x6, #0xf0000000\nmsr nzcv, x8");
FLAGS_LOOP(with_either, "tbz x6, #20, 2f\ncmp x5, x6\nb 3f\n2: cmn w5, w6\n3: nop");

static uint32_t fault_flags[kFlagRounds];

static void open_all(void) {
  mprotect(cells, kPages * kPage, PROT_READ | PROT_WRITE);
  closed = 0;
}

static void on_fault(int signal, siginfo_t* info, void* raw) {
  (void)signal;
  const ucontext_t* c = raw;
  const char* pc = (const char*)c->uc_mcontext.pc;
  ++faults;
  judge(c);
  if (pc >= loop_begin && pc < loop_end) {
    EXPECT(pc == loop_load || pc == loop_store);
    EXPECT((uint64_t*)info->si_addr == cells + c->uc_mcontext.regs[3]);
  } else if (in_flags_loop) {
    EXPECT(info->si_addr == watched + c->uc_mcontext.regs[0]);
    fault_flags[c->uc_mcontext.regs[0]] = (uint32_t)nzcv_of(c) | 1;
    mprotect((void*)((uintptr_t)info->si_addr & -kPage), kPage, PROT_READ);
    return;
  }
  open_all();
}

static void on_tick(int signal, siginfo_t* info, void* raw) {
  (void)signal, (void)info;
  judge(raw);
  // Now reading faults, now writing.
  if (!closed) mprotect(cells, kPages * kPage, ++ticks & 1 ? PROT_NONE : PROT_READ);
  closed = 1;
}

static void test_flags(const char* name, void (*loop)(uint64_t, uint64_t, uint64_t*, uint32_t*)) {
  int differ = 0, compared = 0;
  in_flags_loop = 1;
  for (int again = 0; again < 3; ++again) {
    memset(fault_flags, 0, sizeof fault_flags);
    for (int page = 1; page < kFlagPages; page += 2) mprotect((char*)watched + page * kPage, kPage, PROT_NONE);
    loop(0, kFlagRounds, watched, seen_flags);
    for (int i = 0; i < kFlagRounds; ++i)
      if (fault_flags[i]) ++compared, differ += (fault_flags[i] & ~1u) != seen_flags[i];
  }
  in_flags_loop = 0;
  printf("%s\n", name);
  CHECK(differ == 0);
  CHECK(compared == 3 * kFlagPages / 2);
}

static void set_handler(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigfillset(&action.sa_mask);
  sigaction(signal, &action, NULL);
}

int main(void) {
  cells = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  watched = mmap(NULL, kFlagPages * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  set_handler(SIGSEGV, on_fault);
  set_handler(SIGALRM, on_tick);
  CHECK(kCells == 0x1000);
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  sigprocmask(SIG_BLOCK, &alarm, NULL);
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 500}, {0, 500}}, NULL);
  uint64_t bad = 0;
  for (const time_t start = time(NULL); ticks < 60 && !bad && time(NULL) < start + 30;) {
    open_all();
    memset(cells, 0, kPages * kPage);
    sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    work(0, 0, cells, 0, 0, 0, 0, kRounds);
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    open_all();
    for (uint64_t i = 0; i < kCells; ++i) {
      uint64_t sum = 0;
      for (uint64_t k = i; k < kRounds; k += kCells) sum += k;
      bad += cells[i] != sum;
    }
  }
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
  CHECK(bad == 0);
  CHECK(faults > 0);
  CHECK(ticks > 10);
#define TEST(name) test_flags(#name, name)
  TEST(with_adds);
  TEST(with_subs_32);
  TEST(with_ands);
  TEST(with_adcs);
  TEST(with_sbcs);
  TEST(with_ccmp);
  TEST(with_ccmn);
  TEST(with_fcmp);
  TEST(with_fcmp_nan);
  TEST(with_fccmp);
  TEST(with_msr);
  TEST(with_either);
  CHECK(wrong == 0);
  return finish();
}
