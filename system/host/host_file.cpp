#include "system/host/host_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace tiercel::system {
namespace {

constexpr std::size_t kMostVectors = 1024;  // IOV_MAX

template <typename Call>
Result<void> transfer(const std::string& path, const char* what, Call call, int fd, u64 offset,
                      std::span<const iovec> pieces) {
  std::vector<iovec> left(pieces.begin(), pieces.end());
  std::size_t first = 0;
  while (first < left.size()) {
    const int count = static_cast<int>(std::min(left.size() - first, kMostVectors));
    const ssize_t done = call(fd, &left[first], count, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0)
      return fail(errno, fmt::format("{}: cannot {} at byte {}: {}", path, what, offset, std::strerror(errno)));
    std::size_t n = static_cast<std::size_t>(done);
    offset += n;
    const bool stuck = n == 0 && left[first].iov_len != 0;
    if (stuck) return fail(EIO, fmt::format("{}: cannot {} at byte {}: the file ends there", path, what, offset));
    for (; first < left.size() && n >= left[first].iov_len; ++first) n -= left[first].iov_len;
    if (n != 0) {
      left[first].iov_base = static_cast<u8*>(left[first].iov_base) + n;
      left[first].iov_len -= n;
    }
  }
  return {};
}

Result<u64> size_of(const std::string& path, int fd) {
  struct stat st = {};
  u64 bytes = 0;
  if (fstat(fd, &st) != 0) return fail(errno, fmt::format("{}: {}", path, std::strerror(errno)));
  if (S_ISREG(st.st_mode)) return static_cast<u64>(st.st_size);
  if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &bytes) == 0) return bytes;
  return fail(EINVAL, fmt::format("{} is neither a file nor a block device", path));
}

}  // namespace

Result<HostFile> HostFile::open(const std::string& path, bool read_only) {
  const int fd = ::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  if (fd < 0) return fail(errno, fmt::format("cannot open disk {}: {}", path, std::strerror(errno)));
  HostFile file(path, fd, 0, read_only);
  const Result<u64> size = size_of(path, fd);
  if (!size) return tl::unexpected(size.error());
  file.size_ = *size;
  if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0)
    return fail(EBUSY, fmt::format("disk {} is in use by another machine", path));
  return file;
}

Result<HostFile> HostFile::temporary() {
  const char* given = std::getenv("TMPDIR");
  const std::string folder = given && *given ? given : "/var/tmp";
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return fail(errno, fmt::format("cannot make a temporary file in {}: {}", folder, std::strerror(errno)));
  return HostFile("temporary file", fd, 0, false);
}

HostFile::HostFile(HostFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      read_only_(other.read_only_) {}

HostFile::~HostFile() {
  if (fd_ >= 0) close(fd_);
}

Result<void> HostFile::read(u64 offset, std::span<const iovec> to) const {
  return transfer(path_, "read", preadv, fd_, offset, to);
}

Result<void> HostFile::read(u64 offset, std::span<u8> to) const {
  const iovec piece{to.data(), to.size()};
  return read(offset, {&piece, 1});
}

Result<void> HostFile::write(u64 offset, std::span<const iovec> from) {
  u64 end = offset;
  for (const iovec& piece : from) end += piece.iov_len;
  Result<void> done = transfer(path_, "write", pwritev, fd_, offset, from);
  if (done) size_ = std::max(size_, end);
  return done;
}

Result<void> HostFile::write(u64 offset, std::span<const u8> from) {
  const iovec piece{const_cast<u8*>(from.data()), from.size()};
  return write(offset, {&piece, 1});
}

Result<void> HostFile::flush() {
  if (fdatasync(fd_) != 0) return fail(errno, fmt::format("{}: cannot flush: {}", path_, std::strerror(errno)));
  return {};
}

bool HostFile::allocate(int mode, u64 offset, u64 bytes) {
  return fallocate(fd_, mode | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0;
}

Result<void> HostFile::serialize(Snapshot& snapshot, const std::string& name) const {
  struct stat st = {};
  if (fstat(fd_, &st) != 0) return fail(errno, fmt::format("{}: {}", path_, std::strerror(errno)));
  struct Content {
    u64 size;
    s64 seconds = 0, nanoseconds = 0;
    bool operator==(const Content&) const = default;
  } now{size_};
  if (S_ISREG(st.st_mode)) now.seconds = st.st_mtim.tv_sec, now.nanoseconds = st.st_mtim.tv_nsec;
  return snapshot.section(name, [&](Archive& state) {
    Content then = now;
    state(then.size, then.seconds, then.nanoseconds);
    if (then.size != now.size)
      state.refuse(fmt::format("disk {} has {} bytes, and had {}", path_, now.size, then.size));
    else if (then != now)
      state.refuse(fmt::format("disk {} was changed since (its time of last change is another one)", path_));
  });
}

}  // namespace tiercel::system
