#include "debug/gdb/host_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <optional>

#include "debug/gdb/packet.h"

namespace tiercel::debug::gdb {
namespace {

constexpr std::size_t kMaxOpen = 64;
constexpr u64 kMaxRead = kMaxPayload / 2 - 64;  // every byte may need an escape

/// GDB manual, "Errno Values": the numbers are Linux's but for one.
std::string failure(int error) {
  constexpr int kNameTooLong = 91;
  return fmt::format("F-1,{:x}", error == ENAMETOOLONG ? kNameTooLong : error);
}
std::string success(u64 result) {
  return fmt::format("F{:x}", result);
}
std::string success(u64 result, std::string_view attachment) {
  return fmt::format("F{:x};{}", result, attachment);
}

/// GDB manual, "Struct stat": big-endian fields without gaps.
std::string encode(const struct stat& info) {
  std::string out;
  const auto put = [&out](u64 value, int bytes) {
    for (int i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i));
  };
  put(info.st_dev, 4);
  put(info.st_ino, 4);
  put(info.st_mode, 4);
  put(info.st_nlink, 4);
  put(info.st_uid, 4);
  put(info.st_gid, 4);
  put(info.st_rdev, 4);
  put(static_cast<u64>(info.st_size), 8);
  put(static_cast<u64>(info.st_blksize), 8);
  put(static_cast<u64>(info.st_blocks), 8);
  put(static_cast<u64>(info.st_atime), 4);
  put(static_cast<u64>(info.st_mtime), 4);
  put(static_cast<u64>(info.st_ctime), 4);
  return out;
}

/// A path in hexadecimal digits; it holds no NUL.
std::optional<std::string> path_of(std::string_view digits) {
  std::optional<std::string> path = from_hex(digits);
  if (!path || path->empty() || path->find('\0') != std::string::npos) return {};
  return path;
}

}  // namespace

HostFiles::~HostFiles() {
  for (const auto& [number, fd] : open_) ::close(fd);
}

int HostFiles::find(u64 number) const {
  const auto it = open_.find(number);
  return it == open_.end() ? -1 : it->second;
}

std::string HostFiles::answer(std::string_view packet) {
  Cursor cursor(packet);
  const std::string_view call = cursor.until(':');
  if (call == "setfs") return success(0);  // all threads see the same files
  if (call == "open") return open(cursor.rest());
  if (call == "close") return close(cursor.rest());
  if (call == "pread") return pread(cursor.rest());
  if (call == "fstat") return fstat(cursor.rest());
  if (call == "readlink") return readlink(cursor.rest());
  if (call == "pwrite" || call == "unlink") return failure(EPERM);
  return {};
}

std::string HostFiles::open(std::string_view arguments) {
  Cursor cursor(arguments);
  const std::optional<std::string> path = path_of(cursor.until(','));
  const std::optional<u64> flags = cursor.number();
  if (!path || !flags) return failure(EINVAL);
  if (*flags != 0) return failure(EROFS);  // O_RDONLY
  if (open_.size() >= kMaxOpen) return failure(EMFILE);
  const std::optional<std::string> host = target_.host_path(*path);
  if (!host) return failure(ENOENT);
  const int fd = ::open(host->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return failure(errno);
  open_[next_] = fd;
  return success(next_++);
}

std::string HostFiles::close(std::string_view arguments) {
  const std::optional<u64> number = Cursor(arguments).number();
  const int fd = number ? find(*number) : -1;
  if (fd < 0) return failure(EBADF);
  ::close(fd);
  open_.erase(*number);
  return success(0);
}

std::string HostFiles::pread(std::string_view arguments) {
  Cursor cursor(arguments);
  const std::optional<u64> number = cursor.number();
  if (!number || !cursor.skip(",")) return failure(EINVAL);
  const std::optional<u64> count = cursor.number();
  if (!count || !cursor.skip(",")) return failure(EINVAL);
  const std::optional<u64> offset = cursor.number();
  if (!offset || *offset > LLONG_MAX) return failure(EINVAL);
  const int fd = find(*number);
  if (fd < 0) return failure(EBADF);
  std::string bytes(std::min(*count, kMaxRead), '\0');
  const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(*offset));
  if (n < 0) return failure(errno);
  bytes.resize(static_cast<std::size_t>(n));
  return success(bytes.size(), bytes);
}

std::string HostFiles::fstat(std::string_view arguments) {
  const std::optional<u64> number = Cursor(arguments).number();
  const int fd = number ? find(*number) : -1;
  if (fd < 0) return failure(EBADF);
  struct stat info;
  if (::fstat(fd, &info) < 0) return failure(errno);
  const std::string bytes = encode(info);
  return success(bytes.size(), bytes);
}

std::string HostFiles::readlink(std::string_view arguments) {
  const std::optional<std::string> path = path_of(arguments);
  if (!path) return failure(EINVAL);
  const std::optional<std::string> host = target_.host_path(*path);
  if (!host) return failure(ENOENT);
  std::array<char, PATH_MAX> target;
  const ssize_t n = ::readlink(host->c_str(), target.data(), target.size());
  if (n < 0) return failure(errno);
  return success(static_cast<u64>(n), std::string_view(target.data(), static_cast<std::size_t>(n)));
}

}  // namespace tiercel::debug::gdb
