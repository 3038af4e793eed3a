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
static int writer = -1, closer = -1;
static void on_alarm(int signal) {
  (void)signal;
  if (++count != 3) return;
  if (writer >= 0 && write(writer, "x", 1) != 1) count = -100;
  if (closer >= 0) close(closer);
}

// Every 5 ms until disarm: on a busy machine the first one may come before the call that it shall interrupt has begun.
static void arm(int flags) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
  sigaction(SIGALRM, &action, NULL);
  count = 0;
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 5000}, {0, 5000}}, NULL);
}
static void disarm(void) {
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
}

int main(void) {
  int ends[2];
  char byte;
  CHECK(pipe(ends) == 0);

  arm(0);
  CHECK_ERRNO(read(ends[0], &byte, 1), EINTR);
  CHECK(count >= 1);

  writer = ends[1];
  arm(SA_RESTART);
  CHECK(read(ends[0], &byte, 1) == 1);
  CHECK(count >= 3);
  disarm();
  writer = -1;

  // These end with EINTR in spite of SA_RESTART.
  arm(SA_RESTART);
  struct pollfd poll_set = {.fd = ends[0], .events = POLLIN};
  CHECK_ERRNO(poll(&poll_set, 1, 60000), EINTR);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  CHECK_ERRNO(select(ends[0] + 1, &set, NULL, NULL, &(struct timeval){60, 0}), EINTR);
  int epoll = epoll_create1(0);
  struct epoll_event event;
  CHECK_ERRNO(epoll_wait(epoll, &event, 1, 60000), EINTR);
  CHECK_ERRNO(pause(), EINTR);
  struct timespec rest = {0, 0};
  CHECK_ERRNO(nanosleep(&(struct timespec){60, 0}, &rest), EINTR);
  CHECK(rest.tv_sec >= 1 && rest.tv_sec <= 60);  // up to the timer slack more than was asked for
  disarm();

  // The child lives until it is told to end, so the wait is interrupted however slow everything is.
  int hold[2];
  CHECK(pipe(hold) == 0);
  pid_t child = fork();
  if (child == 0) {
    close(hold[1]);
    _exit(read(hold[0], &byte, 1) == 0 ? 3 : 4);
  }
  close(hold[0]);
  arm(0);
  int status;
  CHECK_ERRNO(waitpid(child, &status, 0), EINTR);
  closer = hold[1];
  arm(SA_RESTART);
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
  disarm();
  CHECK(count >= 3);

  // ppoll with a mask lets a blocked signal in for the call only.
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  arm(0);
  usleep(10000);
  CHECK(count == 0);
  CHECK_ERRNO(ppoll(&poll_set, 1, &(struct timespec){60, 0}, &none), EINTR);
  disarm();
  CHECK(count == 1);
  return finish();
}
