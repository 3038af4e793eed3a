#include "user/syscalls/guest_path.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "user/process.h"
#include "user/syscalls/guest_access.h"

namespace tiercel::user {

namespace {

/// Most paths are not below /proc; this answers for them without a copy.
bool may_be_proc(u64 address) {
  u8 head[6];
  return engine::guarded_copy(head, reinterpret_cast<const void*>(address), sizeof head) == 0 &&
         std::memcmp(head, "/proc/", sizeof head) == 0;
}

}  // namespace

s64 read_guest_string(u64 address, std::string& out) {
  const s64 length = engine::guarded_strlen(address, PATH_MAX);
  if (length < 0) return -EFAULT;
  if (length >= PATH_MAX) return -ENAMETOOLONG;
  out.resize(static_cast<std::size_t>(length));
  return engine::guarded_copy(out.data(), reinterpret_cast<const void*>(address), out.size()) == 0 ? 0 : -EFAULT;
}

const char* own_proc_entry(const char* path) {
  if (std::strncmp(path, "/proc/", 6) != 0) return nullptr;
  path += 6;
  for (const char* name : {"self/", "thread-self/"})
    if (std::strncmp(path, name, std::strlen(name)) == 0) return path + std::strlen(name);
  char own[16];
  const int n = std::snprintf(own, sizeof own, "%d/", getpid());
  return std::strncmp(path, own, static_cast<std::size_t>(n)) == 0 ? path + n : nullptr;
}

GuestPath::GuestPath(Thread& thread, int dirfd, u64 address, Paths::Last last, Paths::Use use) {
  const Process& process = thread.process();
  path_ = reinterpret_cast<const char*>(address);
  if (address == 0) return;  // the kernel says EFAULT, or takes it as "no path"
  proc_ = may_be_proc(address);
  if (!proc_ && !process.paths().has_root()) return;
  if (error_ = read_guest_string(address, storage_); error_ != 0) return;
  if (proc_) {
    if (const char* entry = own_proc_entry(storage_.c_str())) proc_entry_ = entry;
    if (proc_entry_ == "exe" && last == Paths::Last::Follow) storage_ = process.program().host_path;
  } else {
    Paths::HostPath found = process.paths().resolve(dirfd, storage_.c_str(), last, use);
    error_ = -found.error;
    storage_ = std::move(found.path);
  }
  path_ = storage_.c_str();
}

}  // namespace tiercel::user
