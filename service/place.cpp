#include "service/place.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/own_path.h"
#include "service/messages.h"
#include "service/own_descriptors.h"

namespace tiercel::service {
namespace {

/// fork() without the C library's handlers, and with a child that wait() does not see.
pid_t quiet_fork() {
  return static_cast<pid_t>(syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
}

struct KernelSigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  unsigned long mask;
};

/// In a copy of this process: only system calls.
[[noreturn]] void become_daemon(const char* compiler, const char* directory) {
  const char* const argv[] = {compiler, "--serve", directory, nullptr};
  const char* const envp[] = {"LANG=C", nullptr};
  const KernelSigaction standard = {};
  const unsigned long nothing = 0;
  for (int signal = 1; signal <= 64; ++signal) syscall(SYS_rt_sigaction, signal, &standard, nullptr, sizeof nothing);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, nullptr, sizeof nothing);
  syscall(SYS_close_range, 0, ~0U, 0);
  syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
  syscall(SYS_dup, 0);
  syscall(SYS_dup, 0);
  syscall(SYS_execve, compiler, argv, envp);
  syscall(SYS_exit_group, 127);
  __builtin_unreachable();
}

struct Launch {
  const char *compiler, *directory;
  bool done = false;
};

/// In a process of its own, whose end leaves the daemon without a parent.
void launch(void* raw) {
  Launch& l = *static_cast<Launch*>(raw);
  syscall(SYS_setsid);
  const pid_t pid = quiet_fork();
  if (pid == 0) become_daemon(l.compiler, l.directory);
  l.done = pid > 0;
}

void launch_in_own_process(void* raw) {
  run_in_own_process(launch, raw);
}

}  // namespace

Result<std::string> socket_directory() {
  std::string directory;
  if (const char* own = std::getenv("TIERCEL_SERVICE_DIR"); own && *own)
    directory = own;
  else if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime && *runtime == '/')
    directory = fmt::format("{}/tiercel", runtime);
  else
    directory = fmt::format("/tmp/tiercel-{}", getuid());
  if (mkdir(directory.c_str(), 0700) < 0 && errno != EEXIST)
    return fail(errno, fmt::format("cannot create {}: {}", directory, std::strerror(errno)));
  struct stat info;
  if (lstat(directory.c_str(), &info) < 0)
    return fail(errno, fmt::format("cannot look at {}: {}", directory, std::strerror(errno)));
  if (!S_ISDIR(info.st_mode) || info.st_uid != getuid() || (info.st_mode & 077) != 0)
    return fail(EPERM, fmt::format("{} is not a directory that only this user can enter", directory));
  return directory;
}

std::string socket_path(const std::string& directory, const std::string& compiler) {
  struct stat info = {};
  stat(compiler.c_str(), &info);
  return fmt::format("{}/{:016x}-{:x}-{:x}", directory, protocol_stamp(), info.st_size,
                     static_cast<u64>(info.st_mtim.tv_sec) * 1'000'000'000 + static_cast<u64>(info.st_mtim.tv_nsec));
}

int connect_to(const std::string& path, int& pid) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (s < 0) return -1;
  ucred peer = {};
  socklen_t size = sizeof peer;
  int error = 0;
  if (connect(s, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    error = errno;
  else if (peer.uid != getuid())
    error = EPERM;
  if (error != 0) {
    close(s);
    errno = error;
    return -1;
  }
  pid = peer.pid;
  return s;
}

bool start_daemon(const std::string& compiler, const std::string& directory) {
  Launch l{compiler.c_str(), directory.c_str()};
  return run_with_own_descriptors(launch_in_own_process, &l) && l.done;
}

std::string compiler_path() {
  return path_beside_us("tiercel-compiler");
}

}  // namespace tiercel::service
