#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "system/host/block_store.h"

namespace tiercel::system {
namespace {

constexpr std::size_t kMostVectors = 1024;  // IOV_MAX
constexpr u64 kZeroChunk = 64 << 10;

Result<void> failed(const std::string& path, const char* what, u64 offset, int error) {
  return fail(error, fmt::format("{}: cannot {} at byte {}: {}", path, what, offset, std::strerror(error)));
}

class RawDisk final : public BlockStore {
 public:
  RawDisk(std::string path, int fd, u64 size, bool read_only)
      : path_(std::move(path)), fd_(fd), size_(size), read_only_(read_only) {}
  ~RawDisk() override { close(fd_); }
  RawDisk(const RawDisk&) = delete;
  RawDisk& operator=(const RawDisk&) = delete;

  u64 size() const override { return size_; }
  bool read_only() const override { return read_only_; }
  Result<void> read(u64 offset, std::span<const iovec> to) override { return transfer("read", preadv, offset, to); }
  Result<void> write(u64 offset, std::span<const iovec> from) override {
    return transfer("write", pwritev, offset, from);
  }
  Result<void> flush() override {
    if (fdatasync(fd_) != 0) return failed(path_, "flush", 0, errno);
    return {};
  }

  Result<void> zero(u64 offset, u64 bytes, bool may_unmap) override {
    const int mode = may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
    if (bytes == 0 || allocate(mode, offset, bytes)) return {};
    static constexpr std::array<u8, kZeroChunk> kZeroes = {};
    while (bytes != 0) {
      const u64 n = std::min(bytes, kZeroChunk);
      const iovec zeroes{const_cast<u8*>(kZeroes.data()), n};
      if (Result<void> written = write(offset, {&zeroes, 1}); !written) return written;
      offset += n, bytes -= n;
    }
    return {};
  }

  void discard(u64 offset, u64 bytes) override {
    if (bytes != 0) allocate(FALLOC_FL_PUNCH_HOLE, offset, bytes);
  }

 private:
  bool allocate(int mode, u64 offset, u64 bytes) const {
    return fallocate(fd_, mode | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0;
  }

  template <typename Call>
  Result<void> transfer(const char* what, Call call, u64 offset, std::span<const iovec> pieces) const {
    std::vector<iovec> left(pieces.begin(), pieces.end());
    std::size_t first = 0;
    while (first < left.size()) {
      const int count = static_cast<int>(std::min(left.size() - first, kMostVectors));
      const ssize_t done = call(fd_, &left[first], count, static_cast<off_t>(offset));
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return failed(path_, what, offset, done < 0 ? errno : EIO);
      offset += static_cast<u64>(done);
      std::size_t n = static_cast<std::size_t>(done);
      for (; first < left.size() && n >= left[first].iov_len; ++first) n -= left[first].iov_len;
      if (n != 0) {
        left[first].iov_base = static_cast<u8*>(left[first].iov_base) + n;
        left[first].iov_len -= n;
      }
    }
    return {};
  }

  std::string path_;
  int fd_;
  u64 size_;
  bool read_only_;
};

Result<u64> size_of(const std::string& path, int fd) {
  struct stat st = {};
  u64 bytes = 0;
  if (fstat(fd, &st) != 0) return fail(errno, fmt::format("{}: {}", path, std::strerror(errno)));
  if (S_ISREG(st.st_mode)) return static_cast<u64>(st.st_size);
  if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &bytes) == 0) return bytes;
  return fail(EINVAL, fmt::format("{} is neither a file nor a block device", path));
}

}  // namespace

Result<std::unique_ptr<BlockStore>> open_raw_disk(const std::string& path, bool read_only) {
  const int fd = open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  if (fd < 0) return fail(errno, fmt::format("cannot open disk {}: {}", path, std::strerror(errno)));
  const Result<u64> size = size_of(path, fd);
  if (!size) {
    close(fd);
    return tl::unexpected(size.error());
  }
  if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    close(fd);
    return fail(EBUSY, fmt::format("disk {} is in use by another machine", path));
  }
  return std::make_unique<RawDisk>(path, fd, *size, read_only);
}

}  // namespace tiercel::system
