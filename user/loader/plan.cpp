// What executing a path means: regular file, permissions, scripts, the loader it asks for.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "user/loader/loader.h"

namespace tiercel::user {

namespace {

constexpr int kMaxScripts = 5;           // as Linux: more nesting is ELOOP
constexpr std::size_t kHeadBytes = 256;  // what Linux looks at to recognise a file

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> system_failure(const std::string& path, int error) {
  return fail(error, fmt::format("{}: {}", path, std::strerror(error)));
}

/// Opens a program file after the checks execve makes.
Result<int> open_program(const std::string& host_path, const std::string& shown, struct stat& info) {
  if (stat(host_path.c_str(), &info) < 0) return system_failure(shown, errno);
  if (S_ISDIR(info.st_mode)) return fail(EACCES, fmt::format("{}: is a directory", shown));
  if (!S_ISREG(info.st_mode)) return fail(EACCES, fmt::format("{}: not a regular file", shown));
  if (faccessat(AT_FDCWD, host_path.c_str(), X_OK, AT_EACCESS) < 0)
    return fail(EACCES, fmt::format("{}: not executable (permission denied)", shown));
  const int fd = open(host_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_failure(shown, errno);
  return fd;
}

Result<void> check_elf(const Paths& paths, int fd, const struct stat& info, const std::string& shown) {
  const auto image = parse_elf(FileSource(fd, static_cast<u64>(info.st_size)), shown);
  if (!image) return tl::unexpected(image.error());
  if (image->interpreter.empty()) return {};
  const Paths::HostPath loader = paths.resolve(AT_FDCWD, image->interpreter.c_str(), Paths::Last::Follow);
  if (loader.error == 0 && access(loader.path.c_str(), R_OK) == 0) return {};
  return fail(ENOENT, fmt::format("{}: its loader {} is missing; give the directory of an arm64 system with --root",
                                  shown, image->interpreter));
}

}  // namespace

Result<ExecPlan> plan_exec(const Paths& paths, int dirfd, const std::string& path) {
  ExecPlan plan;
  plan.guest_path = plan.exec_name = path;
  for (int depth = 0;; ++depth) {
    if (depth > kMaxScripts) return fail(ELOOP, fmt::format("{}: scripts nested more than {} deep", path, kMaxScripts));
    const Paths::HostPath host = paths.resolve(dirfd, plan.guest_path.c_str(), Paths::Last::Follow);
    if (host.error != 0) return system_failure(plan.guest_path, host.error);
    plan.host_path = host.path;
    if (plan.host_path[0] != '/' && dirfd != AT_FDCWD)
      plan.host_path = fmt::format("/proc/self/fd/{}/{}", dirfd, host.path);
    struct stat info;
    auto fd = open_program(plan.host_path, plan.guest_path, info);
    if (!fd) return tl::unexpected(fd.error());
    const Descriptor file(*fd);
    u8 head[kHeadBytes];
    const ssize_t n = pread(file.get(), head, sizeof head, 0);
    if (n < 0) return system_failure(plan.guest_path, errno);
    const std::span<const u8> bytes(head, static_cast<std::size_t>(n));
    plan.kind = classify(bytes);
    if (plan.kind == FileKind::HostElf) return plan;
    if (plan.kind != FileKind::Script) {
      if (auto ok = check_elf(paths, file.get(), info, plan.guest_path); !ok) return tl::unexpected(ok.error());
      return plan;
    }
    auto script = parse_script_line(bytes, plan.guest_path);
    if (!script) return tl::unexpected(script.error());
    // "interpreter [argument] script args...": the script takes the place of argv[0].
    if (plan.prefix.empty()) plan.prefix.push_back(path);
    plan.prefix[0] = plan.guest_path;
    if (!script->argument.empty()) plan.prefix.insert(plan.prefix.begin(), script->argument);
    plan.prefix.insert(plan.prefix.begin(), script->interpreter);
    plan.guest_path = script->interpreter;
    dirfd = AT_FDCWD;
  }
}

}  // namespace tiercel::user
