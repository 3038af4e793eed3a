#include "system/host/qcow2.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "system/host/pieces.h"
#include "system/host/raw_disk.h"

namespace tiercel::system {
namespace {

constexpr u32 kMagic = 0x514649fb;
constexpr u64 kOffsetMask = 0x00ff'ffff'ffff'fe00;  // of L1 and standard L2 entries
constexpr u64 kCopied = u64{1} << 63, kCompressed = u64{1} << 62, kZero = 1;
constexpr u64 kMostL1Bytes = 32 << 20, kMostRefcountTableBytes = 8 << 20;  // as the format's own tools limit them
constexpr std::size_t kCachedTables = 32;                                  // of 64 KiB: 16 GiB of disk
constexpr u64 kSector = 512;
constexpr u64 kDirty = 1, kCorrupt = 2, kCompressionType = 8;  // incompatible features

template <typename T>
T big_endian(const u8* bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = static_cast<T>(value << 8 | bytes[i]);
  return value;
}

void put_big_endian(u8* to, u64 value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) to[i] = static_cast<u8>(value >> (8 * (bytes - 1 - i)));
}

}  // namespace

/// The fields we use, in host order.
constexpr u64 kAutoclear = 88;  // where these features are in the header

struct Qcow2::Header {
  u32 version = 0, cluster_bits = 0, crypt = 0, l1_size = 0, refcount_clusters = 0, snapshots = 0;
  u32 refcount_order = 4, length = 72;
  u64 backing = 0, size = 0, l1 = 0, refcounts = 0, incompatible = 0, autoclear = 0;
  u8 compression = 0;

  static Result<Header> read(const HostFile& file);
  Result<void> check(const HostFile& file) const;
};

Result<Qcow2::Header> Qcow2::Header::read(const HostFile& file) {
  std::array<u8, 112> raw = {};
  if (Result<void> done = file.read(0, std::span(raw).first(std::min<u64>(raw.size(), file.size()))); !done)
    return tl::unexpected(done.error());
  const u8* b = raw.data();
  Header h;
  h.version = big_endian<u32>(b + 4);
  h.backing = big_endian<u64>(b + 8);
  h.cluster_bits = big_endian<u32>(b + 20);
  h.size = big_endian<u64>(b + 24);
  h.crypt = big_endian<u32>(b + 32);
  h.l1_size = big_endian<u32>(b + 36);
  h.l1 = big_endian<u64>(b + 40);
  h.refcounts = big_endian<u64>(b + 48);
  h.refcount_clusters = big_endian<u32>(b + 56);
  h.snapshots = big_endian<u32>(b + 60);
  if (h.version >= 3) {
    h.incompatible = big_endian<u64>(b + 72);
    h.autoclear = big_endian<u64>(b + kAutoclear);
    h.refcount_order = big_endian<u32>(b + 96);
    h.length = big_endian<u32>(b + 100);
    if (h.length > 104) h.compression = b[104];
  }
  return h;
}

Result<void> Qcow2::Header::check(const HostFile& file) const {
  const auto refuse = [&](const std::string& why) -> Result<void> {
    return fail(ENOTSUP, fmt::format("{}: qcow2 image: {}", file.path(), why));
  };
  if (version != 2 && version != 3) return refuse(fmt::format("version {} is not known", version));
  if (cluster_bits < 9 || cluster_bits > 21) return refuse(fmt::format("clusters of 2^{} bytes", cluster_bits));
  if (crypt != 0) return refuse("it is encrypted");
  if (backing != 0) return refuse("it has a backing file; `qemu-img convert` makes an image of its own");
  if ((incompatible & ~(kDirty | kCorrupt | kCompressionType)) != 0)
    return refuse(fmt::format("incompatible features {:#x} are not known", incompatible));
  if (compression > 1) return refuse(fmt::format("compression type {} is not known", compression));
  const u64 cluster = u64{1} << cluster_bits;
  const u64 per_l1_entry = cluster / 8 * cluster;
  if (size > u64{1} << 56 || l1_size > kMostL1Bytes / 8 || (size + per_l1_entry - 1) / per_l1_entry > l1_size)
    return refuse(fmt::format("its L1 table of {} entries does not fit a disk of {} bytes", l1_size, size));
  if (!is_aligned(l1, cluster) || !is_aligned(refcounts, cluster) ||
      refcount_clusters > kMostRefcountTableBytes / cluster)
    return refuse("its header is corrupt");
  if (file.read_only()) return {};
  if (snapshots != 0) return refuse("it has snapshots inside, and can only be opened for reading");
  if (incompatible & (kDirty | kCorrupt))
    return refuse("it was not closed properly; `qemu-img check -r all` repairs it");
  if (refcount_order != 4)
    return refuse(fmt::format("reference counts of 2^{} bits cannot be written", refcount_order));
  return {};
}

bool Qcow2::recognises(const HostFile& file) {
  std::array<u8, 4> magic;
  return file.read(0, magic) && big_endian<u32>(magic.data()) == kMagic;
}

Qcow2::Qcow2(HostFile file, const Header& h)
    : file_(std::move(file)),
      size_(h.size),
      cluster_bits_(h.cluster_bits),
      version_(h.version),
      zstd_(h.compression == 1),
      l2_entries_(u64{1} << (h.cluster_bits - 3)),
      l1_offset_(h.l1),
      refcount_offset_(h.refcounts),
      end_(align_up(file_.size(), u64{1} << h.cluster_bits)) {}

Result<std::unique_ptr<BlockStore>> Qcow2::open(HostFile file) {
  const Result<Header> header = Header::read(file);
  if (!header) return tl::unexpected(header.error());
  if (const Result<void> good = header->check(file); !good) return tl::unexpected(good.error());
  std::unique_ptr<Qcow2> disk(new Qcow2(std::move(file), *header));
  if (const Result<void> loaded = disk->load_tables(*header); !loaded) return tl::unexpected(loaded.error());
  return disk;
}

Result<void> Qcow2::load_tables(const Header& h) {
  Result<Table> l1 = read_table(h.l1, h.l1_size, "L1 table");
  if (!l1) return tl::unexpected(l1.error());
  l1_ = std::move(*l1);
  if (read_only()) return {};
  Result<Table> refcounts = read_table(h.refcounts, h.refcount_clusters * (cluster_bytes() / 8), "reference counts");
  if (!refcounts) return tl::unexpected(refcounts.error());
  refcounts_ = std::move(*refcounts);
  // Whoever writes must forget features it may break. Otherwise nothing is written before the guest does, or a snapshot
  // would find that its disk was changed.
  const std::array<u8, 8> none = {};
  return h.autoclear != 0 ? file_.write(kAutoclear, none) : Result<void>{};
}

Error Qcow2::corrupt(const char* what, u64 value) const {
  return {EIO, fmt::format("{}: corrupt qcow2 image: {} {:#x}", file_.path(), what, value)};
}

/// Whether a whole cluster can be there: not the header, aligned, within the file.
bool Qcow2::is_cluster(u64 offset) const {
  return offset != 0 && is_aligned(offset, cluster_bytes()) && offset < end_;
}

Result<Qcow2::Table> Qcow2::read_table(u64 offset, u64 entries, const char* what) const {
  if (entries != 0 && (!is_cluster(offset) || entries * 8 > file_.size() - std::min(offset, file_.size())))
    return tl::unexpected(corrupt(what, offset));
  std::vector<u8> raw(entries * 8);
  if (Result<void> done = file_.read(offset, std::span<u8>(raw)); !done) return tl::unexpected(done.error());
  Table table(entries);
  for (u64 i = 0; i < entries; ++i) table[i] = big_endian<u64>(&raw[8 * i]);
  return table;
}

Result<void> Qcow2::write_entry(u64 table, u64 index, u64 value) {
  const u64 swapped = __builtin_bswap64(value);
  return file_.write(table + 8 * index, std::span(reinterpret_cast<const u8*>(&swapped), 8));
}

void Qcow2::cache(u64 at, Table table) {
  if (tables_.size() >= kCachedTables) tables_.pop_back();
  tables_.push_front({at, std::move(table)});
}

Result<Qcow2::Table*> Qcow2::l2_table(u64 offset) {
  const u64 at = l1_[offset >> cluster_bits_ >> (cluster_bits_ - 3)] & kOffsetMask;
  if (at == 0) return nullptr;
  const auto known = std::find_if(tables_.begin(), tables_.end(), [&](const Cached& c) { return c.at == at; });
  if (known != tables_.end()) {
    tables_.splice(tables_.begin(), tables_, known);
  } else {
    Result<Table> table = read_table(at, l2_entries_, "L2 table at");
    if (!table) return tl::unexpected(table.error());
    cache(at, std::move(*table));
  }
  return &tables_.front().table;
}

Result<Qcow2::Table*> Qcow2::make_l2_table(u64 offset) {
  const Result<u64> at = allocate_cluster();
  if (!at) return tl::unexpected(at.error());
  const std::vector<u8> zeroes(cluster_bytes());
  if (Result<void> done = file_.write(*at, std::span<const u8>(zeroes)); !done) return tl::unexpected(done.error());
  const u64 index = offset >> cluster_bits_ >> (cluster_bits_ - 3);
  if (Result<void> done = write_entry(l1_offset_, index, *at | kCopied); !done) return tl::unexpected(done.error());
  l1_[index] = *at | kCopied;
  cache(*at, Table(l2_entries_));
  return &tables_.front().table;
}

Result<u64> Qcow2::l2_entry(u64 offset) {
  const Result<Table*> table = l2_table(offset);
  if (!table) return tl::unexpected(table.error());
  return *table ? (**table)[l2_index(offset)] : 0;
}

Result<void> Qcow2::set_l2_entry(u64 offset, u64 entry) {
  Result<Table*> table = l2_table(offset);
  if (table && !*table) table = make_l2_table(offset);
  if (!table) return tl::unexpected(table.error());
  if (Result<void> done = write_entry(tables_.front().at, l2_index(offset), entry); !done) return done;
  (**table)[l2_index(offset)] = entry;
  return {};
}

/// A new cluster at the end of the file, counted once. Its content is not written yet.
Result<u64> Qcow2::allocate_cluster() {
  const u64 cluster = end_;
  end_ += cluster_bytes();
  if (Result<void> done = set_count(cluster, 1); !done) return tl::unexpected(done.error());
  return cluster;
}

Result<void> Qcow2::set_count(u64 cluster, u8 count) {
  const u64 per_block = cluster_bytes() / 2;
  const u64 number = cluster >> cluster_bits_;
  const u64 block = number / per_block;
  if (block >= refcounts_.size())
    if (Result<void> done = grow_refcounts(block); !done) return done;
  if (refcounts_[block] == 0) {
    // The new block counts itself, in its own range or another's.
    const u64 at = end_;
    end_ += cluster_bytes();
    const std::vector<u8> zeroes(cluster_bytes());
    if (Result<void> done = file_.write(at, std::span<const u8>(zeroes)); !done) return done;
    if (Result<void> done = write_entry(refcount_offset_, block, at); !done) return done;
    refcounts_[block] = at;
    if (Result<void> done = set_count(at, 1); !done) return done;
  }
  if (!is_cluster(refcounts_[block])) return tl::unexpected(corrupt("reference counts at", refcounts_[block]));
  const std::array<u8, 2> value = {0, count};
  return file_.write(refcounts_[block] + 2 * (number % per_block), value);
}

/// A longer table of reference count blocks at the end of the file, with room for `block`.
Result<void> Qcow2::grow_refcounts(u64 block) {
  const u64 old_at = refcount_offset_, old_clusters = refcounts_.size() * 8 >> cluster_bits_;
  u64 clusters = std::max<u64>(1, 2 * old_clusters);
  while (clusters * cluster_bytes() / 8 <= block) clusters *= 2;
  if (clusters * cluster_bytes() > kMostRefcountTableBytes)
    return fail(EFBIG, fmt::format("{}: the qcow2 image cannot become larger", file_.path()));
  const u64 at = end_;
  end_ += clusters * cluster_bytes();
  Table grown = refcounts_;
  grown.resize(clusters * cluster_bytes() / 8);
  std::vector<u8> raw(clusters * cluster_bytes());
  for (u64 i = 0; i < grown.size(); ++i) put_big_endian(&raw[8 * i], grown[i], 8);
  if (Result<void> done = file_.write(at, std::span<const u8>(raw)); !done) return done;
  // Offset and size in one write: there is no moment at which the header is wrong.
  constexpr u64 kRefcountFields = 48;
  std::array<u8, 12> fields;
  put_big_endian(&fields[0], at, 8);
  put_big_endian(&fields[8], clusters, 4);
  if (Result<void> done = file_.write(kRefcountFields, fields); !done) return done;
  refcount_offset_ = at;
  refcounts_ = std::move(grown);
  for (u64 i = 0; i < clusters; ++i)
    if (Result<void> done = set_count(at + i * cluster_bytes(), 1); !done) return done;
  for (u64 i = 0; i < old_clusters; ++i)
    if (Result<void> done = set_count(old_at + i * cluster_bytes(), 0); !done) return done;
  return {};
}

Result<void> Qcow2::read_piece(u64 offset, std::span<u8> to) {
  const Result<u64> entry = l2_entry(offset);
  if (!entry) return tl::unexpected(entry.error());
  const u64 within = offset & (cluster_bytes() - 1);
  if (*entry & kCompressed) return read_compressed(*entry, within, to);
  const u64 at = *entry & kOffsetMask;
  if (at == 0 || (version_ >= 3 && (*entry & kZero))) {
    std::fill(to.begin(), to.end(), u8{0});
    return {};
  }
  if (!is_cluster(at)) return tl::unexpected(corrupt("cluster at", at));
  // The last cluster of a file may be short: what is missing is zero.
  const u64 there = std::min<u64>(to.size(), file_.size() - std::min(file_.size(), at + within));
  std::fill(to.begin() + static_cast<long>(there), to.end(), u8{0});
  return there == 0 ? Result<void>{} : file_.read(at + within, to.first(there));
}

Result<void> Qcow2::read_compressed(u64 entry, u64 within, std::span<u8> to) {
  if (unpacked_entry_ != entry || unpacked_.empty()) {
    const unsigned offset_bits = 62 - (cluster_bits_ - 8);
    const u64 at = bits(entry, 0, offset_bits);
    const u64 most = (bits(entry, offset_bits, 62 - offset_bits) + 1) * kSector - at % kSector;
    if (at >= file_.size()) return tl::unexpected(corrupt("compressed cluster at", at));
    std::vector<u8> packed(std::min(most, file_.size() - at));
    if (Result<void> done = file_.read(at, std::span<u8>(packed)); !done) return done;
    std::vector<u8> out(cluster_bytes());
    u64 got = 0;
    if (zstd_) {
      ZSTD_DCtx* context = ZSTD_createDCtx();
      ZSTD_inBuffer in{packed.data(), packed.size(), 0};
      ZSTD_outBuffer result{out.data(), out.size(), 0};
      for (std::size_t left = 1; context && left != 0 && !ZSTD_isError(left) && result.pos < out.size();) {
        const std::size_t before = result.pos + in.pos;
        left = ZSTD_decompressStream(context, &result, &in);
        if (result.pos + in.pos == before) break;
      }
      got = result.pos;
      ZSTD_freeDCtx(context);
    } else {
      z_stream stream = {};
      constexpr int kRawWindow = -12;
      if (inflateInit2(&stream, kRawWindow) != Z_OK) return fail(ENOMEM, "out of memory");
      stream.next_in = packed.data(), stream.avail_in = static_cast<uInt>(packed.size());
      stream.next_out = out.data(), stream.avail_out = static_cast<uInt>(out.size());
      inflate(&stream, Z_FINISH);
      got = stream.total_out;
      inflateEnd(&stream);
    }
    if (got != out.size()) return tl::unexpected(corrupt("compressed cluster at", at));
    unpacked_ = std::move(out);
    unpacked_entry_ = entry;
  }
  std::copy_n(unpacked_.begin() + static_cast<long>(within), to.size(), to.begin());
  return {};
}

Result<void> Qcow2::write_piece(u64 offset, std::span<const u8> from) {
  const Result<u64> entry = l2_entry(offset);
  if (!entry) return tl::unexpected(entry.error());
  const u64 within = offset & (cluster_bytes() - 1);
  const u64 at = *entry & kOffsetMask;
  const bool plain = !(*entry & kCompressed);
  if (plain && at != 0 && !(version_ >= 3 && (*entry & kZero))) {
    if (!is_cluster(at)) return tl::unexpected(corrupt("cluster at", at));
    return file_.write(at + within, from);
  }
  // A whole cluster, with what was there before around the new bytes. Data first, then the entry that leads to it.
  std::vector<u8> whole(cluster_bytes());
  if (from.size() != whole.size())
    if (Result<void> done = read_piece(offset - within, whole); !done) return done;
  std::copy(from.begin(), from.end(), whole.begin() + static_cast<long>(within));
  // What a compressed cluster used stays counted: other clusters may share its host clusters.
  const Result<u64> to = plain && is_cluster(at) ? Result<u64>(at) : allocate_cluster();
  if (!to) return tl::unexpected(to.error());
  if (Result<void> done = file_.write(*to, std::span<const u8>(whole)); !done) return done;
  return set_l2_entry(offset, *to | kCopied);
}

Result<void> Qcow2::zero_piece(u64 offset, u64 bytes) {
  const Result<u64> entry = l2_entry(offset);
  if (!entry) return tl::unexpected(entry.error());
  const bool plain = !(*entry & kCompressed);
  if (plain && ((*entry & kOffsetMask) == 0 || (version_ >= 3 && (*entry & kZero)))) return {};
  if (plain && version_ >= 3 && bytes == cluster_bytes()) return set_l2_entry(offset, *entry | kZero);
  return write_piece(offset, std::vector<u8>(bytes));
}

Result<void> Qcow2::read(u64 offset, std::span<const iovec> to) {
  return by_blocks(offset, to, cluster_bytes(), [&](u64 at, std::span<u8> piece) { return read_piece(at, piece); });
}

Result<void> Qcow2::write(u64 offset, std::span<const iovec> from) {
  return by_blocks(offset, from, cluster_bytes(), [&](u64 at, std::span<u8> piece) { return write_piece(at, piece); });
}

Result<void> Qcow2::zero(u64 offset, u64 bytes, bool) {
  while (bytes != 0) {
    const u64 n = std::min(bytes, cluster_bytes() - (offset & (cluster_bytes() - 1)));
    if (Result<void> done = zero_piece(offset, n); !done) return done;
    offset += n, bytes -= n;
  }
  return {};
}

Result<std::unique_ptr<BlockStore>> open_disk(const std::string& path, bool read_only, DiskFormat format) {
  Result<HostFile> file = HostFile::open(path, read_only);
  if (!file) return tl::unexpected(file.error());
  const bool qcow2 = Qcow2::recognises(*file);
  if (format == DiskFormat::Qcow2 && !qcow2) return fail(EINVAL, fmt::format("disk {} is not a qcow2 image", path));
  if (qcow2 && format != DiskFormat::Raw) return Qcow2::open(std::move(*file));
  return make_raw_disk(std::move(*file));
}

}  // namespace tiercel::system
