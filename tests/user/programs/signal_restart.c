// Which system calls start again after a handler and which return EINTR.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static volatile sig_atomic_t count;
static int writer = -1;
static void on_alarm(int signal) {
  (void)signal;
  if (++count == 3 && writer >= 0 && write(writer, "x", 1) != 1) count = -100;
}

static void arm(int flags, int repeat) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
  sigaction(SIGALRM, &action, NULL);
  count = 0;
  setitimer(ITIMER_REAL, &(struct itimerval){{0, repeat ? 5000 : 0}, {0, 5000}}, NULL);
}
static void disarm(void) {
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
}

int main(void) {
  int ends[2];
  char byte;
  CHECK(pipe(ends) == 0);

  arm(0, 0);
  CHECK_ERRNO(read(ends[0], &byte, 1), EINTR);
  CHECK(count == 1);

  writer = ends[1];
  arm(SA_RESTART, 1);
  CHECK(read(ends[0], &byte, 1) == 1);
  CHECK(count >= 3);
  disarm();
  writer = -1;

  arm(SA_RESTART, 0);
  struct pollfd poll_set = {.fd = ends[0], .events = POLLIN};
  CHECK_ERRNO(poll(&poll_set, 1, 1000), EINTR);
  arm(SA_RESTART, 0);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  CHECK_ERRNO(select(ends[0] + 1, &set, NULL, NULL, &(struct timeval){1, 0}), EINTR);
  arm(SA_RESTART, 0);
  int epoll = epoll_create1(0);
  struct epoll_event event;
  CHECK_ERRNO(epoll_wait(epoll, &event, 1, 1000), EINTR);
  arm(SA_RESTART, 0);
  CHECK_ERRNO(pause(), EINTR);

  arm(SA_RESTART, 0);
  struct timespec rest = {0, 0};
  errno = 0;
  CHECK(nanosleep(&(struct timespec){0, 500000000}, &rest) == -1);
  CHECK(errno == EINTR);
  CHECK(rest.tv_sec == 0 && rest.tv_nsec > 300000000 && rest.tv_nsec < 500000000);

  pid_t child = fork();
  if (child == 0) {
    usleep(400000);
    _exit(3);
  }
  arm(0, 0);
  int status;
  CHECK_ERRNO(waitpid(child, &status, 0), EINTR);
  arm(SA_RESTART, 1);
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
  disarm();
  CHECK(count >= 1);

  // ppoll with a mask lets a blocked signal in for the call only.
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  arm(0, 0);
  usleep(10000);
  CHECK(count == 0);
  CHECK_ERRNO(ppoll(&poll_set, 1, &(struct timespec){1, 0}, &none), EINTR);
  CHECK(count == 1);
  return finish();
}
