// setuid and setgid with several threads: the C library signals all of them, so that each changes its own ids.
// flags: -pthread
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { kThreads = 4 };
static sem_t changed;

static void* ids(void* unused) {
  (void)unused;
  while (sem_wait(&changed) != 0) {
  }
  return (void*)(syscall(SYS_getuid) << 32 | syscall(SYS_getgid));
}

static int all_follow(void) {
  pthread_t threads[kThreads];
  sem_init(&changed, 0, 0);
  for (int i = 0; i < kThreads; i++)
    if (pthread_create(&threads[i], NULL, ids, NULL) != 0) return 0;
  const long uid = geteuid() == 0 ? 12345 : getuid(), gid = geteuid() == 0 ? 54321 : getgid();
  int right = setgid((gid_t)gid) == 0 && setuid((uid_t)uid) == 0;
  for (int i = 0; i < kThreads; i++) sem_post(&changed);
  for (int i = 0; i < kThreads; i++) {
    void* result;
    right &= pthread_join(threads[i], &result) == 0 && (long)result == (uid << 32 | gid);
  }
  return right;
}

static int in_child(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(all_follow() ? 7 : 1);
  int status = -1;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

int main(void) {
  CHECK(in_child());    // of a process that has had no thread
  CHECK(all_follow());  // the ids stay
  CHECK(in_child());    // of one that had some
  return finish();
}
