#include "system/devices/pci/pci_function.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {
namespace {

enum Offset : u64 {
  kVendor = 0x00,
  kDevice = 0x02,
  kCommand = 0x04,
  kStatus = 0x06,
  kRevision = 0x08,
  kClass = 0x09,
  kBar = 0x10,
  kSubsystemVendor = 0x2c,
  kSubsystem = 0x2e,
  kCapabilities = 0x34,
  kInterruptLine = 0x3c,
  kInterruptPin = 0x3d,
};
constexpr u16 kMemorySpace = 1 << 1, kBusMaster = 1 << 2, kIntxDisable = 1 << 10;  // Command
constexpr u8 kIntxStatus = 1 << 3, kHasCapabilities = 1 << 4;                      // Status
constexpr u64 kUnmapped = ~u64{0};
constexpr u64 kCapabilitiesEnd = 0x100;

}  // namespace

PciFunction::PciFunction(const PciIdentity& identity) {
  const auto put = [&](u64 offset, u64 value, std::size_t bytes) { std::memcpy(&config_[offset], &value, bytes); };
  put(kVendor, identity.vendor, 2);
  put(kDevice, identity.device, 2);
  put(kRevision, identity.revision, 1);
  put(kClass, identity.class_code, 3);
  put(kSubsystemVendor, identity.subsystem_vendor, 2);
  put(kSubsystem, identity.subsystem, 2);
  put(kInterruptPin, 1, 1);
  const u8 command[2] = {kMemorySpace | kBusMaster, kIntxDisable >> 8};
  make_writable(kCommand, command);
  const u8 all = 0xff;
  make_writable(kInterruptLine, {&all, 1});
  for (auto& base : bar_base_) base = kUnmapped;
}

void PciFunction::add_bar(unsigned bar, u32 bytes) {
  CHECK(bar < kBars && bytes >= 16 && std::has_single_bit(bytes));
  bar_bytes_[bar] = bytes;
  const u32 mask = ~(bytes - 1);
  make_writable(kBar + 4 * bar, {reinterpret_cast<const u8*>(&mask), 4});
}

u8 PciFunction::add_capability(u8 id, std::span<const u8> body) {
  const u8 at = next_free_;
  CHECK(at + 2 + body.size() <= kCapabilitiesEnd);
  config_[at] = id;
  config_[at + 1] = 0;
  std::copy(body.begin(), body.end(), config_.begin() + at + 2);
  config_[last_capability_ != 0 ? last_capability_ + 1u : u64{kCapabilities}] = at;
  config_[kStatus] |= kHasCapabilities;
  last_capability_ = at;
  next_free_ = static_cast<u8>(align_up(at + 2 + body.size(), 4));
  return at;
}

void PciFunction::make_writable(u64 offset, std::span<const u8> mask) {
  std::copy(mask.begin(), mask.end(), writable_.begin() + static_cast<long>(offset));
}

u32 PciFunction::read_config(u64 offset, unsigned bytes) {
  before_config_read(offset, bytes);
  const std::scoped_lock lock(mutex_);
  u32 value = 0;
  std::memcpy(&value, &config_[offset], bytes);
  return value;
}

void PciFunction::write_config(u64 offset, unsigned bytes, u32 value) {
  {
    const std::scoped_lock lock(mutex_);
    for (unsigned i = 0; i < bytes; ++i) {
      const u8 mask = writable_[offset + i], byte = static_cast<u8>(value >> (8 * i));
      config_[offset + i] = static_cast<u8>((config_[offset + i] & ~mask) | (byte & mask));
    }
    update_bars();
    update_intx();
  }
  after_config_write(offset, bytes);
}

u16 PciFunction::command() const {
  u16 value;
  std::memcpy(&value, &config_[kCommand], sizeof value);
  return value;
}

void PciFunction::update_bars() {
  for (unsigned bar = 0; bar < kBars; ++bar) {
    u32 base;
    std::memcpy(&base, &config_[kBar + 4 * bar], sizeof base);
    const bool mapped = bar_bytes_[bar] != 0 && (command() & kMemorySpace);
    bar_base_[bar] = mapped ? base : kUnmapped;
  }
}

unsigned PciFunction::find_bar(u64 address, u64& offset) const {
  for (unsigned bar = 0; bar < kBars; ++bar) {
    const u64 base = bar_base_[bar];
    if (base == kUnmapped || address < base || address - base >= bar_bytes_[bar]) continue;
    offset = address - base;
    return bar;
  }
  return kBars;
}

void PciFunction::set_intx(bool level) {
  intx_level_ = level;
  config_[kStatus] = static_cast<u8>(level ? config_[kStatus] | kIntxStatus : config_[kStatus] & ~kIntxStatus);
  update_intx();
}

void PciFunction::update_intx() {
  intx_.set(intx_level_ && !(command() & kIntxDisable));
}

void PciFunction::reset() {
  {
    const std::scoped_lock lock(mutex_);
    for (u64 i = 0; i < kConfigBytes; ++i) config_[i] &= static_cast<u8>(~writable_[i]);
    set_intx(false);
    update_bars();
    on_reset();
  }
  after_reset();
}

void PciFunction::serialize(Archive& state) {
  {
    const std::scoped_lock lock(mutex_);
    std::array<u8, kConfigBytes> saved = config_;
    bool level = intx_level_;
    state(saved, level);
    on_serialize(state);
    if (state.loads()) {
      // What the guest cannot write is as this function was made.
      for (u64 i = 0; i < kConfigBytes; ++i)
        config_[i] = static_cast<u8>((config_[i] & ~writable_[i]) | (saved[i] & writable_[i]));
      set_intx(level);
      update_bars();
    }
  }
  serialize_device(state);
}

}  // namespace tiercel::system
