// A serial line for the guest's hvc0. Virtio 1.2, "Console Device"; one port.
#pragma once

#include <deque>

#include "system/devices/virtio/virtio_device.h"
#include "system/host/char_port.h"

namespace tiercel::system {

class VirtioConsole final : public VirtioDevice {
 public:
  static constexpr u32 kId = 3;
  VirtioConsole(Environment environment, CharPort& port);

  /// The terminal outside has this size now. Any thread.
  void resize(u16 columns, u16 rows);

 protected:
  u64 features() const override;
  std::vector<u8> config() const override;
  void write_config(u64 offset, unsigned bytes, u64 value) override;
  void process(unsigned queue) override;
  void on_reset() override { sending_.clear(); }
  void on_serialize(Archive& state) override;

 private:
  void receive();
  void send();
  bool send_pending();

  CharPort& port_;
  u16 columns_ = 0, rows_ = 0;
  std::vector<u8> sending_;  // of a request that was given back, what the outside has no room for yet
};

}  // namespace tiercel::system
