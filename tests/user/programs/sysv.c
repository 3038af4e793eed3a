// System V IPC, message queues, process-shared semaphores, thread-local storage of many threads.
// flags: -pthread -lrt
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static __thread uint64_t small = 5;
static __thread char large[20000] = {1};
static void* check_tls(void* raw) {
  uint64_t id = (uint64_t)raw;
  uint64_t wrong = small != 5 || large[0] != 1 || large[19999] != 0;
  small = id;
  large[19999] = (char)id;
  for (int i = 0; i < 100; i++) {
    sched_yield();
    wrong += small != id || large[19999] != (char)id;
  }
  return (void*)wrong;
}

int main(void) {
  int segment = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
  CHECK(segment >= 0);
  volatile int* shared = shmat(segment, NULL, 0);
  CHECK(shared != (void*)-1);
  struct shmid_ds info;
  CHECK(shmctl(segment, IPC_STAT, &info) == 0 && info.shm_segsz == 8192 && info.shm_nattch == 1);
  CHECK(shmctl(segment, IPC_RMID, NULL) == 0);
  int set = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
  CHECK(set >= 0);
  union semun {
    int val;
    struct semid_ds* buf;
    unsigned short* array;
  } argument = {.val = 0};
  CHECK(semctl(set, 0, SETVAL, argument) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    *shared = 99;
    _exit(semop(set, &(struct sembuf){0, 1, 0}, 1) == 0 ? 0 : 1);
  }
  CHECK(semop(set, &(struct sembuf){0, -1, 0}, 1) == 0 && *shared == 99);
  waitpid(pid, NULL, 0);
  CHECK(semctl(set, 0, GETVAL) == 0 && semctl(set, 0, IPC_RMID) == 0);
  CHECK(shmdt((void*)shared) == 0);

  int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  struct {
    long kind;
    char text[16];
  } message = {3, "queued"}, got = {0};
  CHECK(queue >= 0 && msgsnd(queue, &message, 7, 0) == 0);
  CHECK(msgrcv(queue, &got, sizeof got.text, 3, 0) == 7 && got.kind == 3 && !strcmp(got.text, "queued"));
  CHECK(msgctl(queue, IPC_RMID, NULL) == 0);

  sem_t* semaphore = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(sem_init(semaphore, 1, 0) == 0);
  pid = fork();
  if (pid == 0) {
    usleep(5000);
    sem_post(semaphore);
    _exit(0);
  }
  CHECK(sem_wait(semaphore) == 0);
  waitpid(pid, NULL, 0);
  struct timespec past = {1, 0};
  CHECK_ERRNO(sem_timedwait(semaphore, &past), ETIMEDOUT);

  pthread_t threads[16];
  for (uint64_t i = 0; i < 16; i++) pthread_create(&threads[i], NULL, check_tls, (void*)(i + 10));
  uint64_t wrong = 0;
  for (int i = 0; i < 16; i++) {
    void* result;
    pthread_join(threads[i], &result);
    wrong += (uint64_t)result;
  }
  CHECK(wrong == 0 && small == 5);
  return finish();
}
