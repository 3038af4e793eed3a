// Descriptors: opening, flags, status, and the few structures whose layout differs from the host's.
#include "user/syscalls/files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "user/process.h"
#include "user/syscalls/abi.h"
#include "user/syscalls/guest_access.h"
#include "user/syscalls/guest_path.h"
#include "user/syscalls/proc_files.h"

namespace tiercel::user {

namespace {

s64 result_of(s64 r) {
  return r < 0 ? -errno : r;
}

bool is_hidden(Thread& t, u64 fd) {
  return t.process().hidden_descriptor() >= 0 && static_cast<int>(fd) == t.process().hidden_descriptor();
}

/// A link that a new file must not replace is not followed either.
Paths::Last last_of(u64 flags) {
  const bool only_new = (flags & O_CREAT) && (flags & O_EXCL);
  return flags & O_NOFOLLOW || only_new ? Paths::Last::Keep : Paths::Last::Follow;
}

}  // namespace

s64 sys_openat(Thread& t, const SystemCall& c) {
  const int dirfd = static_cast<int>(c.args[0]);
  const u64 flags = abi::host_open_flags(c.args[2]);
  const GuestPath path(t, dirfd, c.args[1], last_of(flags),
                       flags & (O_CREAT | O_ACCMODE) ? Paths::Use::Change : Paths::Use::Look);
  if (path.error() != 0) return path.error();
  if (const char* entry = path.proc_entry()) {
    const s64 fd = open_own_proc_file(t, entry, flags);
    if (fd != -ENOSYS) return fd;
  } else if (path.is_proc()) {
    const s64 fd = open_machine_file(path.text(), flags);
    if (fd != -ENOSYS) return fd;
  }
  return host_call(t, SYS_openat, c.args[0], path.host(), flags, c.args[3]);
}

s64 sys_openat2(Thread& t, const SystemCall& c) {
  open_how how{};
  if (c.args[3] < sizeof how) return -EINVAL;
  if (!read_guest(c.args[2], how)) return -EFAULT;
  how.flags = abi::host_open_flags(how.flags);
  // A request to stay below the directory, or about links on the way from it, is the kernel's to keep: the path goes
  // there as it is.
  char first = 0;
  read_guest(c.args[1], first);
  const bool within = how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT);
  if (how.resolve != 0 && (within || first != '/'))
    return host_call(t, SYS_openat2, c.args[0], c.args[1], reinterpret_cast<u64>(&how), sizeof how);
  const GuestPath path(t, static_cast<int>(c.args[0]), c.args[1], last_of(how.flags),
                       how.flags & (O_CREAT | O_ACCMODE) ? Paths::Use::Change : Paths::Use::Look);
  if (path.error() != 0) return path.error();
  return host_call(t, SYS_openat2, c.args[0], path.host(), reinterpret_cast<u64>(&how), sizeof how);
}

s64 sys_open_by_handle_at(Thread& t, const SystemCall& c) {
  return host_call(t, SYS_open_by_handle_at, c.args[0], c.args[1], abi::host_open_flags(c.args[2]));
}

s64 sys_close(Thread& t, const SystemCall& c) {
  if (is_hidden(t, c.args[0])) return -EBADF;
  return result_of(syscall(SYS_close, c.args[0]));
}

s64 sys_close_range(Thread& t, const SystemCall& c) {
  const unsigned first = static_cast<unsigned>(c.args[0]), last = static_cast<unsigned>(c.args[1]);
  const int hidden = t.process().hidden_descriptor();
  const unsigned mine = static_cast<unsigned>(hidden);
  if (hidden < 0 || first > last || mine < first || mine > last)
    return result_of(syscall(SYS_close_range, first, last, c.args[2]));
  if (mine > first)
    if (const s64 r = result_of(syscall(SYS_close_range, first, mine - 1, c.args[2])); r < 0) return r;
  return mine < last ? result_of(syscall(SYS_close_range, mine + 1, last, c.args[2])) : 0;
}

s64 sys_dup3(Thread& t, const SystemCall& c) {
  if (is_hidden(t, c.args[0]) || is_hidden(t, c.args[1])) return -EBADF;
  return result_of(syscall(SYS_dup3, c.args[0], c.args[1], c.args[2]));
}

s64 sys_pipe2(Thread&, const SystemCall& c) {
  return result_of(syscall(SYS_pipe2, c.args[0], abi::host_open_flags(c.args[1])));
}

s64 sys_fcntl(Thread& t, const SystemCall& c) {
  if (is_hidden(t, c.args[0])) return -EBADF;
  const int command = static_cast<int>(c.args[1]);
  if (command == F_SETFL) return host_call(t, SYS_fcntl, c.args[0], c.args[1], abi::host_open_flags(c.args[2]));
  const s64 r = host_call(t, SYS_fcntl, c.args[0], c.args[1], c.args[2]);
  return command == F_GETFL && r >= 0 ? static_cast<s64>(abi::guest_open_flags(static_cast<u64>(r))) : r;
}

s64 sys_fstat(Thread&, const SystemCall& c) {
  struct stat host;
  if (const s64 r = result_of(syscall(SYS_fstat, c.args[0], &host)); r < 0) return r;
  return write_guest(c.args[1], abi::guest_stat(host)) ? 0 : -EFAULT;
}

s64 sys_newfstatat(Thread& t, const SystemCall& c) {
  struct stat host;
  const GuestPath path(t, static_cast<int>(c.args[0]), c.args[1],
                       c.args[3] & AT_SYMLINK_NOFOLLOW ? Paths::Last::Keep : Paths::Last::Follow);
  if (path.error() != 0) return path.error();
  if (const s64 r = result_of(syscall(SYS_newfstatat, c.args[0], path.host(), &host, c.args[3])); r < 0) return r;
  return write_guest(c.args[2], abi::guest_stat(host)) ? 0 : -EFAULT;
}

s64 sys_epoll_ctl(Thread&, const SystemCall& c) {
  if (c.args[3] == 0) return result_of(syscall(SYS_epoll_ctl, c.args[0], c.args[1], c.args[2], nullptr));
  abi::GuestEpollEvent event;
  if (!read_guest(c.args[3], event)) return -EFAULT;
  epoll_event host{.events = event.events, .data = {.u64 = event.data}};
  return result_of(syscall(SYS_epoll_ctl, c.args[0], c.args[1], c.args[2], &host));
}

namespace {

/// epoll_pwait and epoll_pwait2, which differ in the form of `timeout` only.
s64 wait_for_epoll(Thread& t, long number, const SystemCall& c) {
  constexpr s64 kAtOnce = 1 << 16;  // how many events are converted in one call; a guest asking for more gets fewer
  const s64 wanted = static_cast<s32>(c.args[2]);
  if (wanted <= 0) return -EINVAL;
  u64 mask = 0;
  if (c.args[4] != 0) {
    if (c.args[5] != sizeof mask) return -EINVAL;
    if (!read_guest(c.args[4], mask)) return -EFAULT;
    t.set_waiting_mask(mask & ~kUnblockable);
    mask &= ~kHostUnblocked;
  }
  const s64 limit = std::min(wanted, kAtOnce);
  std::vector<epoll_event> host(static_cast<std::size_t>(limit));
  const s64 n = host_call(t, number, c.args[0], reinterpret_cast<u64>(host.data()), static_cast<u64>(limit), c.args[3],
                          c.args[4] != 0 ? reinterpret_cast<u64>(&mask) : 0, sizeof mask);
  for (s64 i = 0; i < n; ++i) {
    const epoll_event& e = host[static_cast<std::size_t>(i)];
    const abi::GuestEpollEvent event{.events = e.events, .pad = 0, .data = e.data.u64};
    if (!write_guest(c.args[1] + static_cast<u64>(i) * sizeof event, event)) return -EFAULT;
  }
  return n;
}

}  // namespace

s64 sys_epoll_pwait(Thread& t, const SystemCall& c) {
  return wait_for_epoll(t, SYS_epoll_pwait, c);
}
s64 sys_epoll_pwait2(Thread& t, const SystemCall& c) {
  return wait_for_epoll(t, SYS_epoll_pwait2, c);
}

namespace {

/// ppoll and pselect6 write the remaining time back; only the mask needs care.
s64 with_mask(Thread& t, u64 mask_address, u64 mask_size, u64& host_mask, u64& host_pointer) {
  host_pointer = 0;
  if (mask_address == 0) return 0;
  if (mask_size != sizeof(u64)) return -EINVAL;
  if (!read_guest(mask_address, host_mask)) return -EFAULT;
  t.set_waiting_mask(host_mask & ~kUnblockable);
  host_mask &= ~kHostUnblocked;
  host_pointer = reinterpret_cast<u64>(&host_mask);
  return 0;
}

}  // namespace

s64 sys_ppoll(Thread& t, const SystemCall& c) {
  u64 mask, pointer;
  if (const s64 r = with_mask(t, c.args[3], c.args[4], mask, pointer); r < 0) return r;
  return host_call(t, SYS_ppoll, c.args[0], c.args[1], c.args[2], pointer, sizeof(u64));
}

s64 sys_pselect6(Thread& t, const SystemCall& c) {
  struct {
    u64 mask, size;
  } argument{};
  u64 mask = 0, pointer = 0;
  if (c.args[5] != 0) {
    if (!read_guest(c.args[5], argument)) return -EFAULT;
    if (const s64 r = with_mask(t, argument.mask, argument.size, mask, pointer); r < 0) return r;
    argument = {pointer, sizeof(u64)};
  }
  return host_call(t, SYS_pselect6, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4],
                   c.args[5] != 0 ? reinterpret_cast<u64>(&argument) : 0);
}

}  // namespace tiercel::user
