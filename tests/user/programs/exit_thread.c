// status: 7
// The raw exit call ends one thread; the process ends with the last one, with that thread's status if it was the only
// one. With the argument `last` the first thread ends before the second.
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

static void* second(void* raw) {
  const pid_t first = *(pid_t*)raw;
  // The first thread is gone, or a zombie that waits for this one.
  for (char path[64], state = 0; state != 'Z';) {
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", getpid(), first);
    FILE* file = fopen(path, "r");
    if (!file) break;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 0;
    fclose(file);
    usleep(1000);
  }
  puts("done");
  fflush(stdout);
  syscall(SYS_exit, 0);
  return NULL;
}

int main(int argc, char** argv) {
  static pid_t first;
  first = getpid();
  pthread_t thread;
  if (argc > 1 && !strcmp(argv[1], "last")) {
    if (pthread_create(&thread, NULL, second, &first) != 0) return 1;
    syscall(SYS_exit, 0);
  }
  puts("done");
  fflush(stdout);
  syscall(SYS_exit, 7);
  return 1;
}
