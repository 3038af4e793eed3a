// Disk images in the qcow2 format, versions 2 and 3. QEMU's docs/interop/qcow2.txt is its specification.
//
// Images with a backing file are refused: an image from elsewhere must not be able to name files of this host. So are
// encryption, external data files and subclusters. Images with snapshots inside are read, not written.
#pragma once

#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "system/host/block_store.h"
#include "system/host/host_file.h"

namespace tiercel::system {

class Qcow2 final : public BlockStore {
 public:
  static bool recognises(const HostFile& file);
  static Result<std::unique_ptr<BlockStore>> open(HostFile file);

  u64 size() const override { return size_; }
  bool read_only() const override { return file_.read_only(); }
  Result<void> read(u64 offset, std::span<const iovec> to) override;
  Result<void> write(u64 offset, std::span<const iovec> from) override;
  Result<void> flush() override { return file_.flush(); }
  Result<void> zero(u64 offset, u64 bytes, bool may_unmap) override;
  void discard(u64, u64) override {}
  Result<void> serialize(Snapshot& snapshot, const std::string& name) override {
    return file_.serialize(snapshot, name);
  }

 private:
  struct Header;
  using Table = std::vector<u64>;

  Qcow2(HostFile file, const Header& header);

  Result<void> load_tables(const Header& header);
  Result<Table> read_table(u64 offset, u64 entries, const char* what) const;
  Result<void> write_entry(u64 table, u64 index, u64 value);
  u64 cluster_bytes() const { return u64{1} << cluster_bits_; }

  /// The L2 table for a disk offset, or null if there is none yet.
  Result<Table*> l2_table(u64 offset);
  Result<Table*> make_l2_table(u64 offset);
  void cache(u64 at, Table table);
  Result<u64> l2_entry(u64 offset);
  u64 l2_index(u64 offset) const { return (offset >> cluster_bits_) & (l2_entries_ - 1); }
  Result<void> set_l2_entry(u64 offset, u64 entry);

  Result<void> read_piece(u64 offset, std::span<u8> to);
  Result<void> read_compressed(u64 entry, u64 within, std::span<u8> to);
  Result<void> write_piece(u64 offset, std::span<const u8> from);
  Result<void> zero_piece(u64 offset, u64 bytes);
  bool is_cluster(u64 offset) const;

  Result<u64> allocate_cluster();
  Result<void> set_count(u64 cluster, u8 count);
  Result<void> grow_refcounts(u64 block);
  Error corrupt(const char* what, u64 value) const;

  HostFile file_;
  u64 size_;
  unsigned cluster_bits_;
  u32 version_;
  bool zstd_;
  u64 l2_entries_;
  u64 l1_offset_, refcount_offset_;
  Table l1_, refcounts_;  // refcounts_: where the blocks of 16-bit counts are
  u64 end_;               // the first cluster nobody uses

  struct Cached {
    u64 at;
    Table table;
  };
  std::list<Cached> tables_;  // L2 tables, the one used last first
  std::vector<u8> unpacked_;  // the compressed cluster read last
  u64 unpacked_entry_ = 0;
};

enum class DiskFormat : u8 {
  Probe,  // by its content: qcow2, or else raw
  Raw,
  Qcow2,
};
Result<std::unique_ptr<BlockStore>> open_disk(const std::string& path, bool read_only,
                                              DiskFormat format = DiskFormat::Probe);

}  // namespace tiercel::system
