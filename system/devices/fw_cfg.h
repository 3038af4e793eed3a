// Named blobs that a machine gives its firmware. QEMU's "QEMU Firmware Configuration (fw_cfg) Device" specification,
// the memory-mapped register layout with its DMA interface; firmware and Linux know the interface by that name.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "system/bus/bus.h"
#include "system/bus/device.h"

namespace tiercel::system {

/// Read-only for the guest.
class FwCfg final : public Device {
 public:
  static constexpr u64 kBytes = 0x1000;
  explicit FwCfg(Bus& bus);

  /// Before the guest runs. `name` is at most 55 bytes; `key` is an entry without a name.
  void add_file(const std::string& name, std::vector<u8> content);
  void add(u16 key, std::vector<u8> content);

  u64 read(u64 offset, unsigned bytes) override;
  void write(u64 offset, unsigned bytes, u64 value) override;
  void reset() override;
  void serialize(Archive& state) override;
  void describe(FdtNode& node) const override;

 private:
  struct File {
    std::string name;
    u32 size;
    u16 key;
  };
  void select(u16 key);
  void take(std::span<u8> out);
  void transfer(PAddr control);
  void rebuild_directory();

  Bus& bus_;
  std::mutex mutex_;
  std::map<u16, std::vector<u8>> items_;
  std::vector<File> files_;
  u16 selected_ = 0;
  u64 position_ = 0;  // within the selected item
  u32 dma_high_ = 0;
};

}  // namespace tiercel::system
