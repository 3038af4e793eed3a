#include "user/syscalls/memory_calls.h"

#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "user/process.h"
#include "user/syscalls/abi.h"
#include "user/syscalls/guest_access.h"

namespace tiercel::user {

s64 sys_brk(Thread& t, const SystemCall& c) {
  return t.process().memory().brk(c.args[0]);
}
s64 sys_mmap(Thread& t, const SystemCall& c) {
  return t.process().memory().map(c.args[0], c.args[1], static_cast<int>(c.args[2]), static_cast<int>(c.args[3]),
                                  static_cast<int>(c.args[4]), c.args[5]);
}
s64 sys_munmap(Thread& t, const SystemCall& c) {
  return t.process().memory().unmap(c.args[0], c.args[1]);
}
s64 sys_mprotect(Thread& t, const SystemCall& c) {
  return t.process().memory().protect(c.args[0], c.args[1], static_cast<int>(c.args[2]));
}
s64 sys_pkey_mprotect(Thread& t, const SystemCall& c) {
  return static_cast<s32>(c.args[3]) == -1 ? sys_mprotect(t, c) : -EINVAL;
}
s64 sys_mremap(Thread& t, const SystemCall& c) {
  return t.process().memory().remap(c.args[0], c.args[1], c.args[2], static_cast<int>(c.args[3]), c.args[4]);
}
s64 sys_madvise(Thread& t, const SystemCall& c) {
  return t.process().memory().advise(c.args[0], c.args[1], static_cast<int>(c.args[2]));
}
s64 sys_shmat(Thread& t, const SystemCall& c) {
  return t.process().memory().attach_shared(static_cast<int>(c.args[0]), c.args[1], static_cast<int>(c.args[2]));
}
s64 sys_shmdt(Thread& t, const SystemCall& c) {
  return t.process().memory().detach_shared(c.args[0]);
}

s64 sys_semctl(Thread&, const SystemCall& c) {
  const int command = static_cast<int>(c.args[2]);
  const bool reads = command == IPC_STAT || command == SEM_STAT || command == SEM_STAT_ANY;
  if (!reads && command != IPC_SET) {
    const long r = syscall(SYS_semctl, c.args[0], c.args[1], command, c.args[3]);
    return r < 0 ? -errno : r;
  }
  semid_ds host{};
  if (command == IPC_SET) {
    abi::GuestSemaphoreSet guest;
    if (!read_guest(c.args[3], guest)) return -EFAULT;
    host.sem_perm = guest.permissions;
  }
  const long r = syscall(SYS_semctl, c.args[0], c.args[1], command, &host);
  if (r < 0) return -errno;
  if (reads && !write_guest(c.args[3], abi::guest_semaphore_set(host))) return -EFAULT;
  return r;
}

}  // namespace tiercel::user
