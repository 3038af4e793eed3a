// bench: class=threads flags=-O2 libs=-pthread iterations=10000 quick=1000
// Two threads pass a token through a mutex and a condition variable: futexes and context switches, on one CPU.
#include <pthread.h>

#include "kernel.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn;
static uint64_t sum;

static void play(long rounds, long parity) {
  pthread_mutex_lock(&mutex);
  for (; rounds > 0; rounds--) {
    while ((turn & 1) != parity) pthread_cond_wait(&changed, &mutex);
    sum = kernel_mix(sum, (uint64_t)(turn + parity));
    turn++;
    pthread_cond_signal(&changed);
  }
  pthread_mutex_unlock(&mutex);
}

static void* other(void* rounds) {
  play(*(long*)rounds, 1);
  return NULL;
}

int main(int argc, char** argv) {
  long rounds = kernel_iterations(argc, argv);
  pthread_t thread;
  if (pthread_create(&thread, NULL, other, &rounds)) return 1;
  play(rounds, 0);
  pthread_join(thread, NULL);
  return kernel_result(sum);
}
