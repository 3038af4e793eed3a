#include "user/syscalls/signal_calls.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "user/process.h"
#include "user/signals/host.h"
#include "user/syscalls/guest_access.h"

namespace tiercel::user {

s64 sys_rt_sigaction(Thread& t, const SystemCall& c) {
  if (c.args[3] != sizeof(u64)) return -EINVAL;
  GuestAction change, old;
  if (c.args[1] != 0 && !read_guest(c.args[1], change)) return -EFAULT;
  const s64 r = t.actions().exchange(static_cast<int>(c.args[0]), c.args[1] != 0 ? &change : nullptr, &old);
  if (r == 0 && c.args[2] != 0 && !write_guest(c.args[2], old)) return -EFAULT;
  return r;
}

s64 sys_rt_sigprocmask(Thread& t, const SystemCall& c) {
  if (c.args[3] != sizeof(u64)) return -EINVAL;
  const u64 old = t.mask();
  if (c.args[1] != 0) {
    u64 set;
    if (!read_guest(c.args[1], set)) return -EFAULT;
    set &= ~kUnblockable;
    u64 next;
    switch (static_cast<int>(c.args[0])) {
      case SIG_BLOCK:
        next = old | set;
        break;
      case SIG_UNBLOCK:
        next = old & ~set;
        break;
      case SIG_SETMASK:
        next = set;
        break;
      default:
        return -EINVAL;
    }
    if (next != old) {
      // Through host_call: a signal that arrives before the mask changes is delivered under the old one.
      const u64 host = next & ~kHostUnblocked;
      const s64 r = host_call(t, SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<u64>(&host), 0, sizeof(u64));
      if (r < 0) return r;
      t.adopt_mask(next);
    }
  }
  return c.args[2] == 0 || write_guest(c.args[2], old) ? 0 : -EFAULT;
}

s64 sys_rt_sigpending(Thread& t, const SystemCall& c) {
  u64 pending = 0;
  if (c.args[1] > sizeof pending) return -EINVAL;
  if (syscall(SYS_rt_sigpending, &pending, sizeof pending) < 0) return -errno;
  pending |= t.held_back();
  return engine::guarded_copy(reinterpret_cast<void*>(c.args[0]), &pending, c.args[1]) == 0 ? 0 : -EFAULT;
}

s64 sys_rt_sigsuspend(Thread& t, const SystemCall& c) {
  u64 mask;
  if (c.args[1] != sizeof mask) return -EINVAL;
  if (!read_guest(c.args[0], mask)) return -EFAULT;
  t.set_waiting_mask(mask & ~kUnblockable);
  mask &= ~kHostUnblocked;
  return host_call(t, SYS_rt_sigsuspend, reinterpret_cast<u64>(&mask), sizeof mask);
}

s64 sys_rt_sigreturn(Thread& t, const SystemCall&) {
  if (!t.return_from_signal()) t.force_signal(SIGSEGV, SI_KERNEL, 0);
  return kResultIsSet;
}

s64 sys_sigaltstack(Thread& t, const SystemCall& c) {
  return t.change_alt_stack(c.args[0], c.args[1]);
}

s64 sys_restart_syscall(Thread&, const SystemCall&) {
  return -EINTR;  // only the kernel issues it
}

}  // namespace tiercel::user
