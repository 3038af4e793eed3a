// The workloads of bench/machine that are about the kernel and the memory of a guest: work NAME COUNT prints the time
// that it took, "RESULT NAME NANOSECONDS".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void* map(size_t bytes) {
  void* p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) die("mmap");
  return p;
}

// Every workload returns the time of its measured part.
typedef uint64_t (*Workload)(long count);

static uint64_t getpid_loop(long count) {
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) syscall(SYS_getpid);
  return now() - begin;
}

static uint64_t clock_loop(long count) {
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) now();
  return now() - begin;
}

static uint64_t pipes(long count) {
  int there[2], back[2];
  if (pipe(there) || pipe(back)) die("pipe");
  char c = 0;
  const pid_t child = fork();
  if (child == 0) {
    while (read(there[0], &c, 1) == 1 && c == 0)
      if (write(back[1], &c, 1) != 1) _exit(1);
    _exit(0);
  }
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i)
    if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1) die("pipe");
  const uint64_t taken = now() - begin;
  c = 1;
  if (write(there[1], &c, 1) != 1) die("pipe");
  waitpid(child, 0, 0);
  return taken;
}

static uint64_t page_faults(long count) {
  enum { kPages = 1024 };
  const uint64_t begin = now();
  for (long i = 0; i < count; i += kPages) {
    char* p = map(kPages * 4096);
    madvise(p, kPages * 4096, MADV_NOHUGEPAGE);
    for (long k = 0; k < kPages; ++k) p[k * 4096] = 1;
    munmap(p, kPages * 4096);
  }
  return now() - begin;
}

static uint64_t protect(long count) {
  char* p = map(16 * 4096);
  memset(p, 1, 16 * 4096);
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) {
    if (mprotect(p + 4096 * (i & 15), 4096, i & 16 ? PROT_READ | PROT_WRITE : PROT_READ)) die("mprotect");
    *(volatile char*)(p + 4096 * (i & 15));
  }
  return now() - begin;
}

static volatile long signals_taken;
static void take_signal(int number) {
  (void)number;
  ++signals_taken;
}
static uint64_t signals(long count) {
  signal(SIGUSR1, take_signal);
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) raise(SIGUSR1);
  return now() - begin;
}

static uint64_t fork_exec(long count) {
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      execl("/proc/self/exe", "work", "nothing", "1", (char*)0);
      _exit(1);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status) die("fork");
  }
  return now() - begin;
}

static void* idle_thread(void* p) {
  return p;
}
static uint64_t threads(long count) {
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) {
    pthread_t t;
    if (pthread_create(&t, 0, idle_thread, 0) || pthread_join(t, 0)) die("thread");
  }
  return now() - begin;
}

static uint64_t random_access(long count, int advice) {
  const size_t bytes = 256u << 20;
  char* all = map(bytes + (2u << 20));
  char* p = (char*)(((uintptr_t)all + (2u << 20) - 1) & -(uintptr_t)(2u << 20));
  madvise(p, bytes, advice);
  for (size_t i = 0; i < bytes; i += 4096) p[i] = 1;
  uint64_t sum = 0, x = 88172645463325252u;
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    sum += *(uint64_t*)(p + (x & (bytes - 8)));
  }
  const uint64_t taken = now() - begin;
  munmap(all, bytes + (2u << 20));
  return sum == 1 ? 0 : taken;
}
static uint64_t random_small(long count) {
  return random_access(count, MADV_NOHUGEPAGE);
}
static uint64_t random_huge(long count) {
  return random_access(count, MADV_HUGEPAGE);
}

static uint64_t copy(long count) {
  const size_t bytes = 8u << 20;
  char *from = map(bytes), *to = map(bytes);
  memset(from, 1, bytes);
  memset(to, 1, bytes);
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) {
    memcpy(to, from, bytes);
    asm volatile("" ::: "memory");
  }
  return now() - begin;
}

static int open_disk(int flags) {
  const int fd = open("/dev/vda", flags);
  if (fd < 0) die("/dev/vda");
  return fd;
}
static uint64_t read_disk(long count) {
  const int fd = open_disk(O_RDONLY);
  const size_t bytes = 1u << 20;
  char* p = map(bytes);
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i)
    if (read(fd, p, bytes) != (ssize_t)bytes) die("read");
  return now() - begin;
}
static uint64_t write_disk(long count) {
  const int fd = open_disk(O_WRONLY);
  const size_t bytes = 1u << 20;
  char* p = map(bytes);
  memset(p, 1, bytes);
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i)
    if (write(fd, p, bytes) != (ssize_t)bytes) die("write");
  if (fdatasync(fd)) die("fdatasync");
  return now() - begin;
}
// Blocks of 4 KiB in the first 128 MiB, one at a time, past the guest's page cache.
static uint64_t random_blocks(long count, int is_write) {
  const int fd = open_disk((is_write ? O_WRONLY : O_RDONLY) | O_DIRECT);
  char* p = map(4096);
  uint64_t x = 88172645463325252u;
  const uint64_t begin = now();
  for (long i = 0; i < count; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    const off_t at = (off_t)(x % (32 << 10)) * 4096;
    if ((is_write ? pwrite(fd, p, 4096, at) : pread(fd, p, 4096, at)) != 4096) die("/dev/vda");
  }
  return now() - begin;
}
static uint64_t read_blocks(long count) {
  return random_blocks(count, 0);
}
static uint64_t write_blocks(long count) {
  return random_blocks(count, 1);
}

// MiB to or from the host's servers, which listen at $PORT_IN and $PORT_OUT.
static int connect_host(const char* variable) {
  const char* port = getenv(variable);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port ? port : ""))};
  inet_pton(AF_INET, "10.0.2.2", &to.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr*)&to, sizeof to)) die("10.0.2.2");
  return fd;
}
static uint64_t net_receive(long count) {
  const size_t bytes = 1u << 18;
  char* p = map(bytes);
  const uint64_t begin = now();
  const int fd = connect_host("PORT_IN");
  for (size_t left = (size_t)count << 20; left > 0;) {
    const ssize_t n = read(fd, p, bytes < left ? bytes : left);
    if (n <= 0) die("read");
    left -= (size_t)n;
  }
  return now() - begin;
}
static uint64_t net_send(long count) {
  const size_t bytes = 1u << 18;
  char* p = map(bytes);
  memset(p, 1, bytes);
  const uint64_t begin = now();
  const int fd = connect_host("PORT_OUT");
  for (size_t left = (size_t)count << 20; left > 0;) {
    const ssize_t n = write(fd, p, bytes < left ? bytes : left);
    if (n <= 0) die("write");
    left -= (size_t)n;
  }
  if (shutdown(fd, SHUT_WR) || read(fd, p, 1) != 1) die("all has not arrived");
  return now() - begin;
}

static uint64_t nothing(long count) {
  (void)count;
  _exit(0);
}

// Any command with its arguments, `copies` at a time, their output thrown away.
static int command(const char* name, int copies, char** argv) {
  const uint64_t begin = now();
  for (int i = 0; i < copies; ++i) {
    if (fork() != 0) continue;
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0), dup2(null, 1);
    execv(argv[0], argv);
    perror(argv[0]);
    _exit(127);
  }
  for (int i = 0; i < copies; ++i) {
    int status;
    if (wait(&status) < 0 || (status != 0 && status != 0x100)) return printf("FAILED %s\n", name), 1;
  }
  printf("RESULT %s %llu\n", name, (unsigned long long)(now() - begin));
  return 0;
}

static const struct {
  const char* name;
  Workload run;
} kWorkloads[] = {{"getpid", getpid_loop},     {"clock", clock_loop},   {"pipe", pipes},
                  {"pagefaults", page_faults}, {"mprotect", protect},   {"signals", signals},
                  {"forkexec", fork_exec},     {"threads", threads},    {"random", random_small},
                  {"random-thp", random_huge}, {"memcpy", copy},        {"disk", read_disk},
                  {"diskwrite", write_disk},   {"blocks", read_blocks}, {"blockwrite", write_blocks},
                  {"netin", net_receive},      {"netout", net_send},    {"nothing", nothing}};

int main(int argc, char** argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  if (argc > 4 && strcmp(argv[1], "run") == 0) return command(argv[2], atoi(argv[3]), argv + 4);
  if (argc == 3)
    for (unsigned i = 0; i < sizeof kWorkloads / sizeof *kWorkloads; ++i)
      if (strcmp(argv[1], kWorkloads[i].name) == 0)
        return printf("RESULT %s %llu\n", argv[1], (unsigned long long)kWorkloads[i].run(atol(argv[2]))) < 0;
  fprintf(stderr, "usage: work NAME COUNT | work run NAME COPIES PROGRAM ARGUMENT...\n");
  return 2;
}
