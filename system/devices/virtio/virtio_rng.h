// Random bytes. Virtio 1.2, "Entropy Device".
#pragma once

#include <functional>
#include <utility>

#include "system/devices/virtio/virtio_device.h"

namespace tiercel::system {

class VirtioRng final : public VirtioDevice {
 public:
  static constexpr u32 kId = 4;
  using Source = std::function<void(std::span<u8>)>;
  VirtioRng(Environment environment, Source source)
      : VirtioDevice(environment, kId, {64}), source_(std::move(source)) {}

 protected:
  void process(unsigned queue) override;

 private:
  Source source_;
};

}  // namespace tiercel::system
