#include "system/devices/pl061.h"

#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

constexpr u32 kPeripheralId = 0x00041061;
constexpr u64 kDataEnd = 0x400;  // GPIODATA: address bits 9 to 2 say which pins an access means

enum Register : u64 {
  kDirection = 0x400,
  kSense = 0x404,
  kBothEdges = 0x408,
  kEvent = 0x40c,
  kMask = 0x410,
  kRaw = 0x414,
  kMasked = 0x418,
  kClear = 0x41c,
  kAlternate = 0x420,
};

}  // namespace

void Pl061::reset() {
  const std::scoped_lock lock(mutex_);
  outputs_ = direction_ = level_sensitive_ = both_edges_ = rising_or_high_ = mask_ = latched_ = alternate_ = 0;
  irq_.set(false);
}

void Pl061::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  state(inputs_, outputs_, direction_, level_sensitive_, both_edges_, rising_or_high_, mask_, latched_, alternate_);
  if (state.loads()) update(levels());
}

void Pl061::describe(FdtNode& node) const {
  node.set_strings("compatible", {"arm,pl061", "arm,primecell"});
  node.set_cells("clocks", {kApbClock});
  node.set_strings("clock-names", {"apb_pclk"});
  node.set("gpio-controller");
  node.set_cells("#gpio-cells", {2});
  node.set("interrupt-controller");
  node.set_cells("#address-cells", {0});
  node.set_cells("#interrupt-cells", {2});
}

void Pl061::set_input(unsigned pin, bool level) {
  const std::scoped_lock lock(mutex_);
  const u8 before = levels();
  const u8 bit = static_cast<u8>(1u << pin);
  inputs_ = static_cast<u8>(level ? inputs_ | bit : inputs_ & ~bit);
  update(before);
}

/// Latches the edges between `before` and the levels now, and sets the line.
void Pl061::update(u8 before) {
  const u8 now = levels();
  const u8 rose = static_cast<u8>(now & ~before), fell = static_cast<u8>(before & ~now);
  const u8 edges = static_cast<u8>((both_edges_ & (rose | fell)) |
                                   (~both_edges_ & ((rising_or_high_ & rose) | (~rising_or_high_ & fell))));
  const u8 active = static_cast<u8>(~(now ^ rising_or_high_));
  latched_ = static_cast<u8>((level_sensitive_ & active) | (~level_sensitive_ & (latched_ | edges)));
  irq_.set((latched_ & mask_) != 0);
}

u32 Pl061::read32(u64 offset) {
  const std::scoped_lock lock(mutex_);
  if (offset < kDataEnd) return levels() & static_cast<u32>(offset >> 2);
  switch (offset) {
    case kDirection:
      return direction_;
    case kSense:
      return level_sensitive_;
    case kBothEdges:
      return both_edges_;
    case kEvent:
      return rising_or_high_;
    case kMask:
      return mask_;
    case kRaw:
      return latched_;
    case kMasked:
      return latched_ & mask_;
    case kAlternate:
      return alternate_;
    default:
      return primecell_id(offset, kPeripheralId);
  }
}

void Pl061::write32(u64 offset, u32 value) {
  const std::scoped_lock lock(mutex_);
  const u8 before = levels();
  write_register(offset, static_cast<u8>(value));
  update(before);
}

void Pl061::write_register(u64 offset, u8 value) {
  if (offset < kDataEnd) {
    const u8 pins = static_cast<u8>(offset >> 2);
    outputs_ = static_cast<u8>((outputs_ & ~pins) | (value & pins));
    return;
  }
  switch (offset) {
    case kDirection:
      direction_ = value;
      break;
    case kSense:
      level_sensitive_ = value;
      break;
    case kBothEdges:
      both_edges_ = value;
      break;
    case kEvent:
      rising_or_high_ = value;
      break;
    case kMask:
      mask_ = value;
      break;
    case kClear:
      latched_ = static_cast<u8>(latched_ & ~value);
      break;
    case kAlternate:
      alternate_ = value;
      break;
    default:
      break;
  }
}

}  // namespace tiercel::system
