#include "system/snapshot/snapshot_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/descriptor.h"

namespace tiercel::system {
namespace {

// Raised whenever a section's fields change.
constexpr u32 kFormat = 1;
constexpr u64 kMagic = 0x50414e534c435254;  // "TRCLSNAP"
constexpr std::size_t kBuffer = 1 << 20;

struct Head {
  u64 magic = kMagic;
  u32 format = kFormat;
  u32 checksum = 0;  // CRC-32 of what follows
  u64 size = 0;      // of what follows
};
static_assert(sizeof(Head) == 24);

u32 checksum(u32 before, std::span<const u8> bytes) {
  return static_cast<u32>(crc32(before, bytes.data(), static_cast<uInt>(bytes.size())));
}

tl::unexpected<Error> io_error(const char* what, const std::string& path) {
  return fail(errno, fmt::format("cannot {} snapshot {}: {}", what, path, std::strerror(errno)));
}

bool write_all(int fd, std::span<const u8> bytes, off_t at) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    at += n;
  }
  return true;
}

/// As many as there are.
Result<std::size_t> read_some(int fd, const std::string& path, std::span<u8> to) {
  for (;;) {
    const ssize_t n = read(fd, to.data(), to.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return io_error("read", path);
  }
}

class PackingSink final : public ByteSink {
 public:
  PackingSink(int fd, std::string path, const SnapshotProgress& progress)
      : fd_(fd), path_(std::move(path)), progress_(progress), packer_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    constexpr int kFastest = 1;  // a machine stands still meanwhile
    ZSTD_CCtx_setParameter(packer_.get(), ZSTD_c_compressionLevel, kFastest);
  }

  Result<void> put(std::span<const u8> bytes) override {
    taken_ += bytes.size();
    if (progress_) progress_(taken_);
    return pack(bytes, ZSTD_e_continue);
  }
  Result<void> finish() {
    if (Result<void> done = pack({}, ZSTD_e_end); !done) return done;
    const std::span<const u8> head{reinterpret_cast<const u8*>(&head_), sizeof head_};
    if (!write_all(fd_, head, 0) || fsync(fd_) != 0) return io_error("write", path_);
    return {};
  }

 private:
  Result<void> pack(std::span<const u8> bytes, ZSTD_EndDirective how) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      const size_t left = ZSTD_compressStream2(packer_.get(), &out, &in, how);
      if (ZSTD_isError(left)) return fail(EIO, fmt::format("cannot pack {}: {}", path_, ZSTD_getErrorName(left)));
      const std::span<const u8> packed{buffer_.data(), out.pos};
      if (!write_all(fd_, packed, static_cast<off_t>(sizeof head_ + head_.size))) return io_error("write", path_);
      head_.checksum = checksum(head_.checksum, packed);
      head_.size += packed.size();
      if (how == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
    }
  }

  int fd_;
  std::string path_;
  const SnapshotProgress& progress_;
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> packer_;
  std::vector<u8> buffer_ = std::vector<u8>(kBuffer);
  Head head_;
  u64 taken_ = 0;
};

class UnpackingSource final : public ByteSource {
 public:
  UnpackingSource(int fd, std::string path, const SnapshotProgress& progress)
      : fd_(fd), path_(std::move(path)), progress_(progress), unpacker_(ZSTD_createDCtx(), ZSTD_freeDCtx) {}

  Result<void> get(std::span<u8> bytes) override {
    ZSTD_outBuffer out{bytes.data(), bytes.size(), 0};
    while (out.pos < out.size) {
      if (in_.pos == in_.size) {
        const Result<std::size_t> n = read_some(fd_, path_, buffer_);
        if (!n) return tl::unexpected(n.error());
        in_ = {buffer_.data(), *n, 0};
        ended_ = ended_ || *n == 0;
      }
      const size_t before = out.pos;
      const size_t left = ZSTD_decompressStream(unpacker_.get(), &out, &in_);
      if (ZSTD_isError(left)) return fail(EINVAL, fmt::format("it is corrupt: {}", ZSTD_getErrorName(left)));
      if (ended_ && out.pos == before) return fail(EINVAL, "its content ends too soon");
    }
    given_ += bytes.size();
    if (progress_) progress_(given_);
    return {};
  }

 private:
  int fd_;
  std::string path_;
  const SnapshotProgress& progress_;
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> unpacker_;
  std::vector<u8> buffer_ = std::vector<u8>(kBuffer);
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool ended_ = false;
  u64 given_ = 0;
};

/// What is wrong with the file as such. Leaves the offset behind the head.
Result<void> check_file(int fd, const std::string& path) {
  Head head;
  const Result<std::size_t> n = read_some(fd, path, {reinterpret_cast<u8*>(&head), sizeof head});
  if (!n) return tl::unexpected(n.error());
  if (*n < sizeof head || head.magic != kMagic) return fail(EINVAL, fmt::format("{} is not a snapshot", path));
  if (head.format != kFormat)
    return fail(EINVAL, fmt::format("snapshot {} has format {}, and this version of tiercel reads format {} only", path,
                                    head.format, kFormat));
  std::vector<u8> buffer(kBuffer);
  u64 size = 0;
  u32 sum = 0;
  for (;;) {
    const Result<std::size_t> got = read_some(fd, path, buffer);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) break;
    size += *got;
    sum = checksum(sum, std::span<const u8>(buffer).first(*got));
  }
  if (size < head.size)
    return fail(EINVAL, fmt::format("snapshot {} is cut off: it has {} bytes of {}", path, size + sizeof head,
                                    head.size + sizeof head));
  if (size != head.size || sum != head.checksum)
    return fail(EINVAL, fmt::format("snapshot {} is corrupt: its checksum is wrong", path));
  if (lseek(fd, sizeof head, SEEK_SET) < 0) return io_error("read", path);
  return {};
}

/// So that a rename survives a crash of the host.
void sync_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) fsync(fd.get());
}

}  // namespace

Result<void> save_snapshot(const std::string& path, const SnapshotContents& contents,
                           const SnapshotProgress& progress) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return io_error("make", path);
  PackingSink sink(fd.get(), path, progress);
  SnapshotWriter writer(sink);
  Result<void> done = contents(writer);
  if (done) done = sink.finish();
  if (done && rename(temporary.c_str(), path.c_str()) != 0) done = io_error("make", path);
  if (!done) {
    unlink(temporary.c_str());
    return done;
  }
  sync_folder(path);
  return {};
}

Result<void> load_snapshot(const std::string& path, const SnapshotContents& contents,
                           const SnapshotProgress& progress) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return io_error("open", path);
  if (Result<void> good = check_file(fd.get(), path); !good) return good;
  UnpackingSource source(fd.get(), path, progress);
  SnapshotReader reader(source);
  if (Result<void> loaded = contents(reader); !loaded)
    return fail(loaded.error().code, fmt::format("snapshot {} does not fit: {}", path, loaded.error().message));
  return {};
}

}  // namespace tiercel::system
