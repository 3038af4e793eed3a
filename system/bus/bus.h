// Routing of physical addresses.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/types.h"
#include "system/bus/device.h"

namespace tiercel::system {

/// Regions are added while the board is built; afterwards any thread may ask.
class Bus {
 public:
  /// Memory that loads, stores and fetches may use without asking the bus again.
  struct Direct {
    u8* host = nullptr;  // of the address asked for; null: every access must go through read and write
    u64 bytes = 0;       // from there to the end of the region
    bool writable = false;
  };

  /// The pages must outlive the bus. Regions never overlap.
  void add_ram(PAddr base, std::span<u8> memory);
  void add_device(PAddr base, u64 size, Device& device);
  /// A device (flash) whose bytes can be read and executed in place; writes always reach the device.
  void add_rom(PAddr base, std::span<u8> memory, Device& device);
  /// Makes reads of the device at `base` reach the device too, or not any more. Any thread.
  void set_readable(PAddr base, bool readable);

  /// 1, 2, 4 or 8 bytes. Nothing there: no value (the CPU's external abort). A misaligned access to a device is made
  /// of single bytes.
  std::optional<u64> read(PAddr address, unsigned bytes);
  bool write(PAddr address, unsigned bytes, u64 value);

  Direct direct(PAddr address) const;

  /// RAM for a device's DMA: [address, address + bytes), or empty unless all of it lies in one RAM region. After
  /// writing the device says so with `written`.
  std::span<u8> ram(PAddr address, u64 bytes) const;
  /// Copies of RAM for DMA; false (nothing done) unless all of it is RAM.
  bool load(PAddr address, std::span<u8> out) const;
  bool store(PAddr address, std::span<const u8> in);
  /// RAM was changed by something else than a vCPU: translations of code there are stale.
  void written(PAddr address, u64 bytes);

  /// Called after `written`, by any thread.
  void on_written(std::function<void(PAddr, u64)> hook) { on_written_ = std::move(hook); }
  /// Called when what `direct` gives changed: every TLB entry made from it is stale.
  void on_remap(std::function<void()> hook) { on_remap_ = std::move(hook); }

 private:
  struct Region {
    u64 base = 0;
    u64 size = 0;
    u8* memory = nullptr;      // RAM, or what a readable device shows
    Device* device = nullptr;  // null for RAM
    bool readable = true;      // memory may be read in place; changes while vCPUs run
  };
  const Region* find(u64 address) const;
  void insert(const Region& region);

  std::vector<Region> regions_;  // by base
  std::size_t largest_ = 0;      // its index: RAM, what is asked for most
  std::function<void(PAddr, u64)> on_written_;
  std::function<void()> on_remap_;
};

}  // namespace tiercel::system
