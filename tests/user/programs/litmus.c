// flags: -pthread
// Litmus tests: what threads may see of each other's accesses. The names are those of the literature on the Arm model
// (Alglave, Maranget, Tautschnig: Herding Cats), the rules those of the Arm ARM, B2.3. But for one, which shows that the
// threads meet at all, each outcome that is looked for is forbidden. The accesses stand in plain loops, so that a
// translator is free to optimise them.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "check.h"

enum { kCells = 512, kRounds = 10, kMaxThreads = 4, kSpins = 256 };

struct cell {
  long x, pad0[7], y, pad1[7];
  long r[2 * kMaxThreads];  // what the threads read
};
static struct cell cells[kCells];

static atomic_int arrived[2 * kRounds];
static int thread_count;
static struct {
  atomic_int at;
  char pad[60];
} progress[kMaxThreads];

static void meet(int point) {
  atomic_fetch_add(&arrived[point], 1);
  for (int i = 0; atomic_load(&arrived[point]) < thread_count; ++i)
    if (i > kSpins) sched_yield();  // the others may have no CPU
}

// Brings the threads to the same cell at nearly the same time, if all of them have a CPU.
static inline void approach(int number, int step, int jitter) {
  atomic_store_explicit(&progress[number].at, step, memory_order_relaxed);
  for (int other = 0; other < thread_count; ++other)
    for (int i = 0; i < kSpins && atomic_load_explicit(&progress[other].at, memory_order_relaxed) < step; ++i) continue;
  for (int i = 0; i < jitter; ++i) asm volatile("");
}

// A thread of a test: `code` for each cell.
#define THREAD(name, number, code, clobbers...)                                              \
  static void *name(void *unused) {                                                          \
    (void)unused;                                                                            \
    for (int round = 0; round < kRounds; ++round) {                                          \
      meet(2 * round);                                                                       \
      for (int i = 0; i < kCells; ++i) {                                                     \
        struct cell *c = &cells[i];                                                          \
        approach(number, round * kCells + i, i >> 3 * number & 7);                           \
        long a = 0, b = 0, t = 0;                                                            \
        asm volatile(code                                                                    \
                     : "+&r"(a), "+&r"(b), "+&r"(t)                                          \
                     : "r"(&c->x), "r"(&c->y), "r"(1l), "r"(2l)                              \
                     : "memory", ##clobbers);                                                \
        c->r[2 * number] = a;                                                                \
        c->r[2 * number + 1] = b;                                                            \
      }                                                                                      \
      meet(2 * round + 1);                                                                   \
      if (number == 0) judge();                                                              \
    }                                                                                        \
    return NULL;                                                                             \
  }

static int (*forbidden)(const struct cell *);
static long seen;
static void judge(void) {
  for (int i = 0; i < kCells; ++i) seen += forbidden(&cells[i]) != 0;
  memset(cells, 0, sizeof cells);
}

#define X "[%3]"
#define Y "[%4]"
#define ONE "%5"
#define TWO "%6"
#define A "%0"
#define B "%1"
#define T "%2"

// Message passing: data in x, flag in y.
THREAD(mp_write_dmb, 0, "str " ONE ", " X "; dmb ish; str " ONE ", " Y)
THREAD(mp_write_dmbst, 0, "str " ONE ", " X "; dmb ishst; str " ONE ", " Y)
THREAD(mp_write_release, 0, "str " ONE ", " X "; stlr " ONE ", " Y)
THREAD(mp_read_dmb, 1, "ldr " A ", " Y "; dmb ish; ldr " B ", " X)
THREAD(mp_read_dmbld, 1, "ldr " A ", " Y "; dmb ishld; ldr " B ", " X)
THREAD(mp_read_acquire, 1, "ldar " A ", " Y "; ldr " B ", " X)
THREAD(mp_read_address, 1, "ldr " A ", " Y "; eor " T ", " A ", " A "; ldr " B ", [%3, " T "]")
static int mp(const struct cell *c) { return c->r[2] == 1 && c->r[3] == 0; }

// Store buffering.
THREAD(sb_0_dmb, 0, "str " ONE ", " X "; dmb ish; ldr " A ", " Y)
THREAD(sb_1_dmb, 1, "str " ONE ", " Y "; dmb ish; ldr " A ", " X)
THREAD(sb_0_plain, 0, "str " ONE ", " X "; ldr " A ", " Y)
THREAD(sb_1_plain, 1, "str " ONE ", " Y "; ldr " A ", " X)
THREAD(sb_0_release, 0, "stlr " ONE ", " X "; ldar " A ", " Y)
THREAD(sb_1_release, 1, "stlr " ONE ", " Y "; ldar " A ", " X)
static int sb(const struct cell *c) { return c->r[0] == 0 && c->r[2] == 0; }

// Load buffering.
THREAD(lb_0_dmb, 0, "ldr " A ", " X "; dmb ish; str " ONE ", " Y)
THREAD(lb_1_dmb, 1, "ldr " A ", " Y "; dmb ish; str " ONE ", " X)
THREAD(lb_0_data, 0, "ldr " A ", " X "; eor " T ", " A ", " A "; add " T ", " T ", #1; str " T ", " Y)
THREAD(lb_1_acquire, 1, "ldar " A ", " Y "; str " ONE ", " X)
THREAD(lb_1_control, 1, "ldr " A ", " Y "; cbz " A ", 1f; 1: str " ONE ", " X)
static int lb(const struct cell *c) { return c->r[0] == 1 && c->r[2] == 1; }

// Coherence of one location.
THREAD(co_write, 0, "str " ONE ", " X "; str " TWO ", " X)
THREAD(co_read, 1, "ldr " A ", " X "; ldr " B ", " X)
static int corr(const struct cell *c) { return c->r[2] > c->r[3]; }
static int coww(const struct cell *c) { return c->x != 2; }

// Writes only, and a write against a read.
THREAD(ww_0, 0, "str " TWO ", " X "; dmb ish; str " ONE ", " Y)
THREAD(ww_1, 1, "str " TWO ", " Y "; dmb ish; str " ONE ", " X)
static int ww(const struct cell *c) { return c->x == 2 && c->y == 2; }
THREAD(r_1, 1, "str " TWO ", " Y "; dmb ish; ldr " A ", " X)
static int r(const struct cell *c) { return c->y == 2 && c->r[2] == 0; }

// Independent reads of independent writes: all see the two writes in one order.
THREAD(iriw_write_x, 0, "str " ONE ", " X)
THREAD(iriw_write_y, 1, "str " ONE ", " Y)
THREAD(iriw_read_xy, 2, "ldr " A ", " X "; dmb ish; ldr " B ", " Y)
THREAD(iriw_read_yx, 3, "ldr " A ", " Y "; dmb ish; ldr " B ", " X)
static int iriw(const struct cell *c) { return c->r[4] == 1 && c->r[5] == 0 && c->r[6] == 1 && c->r[7] == 0; }

// Single-copy atomicity: an aligned access is never half done.
THREAD(whole_write, 0, "mov " T ", #-1; str " T ", " X "; str xzr, " X "; str " T ", " X)
THREAD(whole_read, 1, "ldr " A ", " X "; ldr " B ", " X)
static int torn(const struct cell *c) { return (c->r[2] != 0 && c->r[2] != -1) || (c->r[3] != 0 && c->r[3] != -1); }

static void run(const char *name, int (*rule)(const struct cell *), int threads, void *(*bodies[])(void *)) {
  pthread_t others[kMaxThreads];
  forbidden = rule;
  thread_count = threads;
  seen = 0;
  memset(arrived, 0, sizeof arrived);
  memset(progress, 0, sizeof progress);
  memset(cells, 0, sizeof cells);
  for (int i = 1; i < threads; ++i) CHECK(pthread_create(&others[i], NULL, bodies[i], NULL) == 0);
  bodies[0](NULL);
  for (int i = 1; i < threads; ++i) pthread_join(others[i], NULL);
  printf("%s: %ld times\n", name, seen);
}
#define ALLOWED(name, rule, bodies...) \
  run(name, rule, sizeof((void *(*[])(void *)){bodies}) / sizeof(void *), (void *(*[])(void *)){bodies})
#define FORBIDDEN(name, rule, bodies...) \
  do {                                   \
    ALLOWED(name, rule, bodies);         \
    CHECK(seen == 0);                    \
  } while (0)

int main(void) {
  ALLOWED("SB, which is allowed", sb, sb_0_plain, sb_1_plain);
  FORBIDDEN("MP+dmb+dmb", mp, mp_write_dmb, mp_read_dmb);
  FORBIDDEN("MP+dmb.st+dmb.ld", mp, mp_write_dmbst, mp_read_dmbld);
  FORBIDDEN("MP+rel+acq", mp, mp_write_release, mp_read_acquire);
  FORBIDDEN("MP+dmb+addr", mp, mp_write_dmb, mp_read_address);
  FORBIDDEN("SB+dmbs", sb, sb_0_dmb, sb_1_dmb);
  FORBIDDEN("SB+rel-acq", sb, sb_0_release, sb_1_release);
  FORBIDDEN("SB+dmb+rel-acq", sb, sb_0_dmb, sb_1_release);
  FORBIDDEN("LB+dmbs", lb, lb_0_dmb, lb_1_dmb);
  FORBIDDEN("LB+data+acq", lb, lb_0_data, lb_1_acquire);
  FORBIDDEN("LB+data+ctrl", lb, lb_0_data, lb_1_control);
  FORBIDDEN("CoRR", corr, co_write, co_read);
  FORBIDDEN("CoWW", coww, co_write, co_read);
  FORBIDDEN("2+2W+dmbs", ww, ww_0, ww_1);
  FORBIDDEN("R+dmbs", r, mp_write_dmb, r_1);
  FORBIDDEN("IRIW+dmbs", iriw, iriw_write_x, iriw_write_y, iriw_read_xy, iriw_read_yx);
  FORBIDDEN("whole accesses", torn, whole_write, whole_read);
  return finish();
}
