#include "user/syscalls/process_calls.h"

#include <linux/futex.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "user/process.h"
#include "user/syscalls/guest_access.h"

namespace tiercel::user {

s64 sys_exit(Thread& t, const SystemCall& c) {
  if (t.host_stack == nullptr) {
    // The first thread, or the only one of a fork's child. The kernel knows whether others go on.
    if (!t.borrows_memory) t.process().remove_first_thread(t, static_cast<int>(c.args[0]));
    syscall(SYS_exit, c.args[0]);
  }
  t.end();
  return kResultIsSet;
}

s64 sys_exit_group(Thread& t, const SystemCall& c) {
  t.process().exit(static_cast<int>(c.args[0]));
}

s64 sys_prctl(Thread& t, const SystemCall& c) {
  switch (static_cast<int>(c.args[0])) {
    // What would act on Tiercel instead of the guest, or is another architecture's.
    case PR_SET_MM:
    case PR_SET_SECCOMP:
    case PR_SET_TSC:
    case PR_GET_TSC:
    case 59:  // PR_SET_SYSCALL_USER_DISPATCH
    case PR_SVE_SET_VL:
    case PR_SVE_GET_VL:
    case PR_PAC_RESET_KEYS:
    case PR_SET_TAGGED_ADDR_CTRL:
    case PR_GET_TAGGED_ADDR_CTRL:
    case PR_PAC_SET_ENABLED_KEYS:
    case PR_PAC_GET_ENABLED_KEYS:
    case 63:  // PR_SME_SET_VL
    case 64:  // PR_SME_GET_VL
      return -EINVAL;
    default:
      return host_call(t, SYS_prctl, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4]);
  }
}

s64 sys_uname(Thread&, const SystemCall& c) {
  utsname name;
  if (uname(&name) < 0) return -errno;
  std::strcpy(name.machine, "aarch64");
  return write_guest(c.args[0], name) ? 0 : -EFAULT;
}

s64 sys_personality(Thread&, const SystemCall& c) {
  // Only the bits that do not change how this process itself lives are let through.
  constexpr u64 kHarmless = ADDR_NO_RANDOMIZE | UNAME26 | STICKY_TIMEOUTS;
  const u64 wanted = c.args[0] & 0xffffffff;
  if (wanted == 0xffffffff) return personality(0xffffffff);
  if ((wanted & 0xff) != PER_LINUX && (wanted & 0xff) != 8 /* PER_LINUX32 */) return -EINVAL;
  const int r = personality(wanted & kHarmless);
  return r < 0 ? -errno : r;
}

namespace {

/// Limits that would bind Tiercel's own memory, which the guest knows nothing of.
bool is_believed(int resource) {
  return resource == RLIMIT_AS || resource == RLIMIT_DATA || resource == RLIMIT_RSS;
}

s64 believed_limit(Thread& t, int resource, const rlimit* change, rlimit* old) {
  BelievedLimit& limit = t.process().believed_limits()[static_cast<unsigned>(resource)];
  rlimit now;
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &now) < 0) return -errno;
  if (limit.set) now = {limit.soft, limit.hard};
  if (change) {
    if (change->rlim_cur > change->rlim_max) return -EINVAL;
    if (change->rlim_max > now.rlim_max && geteuid() != 0) return -EPERM;
    limit = {true, change->rlim_cur, change->rlim_max};
  }
  if (old) *old = now;
  return 0;
}

}  // namespace

s64 sys_prlimit64(Thread& t, const SystemCall& c) {
  const int resource = static_cast<int>(c.args[1]);
  const bool own = c.args[0] == 0 || static_cast<int>(c.args[0]) == getpid();
  if (!own || !is_believed(resource)) return host_call(t, SYS_prlimit64, c.args[0], c.args[1], c.args[2], c.args[3]);
  rlimit change, old;
  if (c.args[2] != 0 && !read_guest(c.args[2], change)) return -EFAULT;
  if (const s64 r = believed_limit(t, resource, c.args[2] != 0 ? &change : nullptr, &old); r < 0) return r;
  return c.args[3] == 0 || write_guest(c.args[3], old) ? 0 : -EFAULT;
}

s64 sys_getrlimit(Thread& t, const SystemCall& c) {
  return sys_prlimit64(t, {.number = 261, .args = {0, c.args[0], 0, c.args[1], 0, 0}});
}
s64 sys_setrlimit(Thread& t, const SystemCall& c) {
  return sys_prlimit64(t, {.number = 261, .args = {0, c.args[0], c.args[1], 0, 0, 0}});
}

s64 sys_futex(Thread& t, const SystemCall& c) {
  const s64 r = host_call(t, SYS_futex, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], c.args[5]);
  if (r != -EINTR) return r;
  // A wait without a time limit starts again after a handler with SA_RESTART, one with a limit does not.
  const u64 command = c.args[1] & FUTEX_CMD_MASK;
  const bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
                     command == FUTEX_LOCK_PI2 || command == FUTEX_WAIT_REQUEUE_PI;
  return waits && c.args[3] == 0 && t.waiting_signal_restarts() ? kRestart : r;
}

// The host's vdso answers these two without entering the kernel.
s64 sys_clock_gettime(Thread&, const SystemCall& c) {
  timespec now;
  if (clock_gettime(static_cast<clockid_t>(c.args[0]), &now) < 0) return -errno;
  return write_guest(c.args[1], now) ? 0 : -EFAULT;
}

s64 sys_gettimeofday(Thread&, const SystemCall& c) {
  timeval now;
  struct timezone zone;
  if (syscall(SYS_gettimeofday, &now, &zone) < 0) return -errno;
  if (c.args[0] != 0 && !write_guest(c.args[0], now)) return -EFAULT;
  return c.args[1] == 0 || write_guest(c.args[1], zone) ? 0 : -EFAULT;
}

}  // namespace tiercel::user
