#include "system/devices/virtio/virtio_pci.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {
namespace {

constexpr u16 kVirtioVendor = 0x1af4, kFirstModernDevice = 0x1040;
constexpr u8 kMsixId = 0x11, kVendorId = 0x09;  // capabilities

// BAR 0 holds the four structures, a page each; BAR 1 the MSI-X table.
constexpr unsigned kStructuresBar = 0, kMsixBar = 1;
constexpr u64 kCommon = 0x0000, kIsr = 0x1000, kDeviceConfig = 0x2000, kNotify = 0x3000, kStructuresBytes = 0x4000;
constexpr u32 kNotifyMultiplier = 4;
enum CapabilityType : u8 { kCommonType = 1, kNotifyType = 2, kIsrType = 3, kDeviceType = 4, kWindowType = 5 };

enum Common : u64 {
  kDeviceFeatureHalf = 0x00,
  kDeviceFeature = 0x04,
  kDriverFeatureHalf = 0x08,
  kDriverFeature = 0x0c,
  kConfigVector = 0x10,
  kQueueCount = 0x12,
  kDeviceStatus = 0x14,
  kConfigGeneration = 0x15,
  kQueueSelect = 0x16,
  kQueueSize = 0x18,
  kQueueVector = 0x1a,
  kQueueEnable = 0x1c,
  kQueueNotifyOffset = 0x1e,
  kQueueDescriptors = 0x20,
  kQueueDriver = 0x28,
  kQueueDevice = 0x30,
  kCommonEnd = 0x38,
};
constexpr u8 kQueueInterrupt = 1, kConfigInterrupt = 2;  // ISR status

u32 class_code(u32 id) {
  constexpr u32 kNetwork = 1, kBlock = 2, kConsole = 3;
  switch (id) {
    case kNetwork:
      return 0x020000;
    case kBlock:
      return 0x018000;
    case kConsole:
      return 0x078000;
    default:
      return 0x00ff00;
  }
}

/// struct virtio_pci_cap behind its ID and next pointer.
std::vector<u8> structure(CapabilityType type, u64 offset, u64 length, std::initializer_list<u32> more = {}) {
  const u32 words[2] = {static_cast<u32>(offset), static_cast<u32>(length)};
  std::vector<u8> body(14 + 4 * more.size());
  body[0] = static_cast<u8>(2 + body.size());
  body[1] = type;
  body[2] = kStructuresBar;
  std::memcpy(&body[6], words, sizeof words);
  std::size_t at = 14;
  for (const u32 word : more) std::memcpy(&body[at], &word, 4), at += 4;
  return body;
}

/// A 64-bit field is written as a whole or by halves.
void set_part(u64& field, u64 offset, unsigned bytes, u64 value) {
  const unsigned shift = static_cast<unsigned>(8 * (offset & 7));
  const u64 mask = low_mask(8 * bytes) << shift;
  field = (field & ~mask) | ((value << shift) & mask);
}

}  // namespace

VirtioPci::VirtioPci(VirtioDevice& device, MessageSink messages)
    : PciFunction({kVirtioVendor, static_cast<u16>(kFirstModernDevice + device.id()), kVirtioVendor,
                   static_cast<u16>(kFirstModernDevice + device.id()), class_code(device.id()), 1}),
      device_(device),
      msix_(device.queue_count() + 1, std::move(messages)),
      queue_vectors_(device.queue_count(), MsixTable::kNoVector) {
  CHECK(msix_.vectors() <= MsixTable::kMostVectors);
  add_bar(kStructuresBar, kStructuresBytes);
  add_bar(kMsixBar, MsixTable::kBarBytes);
  add_capability(kVendorId, structure(kCommonType, kCommon, kCommonEnd));
  add_capability(kVendorId, structure(kIsrType, kIsr, 1));
  add_capability(kVendorId, structure(kDeviceType, kDeviceConfig, 0x1000));
  add_capability(kVendorId,
                 structure(kNotifyType, kNotify, kNotifyMultiplier * device.queue_count(), {kNotifyMultiplier}));
  // A window onto the BAR for software that cannot map it: its offset, length and data are the driver's.
  window_capability_ = add_capability(kVendorId, structure(kWindowType, 0, 0, {0}));
  const std::array<u8, 12> all = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  make_writable(window_capability_ + 8u, all);

  const u16 control = static_cast<u16>(msix_.vectors() - 1);
  const u32 table = kMsixBar, pending = MsixTable::kPendingOffset | kMsixBar;
  std::array<u8, 10> msix;
  std::memcpy(&msix[0], &control, 2);
  std::memcpy(&msix[2], &table, 4);
  std::memcpy(&msix[6], &pending, 4);
  msix_capability_ = add_capability(kMsixId, msix);
  const u8 enable_and_mask = 0xc0;
  make_writable(msix_capability_ + 3u, {&enable_and_mask, 1});
  device_.connect(*this);
}

void VirtioPci::on_reset() {
  msix_.reset();
  isr_ = 0;
  config_vector_ = MsixTable::kNoVector;
  std::fill(queue_vectors_.begin(), queue_vectors_.end(), MsixTable::kNoVector);
}

void VirtioPci::on_serialize(Archive& state) {
  state(device_features_half_, driver_features_half_, queue_, msix_, isr_, config_vector_, queue_vectors_);
}

void VirtioPci::raise(u8 cause, u16 vector) {
  if (msix_.enabled()) return msix_.signal(vector);
  isr_ |= cause;
  set_intx(true);
}

void VirtioPci::queue_used(unsigned queue) {
  const std::scoped_lock lock(mutex());
  raise(kQueueInterrupt, queue_vectors_[queue]);
}

void VirtioPci::config_changed() {
  const std::scoped_lock lock(mutex());
  raise(kConfigInterrupt, config_vector_);
}

u64 VirtioPci::read_bar(unsigned bar, u64 offset, unsigned bytes) {
  if (bar == kMsixBar) {
    const std::scoped_lock lock(mutex());
    const u64 low = msix_.read(align_down(offset, 4));
    return bytes == 8 ? low | u64{msix_.read(offset + 4)} << 32 : low >> (8 * (offset & 3));
  }
  switch (align_down(offset, 0x1000)) {
    case kCommon:
      return read_common(offset);
    case kIsr: {
      const std::scoped_lock lock(mutex());
      if (offset != kIsr) return 0;
      set_intx(false);
      return std::exchange(isr_, u8{0});
    }
    case kDeviceConfig:
      return device_.config_read(offset - kDeviceConfig, bytes);
    default:
      return 0;
  }
}

void VirtioPci::write_bar(unsigned bar, u64 offset, unsigned bytes, u64 value) {
  if (bar == kMsixBar) {
    const std::scoped_lock lock(mutex());
    if (bytes < 4) return;
    msix_.write(offset, static_cast<u32>(value));
    if (bytes == 8) msix_.write(offset + 4, static_cast<u32>(value >> 32));
    return;
  }
  switch (align_down(offset, 0x1000)) {
    case kCommon:
      return write_common(offset, bytes, value);
    case kDeviceConfig:
      return device_.config_write(offset - kDeviceConfig, bytes, value);
    case kNotify:
      return device_.notify(static_cast<unsigned>((offset - kNotify) / kNotifyMultiplier));
    default:
      return;
  }
}

u64 VirtioPci::read_common(u64 offset) {
  switch (offset) {
    case kDeviceFeatureHalf:
      return device_features_half_;
    case kDeviceFeature: {
      const u32 half = device_features_half_;
      return half > 1 ? 0 : device_.offered() >> (32 * half) & 0xffffffff;
    }
    case kDriverFeatureHalf:
      return driver_features_half_;
    case kConfigVector: {
      const std::scoped_lock lock(mutex());
      return config_vector_;
    }
    case kQueueCount:
      return device_.queue_count();
    case kDeviceStatus:
      return device_.status();
    case kConfigGeneration:
      return device_.config_generation() & 0xff;
    case kQueueSelect:
      return queue_;
    default:
      return offset < kCommonEnd ? read_queue(offset) : 0;
  }
}

u64 VirtioPci::read_queue(u64 offset) {
  const unsigned queue = queue_;
  if (queue >= device_.queue_count()) return 0;  // a size of 0: there is no such queue
  switch (offset) {
    case kQueueSize:
      return device_.size(queue);
    case kQueueVector: {
      const std::scoped_lock lock(mutex());
      return queue_vectors_[queue];
    }
    case kQueueEnable:
      return device_.enabled(queue);
    case kQueueNotifyOffset:
      return queue;
    default:
      return 0;
  }
}

void VirtioPci::write_common(u64 offset, unsigned bytes, u64 value) {
  switch (offset) {
    case kDeviceFeatureHalf:
      device_features_half_ = static_cast<u32>(value);
      break;
    case kDriverFeatureHalf:
      driver_features_half_ = static_cast<u32>(value);
      break;
    case kDriverFeature:
      device_.accept(driver_features_half_, static_cast<u32>(value));
      break;
    case kConfigVector: {
      const std::scoped_lock lock(mutex());
      config_vector_ = value < msix_.vectors() ? static_cast<u16>(value) : MsixTable::kNoVector;
      break;
    }
    case kDeviceStatus:
      device_.set_status(static_cast<u8>(value));
      if (static_cast<u8>(value) == 0) {
        const std::scoped_lock lock(mutex());
        isr_ = 0;
        set_intx(false);
      }
      break;
    case kQueueSelect:
      queue_ = static_cast<u16>(value);
      break;
    default:
      if (offset < kCommonEnd) write_queue(offset, bytes, value);
  }
}

void VirtioPci::write_queue(u64 offset, unsigned bytes, u64 value) {
  const unsigned queue = queue_;
  if (queue >= device_.queue_count()) return;
  if (offset == kQueueVector) {
    const std::scoped_lock lock(mutex());
    queue_vectors_[queue] = value < msix_.vectors() ? static_cast<u16>(value) : MsixTable::kNoVector;
  } else if (offset == kQueueEnable) {
    if (value == 1) device_.enable(queue);
  } else {
    device_.set_up(queue, [&](Virtqueue& q) {
      if (offset == kQueueSize) q.size = static_cast<u16>(value);
      if (align_down(offset, 8) == kQueueDescriptors) set_part(q.descriptors, offset, bytes, value);
      if (align_down(offset, 8) == kQueueDriver) set_part(q.driver_area, offset, bytes, value);
      if (align_down(offset, 8) == kQueueDevice) set_part(q.device_area, offset, bytes, value);
    });
  }
}

/// Whether an access to configuration space is one to the window's data, and where that leads.
bool VirtioPci::has_window(u64 offset, unsigned bytes, Window& window) {
  constexpr u64 kBarField = 4, kOffsetField = 8, kLengthField = 12, kDataField = 16;
  const u64 data = window_capability_ + kDataField;
  if (offset + bytes <= data || offset >= data + 4) return false;
  const std::scoped_lock lock(mutex());
  u32 where, length;
  std::memcpy(&where, &config()[window_capability_ + kOffsetField], 4);
  std::memcpy(&length, &config()[window_capability_ + kLengthField], 4);
  const bool good = config()[window_capability_ + kBarField] == kStructuresBar &&
                    (length == 1 || length == 2 || length == 4) && is_aligned(where, length) &&
                    where < kStructuresBytes;
  window = {where, length};
  return good;
}

void VirtioPci::before_config_read(u64 offset, unsigned bytes) {
  Window window;
  if (!has_window(offset, bytes, window)) return;
  const u32 value = static_cast<u32>(read_bar(kStructuresBar, window.offset, window.bytes));
  const std::scoped_lock lock(mutex());
  std::memcpy(&config()[window_capability_ + 16u], &value, 4);
}

void VirtioPci::after_config_write(u64 offset, unsigned bytes) {
  if (offset <= msix_capability_ + 3u && offset + bytes > msix_capability_ + 3u) {
    const std::scoped_lock lock(mutex());
    u16 control;
    std::memcpy(&control, &config()[msix_capability_ + 2u], 2);
    msix_.set_control(control);
  }
  Window window;
  if (!has_window(offset, bytes, window)) return;
  u32 value;
  {
    const std::scoped_lock lock(mutex());
    std::memcpy(&value, &config()[window_capability_ + 16u], 4);
  }
  write_bar(kStructuresBar, window.offset, window.bytes, value & low_mask(8 * window.bytes));
}

}  // namespace tiercel::system
