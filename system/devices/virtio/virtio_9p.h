// A shared folder. Virtio 1.2 reserves the device ID; Linux's include/uapi/linux/virtio_9p.h has the configuration.
#pragma once

#include <string>
#include <utility>

#include "system/devices/virtio/virtio_device.h"
#include "system/host/p9/server.h"

namespace tiercel::system {

/// Give it an event loop of its own: requests wait for the host's files.
class Virtio9p final : public VirtioDevice {
 public:
  static constexpr u32 kId = 9;
  /// `tag` is what the guest mounts it by.
  Virtio9p(Environment environment, p9::Server& server, std::string tag)
      : VirtioDevice(environment, kId, {128}), server_(server), tag_(std::move(tag)) {}

 protected:
  u64 features() const override { return 1; }  // VIRTIO_9P_MOUNT_TAG
  std::vector<u8> config() const override;
  void process(unsigned queue) override;
  void on_reset() override { server_.reset(); }
  void on_serialize(Archive& state) override { server_.serialize(state); }

 private:
  p9::Server& server_;
  std::string tag_;
};

}  // namespace tiercel::system
