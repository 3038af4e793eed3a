// Guest paths under --root. An absolute path leads into the root when it exists there, else to the host's file of the
// same name. What is made, changed or removed is in the root whenever its directory is, so that a guest's package
// manager never touches the host's. Symbolic links met on the way are followed inside the root. /proc, /sys, /dev and
// /tmp are always the host's unless the root is strict; then only /tmp is the root's.
#pragma once

#include <climits>
#include <string>

#include "base/types.h"

namespace tiercel::user {

class Paths {
 public:
  Paths() = default;
  /// `root` may be empty. It is made absolute and free of links.
  Paths(const std::string& root, bool strict);

  bool has_root() const { return !root_.empty(); }
  const std::string& root() const { return root_; }
  bool strict() const { return strict_; }

  enum class Last : u8 { Follow, Keep };  // what happens to a symbolic link in the last component
  enum class Use : u8 { Look, Change };   // Change: make, write, rename, remove, ...
  struct HostPath {
    int error = 0;  // errno
    std::string path;
  };
  /// The host path for the guest path `path` (relative ones as seen from `dirfd`, or AT_FDCWD).
  HostPath resolve(int dirfd, const char* path, Last last, Use use = Use::Look) const;

  /// How the guest sees a host path: without the root in front.
  std::string guest_view(const std::string& host_path) const;

 private:
  bool is_host_only(const std::string& absolute) const;
  /// `absolute` without "." and "..", as the guest would walk it, if it could lead into or out of a directory that is
  /// the host's only; unchanged where that walk ends too early.
  std::string without_steps_up(const std::string& absolute) const;
  /// `links`: how many links without a target in the root have led here.
  HostPath resolve_absolute(const std::string& path, Last last, Use use, unsigned links = 0) const;
  /// `path` is the host's, but a link there with an absolute target means what the guest sees under that name: it may
  /// have made the link itself.
  HostPath on_host(const std::string& path, Last last, Use use, unsigned links) const;
  /// The absolute path that the first such link makes of `path`; empty without one.
  std::string linked_name(const std::string& path, Last last) const;
  /// `path` has no file in the root: a name to be made, or to be reported as missing, in the directory it is in.
  HostPath missing(const std::string& path, Last last, Use use, unsigned links) const;
  HostPath in_root(const std::string& path, Last last) const;

  std::string root_;  // without a trailing slash
  bool strict_ = false;
};

}  // namespace tiercel::user
