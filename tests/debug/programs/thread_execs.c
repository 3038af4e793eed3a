// A thread, not the first one, executes a program, after one that does not exist.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

int failed;

__attribute__((noinline)) static void again(int argc) {
  printf("again %d\n", argc);
}

static void* run(void* unused) {
  execl("/no/such/program", "x", (char*)0);
  execl("/proc/self/environ", "x", (char*)0);
  ++failed;
  execl("/proc/self/exe", "thread_execs", "again", (char*)0);
  return unused;
}

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1) {
    again(argc);
    return 6;
  }
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  pthread_join(thread, NULL);
  return 1;
}
