#include "system/host/raw_disk.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tiercel::system {
namespace {

constexpr u64 kZeroChunk = 64 << 10;

class RawDisk final : public BlockStore {
 public:
  explicit RawDisk(HostFile file) : file_(std::move(file)), size_(file_.size()) {}

  u64 size() const override { return size_; }
  bool read_only() const override { return file_.read_only(); }
  Result<void> read(u64 offset, std::span<const iovec> to) override { return file_.read(offset, to); }
  Result<void> write(u64 offset, std::span<const iovec> from) override { return file_.write(offset, from); }
  Result<void> flush() override { return file_.flush(); }

  Result<void> zero(u64 offset, u64 bytes, bool may_unmap) override {
    const int mode = may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
    if (bytes == 0 || file_.allocate(mode, offset, bytes)) return {};
    static constexpr std::array<u8, kZeroChunk> kZeroes = {};
    while (bytes != 0) {
      const u64 n = std::min(bytes, kZeroChunk);
      if (Result<void> written = file_.write(offset, std::span(kZeroes).first(n)); !written) return written;
      offset += n, bytes -= n;
    }
    return {};
  }

  Result<void> serialize(Snapshot& snapshot, const std::string& name) override {
    return file_.serialize(snapshot, name);
  }

  void discard(u64 offset, u64 bytes) override {
    if (bytes != 0) file_.allocate(FALLOC_FL_PUNCH_HOLE, offset, bytes);
  }

 private:
  HostFile file_;
  u64 size_;
};

}  // namespace

std::unique_ptr<BlockStore> make_raw_disk(HostFile file) {
  return std::make_unique<RawDisk>(std::move(file));
}

}  // namespace tiercel::system
