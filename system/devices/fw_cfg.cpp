#include "system/devices/fw_cfg.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

constexpr u64 kData = 0, kSelector = 8, kDmaHigh = 16, kDmaLow = 20;
constexpr u16 kSignature = 0x00, kInterface = 0x01, kDirectory = 0x19, kFirstFile = 0x20;
constexpr u32 kError = 1, kRead = 2, kSkip = 4, kSelect = 8, kWrite = 16;  // a DMA request's control
constexpr std::size_t kNameBytes = 56;

constexpr u32 swap32(u32 v) {
  return __builtin_bswap32(v);
}
constexpr u64 kDmaSignature = 0x51454d5520434647;  // "QEMU CFG"

void append_big_endian(std::vector<u8>& out, u32 value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<u8>(value >> (8 * i)));
}

}  // namespace

FwCfg::FwCfg(Bus& bus) : bus_(bus) {
  add(kSignature, {'Q', 'E', 'M', 'U'});
  add(kInterface, {3, 0, 0, 0});  // the traditional and the DMA interface
  rebuild_directory();
}

void FwCfg::add(u16 key, std::vector<u8> content) {
  items_[key] = std::move(content);
}

void FwCfg::add_file(const std::string& name, std::vector<u8> content) {
  CHECK(name.size() < kNameBytes);
  const u16 key = static_cast<u16>(kFirstFile + files_.size());
  files_.push_back({name, static_cast<u32>(content.size()), key});
  add(key, std::move(content));
  rebuild_directory();
}

void FwCfg::rebuild_directory() {
  std::vector<u8> all;
  append_big_endian(all, static_cast<u32>(files_.size()), 4);
  for (const File& f : files_) {
    append_big_endian(all, f.size, 4);
    append_big_endian(all, f.key, 2);
    append_big_endian(all, 0, 2);
    all.insert(all.end(), f.name.begin(), f.name.end());
    all.insert(all.end(), kNameBytes - f.name.size(), 0);
  }
  add(kDirectory, std::move(all));
}

void FwCfg::reset() {
  const std::scoped_lock lock(mutex_);
  select(kSignature);
  dma_high_ = 0;
}

/// The files are the board's.
void FwCfg::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  state(selected_, position_, dma_high_);
}

void FwCfg::describe(FdtNode& node) const {
  node.set_string("compatible", "qemu,fw-cfg-mmio");
  node.set("dma-coherent");
}

void FwCfg::select(u16 key) {
  selected_ = key;
  position_ = 0;
}

/// The selected item's next bytes, and zeroes behind its end.
void FwCfg::take(std::span<u8> out) {
  std::fill(out.begin(), out.end(), u8{0});
  const auto item = items_.find(selected_);
  if (item == items_.end() || position_ >= item->second.size()) return;
  const u64 n = std::min<u64>(out.size(), item->second.size() - position_);
  std::copy_n(item->second.begin() + static_cast<long>(position_), n, out.begin());
  position_ += n;
}

u64 FwCfg::read(u64 offset, unsigned bytes) {
  const std::scoped_lock lock(mutex_);
  u64 value = 0;
  if (offset < kData + 8) {
    // A string of bytes: the first one is the lowest in the guest's little-endian register.
    std::array<u8, 8> next;
    take({next.data(), bytes});
    std::memcpy(&value, next.data(), bytes);
  } else if (offset >= kDmaHigh && offset < kDmaHigh + 8) {
    const u64 signature = __builtin_bswap64(kDmaSignature);
    value = signature >> (8 * (offset - kDmaHigh));
  }
  return value;
}

void FwCfg::write(u64 offset, unsigned bytes, u64 value) {
  const std::scoped_lock lock(mutex_);
  if (offset == kSelector && bytes == 2) {
    select(__builtin_bswap16(static_cast<u16>(value)));
  } else if (offset == kDmaHigh && bytes == 4) {
    dma_high_ = swap32(static_cast<u32>(value));
  } else if (offset == kDmaLow && bytes == 4) {
    transfer(PAddr{u64{std::exchange(dma_high_, 0)} << 32 | swap32(static_cast<u32>(value))});
  } else if (offset == kDmaHigh && bytes == 8) {
    transfer(PAddr{__builtin_bswap64(value)});
  }
}

/// One request: control, length and address, all big-endian. Control is the answer as well.
void FwCfg::transfer(PAddr control) {
  struct {
    u32 control, length;
    u64 address;
  } request;
  static_assert(sizeof request == 16);
  if (!bus_.load(control, {reinterpret_cast<u8*>(&request), sizeof request})) return;
  const u32 what = swap32(request.control);
  const u64 length = swap32(request.length);
  const u64 address = __builtin_bswap64(request.address);
  if (what & kSelect) select(static_cast<u16>(what >> 16));
  u32 answer = what & kWrite ? kError : 0;
  if (what & kRead) {
    const std::span<u8> to = bus_.ram(PAddr{address}, length);
    if (to.size() == length) {
      take(to);
      bus_.written(PAddr{address}, length);
    } else {
      answer = kError;
    }
  } else if (what & kSkip) {
    position_ += length;
  }
  answer = swap32(answer);
  bus_.store(control, {reinterpret_cast<const u8*>(&answer), sizeof answer});
}

}  // namespace tiercel::system
