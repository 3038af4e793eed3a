// Forks, and executes itself: a debugger goes along only there.
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) int touched(int x) {
  asm volatile("" ::: "memory");
  return x + 1;
}

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1) return printf("again %d\n", touched(1)) < 0 ? 1 : 5;
  const pid_t child = fork();
  if (child == 0) _exit(touched(6));
  int status = 0;
  waitpid(child, &status, 0);
  printf("child %d\n", touched(WEXITSTATUS(status)));
  fflush(stdout);
  execl("/proc/self/exe", "forks", "again", (char*)0);
  return 1;
}
