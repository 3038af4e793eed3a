// System calls that take paths.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>

#include "user/syscalls/dispatch.h"
#include "user/syscalls/guest_path.h"

namespace tiercel::user {

inline constexpr int kNone = -1;

/// A call whose only translation is one path: argument numbers of the directory descriptor (kNone: the current
/// directory) and of the path, and of a flags word with AT_SYMLINK_NOFOLLOW (kNone: `last` decides).
template <long number, int directory, int path, int flags, Paths::Last last, Paths::Use use>
s64 path_call(Thread& t, const SystemCall& c) {
  Paths::Last keep = last;
  if constexpr (flags != kNone) keep = c.args[flags] & AT_SYMLINK_NOFOLLOW ? Paths::Last::Keep : Paths::Last::Follow;
  const int dirfd = directory == kNone ? AT_FDCWD : static_cast<int>(c.args[directory == kNone ? 0 : directory]);
  const GuestPath host(t, dirfd, c.args[path], keep, use);
  if (host.error() != 0) return host.error();
  u64 a[6];
  for (int i = 0; i < 6; ++i) a[i] = i == path ? host.host() : c.args[i];
  return host_call(t, number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

s64 sys_getcwd(Thread& t, const SystemCall& c);
s64 sys_readlinkat(Thread& t, const SystemCall& c);
s64 sys_linkat(Thread& t, const SystemCall& c);
s64 sys_renameat(Thread& t, const SystemCall& c);
s64 sys_renameat2(Thread& t, const SystemCall& c);
s64 sys_chroot(Thread& t, const SystemCall& c);
s64 sys_mount(Thread& t, const SystemCall& c);
s64 sys_bind(Thread& t, const SystemCall& c);
s64 sys_connect(Thread& t, const SystemCall& c);

}  // namespace tiercel::user
