// execve: the new program runs under Tiercel too, without help from the kernel's binfmt_misc. What can fail is checked
// here first, because after the host's execve there is nobody to return an error to.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "user/process.h"
#include "user/signals/host.h"
#include "user/syscalls/guest_access.h"
#include "user/syscalls/guest_path.h"
#include "user/syscalls/process_calls.h"

namespace tiercel::user {

namespace {

/// The string pointers of a guest argv or envp. 0 or -errno.
s64 read_pointers(u64 address, std::vector<char*>& out) {
  constexpr std::size_t kMaxStrings = 0x7fffffff / sizeof(u64);
  if (address == 0) return 0;
  for (;; address += sizeof(u64)) {
    u64 pointer;
    if (!read_guest(address, pointer)) return -EFAULT;
    if (pointer == 0) return 0;
    if (out.size() >= kMaxStrings) return -E2BIG;
    out.push_back(reinterpret_cast<char*>(pointer));
  }
}

s64 execute(Thread& t, int dirfd, const std::string& path, u64 argv, u64 envp) {
  Process& process = t.process();
  const auto plan = plan_exec(process.paths(), dirfd, path);
  if (!plan) {
    if (process.options().strace) process.trace("execve: " + plan.error().message);
    return plan.error().code != 0 ? -plan.error().code : -ENOEXEC;
  }
  std::vector<char*> arguments, environment;
  if (const s64 r = read_pointers(argv, arguments); r < 0) return r;
  if (const s64 r = read_pointers(envp, environment); r < 0) return r;
  environment.push_back(nullptr);

  // Threads of this process end with the call, a captured signal would be lost with them.
  set_host_mask(~u64{0});
  if (*t.captured() != 0) return kRestart;
  set_host_mask(t.mask());
  t.actions().prepare_exec();
  s64 failure;
  if (plan->kind == FileKind::HostElf) {
    // A program of this machine, or a script for one: the host kernel needs no help with it.
    std::vector<char*> all;
    for (const auto& s : plan->prefix) all.push_back(const_cast<char*>(s.c_str()));
    const std::size_t skip = all.empty() || arguments.empty() ? 0 : 1;
    all.insert(all.end(), arguments.begin() + static_cast<std::ptrdiff_t>(skip), arguments.end());
    all.push_back(nullptr);
    failure = execve(plan->host_path.c_str(), all.data(), environment.data()) < 0 ? -errno : 0;
  } else {
    std::string packed = process.options().pack(), name = path;
    if (dirfd != AT_FDCWD && path[0] != '/') name = plan->host_path;
    char self[] = "tiercel", marker[] = "--exec";
    std::vector<char*> all = {self, marker, packed.data(), name.data()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.push_back(nullptr);
    failure = execve("/proc/self/exe", all.data(), environment.data()) < 0 ? -errno : 0;
  }
  mirror_on_host(SIGSEGV, t.actions().get(SIGSEGV));
  mirror_on_host(SIGBUS, t.actions().get(SIGBUS));
  return failure;
}

}  // namespace

s64 sys_execve(Thread& t, const SystemCall& c) {
  std::string path;
  if (const s64 r = read_guest_string(c.args[0], path); r < 0) return r;
  if (path.empty()) return -ENOENT;
  if (const char* entry = own_proc_entry(path.c_str()); entry && std::string_view(entry) == "exe")
    path = t.process().program().guest_path;
  return execute(t, AT_FDCWD, path, c.args[1], c.args[2]);
}

s64 sys_execveat(Thread& t, const SystemCall& c) {
  std::string path;
  if (const s64 r = read_guest_string(c.args[1], path); r < 0) return r;
  if (path.empty()) {
    if (!(c.args[4] & AT_EMPTY_PATH)) return -ENOENT;
    // The descriptor itself. By name where the file has one, because it may be closed by the execve.
    char link[32], target[PATH_MAX];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", static_cast<int>(c.args[0]));
    const ssize_t n = readlink(link, target, sizeof target);
    if (n < 0) return -EBADF;
    path.assign(target, static_cast<std::size_t>(n));
    if (access(path.c_str(), F_OK) < 0) {
      const int copy = dup(static_cast<int>(c.args[0]));
      if (copy < 0) return -errno;
      std::snprintf(link, sizeof link, "/proc/self/fd/%d", copy);
      const s64 r = execute(t, AT_FDCWD, link, c.args[2], c.args[3]);
      close(copy);
      return r;
    }
    return execute(t, AT_FDCWD, t.process().paths().guest_view(path), c.args[2], c.args[3]);
  }
  return execute(t, static_cast<int>(c.args[0]), path, c.args[2], c.args[3]);
}

}  // namespace tiercel::user
