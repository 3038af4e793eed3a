// Clocks, sleeps, timers, random numbers, resource limits, identity.
// flags: -pthread
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static uint64_t now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
static volatile sig_atomic_t fired;
static void on_timer(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)context;
  fired = info->si_value.sival_int;
}

int main(void) {
  uint64_t before = now(CLOCK_MONOTONIC), wall = now(CLOCK_REALTIME);
  usleep(20000);
  uint64_t slept = now(CLOCK_MONOTONIC) - before;
  CHECK(slept >= 20000000 && slept < 2000000000);
  CHECK(now(CLOCK_REALTIME) - wall >= 19000000);
  int monotonic = 1;
  uint64_t last = 0;
  for (int i = 0; i < 1000; i++) {
    uint64_t t = now(CLOCK_MONOTONIC);
    monotonic &= t >= last;
    last = t;
  }
  CHECK(monotonic);
  uint64_t frequency, ticks, later;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
  asm volatile("isb\n mrs %0, cntvct_el0" : "=r"(ticks));
  usleep(50000);
  asm volatile("isb\n mrs %0, cntvct_el0" : "=r"(later));
  CHECK(frequency >= 1000000);
  double seconds = (double)(later - ticks) / (double)frequency;
  CHECK(seconds > 0.04 && seconds < 2.0);
  struct timeval tv;
  CHECK(gettimeofday(&tv, NULL) == 0 && (uint64_t)tv.tv_sec - wall / 1000000000 < 10);
  struct timespec resolution;
  CHECK(clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_sec == 0 && resolution.tv_nsec > 0);
  before = now(CLOCK_PROCESS_CPUTIME_ID);
  volatile uint64_t spin = 0;
  for (int i = 0; i < 300000; i++) spin += (uint64_t)i;
  CHECK(now(CLOCK_PROCESS_CPUTIME_ID) > before && now(CLOCK_THREAD_CPUTIME_ID) > 0);
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += 10000000;
  if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, until.tv_sec++;
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);

  struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN, &action, NULL);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 321};
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  CHECK(timer_settime(timer, 0, &(struct itimerspec){{0, 0}, {0, 2000000}}, NULL) == 0);
  while (!fired) usleep(1000);
  CHECK(fired == 321);
  CHECK(timer_delete(timer) == 0);

  uint64_t random[2][4] = {{0}};
  CHECK(getrandom(random, sizeof random, 0) == sizeof random);
  CHECK(memcmp(random[0], random[1], sizeof random[0]) != 0);

  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 16);
  limit.rlim_cur = 16;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 16);
  int made = 0;
  while (dup(0) >= 0) made++;
  CHECK(made > 5 && made <= 13 && errno == EMFILE);
  CHECK(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 1 << 20);
  struct rusage usage;
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
  struct sysinfo info;
  CHECK(sysinfo(&info) == 0 && info.totalram > 0 && info.mem_unit > 0);
  cpu_set_t set;
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) >= 1);
  unsigned cpu;
  CHECK(syscall(SYS_getcpu, &cpu, NULL, NULL) == 0 && CPU_ISSET(cpu, &set));
  struct tms tms;
  CHECK(times(&tms) != (clock_t)-1);
  CHECK(getpid() == syscall(SYS_gettid) && getppid() > 0 && getpgid(0) > 0 && getsid(0) >= 0);
  CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
  CHECK(getgroups(0, NULL) >= 0);
  // A number no kernel has.
  CHECK_ERRNO(syscall(4000), ENOSYS);
  CHECK_ERRNO(syscall(-1ul), ENOSYS);
  return finish();
}
