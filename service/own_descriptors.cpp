#include "service/own_descriptors.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

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

}  // namespace

bool run_with_own_descriptors(void (*work)(void*), void* argument) {
  const auto stack = std::make_unique<u8[]>(kStackBytes);
  Job job{work, argument};
  sigset_t all, old;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0) return false;
  // No CLONE_FILES. CLONE_VFORK: this thread stands still, so that the child may use its thread-local storage. No
  // signal is sent at its end, which hides it from wait() without __WCLONE.
  const pid_t pid = clone(run_job, stack.get() + kStackBytes, CLONE_VM | CLONE_VFORK, &job);
  if (pid > 0)
    while (waitpid(pid, nullptr, __WCLONE) < 0 && errno == EINTR) {
    }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return pid > 0;
}

}  // namespace tiercel::service
