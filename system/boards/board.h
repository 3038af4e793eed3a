// What a board function builds: memory, devices at addresses, and the device tree that says so.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "system/boot/device_tree.h"
#include "system/bus/bus.h"
#include "system/bus/ram.h"
#include "system/snapshot/snapshot.h"

namespace tiercel::system {

/// One entry of a GIC's `interrupts` property.
struct FdtInterrupt {
  u32 spi = 0;
  bool edge = false;
};

struct MemoryRange {
  PAddr base;
  u64 bytes = 0;
};

class Board {
  struct Owned {
    virtual ~Owned() = default;
  };
  template <typename T>
  struct Holder final : Owned {
    explicit Holder(std::unique_ptr<T> t) : it(std::move(t)) {}
    std::unique_ptr<T> it;
  };

 public:
  Board();
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  Bus& bus() { return bus_; }
  /// The tree's root; nodes can be added until the machine starts.
  FdtNode& tree() { return tree_; }

  /// RAM with its node.
  void add_ram(PAddr base, Ram ram);
  /// The board keeps it, and destroys the latest first; a device is on no bus yet.
  template <typename T>
  T& own(std::unique_ptr<T> device) {
    T& reference = *device;
    owned_.push_back(std::make_unique<Holder<T>>(std::move(device)));
    return reference;
  }
  /// Puts a device on the bus, resets it with the board, and gives it a node `name@address` below `parent` (the root if
  /// null) with `reg`, `interrupts` and what the device says of itself.
  FdtNode& attach(const std::string& name, MemoryRange at, Device& device,
                  std::initializer_list<FdtInterrupt> interrupts = {}, FdtNode* parent = nullptr);
  /// As attach, without a node of its own.
  void attach_unnamed(MemoryRange at, Device& device);
  /// Flash: `memory` is read in place.
  FdtNode& attach_rom(const std::string& name, MemoryRange at, std::span<u8> memory, Device& device);

  /// The first RAM region: where kernels are loaded.
  MemoryRange main_memory() const { return main_memory_; }
  std::span<u8> main_ram() const { return rams_.front().bytes(); }

  /// All devices as after power-on. RAM keeps its content. No vCPU and no event loop runs meanwhile.
  void reset();
  /// RAM, flash and all devices: its part of a snapshot.
  Result<void> serialize(Snapshot& snapshot);

 private:
  FdtNode tree_{""};
  Bus bus_;
  std::vector<Ram> rams_;
  MemoryRange main_memory_;
  std::vector<std::unique_ptr<Owned>> owned_;
  struct Attached {
    std::string name;  // of its section in snapshots
    Device* device;
  };
  struct Memory {
    std::string name;
    std::span<u8> bytes;
  };
  std::vector<Attached> devices_;
  std::vector<Memory> memories_;
};

/// `reg` as two address and two size cells.
void set_reg(FdtNode& node, std::initializer_list<MemoryRange> ranges);

}  // namespace tiercel::system
