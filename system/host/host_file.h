// A file that holds a disk: positioned reads and writes of whole ranges, and a lock against a second machine.
#pragma once

#include <sys/uio.h>

#include <span>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "system/snapshot/snapshot.h"

namespace tiercel::system {

class HostFile {
 public:
  /// A file or block device. An error says when another machine writes it.
  static Result<HostFile> open(const std::string& path, bool read_only);
  /// A new one without a name, in $TMPDIR or /var/tmp.
  static Result<HostFile> temporary();
  HostFile(HostFile&& other) noexcept;
  HostFile& operator=(HostFile&&) = delete;
  ~HostFile();

  const std::string& path() const { return path_; }
  bool read_only() const { return read_only_; }
  /// At opening, or after the last write behind the end.
  u64 size() const { return size_; }
  /// All of the bytes, or an error; reading behind the end is one.
  Result<void> read(u64 offset, std::span<const iovec> to) const;
  Result<void> read(u64 offset, std::span<u8> to) const;
  Result<void> write(u64 offset, std::span<const iovec> from);
  Result<void> write(u64 offset, std::span<const u8> from);
  Result<void> flush();
  /// FALLOC_FL_ZERO_RANGE or FALLOC_FL_PUNCH_HOLE where the host can.
  bool allocate(int mode, u64 offset, u64 bytes);
  /// As BlockStore::serialize: its size and when it was last changed; of a block device only its size.
  Result<void> serialize(Snapshot& snapshot, const std::string& name) const;

 private:
  HostFile(std::string path, int fd, u64 size, bool read_only)
      : path_(std::move(path)), fd_(fd), size_(size), read_only_(read_only) {}

  std::string path_;
  int fd_;
  u64 size_;
  bool read_only_;
};

}  // namespace tiercel::system
