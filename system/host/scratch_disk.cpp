#include "system/host/scratch_disk.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "system/host/host_file.h"
#include "system/host/pieces.h"

namespace tiercel::system {
namespace {

constexpr u64 kBlock = 64 << 10;

class ScratchDisk final : public BlockStore {
 public:
  ScratchDisk(std::unique_ptr<BlockStore> below, HostFile changes)
      : below_(std::move(below)), changes_(std::move(changes)), changed_(align_up(below_->size(), kBlock) / kBlock) {}

  u64 size() const override { return below_->size(); }
  bool read_only() const override { return false; }

  Result<void> read(u64 offset, std::span<const iovec> to) override {
    return by_blocks(offset, to, kBlock, [this](u64 at, std::span<u8> piece) {
      if (changed_[at / kBlock]) return changes_.read(at, piece);
      const iovec one{piece.data(), piece.size()};
      return below_->read(at, {&one, 1});
    });
  }
  Result<void> write(u64 offset, std::span<const iovec> from) override {
    return by_blocks(offset, from, kBlock, [this](u64 at, std::span<u8> piece) { return write_piece(at, piece); });
  }
  /// Nothing of it has to survive.
  Result<void> flush() override { return {}; }
  Result<void> zero(u64 offset, u64 bytes, bool) override {
    std::array<u8, kBlock> zeroes = {};
    while (bytes != 0) {
      const u64 n = std::min(bytes, kBlock - offset % kBlock);
      if (Result<void> done = write_piece(offset, std::span(zeroes).first(n)); !done) return done;
      offset += n, bytes -= n;
    }
    return {};
  }
  void discard(u64, u64) override {}
  /// The changes are in the snapshot.
  Result<void> serialize(Snapshot& snapshot, const std::string& name) override;

 private:
  /// `piece` lies in one block.
  Result<void> write_piece(u64 at, std::span<const u8> piece) {
    if (!changed_[at / kBlock]) {
      if (Result<void> copied = copy_up(align_down(at, kBlock), piece.size()); !copied) return copied;
      changed_[at / kBlock] = true;
    }
    return changes_.write(at, piece);
  }

  /// The block's bytes as they are below; not if all of them will be written.
  Result<void> copy_up(u64 block, u64 written) {
    std::array<u8, kBlock> bytes;
    const u64 n = std::min(kBlock, size() - block);
    if (written == n) return {};
    const iovec one{bytes.data(), n};
    if (Result<void> got = below_->read(block, {&one, 1}); !got) return got;
    return changes_.write(block, std::span<const u8>(bytes).first(n));
  }

  std::unique_ptr<BlockStore> below_;
  HostFile changes_;
  std::vector<bool> changed_;
};

Result<void> ScratchDisk::serialize(Snapshot& snapshot, const std::string& name) {
  if (Result<void> same = below_->serialize(snapshot, name); !same) return same;
  const Result<void> which = snapshot.section(name + " changes", [this](Archive& state) {
    for (u64 block = 0; block < changed_.size(); block += 8) {
      u8 eight = 0;
      const u64 n = std::min<u64>(8, changed_.size() - block);
      for (u64 i = 0; i < n; ++i) eight |= static_cast<u8>(changed_[block + i] << i);
      state(eight);
      for (u64 i = 0; i < n; ++i) changed_[block + i] = eight >> i & 1;
    }
  });
  if (!which) return which;
  std::array<u8, kBlock> bytes;
  for (u64 block = 0; block < changed_.size(); ++block) {
    if (!changed_[block]) continue;
    const std::span<u8> content = std::span(bytes).first(std::min(kBlock, size() - block * kBlock));
    if (!snapshot.loads())
      if (Result<void> got = changes_.read(block * kBlock, content); !got) return got;
    Result<void> done = snapshot.section(name + " block", [&](Archive& state) { state.bytes(content); });
    if (done && snapshot.loads()) done = changes_.write(block * kBlock, std::span<const u8>(content));
    if (!done) return done;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<BlockStore>> make_scratch_disk(std::unique_ptr<BlockStore> below) {
  Result<HostFile> changes = HostFile::temporary();
  if (!changes) return tl::unexpected(changes.error());
  return std::make_unique<ScratchDisk>(std::move(below), std::move(*changes));
}

}  // namespace tiercel::system
