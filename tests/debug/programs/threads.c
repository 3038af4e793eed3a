// flags: -pthread
// Threads that wait in the kernel, run, and end while others are looked at.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static volatile int stage;
volatile long spins;
int work[3];

__attribute__((noinline)) void job(int n) {
  work[n] += n + 1;
}

static void* waiter(void* argument) {
  pthread_mutex_lock(&mutex);
  while (stage < 1) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
  job((int)(long)argument);
  return argument;
}

static void* spinner(void* argument) {
  while (stage < 1) ++spins;
  job((int)(long)argument);
  return argument;
}

__attribute__((noinline)) void started(void) {
  while (spins < 1000) usleep(1000);
}

__attribute__((noinline)) void finished(void) {
  printf("work %d %d %d\n", work[0], work[1], work[2]);
}

int main(void) {
  pthread_t threads[3];
  for (long i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, i == 2 ? spinner : waiter, (void*)i);
  while (spins == 0) usleep(1000);  // the last thread is where it is looked for
  started();
  pthread_mutex_lock(&mutex);
  stage = 1;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  finished();
  return 0;
}
