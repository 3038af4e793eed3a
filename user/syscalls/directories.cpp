#include "user/syscalls/directories.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "user/process.h"
#include "user/syscalls/guest_access.h"
#include "user/syscalls/guest_path.h"

namespace tiercel::user {

namespace {

/// Copies `text` as readlink does: cut at `size`, not terminated.
s64 give_link(u64 buffer, u64 size, const std::string& text) {
  const u64 n = std::min<u64>(size, text.size());
  return engine::guarded_copy(reinterpret_cast<void*>(buffer), text.data(), n) == 0 ? static_cast<s64>(n) : -EFAULT;
}

}  // namespace

s64 sys_getcwd(Thread& t, const SystemCall& c) {
  const Paths& paths = t.process().paths();
  if (!paths.has_root()) return host_call(t, SYS_getcwd, c.args[0], c.args[1]);
  char host[PATH_MAX];
  if (!getcwd(host, sizeof host)) return -errno;
  const std::string view = paths.guest_view(host);
  if (view.size() + 1 > c.args[1]) return -ERANGE;
  return engine::guarded_copy(reinterpret_cast<void*>(c.args[0]), view.c_str(), view.size() + 1) == 0
             ? static_cast<s64>(view.size() + 1)
             : -EFAULT;
}

s64 sys_readlinkat(Thread& t, const SystemCall& c) {
  const GuestPath path(t, static_cast<int>(c.args[0]), c.args[1], Paths::Last::Keep);
  if (path.error() != 0) return path.error();
  const char* proc = path.proc_entry();
  if (proc && std::strcmp(proc, "exe") == 0 && static_cast<s32>(c.args[3]) > 0)
    return give_link(c.args[2], c.args[3], t.process().program().guest_path);
  const bool shows_path = proc && (std::strcmp(proc, "cwd") == 0 || std::strncmp(proc, "fd/", 3) == 0);
  if (!shows_path || !t.process().paths().has_root() || static_cast<s32>(c.args[3]) <= 0)
    return host_call(t, SYS_readlinkat, c.args[0], path.host(), c.args[2], c.args[3]);
  char host[PATH_MAX];
  const ssize_t n = readlink(reinterpret_cast<const char*>(path.host()), host, sizeof host);
  if (n < 0) return -errno;
  return give_link(c.args[2], c.args[3], t.process().paths().guest_view({host, static_cast<std::size_t>(n)}));
}

s64 sys_linkat(Thread& t, const SystemCall& c) {
  const auto last = c.args[4] & AT_SYMLINK_FOLLOW ? Paths::Last::Follow : Paths::Last::Keep;
  const GuestPath from(t, static_cast<int>(c.args[0]), c.args[1], last, Paths::Use::Change);
  if (from.error() != 0) return from.error();
  const GuestPath to(t, static_cast<int>(c.args[2]), c.args[3], Paths::Last::Keep, Paths::Use::Change);
  if (to.error() != 0) return to.error();
  return host_call(t, SYS_linkat, c.args[0], from.host(), c.args[2], to.host(), c.args[4]);
}

s64 sys_renameat2(Thread& t, const SystemCall& c) {
  const GuestPath from(t, static_cast<int>(c.args[0]), c.args[1], Paths::Last::Keep, Paths::Use::Change);
  if (from.error() != 0) return from.error();
  const GuestPath to(t, static_cast<int>(c.args[2]), c.args[3], Paths::Last::Keep, Paths::Use::Change);
  if (to.error() != 0) return to.error();
  return host_call(t, SYS_renameat2, c.args[0], from.host(), c.args[2], to.host(), c.args[4]);
}

s64 sys_renameat(Thread& t, const SystemCall& c) {
  SystemCall plain = c;
  plain.args[4] = 0;
  return sys_renameat2(t, plain);
}

namespace {

bool may_change_root() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  return syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> CAP_SYS_CHROOT & 1) != 0;
}

}  // namespace

s64 sys_chroot(Thread& t, const SystemCall& c) {
  // The root stays the host's and paths are led into the new one: below the kernel's there would be no /proc, and no
  // Tiercel for the programs that the guest executes.
  std::string path;
  if (const s64 r = read_guest_string(c.args[0], path); r < 0) return r;
  const Paths& now = t.process().paths();
  const Paths::HostPath found = now.resolve(AT_FDCWD, path.c_str(), Paths::Last::Follow);
  if (found.error != 0) return -found.error;
  char root[PATH_MAX];
  if (!realpath(found.path.c_str(), root)) return -errno;
  struct stat info;
  if (stat(root, &info) < 0) return -errno;
  if (!S_ISDIR(info.st_mode)) return -ENOTDIR;
  if (faccessat(AT_FDCWD, root, X_OK, AT_EACCESS) < 0) return -errno;
  if (!may_change_root()) return -EPERM;
  if (now.has_root() ? root == now.root() : std::strcmp(root, "/") == 0) return 0;
  // A vfork child has a root of its own, but shares what it is kept in.
  if (t.borrows_memory) return host_call(t, SYS_chroot, reinterpret_cast<u64>(root));
  t.process().change_root(root);
  return 0;
}

s64 sys_mount(Thread& t, const SystemCall& c) {
  constexpr u64 kPropagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
  const u64 flags = c.args[3];
  std::string target;
  if (const s64 r = read_guest_string(c.args[1], target); r < 0) return r;
  // The guest's root is a folder to the kernel. What is said about the propagation of all mounts is said at the host's.
  if (flags & kPropagation && target == "/") return host_call(t, SYS_mount, 0, c.args[1], 0, flags, 0);
  const GuestPath to(t, AT_FDCWD, c.args[1], Paths::Last::Follow);
  if (to.error() != 0) return to.error();
  if (!(flags & (MS_BIND | MS_MOVE))) return host_call(t, SYS_mount, c.args[0], to.host(), c.args[2], flags, c.args[4]);
  const GuestPath from(t, AT_FDCWD, c.args[0], Paths::Last::Follow);
  if (from.error() != 0) return from.error();
  return host_call(t, SYS_mount, from.host(), to.host(), c.args[2], flags, c.args[4]);
}

namespace {

/// bind and connect: the name of a local socket is a path too.
s64 with_socket_name(Thread& t, long number, const SystemCall& c, Paths::Use use) {
  sockaddr_un name;
  const u64 size = c.args[2];
  const bool local = t.process().paths().has_root() && size > offsetof(sockaddr_un, sun_path) && size <= sizeof name &&
                     engine::guarded_copy(&name, reinterpret_cast<const void*>(c.args[1]), size) == 0 &&
                     name.sun_family == AF_UNIX && name.sun_path[0] == '/';
  if (!local) return host_call(t, number, c.args[0], c.args[1], c.args[2]);
  const std::string guest(name.sun_path, strnlen(name.sun_path, size - offsetof(sockaddr_un, sun_path)));
  const Paths::HostPath host = t.process().paths().resolve(AT_FDCWD, guest.c_str(), Paths::Last::Follow, use);
  if (host.error != 0) return -host.error;
  std::string path = host.path;
  int directory = -1;
  if (path.size() > sizeof name.sun_path) {
    // Made longer than the field by the root or by a link: shorter by way of its directory.
    const std::size_t last = path.rfind('/') + 1;
    directory = open(path.substr(0, last).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    path = "/proc/self/fd/" + std::to_string(directory) + "/" + path.substr(last);
  }
  s64 result = -ENAMETOOLONG;
  if (path.size() <= sizeof name.sun_path) {
    // A name that fills the field has no end mark.
    std::memset(name.sun_path, 0, sizeof name.sun_path);
    std::memcpy(name.sun_path, path.data(), path.size());
    const u64 used = offsetof(sockaddr_un, sun_path) + std::min(path.size() + 1, sizeof name.sun_path);
    result = host_call(t, number, c.args[0], reinterpret_cast<u64>(&name), used);
  }
  if (directory >= 0) close(directory);
  return result;
}

}  // namespace

s64 sys_bind(Thread& t, const SystemCall& c) {
  return with_socket_name(t, SYS_bind, c, Paths::Use::Change);
}
s64 sys_connect(Thread& t, const SystemCall& c) {
  return with_socket_name(t, SYS_connect, c, Paths::Use::Look);
}

}  // namespace tiercel::user
