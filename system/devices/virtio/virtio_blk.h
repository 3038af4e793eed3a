// A disk. Virtio 1.2, "Block Device".
#pragma once

#include <string>

#include "system/devices/virtio/virtio_device.h"
#include "system/host/block_store.h"

namespace tiercel::system {

/// Give it an event loop of its own: requests wait for the host's disk.
class VirtioBlk final : public VirtioDevice {
 public:
  static constexpr u32 kId = 2;
  /// `serial` is what the guest sees as the disk's, at most 20 bytes of it.
  VirtioBlk(Environment environment, BlockStore& store, std::string serial);

 protected:
  u64 features() const override;
  std::vector<u8> config() const override;
  void process(unsigned queue) override;

 private:
  struct Reply {
    u8 status;
    u64 data = 0;  // bytes written before the status
  };
  Reply handle(const Chain& chain);
  Reply transfer(const Chain& chain, u32 type, u64 sector);
  Reply change_ranges(const Chain& chain, u32 type);
  bool in_range(u64 sector, u64 bytes) const;

  BlockStore& store_;
  std::string serial_;
};

}  // namespace tiercel::system
