#include "system/devices/virtio/virtio_mmio.h"

#include "base/bits.h"
#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

enum Register : u64 {
  kMagic = 0x000,
  kVersion = 0x004,
  kDeviceId = 0x008,
  kVendorId = 0x00c,
  kDeviceFeatures = 0x010,
  kDeviceFeaturesHalf = 0x014,
  kDriverFeatures = 0x020,
  kDriverFeaturesHalf = 0x024,
  kQueue = 0x030,
  kQueueMaxSize = 0x034,
  kQueueSize = 0x038,
  kQueueReady = 0x044,
  kQueueNotify = 0x050,
  kInterruptStatus = 0x060,
  kInterruptAcknowledge = 0x064,
  kStatus = 0x070,
  kDescriptorsLow = 0x080,
  kDescriptorsHigh = 0x084,
  kDriverAreaLow = 0x090,
  kDriverAreaHigh = 0x094,
  kDeviceAreaLow = 0x0a0,
  kDeviceAreaHigh = 0x0a4,
  kSharedMemoryLengthLow = 0x0b0,
  kSharedMemoryBaseHigh = 0x0bc,
  kConfigGeneration = 0x0fc,
  kConfig = 0x100,
};
constexpr u32 kUsedBuffer = 1, kConfigChange = 2;  // InterruptStatus
constexpr u32 kVendor = 0x52454954;                // "TIER"

void set_low(u64& field, u32 value) {
  field = (field & ~u64{0xffffffff}) | value;
}
void set_high(u64& field, u32 value) {
  field = (field & 0xffffffff) | u64{value} << 32;
}

}  // namespace

VirtioMmio::VirtioMmio(IrqLine irq, VirtioDevice* device) : irq_(irq), device_(device) {
  if (device_) device_->connect(*this);
}

void VirtioMmio::reset() {
  if (device_) device_->reset();
  device_features_half_ = driver_features_half_ = queue_ = 0;
  const std::scoped_lock lock(interrupt_mutex_);
  causes_ = 0;
  irq_.set(false);
}

void VirtioMmio::serialize(Archive& state) {
  if (device_) device_->serialize(state);
  state(device_features_half_, driver_features_half_, queue_);
  const std::scoped_lock lock(interrupt_mutex_);
  state(causes_);
  if (state.loads()) irq_.set(causes_ != 0);
}

void VirtioMmio::describe(FdtNode& node) const {
  node.set_string("compatible", "virtio,mmio");
  node.set("dma-coherent");
}

void VirtioMmio::raise(u32 cause) {
  const std::scoped_lock lock(interrupt_mutex_);
  causes_ |= cause;
  irq_.set(true);
}

void VirtioMmio::queue_used(unsigned) {
  raise(kUsedBuffer);
}
void VirtioMmio::config_changed() {
  raise(kConfigChange);
}

u64 VirtioMmio::read(u64 offset, unsigned bytes) {
  if (offset >= kConfig) return device_ ? device_->config_read(offset - kConfig, bytes) : 0;
  return bytes == 4 ? read_register(offset) : 0;
}

void VirtioMmio::write(u64 offset, unsigned bytes, u64 value) {
  if (!device_) return;
  if (offset >= kConfig)
    device_->config_write(offset - kConfig, bytes, value);
  else if (bytes == 4)
    write_register(offset, static_cast<u32>(value));
}

u32 VirtioMmio::read_register(u64 offset) {
  if (offset == kMagic) return 0x74726976;
  if (offset == kVersion) return 2;
  if (!device_) return 0;  // also DeviceID: an empty slot
  if (offset >= kSharedMemoryLengthLow && offset <= kSharedMemoryBaseHigh) return ~u32{0};  // there is none
  const unsigned queue = queue_;
  switch (offset) {
    case kDeviceId:
      return device_->id();
    case kVendorId:
      return kVendor;
    case kDeviceFeatures: {
      const u32 half = device_features_half_;
      return half > 1 ? 0 : static_cast<u32>(device_->offered() >> (32 * half));
    }
    case kQueueMaxSize:
      return queue < device_->queue_count() ? device_->max_size(queue) : 0;
    case kQueueReady:
      return device_->enabled(queue);
    case kInterruptStatus: {
      const std::scoped_lock lock(interrupt_mutex_);
      return causes_;
    }
    case kStatus:
      return device_->status();
    case kConfigGeneration:
      return device_->config_generation();
    default:
      return 0;
  }
}

void VirtioMmio::write_register(u64 offset, u32 value) {
  switch (offset) {
    case kDeviceFeaturesHalf:
      device_features_half_ = value;
      break;
    case kDriverFeaturesHalf:
      driver_features_half_ = value;
      break;
    case kDriverFeatures:
      device_->accept(driver_features_half_, value);
      break;
    case kQueue:
      queue_ = value;
      break;
    case kQueueNotify:
      device_->notify(value);
      break;
    case kInterruptAcknowledge: {
      const std::scoped_lock lock(interrupt_mutex_);
      causes_ &= ~value;
      irq_.set(causes_ != 0);
      break;
    }
    case kStatus:
      if ((value & 0xff) == 0)
        reset();
      else
        device_->set_status(static_cast<u8>(value));
      break;
    default:
      write_queue_register(offset, value);
  }
}

void VirtioMmio::write_queue_register(u64 offset, u32 value) {
  const unsigned queue = queue_;
  if (offset == kQueueReady) return value & 1 ? device_->enable(queue) : device_->disable(queue);
  device_->set_up(queue, [&](Virtqueue& q) {
    switch (offset) {
      case kQueueSize:
        q.size = static_cast<u16>(value);
        break;
      case kDescriptorsLow:
        set_low(q.descriptors, value);
        break;
      case kDescriptorsHigh:
        set_high(q.descriptors, value);
        break;
      case kDriverAreaLow:
        set_low(q.driver_area, value);
        break;
      case kDriverAreaHigh:
        set_high(q.driver_area, value);
        break;
      case kDeviceAreaLow:
        set_low(q.device_area, value);
        break;
      case kDeviceAreaHigh:
        set_high(q.device_area, value);
        break;
      default:
        break;
    }
  });
}

}  // namespace tiercel::system
