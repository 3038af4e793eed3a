// execve: the new program runs under Tiercel too, without help from the kernel's binfmt_misc. What can fail is checked
// here first, because after the host's execve there is nobody to return an error to.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "user/process.h"
#include "user/signals/host.h"
#include "user/syscalls/guest_access.h"
#include "user/syscalls/guest_path.h"
#include "user/syscalls/process_calls.h"

namespace tiercel::user {

struct ExecRequest {
  std::string path, name, packed_options;
  RunOptions options;
  ExecPlan plan;
  std::vector<char*> arguments, environment, all;
};

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

/// Everything but the path. 0 or -errno.
s64 prepare(Process& process, ExecRequest& request, int dirfd, u64 argv, u64 envp) {
  auto plan = plan_exec(process.paths(), dirfd, request.path);
  if (!plan) {
    if (process.options().strace) process.trace("execve: " + plan.error().message);
    return plan.error().code != 0 ? -plan.error().code : -ENOEXEC;
  }
  request.plan = std::move(*plan);
  request.name = dirfd != AT_FDCWD && request.path[0] != '/' ? request.plan.host_path : request.path;
  RunOptions& options = request.options = process.options();
  options.root = process.paths().root();
  options.root_strict = process.paths().strict();
  options.tier_named = process.may_miss_service();
  if (const s64 r = read_pointers(argv, request.arguments); r < 0) return r;
  if (const s64 r = read_pointers(envp, request.environment); r < 0) return r;
  request.environment.push_back(nullptr);
  return 0;
}

/// The host's execve for a program of this machine, or a script for one: the host kernel needs no help with it.
const char* host_call(ExecRequest& r) {
  for (const auto& s : r.plan.prefix) r.all.push_back(const_cast<char*>(s.c_str()));
  const std::size_t skip = r.all.empty() || r.arguments.empty() ? 0 : 1;
  r.all.insert(r.all.end(), r.arguments.begin() + static_cast<std::ptrdiff_t>(skip), r.arguments.end());
  r.all.push_back(nullptr);
  return r.plan.host_path.c_str();
}

/// The same for a guest program: Tiercel again.
const char* guest_call(ExecRequest& r) {
  static char self[] = "tiercel", marker[] = "--exec";
  r.packed_options = r.options.pack();
  r.all = {self, marker, r.packed_options.data(), r.name.data()};
  r.all.insert(r.all.end(), r.arguments.begin(), r.arguments.end());
  r.all.push_back(nullptr);
  return "/proc/self/exe";
}

s64 call_host(Thread& t, ExecRequest& request) {
  const bool is_host = request.plan.kind == FileKind::HostElf;
  const ExecHandover debugger(is_host ? nullptr : t.runner(), t.process().debugger());
  request.options.gdb_handover = debugger.word();
  // Threads of this process end with the call, a captured signal would be lost with them.
  set_host_mask(~u64{0});
  if (*t.captured() != 0) return kRestart;
  set_host_mask(t.mask());
  t.actions().prepare_exec();
  const char* program = is_host ? host_call(request) : guest_call(request);
  const s64 failure = execve(program, request.all.data(), request.environment.data()) < 0 ? -errno : 0;
  for (const int signal : kOwnSignals) t.actions().mirror(signal);
  return failure;
}

s64 execute(Thread& t, int dirfd, std::string path, u64 argv, u64 envp) {
  t.exec_request = std::make_shared<ExecRequest>();
  t.exec_request->path = std::move(path);
  s64 result = prepare(t.process(), *t.exec_request, dirfd, argv, envp);
  if (result == 0) result = call_host(t, *t.exec_request);
  t.exec_request.reset();
  return result;
}

}  // namespace

s64 sys_execve(Thread& t, const SystemCall& c) {
  std::string path;
  if (const s64 r = read_guest_string(c.args[0], path); r < 0) return r;
  if (path.empty()) return -ENOENT;
  if (const char* entry = own_proc_entry(path.c_str()); entry && std::string_view(entry) == "exe")
    path = t.process().program().guest_path;
  return execute(t, AT_FDCWD, std::move(path), c.args[1], c.args[2]);
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
  return execute(t, static_cast<int>(c.args[0]), std::move(path), c.args[2], c.args[3]);
}

}  // namespace tiercel::user
