#include "system/devices/virtio/virtio_blk.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bits.h"

namespace tiercel::system {
namespace {

constexpr u64 kSector = 512;
constexpr u16 kQueueSize = 256;
constexpr u32 kMostRanges = 32;             // of one discard or write-zeroes request
constexpr u32 kMostRangeSectors = 1 << 22;  // 2 GiB: bounds the time of one request

enum : u64 {  // VIRTIO_BLK_F_*
  kMaxSegments = 1 << 2,
  kReadOnly = 1 << 5,
  kBlockSize = 1 << 6,
  kFlushCommand = 1 << 9,
  kDiscard = 1 << 13,
  kWriteZeroes = 1 << 14,
};
enum Type : u32 { kIn = 0, kOut = 1, kFlush = 4, kGetId = 8, kDiscardRanges = 11, kZeroRanges = 13 };
enum Status : u8 { kOk = 0, kIoError = 1, kUnsupported = 2 };

struct Header {
  u32 type;
  u32 reserved;
  u64 sector;
};
struct Range {
  u64 sector;
  u32 sectors;
  u32 flags;  // bit 0: unmap
};
constexpr u64 kIdBytes = 20;

}  // namespace

VirtioBlk::VirtioBlk(Environment environment, BlockStore& store, std::string serial)
    : VirtioDevice(environment, kId, {kQueueSize}), store_(store), serial_(std::move(serial)) {
  serial_.resize(kIdBytes);
}

u64 VirtioBlk::features() const {
  const u64 common = kMaxSegments | kBlockSize | kFlushCommand;
  return common | (store_.read_only() ? kReadOnly : kDiscard | kWriteZeroes);
}

std::vector<u8> VirtioBlk::config() const {
  std::vector<u8> all(60);
  const auto put = [&](std::size_t offset, u64 value, std::size_t bytes) {
    std::memcpy(all.data() + offset, &value, bytes);
  };
  put(0, store_.size() / kSector, 8);  // capacity
  put(12, kQueueSize - 2, 4);          // seg_max: all but header and status
  put(20, kSector, 4);                 // blk_size
  put(36, kMostRangeSectors, 4);       // max_discard_sectors
  put(40, kMostRanges, 4);             // max_discard_seg
  put(44, kPageSize / kSector, 4);     // discard_sector_alignment
  put(48, kMostRangeSectors, 4);       // max_write_zeroes_sectors
  put(52, kMostRanges, 4);             // max_write_zeroes_seg
  put(56, 1, 1);                       // write_zeroes_may_unmap
  return all;
}

bool VirtioBlk::in_range(u64 sector, u64 bytes) const {
  const u64 sectors = store_.size() / kSector;
  return is_aligned(bytes, kSector) && sector <= sectors && bytes / kSector <= sectors - sector;
}

void VirtioBlk::process(unsigned queue) {
  Chain chain;
  while (pop(queue, chain)) {
    const u64 room = chain.writable_bytes();
    if (room == 0) return needs_reset();  // nowhere to say how it went
    const Reply reply = handle(chain);
    chain.write(room - 1, {&reply.status, 1});
    // The status stands behind the data: with data, or when there is no data, all of it was written.
    push(queue, chain, reply.data == room - 1 ? room : reply.data);
    signal(queue);
  }
}

VirtioBlk::Reply VirtioBlk::handle(const Chain& chain) {
  Header header;
  if (chain.read(0, {reinterpret_cast<u8*>(&header), sizeof header}) != sizeof header) return {kIoError};
  switch (header.type) {
    case kIn:
    case kOut:
      return transfer(chain, header.type, header.sector);
    case kFlush:
      return {store_.flush() ? kOk : kIoError};
    case kGetId: {
      const u64 n = std::min(chain.writable_bytes() - 1, kIdBytes);
      chain.write(0, {reinterpret_cast<const u8*>(serial_.data()), n});
      return {kOk, n};
    }
    case kDiscardRanges:
    case kZeroRanges:
      return change_ranges(chain, header.type);
    default:
      return {kUnsupported};
  }
}

VirtioBlk::Reply VirtioBlk::transfer(const Chain& chain, u32 type, u64 sector) {
  if (type == kIn) {
    const u64 bytes = chain.writable_bytes() - 1;
    if (!in_range(sector, bytes) || !store_.read(sector * kSector, chain.writable(0, bytes))) return {kIoError};
    return {kOk, bytes};
  }
  const u64 bytes = chain.readable_bytes() - sizeof(Header);
  if (store_.read_only() || !in_range(sector, bytes)) return {kIoError};
  return {store_.write(sector * kSector, chain.readable(sizeof(Header), bytes)) ? kOk : kIoError};
}

VirtioBlk::Reply VirtioBlk::change_ranges(const Chain& chain, u32 type) {
  const u64 bytes = chain.readable_bytes() - sizeof(Header);
  if (store_.read_only() || bytes == 0 || bytes % sizeof(Range) != 0 || bytes / sizeof(Range) > kMostRanges)
    return {kIoError};
  std::vector<Range> ranges(bytes / sizeof(Range));
  chain.read(sizeof(Header), {reinterpret_cast<u8*>(ranges.data()), bytes});
  for (const Range& r : ranges) {
    if (r.sectors > kMostRangeSectors || !in_range(r.sector, r.sectors * kSector)) return {kIoError};
    if (r.flags & ~u32{type == kZeroRanges ? 1u : 0u}) return {kUnsupported};
    if (type == kDiscardRanges)
      store_.discard(r.sector * kSector, r.sectors * kSector);
    else if (!store_.zero(r.sector * kSector, r.sectors * kSector, r.flags & 1))
      return {kIoError};
  }
  return {kOk};
}

}  // namespace tiercel::system
