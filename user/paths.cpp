#include "user/paths.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tiercel::user {

namespace {

/// The path a descriptor stands for, or empty.
std::string path_of(int fd) {
  char link[32], path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path);
  return n > 0 && path[0] == '/' ? std::string(path, static_cast<std::size_t>(n)) : std::string();
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.substr(0, directory.size()) == directory &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

/// Splits "/a/b/c//" into "/a/b/" and "c//".
std::size_t last_component(const std::string& path) {
  std::size_t end = path.size();
  while (end > 1 && path[end - 1] == '/') --end;
  return path.rfind('/', end - 1) + 1;
}

}  // namespace

Paths::Paths(const std::string& root, bool strict) : strict_(strict) {
  if (root.empty()) return;
  char resolved[PATH_MAX];
  root_ = realpath(root.c_str(), resolved) ? resolved : root;
  if (root_ == "/") root_.clear();
}

bool Paths::is_host_only(const std::string& absolute) const {
  for (const std::string_view directory : {"/proc", "/sys", "/dev"})
    if (is_below(absolute, directory)) return true;
  return !strict_ && is_below(absolute, "/tmp");
}

Paths::HostPath Paths::in_root(const std::string& path, Last last) const {
  const int root = open(root_.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY);
  if (root < 0) return {errno, {}};
  const open_how how{.flags = static_cast<u64>(O_PATH | O_CLOEXEC | (last == Last::Keep ? O_NOFOLLOW : 0)),
                     .mode = 0,
                     .resolve = RESOLVE_IN_ROOT};
  const int fd = static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
  HostPath found{fd < 0 ? errno : 0, {}};
  if (fd >= 0) {
    found.path = path_of(fd);
    if (found.path.empty()) found.error = ENOENT;
    ::close(fd);
  }
  ::close(root);
  return found;
}

Paths::HostPath Paths::resolve_absolute(const std::string& path, Last last, Use use) const {
  if (is_host_only(path)) return {0, path};
  const bool wants_directory = path.size() > 1 && path.back() == '/';
  HostPath found = in_root(path, wants_directory ? Last::Follow : last);
  if (found.error == 0) {
    if (wants_directory) found.path += '/';
    return found;
  }
  if (found.error == ELOOP || found.error == ENAMETOOLONG || found.error == EACCES) return found;
  if (!strict_ && use == Use::Look) {
    // The host's own file, if there is one; links in it are the host's.
    struct stat info;
    if (lstat(path.c_str(), &info) == 0) return {0, path};
  }
  // Nobody has it: a name to be made, or to be reported as missing, where its directory is.
  const std::size_t cut = last_component(path);
  const HostPath parent = in_root(path.substr(0, cut), Last::Follow);
  if (parent.error == 0) return {0, parent.path + "/" + path.substr(cut)};
  return strict_ ? HostPath{parent.error, {}} : HostPath{0, path};
}

Paths::HostPath Paths::resolve(int dirfd, const char* path, Last last, Use use) const {
  if (root_.empty() || *path == '\0') return {0, path};
  if (*path == '/') return resolve_absolute(path, last, use);
  std::string base;
  if (dirfd == AT_FDCWD) {
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof cwd)) base = cwd;
  } else {
    base = path_of(dirfd);
  }
  // Relative to a directory outside the root: the host's files, unchanged.
  if (base.empty() || !is_below(base, root_)) return {0, path};
  const std::string absolute = base.substr(root_.size()) + "/" + path;
  HostPath found = in_root(absolute, last);
  if (found.error == 0) {
    if (absolute.back() == '/') found.path += '/';
    return found;
  }
  if (found.error == ELOOP) return found;
  // A name to be made. The directory's links are followed inside the root, the last component stays.
  const std::size_t cut = last_component(absolute);
  const HostPath parent = in_root(absolute.substr(0, cut), Last::Follow);
  if (parent.error == 0) return {0, parent.path + "/" + absolute.substr(cut)};
  return {found.error, {}};
}

std::string Paths::guest_view(const std::string& host_path) const {
  if (root_.empty() || !is_below(host_path, root_)) return host_path;
  std::string view = host_path.substr(root_.size());
  return view.empty() ? "/" : view;
}

}  // namespace tiercel::user
