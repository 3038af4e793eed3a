// Signals that a debugger sees, changes and passes on, and the ways a program can end.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t seen[65];

static void handler(int signal) {
  ++seen[signal];
}

int main(int argc, char** argv) {
  signal(SIGUSR1, handler);
  signal(SIGUSR2, handler);
  raise(SIGUSR1);
  raise(SIGUSR1);
  raise(SIGUSR2);
  const pid_t child = fork();
  if (child == 0) _exit(5);
  int status = 0;
  waitpid(child, &status, 0);
  printf("usr1 %d usr2 %d child %d shell %d\n", seen[SIGUSR1], seen[SIGUSR2], WEXITSTATUS(status),
         WEXITSTATUS(system("exit 7")));
  fflush(stdout);
  if (argc < 2) return 0;
  if (!strcmp(argv[1], "term")) raise(SIGTERM);
  if (!strcmp(argv[1], "fault")) *(volatile int*)8 = 1;
  return 4;
}
