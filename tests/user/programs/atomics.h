// Body of threads.c and threads_lse.c.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>
#include "check.h"

enum { kThreads = 4, kRounds = 20000 };

static _Atomic uint64_t counter64;
static _Atomic uint32_t counter32;
static _Atomic uint16_t counter16;
static _Atomic uint8_t counter8;
static _Atomic uint64_t bits_or, bits_and = ~0ull, bits_xor, highest, cas_sum;
static _Atomic __uint128_t wide;
static uint64_t plain;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_flag spin = ATOMIC_FLAG_INIT;
static uint64_t under_spin;
static pthread_barrier_t barrier;
static __thread uint64_t mine;

static void* work(void* raw) {
  uint64_t id = (uint64_t)raw;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < kRounds; i++) {
    atomic_fetch_add(&counter64, 3);
    atomic_fetch_sub_explicit(&counter32, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counter16, 1, memory_order_acquire);
    atomic_fetch_add_explicit(&counter8, 1, memory_order_release);
    atomic_fetch_or(&bits_or, 1ull << (i % 64));
    atomic_fetch_and(&bits_and, ~(1ull << (id + (i % 8))));
    atomic_fetch_xor(&bits_xor, 1ull << (i % 64));
    uint64_t seen = atomic_load(&highest);
    while (seen < (uint64_t)i * kThreads + id &&
           !atomic_compare_exchange_weak(&highest, &seen, (uint64_t)i * kThreads + id)) {
    }
    uint64_t old = atomic_load_explicit(&cas_sum, memory_order_relaxed);
    while (!atomic_compare_exchange_strong(&cas_sum, &old, old + id)) {
    }
    if (i % 16 == 0) {
      pthread_mutex_lock(&mutex);
      plain++;
      pthread_mutex_unlock(&mutex);
    }
    while (atomic_flag_test_and_set_explicit(&spin, memory_order_acquire)) {
    }
    under_spin++;
    atomic_flag_clear_explicit(&spin, memory_order_release);
    mine++;
  }
  return (void*)(mine + id);
}

// 128-bit exclusives: both halves must always agree.
static void* pairs(void* raw) {
  (void)raw;
  uint64_t torn = 0;
  for (int i = 0; i < 5000; i++) {
    uint64_t low, high, fail;
    do {
      asm volatile("ldaxp %0, %1, [%3]\n add x9, %0, #1\n add x10, %1, #1\n stlxp %w2, x9, x10, [%3]"
                   : "=&r"(low), "=&r"(high), "=&r"(fail)
                   : "r"(&wide)
                   : "x9", "x10", "memory");
    } while (fail);
    torn += low != high;
  }
  return (void*)torn;
}

// Message passing: what the flag announces must be visible.
static int message;
static _Atomic int ready;
static void* receive(void* raw) {
  (void)raw;
  long wrong = 0;
  for (int i = 1; i <= 2000; i++) {
    while (atomic_load_explicit(&ready, memory_order_acquire) != i) sched_yield();
    wrong += message != i * 7;
    atomic_store_explicit(&ready, -i, memory_order_release);
  }
  return (void*)wrong;
}

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;
static void* ping(void* raw) {
  int id = (int)(long)raw;
  for (int i = 0; i < 500; i++) {
    pthread_mutex_lock(&mutex);
    while (turn % 2 != id) pthread_cond_wait(&condition, &mutex);
    turn++;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static pthread_mutex_t robust;
static void* die_holding(void* raw) {
  pthread_mutex_lock(&robust);
  return raw;
}
static void* sleep_forever(void* raw) {
  for (;;) pause();
  return raw;
}
static volatile sig_atomic_t signalled;
static pthread_t signalled_thread;
static void on_signal(int signal) {
  (void)signal;
  signalled_thread = pthread_self();
  signalled = 1;
}

int main(void) {
  pthread_t threads[kThreads];
  pthread_barrier_init(&barrier, NULL, kThreads);
  for (uint64_t i = 0; i < kThreads; i++) pthread_create(&threads[i], NULL, work, (void*)i);
  uint64_t sum = 0;
  for (int i = 0; i < kThreads; i++) {
    void* result;
    pthread_join(threads[i], &result);
    sum += (uint64_t)result;
  }
  CHECK(sum == kThreads * kRounds + 6);
  CHECK(counter64 == 3ull * kThreads * kRounds);
  CHECK(counter32 == (uint32_t) - (kThreads * kRounds));
  CHECK(counter16 == (uint16_t)(kThreads * kRounds));
  CHECK(counter8 == (uint8_t)(kThreads * kRounds));
  CHECK(bits_or == ~0ull);
  CHECK(bits_and == ~0x7ffull);
  CHECK(bits_xor == 0);
  CHECK(highest == (uint64_t)(kRounds - 1) * kThreads + kThreads - 1);
  CHECK(cas_sum == 6ull * kRounds);
  CHECK(plain == kThreads * (kRounds / 16));
  CHECK(under_spin == kThreads * kRounds);
  CHECK(mine == 0);

  for (uint64_t i = 0; i < kThreads; i++) pthread_create(&threads[i], NULL, pairs, NULL);
  uint64_t torn = 0;
  for (int i = 0; i < kThreads; i++) {
    void* result;
    pthread_join(threads[i], &result);
    torn += (uint64_t)result;
  }
  CHECK(torn == 0);
  uint64_t halves[2];
  memcpy(halves, &wide, sizeof halves);
  CHECK(halves[0] == kThreads * 5000 && halves[1] == halves[0]);

  pthread_create(&threads[0], NULL, receive, NULL);
  for (int i = 1; i <= 2000; i++) {
    message = i * 7;
    atomic_store_explicit(&ready, i, memory_order_release);
    while (atomic_load_explicit(&ready, memory_order_acquire) != -i) sched_yield();
  }
  void* wrong;
  pthread_join(threads[0], &wrong);
  CHECK(wrong == NULL);

  pthread_create(&threads[0], NULL, ping, (void*)0);
  pthread_create(&threads[1], NULL, ping, (void*)1);
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  CHECK(turn == 1000);

  // The kernel marks a robust mutex when its owner dies.
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&robust, &attributes);
  pthread_create(&threads[0], NULL, die_holding, NULL);
  pthread_join(threads[0], NULL);
  CHECK(pthread_mutex_lock(&robust) == EOWNERDEAD);
  CHECK(pthread_mutex_consistent(&robust) == 0);
  CHECK(pthread_mutex_unlock(&robust) == 0);

  pthread_create(&threads[0], NULL, sleep_forever, NULL);
  signal(SIGUSR1, on_signal);
  CHECK(pthread_kill(threads[0], SIGUSR1) == 0);
  while (!signalled) sched_yield();
  CHECK(pthread_equal(signalled_thread, threads[0]));
  CHECK(pthread_cancel(threads[0]) == 0);
  void* result;
  CHECK(pthread_join(threads[0], &result) == 0 && result == PTHREAD_CANCELED);

  // Many short threads.
  long started = 0;
  for (int i = 0; i < 200; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, (void* (*)(void*))(void*)pthread_self, NULL) == 0 &&
        pthread_join(thread, NULL) == 0)
      started++;
  }
  CHECK(started == 200);
  return finish();
}
