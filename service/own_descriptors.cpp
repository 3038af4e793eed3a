#include "service/own_descriptors.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/types.h"

namespace tiercel::service {
namespace {

constexpr std::size_t kStackBytes = 64 << 10;

struct Job {
  void (*work)(void*);
  void* argument;
};

int run_job(void* raw) {
  const Job& job = *static_cast<const Job*>(raw);
  job.work(job.argument);
  return 0;
}

/// CLONE_VFORK: the caller stands still, so that `work` may use its thread-local storage. Returns clone's result.
pid_t run_cloned(int flags, void (*work)(void*), void* argument) {
  const auto stack = std::make_unique<u8[]>(kStackBytes);
  Job job{work, argument};
  sigset_t all, old;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0) return -1;
  const pid_t pid = clone(run_job, stack.get() + kStackBytes, flags | CLONE_VM | CLONE_VFORK, &job);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return pid;
}

}  // namespace

bool run_with_own_descriptors(void (*work)(void*), void* argument) {
  const pid_t thread = run_cloned(CLONE_THREAD | CLONE_SIGHAND, work, argument);  // no CLONE_FILES
  if (thread <= 0) return false;
  // It has left the memory; until it has left the process as well a guest with one thread would seem to have two, and
  // could not unshare its user namespace.
  while (syscall(SYS_tgkill, getpid(), thread, 0) == 0) sched_yield();
  return true;
}

bool run_in_own_process(void (*work)(void*), void* argument) {
  const pid_t process = run_cloned(0, work, argument);
  if (process <= 0) return false;
  while (waitpid(process, nullptr, __WCLONE) < 0 && errno == EINTR) {
  }
  return true;
}

}  // namespace tiercel::service
