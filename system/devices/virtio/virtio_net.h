// A network card. Virtio 1.2, "Network Device": one pair of queues, no offloads.
#pragma once

#include <array>
#include <deque>

#include "system/devices/virtio/virtio_device.h"
#include "system/host/packet_port.h"

namespace tiercel::system {

/// Must run on the port's event loop.
class VirtioNet final : public VirtioDevice {
 public:
  static constexpr u32 kId = 1;
  using Mac = std::array<u8, 6>;
  VirtioNet(Environment environment, PacketPort& port, const Mac& mac);

 protected:
  u64 features() const override;
  std::vector<u8> config() const override;
  void process(unsigned queue) override;
  void on_reset() override { waiting_.clear(); }
  void on_serialize(Archive& state) override;

 private:
  void send();
  void receive(std::span<const u8> frame);
  void deliver();

  PacketPort& port_;
  Mac mac_;
  std::deque<std::vector<u8>> waiting_;  // for the driver's buffers
};

}  // namespace tiercel::system
