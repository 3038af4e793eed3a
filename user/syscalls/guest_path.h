// Path arguments of system calls: from guest memory to a path for the host kernel.
#pragma once

#include <string>

#include "user/paths.h"
#include "user/syscalls/dispatch.h"

namespace tiercel::user {

/// Either an error (negative errno) or a path that lives as long as this object (or is the guest's own string).
class GuestPath {
 public:
  GuestPath(Thread& thread, int dirfd, u64 address, Paths::Last last, Paths::Use use = Paths::Use::Look);
  GuestPath(const GuestPath&) = delete;
  GuestPath& operator=(const GuestPath&) = delete;

  s64 error() const { return error_; }
  u64 host() const { return reinterpret_cast<u64>(path_); }
  /// The path in storage of ours; only when is_proc.
  const char* text() const { return path_; }
  bool is_proc() const { return proc_; }
  /// The part below /proc/self (of whatever spelling), or null.
  const char* proc_entry() const { return proc_entry_.empty() ? nullptr : proc_entry_.c_str(); }

 private:
  std::string storage_, proc_entry_;
  const char* path_ = nullptr;
  s64 error_ = 0;
  bool proc_ = false;
};

/// A string in guest memory of at most PATH_MAX bytes; 0 or -errno.
s64 read_guest_string(u64 address, std::string& out);

/// If `path` is below /proc/self, /proc/thread-self or /proc/<our pid>, the rest of it ("exe", "maps", ...); else null.
const char* own_proc_entry(const char* path);

}  // namespace tiercel::user
