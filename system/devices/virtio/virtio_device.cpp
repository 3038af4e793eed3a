#include "system/devices/virtio/virtio_device.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {

VirtioDevice::VirtioDevice(Environment environment, u32 id, std::vector<u16> queue_sizes)
    : environment_(environment),
      id_(id),
      sizes_(std::move(queue_sizes)),
      doorbell_(environment.loop.add_doorbell([this] { run_notified(); })),
      queues_(sizes_.size()) {
  CHECK(sizes_.size() <= 64);
}

u16 VirtioDevice::size(unsigned queue) {
  const std::scoped_lock lock(mutex_);
  return queues_[queue].size != 0 ? queues_[queue].size : sizes_[queue];
}

void VirtioDevice::set_status(u8 value) {
  if (value == 0) return reset();
  const std::scoped_lock lock(mutex_);
  // "The driver MUST NOT clear a status bit"; NEEDS_RESET is ours alone.
  u8 next = status_ | (value & ~kNeedsReset);
  const bool features_final = (next & kFeaturesOk) && !(status_ & kFeaturesOk);
  // We refuse by not keeping FEATURES_OK: features that were not offered, or a driver of before 1.0.
  if (features_final && ((accepted_ & ~offered()) != 0 || !accepted(kVersion1))) next &= static_cast<u8>(~kFeaturesOk);
  status_ = next;
}

void VirtioDevice::accept(unsigned half, u32 value) {
  const std::scoped_lock lock(mutex_);
  if ((status_ & kFeaturesOk) || half > 1) return;
  accepted_ = half == 0 ? (accepted_ & ~u64{0xffffffff}) | value : (accepted_ & 0xffffffff) | u64{value} << 32;
}

void VirtioDevice::enable(unsigned queue) {
  const std::scoped_lock lock(mutex_);
  if (queue >= queues_.size() || queues_[queue].enabled()) return;
  if (queues_[queue].size == 0) queues_[queue].size = sizes_[queue];  // over PCI a driver need not write it
  if (queues_[queue].size > sizes_[queue] || !queues_[queue].enable(environment_.bus, accepted(kEventIndex)))
    needs_reset();
}

void VirtioDevice::disable(unsigned queue) {
  const std::scoped_lock lock(mutex_);
  if (queue < queues_.size()) queues_[queue].reset();
}

bool VirtioDevice::enabled(unsigned queue) {
  const std::scoped_lock lock(mutex_);
  return queue < queues_.size() && queues_[queue].enabled();
}

void VirtioDevice::notify(unsigned queue) {
  if (queue >= sizes_.size()) return;
  notified_.fetch_or(u64{1} << queue);
  doorbell_.ring();
}

void VirtioDevice::run_notified() {
  for (u64 queues = notified_.exchange(0); queues != 0; queues &= queues - 1) {
    const std::scoped_lock lock(mutex_);
    if (running()) process(static_cast<unsigned>(std::countr_zero(queues)));
  }
}

u64 VirtioDevice::config_read(u64 offset, unsigned bytes) {
  const std::scoped_lock lock(mutex_);
  const std::vector<u8> all = config();
  u64 value = 0;
  for (unsigned i = 0; i < bytes && offset + i < all.size(); ++i) value |= u64{all[offset + i]} << (8 * i);
  return value;
}

void VirtioDevice::config_write(u64 offset, unsigned bytes, u64 value) {
  const std::scoped_lock lock(mutex_);
  write_config(offset, bytes, value);
}

void VirtioDevice::reset() {
  const std::scoped_lock lock(mutex_);
  status_ = 0;
  accepted_ = 0;
  notified_ = 0;
  for (Virtqueue& queue : queues_) queue.reset();
  on_reset();
}

void VirtioDevice::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  state(status_, generation_, accepted_, notified_);
  state.require((accepted_ & ~offered()) == 0 || !(status_ & kFeaturesOk));
  for (unsigned i = 0; i < queues_.size(); ++i) {
    const bool usable = queues_[i].serialize(state, environment_.bus, accepted(kEventIndex));
    state.require(usable && (!queues_[i].enabled() || queues_[i].size <= sizes_[i]));
  }
  on_serialize(state);
  if (!state.loads()) return;
  notified_ = notified_ & low_mask(static_cast<unsigned>(queues_.size()));
  if (notified_ != 0) doorbell_.ring();
}

bool VirtioDevice::pop(unsigned queue, Chain& chain) {
  if (!running()) return false;
  switch (queues_[queue].pop(environment_.bus, chain)) {
    case Virtqueue::Pop::Got:
      return true;
    case Virtqueue::Pop::Empty:
      return false;
    case Virtqueue::Pop::Broken:
      needs_reset();
      return false;
  }
  return false;
}

void VirtioDevice::push(unsigned queue, const Chain& chain, u64 written) {
  queues_[queue].push(environment_.bus, chain, static_cast<u32>(written));
}

void VirtioDevice::signal(unsigned queue) {
  if (queues_[queue].take_interrupt() && interrupts_) interrupts_->queue_used(queue);
}

void VirtioDevice::needs_reset() {
  const bool tell = (status_ & kDriverOk) && !(status_ & kNeedsReset);
  status_ |= kNeedsReset;
  if (tell && interrupts_) interrupts_->config_changed();
}

void VirtioDevice::change_config() {
  ++generation_;
  if ((status_ & kDriverOk) && interrupts_) interrupts_->config_changed();
}

}  // namespace tiercel::system
