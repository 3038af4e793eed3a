#include "user/paths.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tiercel::user {

namespace {

/// The path a descriptor of the calling thread stands for, or empty.
std::string path_of(int fd) {
  char link[32], path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/thread-self/fd/%d", fd);
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

/// Whether the host's kernel meets a symbolic link on the way to `path` (with Last::Keep: before its last component).
bool meets_link(const std::string& path, bool keep_last) {
  const open_how how{.flags = static_cast<u64>(O_PATH | O_CLOEXEC | (keep_last ? O_NOFOLLOW : 0)),
                     .mode = 0,
                     .resolve = RESOLVE_NO_SYMLINKS};
  const int fd = static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
  if (fd < 0) return errno == ELOOP;
  ::close(fd);
  return false;
}

/// Where the last component ".." of `path` ends; 0 when there is none.
std::size_t end_of_steps_up(std::string_view path) {
  for (std::size_t at = path.rfind("/.."); at != path.npos; at = at == 0 ? path.npos : path.rfind("/..", at - 1))
    if (at + 3 == path.size() || path[at + 3] == '/') return at + 3;
  return 0;
}

/// "/a//b/./c/" as "/a/b/c/".
std::string without_empty_steps(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view step = path.substr(at, end - at);
    if ((step != "/" || end == path.size()) && step != "/.") out += step;
    at = end;
  }
  return out.empty() ? "/" : out;
}

constexpr unsigned kMaxLinks = 40;

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

std::string Paths::without_steps_up(const std::string& absolute) const {
  const std::size_t up = end_of_steps_up(absolute);
  if (up == 0) return without_empty_steps(absolute);
  // Most paths with ".." stay where they are, and need no walk.
  if (!is_host_only(absolute) && !is_host_only(without_empty_steps(absolute.substr(up)))) return absolute;
  std::string at = "/";  // the guest's name of a directory, free of links once `known`
  bool known = true;
  std::string_view rest = absolute;
  while (!rest.empty()) {
    rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
    const std::string_view step = rest.substr(0, rest.find('/'));
    rest.remove_prefix(step.size());
    if (step.empty() || step == ".") continue;
    if (step != "..") {
      if (at.back() != '/') at += '/';
      at += step;
      known = false;
      continue;
    }
    char real[PATH_MAX];
    if (!known && !realpath(resolve_absolute(at, Last::Follow, Use::Look).path.c_str(), real)) return absolute;
    if (!known) at = guest_view(real);
    at.resize(std::max<std::size_t>(at.rfind('/'), 1));
    known = true;
  }
  if (absolute.back() == '/' && at.back() != '/') at += '/';
  return at;
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

std::string Paths::linked_name(const std::string& path, Last last) const {
  if (!meets_link(path, last == Last::Keep)) return {};
  std::string at, rest = path;  // `at` is free of links
  for (unsigned links = 0; links < kMaxLinks;) {
    const std::size_t start = rest.find_first_not_of('/');
    if (start == rest.npos) return {};
    const std::size_t end = std::min(rest.find('/', start), rest.size());
    const std::string step = rest.substr(start, end - start);
    rest.erase(0, end);
    if (step == "..") at.resize(at.rfind('/') == at.npos ? 0 : at.rfind('/'));
    if (step == "." || step == "..") continue;
    char target[PATH_MAX];
    const ssize_t n = rest.empty() && last == Last::Keep ? -1 : readlink((at + "/" + step).c_str(), target, PATH_MAX);
    if (n < 0) {
      at += "/" + step;
      continue;
    }
    rest.insert(0, target, static_cast<std::size_t>(n));
    if (target[0] == '/') return rest;
    ++links;
  }
  return {};
}

Paths::HostPath Paths::on_host(const std::string& path, Last last, Use use, unsigned links) const {
  const std::string name = linked_name(path, last);
  if (name.empty()) return {0, path};
  if (links == kMaxLinks) return {ELOOP, {}};
  return resolve_absolute(without_steps_up(name), last, use, links + 1);
}

Paths::HostPath Paths::missing(const std::string& path, Last last, Use use, unsigned links) const {
  const std::size_t cut = last_component(path);
  const HostPath parent = in_root(path.substr(0, cut), Last::Follow);
  if (parent.error != 0) return parent;
  std::string name = parent.path + "/" + path.substr(cut);
  const std::string plain = name.substr(0, name.find_last_not_of('/') + 1);
  char target[PATH_MAX];
  const ssize_t n = last == Last::Follow ? readlink(plain.c_str(), target, sizeof target) : -1;
  if (n < 0) return {0, std::move(name)};
  // A link that leads nowhere in the root. The host's kernel would follow it outside.
  if (links == kMaxLinks) return {ELOOP, {}};
  std::string next(target, static_cast<std::size_t>(n));
  if (next[0] != '/') next = guest_view(parent.path) + "/" + next;
  return resolve_absolute(without_steps_up(next), last, use, links + 1);
}

Paths::HostPath Paths::resolve_absolute(const std::string& path, Last last, Use use, unsigned links) const {
  // The links below /proc and /dev are the kernel's.
  if (is_host_only(path)) return is_below(path, "/tmp") ? on_host(path, last, use, links) : HostPath{0, path};
  const bool wants_directory = path.size() > 1 && path.back() == '/';
  HostPath found = in_root(path, wants_directory ? Last::Follow : last);
  if (found.error == 0) {
    if (wants_directory) found.path += '/';
    return found;
  }
  if (found.error == ELOOP || found.error == ENAMETOOLONG || found.error == EACCES) return found;
  if (!strict_ && use == Use::Look) {
    // The host's own file, if there is one.
    struct stat info;
    if (lstat(path.c_str(), &info) == 0) return on_host(path, last, use, links);
  }
  // Nobody has it.
  HostPath made = missing(path, last, use, links);
  return made.error == 0 || made.error == ELOOP || strict_ ? made : on_host(path, last, use, links);
}

Paths::HostPath Paths::resolve(int dirfd, const char* path, Last last, Use use) const {
  if (root_.empty() || *path == '\0') return {0, path};
  if (*path == '/') {
    const std::string whole = without_steps_up(path);
    return resolve_absolute(is_host_only(whole) == is_host_only(path) ? path : whole, last, use);
  }
  std::string base;
  if (dirfd == AT_FDCWD) {
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof cwd)) base = cwd;
  } else {
    base = path_of(dirfd);
  }
  if (base.empty()) return {0, path};
  const bool inside = is_below(base, root_);
  const std::string absolute = guest_view(base) + "/" + path;
  // Between the root and the directories that the host lends to it: steps like those from "/" to "tmp", or from
  // "/tmp/x" to "../../usr", are what the whole path would be.
  if (inside || is_host_only(base)) {
    const std::string whole = without_steps_up(absolute);
    if (is_host_only(whole) == inside) return resolve_absolute(whole, last, use);
  }
  // Relative to any other directory outside the root: the host's files.
  if (!inside) {
    if (is_below(base, "/proc") || linked_name(absolute, last).empty()) return {0, path};
    return on_host(absolute, last, use, 0);
  }
  HostPath found = in_root(absolute, last);
  if (found.error == 0) {
    if (absolute.back() == '/') found.path += '/';
    return found;
  }
  if (found.error == ELOOP) return found;
  HostPath made = missing(absolute, last, use, 0);
  return made.error == 0 || made.error == ELOOP ? made : HostPath{found.error, {}};
}

std::string Paths::guest_view(const std::string& host_path) const {
  if (root_.empty() || !is_below(host_path, root_)) return host_path;
  std::string view = host_path.substr(root_.size());
  return view.empty() ? "/" : view;
}

}  // namespace tiercel::user
