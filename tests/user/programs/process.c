// fork, vfork, exec, wait, pipes between processes, scripts and what exec refuses.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

extern char** environ;

static int child_of_exec(int argc, char** argv) {
  const char* value = getenv("TIERCEL_TEST");
  if (!strcmp(argv[1], "exit")) return atoi(argv[2]);
  if (!strcmp(argv[1], "environment")) return value && !strcmp(value, "from exec") ? 0 : 1;
  if (!strcmp(argv[1], "echo")) {
    for (int i = 2; i < argc; i++) printf("%s ", argv[i]);
    printf("(%s)\n", argv[0]);
    return 0;
  }
  if (!strcmp(argv[1], "open")) return fcntl(atoi(argv[2]), F_GETFD) == -1 ? 1 : 0;
  if (!strcmp(argv[1], "ignored")) {
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    if (action.sa_handler != SIG_IGN) return 1;
    sigaction(SIGUSR2, NULL, &action);
    if (action.sa_handler != SIG_DFL) return 2;
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGWINCH) ? 0 : 3;
  }
  return 99;
}

static int wait_status(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
  }
  return status;
}
static int run(char** arguments) {
  pid_t pid = fork();
  if (pid == 0) {
    execv("/proc/self/exe", arguments);
    _exit(120);
  }
  return WEXITSTATUS(wait_status(pid));
}
static void nothing(int signal) {
  (void)signal;
}

static int clone_body(void* raw) {
  *(int*)raw = 55;
  return 9;
}

int main(int argc, char** argv) {
  if (argc > 1) return child_of_exec(argc, argv);

  pid_t pid = fork();
  if (pid == 0) _exit(getppid() > 0 ? 42 : 1);
  int status = wait_status(pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);

  pid = fork();
  if (pid == 0) {
    signal(SIGTERM, SIG_DFL);
    raise(SIGTERM);
    _exit(1);
  }
  status = wait_status(pid);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  pid = fork();
  if (pid == 0) *(volatile int*)0 = 1;
  status = wait_status(pid);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);

  pid = fork();
  if (pid == 0)
    for (;;) pause();
  CHECK(waitpid(pid, &status, WNOHANG) == 0);
  CHECK(kill(pid, SIGSTOP) == 0);
  CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  CHECK(kill(pid, SIGCONT) == 0 && waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
  CHECK(kill(pid, SIGKILL) == 0);
  siginfo_t info;
  CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0);
  CHECK(info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGKILL && info.si_signo == SIGCHLD);
  CHECK_ERRNO(waitpid(-1, &status, 0), ECHILD);

  CHECK(run((char*[]){"self", "exit", "17", NULL}) == 17);
  setenv("TIERCEL_TEST", "from exec", 1);
  CHECK(run((char*[]){"self", "environment", NULL}) == 0);

  // vfork shares memory until exec.
  volatile int shared = 0;
  pid = vfork();
  if (pid == 0) {
    shared = 5;
    execl("/proc/self/exe", "self", "exit", "3", NULL);
    _exit(1);
  }
  CHECK(shared == 5);
  CHECK(WEXITSTATUS(wait_status(pid)) == 3);

  char stack[65536] __attribute__((aligned(16)));
  int value = 0;
  pid = clone(clone_body, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &value);
  CHECK(WEXITSTATUS(wait_status(pid)) == 9);
  CHECK(value == 55);

  // Output of a child through a pipe; argv[0] is what exec was given.
  int ends[2];
  CHECK(pipe(ends) == 0);
  pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    execl("/proc/self/exe", "a name", "echo", "x", "y z", "", NULL);
    _exit(1);
  }
  close(ends[1]);
  char text[64] = {0};
  ssize_t got = 0, n;
  while ((n = read(ends[0], text + got, sizeof text - 1 - (size_t)got)) > 0) got += n;
  close(ends[0]);
  CHECK(wait_status(pid) == 0);
  CHECK(!strcmp(text, "x y z  (a name)\n"));

  // Descriptors and dispositions across exec.
  int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
  char number[16];
  snprintf(number, sizeof number, "%d", kept);
  CHECK(run((char*[]){"self", "open", number, NULL}) == 0);
  snprintf(number, sizeof number, "%d", closed);
  CHECK(run((char*[]){"self", "open", number, NULL}) == 1);
  signal(SIGUSR1, SIG_IGN);
  signal(SIGUSR2, nothing);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGWINCH);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  CHECK(run((char*[]){"self", "ignored", NULL}) == 0);

  // Scripts. The interpreter is this very program.
  char self[4096] = {0};
  CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  char script[] = "/tmp/tiercel-script-XXXXXX";
  int file = mkstemp(script);
  CHECK(file >= 0 && fchmod(file, 0755) == 0);
  CHECK(dprintf(file, "#!%s echo\nignored\n", self) > 0 && close(file) == 0);
  CHECK(pipe(ends) == 0);
  pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    execl(script, "never seen", "argument", NULL);
    _exit(1);
  }
  close(ends[1]);
  memset(text, 0, sizeof text);
  char expected[8192], output[8192] = {0};
  got = 0;
  while ((n = read(ends[0], output + got, sizeof output - 1 - (size_t)got)) > 0) got += n;
  close(ends[0]);
  CHECK(wait_status(pid) == 0);
  snprintf(expected, sizeof expected, "%s argument (%s)\n", script, self);
  CHECK(!strcmp(output, expected));
  chmod(script, 0644);
  CHECK_ERRNO(execl(script, script, NULL), geteuid() == 0 ? EACCES : EACCES);
  chmod(script, 0755);
  CHECK(truncate(script, 0) == 0);
  CHECK_ERRNO(execl(script, script, NULL), ENOEXEC);
  unlink(script);
  CHECK_ERRNO(execl(script, script, NULL), ENOENT);
  CHECK_ERRNO(execl("/tmp", "/tmp", NULL), EACCES);

  // posix_spawn reports the error of the exec in the child as its own result.
  CHECK(posix_spawn(&pid, "/nonexistent/program", NULL, NULL, (char*[]){"x", NULL}, environ) == ENOENT);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  CHECK(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, (char*[]){"self", "exit", "6", NULL}, environ) == 0);
  CHECK(WEXITSTATUS(wait_status(pid)) == 6);
  int memory = memfd_create("program", MFD_CLOEXEC), source = open("/proc/self/exe", O_RDONLY);
  char block[65536];
  while ((n = read(source, block, sizeof block)) > 0)
    if (write(memory, block, (size_t)n) != n) break;
  pid = fork();
  if (pid == 0) {
    fexecve(memory, (char*[]){"memory", "exit", "8", NULL}, environ);
    _exit(1);
  }
  CHECK(WEXITSTATUS(wait_status(pid)) == 8);
  return finish();
}
