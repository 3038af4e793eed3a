// The PCI transport. Virtio 1.2, "Virtio Over PCI Bus"; not its transitional interface.
#pragma once

#include "system/devices/pci/msix.h"
#include "system/devices/pci/pci_function.h"
#include "system/devices/virtio/virtio_device.h"

namespace tiercel::system {

class VirtioPci final : public PciFunction, public VirtioInterrupts {
 public:
  VirtioPci(VirtioDevice& device, MessageSink messages);

  u64 read_bar(unsigned bar, u64 offset, unsigned bytes) override;
  void write_bar(unsigned bar, u64 offset, unsigned bytes, u64 value) override;

  void queue_used(unsigned queue) override;
  void config_changed() override;

 protected:
  void on_reset() override;
  void on_serialize(Archive& state) override;
  void serialize_device(Archive& state) override { device_.serialize(state); }
  void after_reset() override { device_.reset(); }
  void before_config_read(u64 offset, unsigned bytes) override;
  void after_config_write(u64 offset, unsigned bytes) override;

 private:
  struct Window {
    u64 offset = 0;
    unsigned bytes = 0;
  };
  u64 read_common(u64 offset);
  void write_common(u64 offset, unsigned bytes, u64 value);
  u64 read_queue(u64 offset);
  void write_queue(u64 offset, unsigned bytes, u64 value);
  void raise(u8 cause, u16 vector);
  bool has_window(u64 offset, unsigned bytes, Window& window);

  VirtioDevice& device_;
  u8 msix_capability_ = 0, window_capability_ = 0;
  // Each is one register of the common configuration.
  std::atomic<u32> device_features_half_{0}, driver_features_half_{0};
  std::atomic<u16> queue_{0};
  // With the function's lock, which is taken after the device's.
  MsixTable msix_;
  u8 isr_ = 0;
  u16 config_vector_ = MsixTable::kNoVector;
  std::vector<u16> queue_vectors_;
};

}  // namespace tiercel::system
