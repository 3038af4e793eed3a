// The memory-mapped transport. Virtio 1.2, "Virtio Over MMIO"; not its legacy interface.
#pragma once

#include <atomic>

#include "system/bus/device.h"
#include "system/bus/irq_line.h"
#include "system/devices/virtio/virtio_device.h"

namespace tiercel::system {

/// A slot for one device, or none. A device outlives its slot.
class VirtioMmio final : public Device, public VirtioInterrupts {
 public:
  static constexpr u64 kBytes = 0x200;
  VirtioMmio(IrqLine irq, VirtioDevice* device);

  u64 read(u64 offset, unsigned bytes) override;
  void write(u64 offset, unsigned bytes, u64 value) override;
  void reset() override;
  void serialize(Archive& state) override;
  void describe(FdtNode& node) const override;

  void queue_used(unsigned queue) override;
  void config_changed() override;

 private:
  u32 read_register(u64 offset);
  void write_register(u64 offset, u32 value);
  void write_queue_register(u64 offset, u32 value);
  void raise(u32 cause);

  IrqLine irq_;
  VirtioDevice* device_;
  // Each is one register. Several vCPUs may race for the selectors, as they may on hardware.
  std::atomic<u32> device_features_half_{0}, driver_features_half_{0}, queue_{0};
  std::mutex interrupt_mutex_;  // taken after the device's
  u32 causes_ = 0;
};

}  // namespace tiercel::system
