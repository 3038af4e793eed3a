// A thing that answers at physical addresses.
#pragma once

#include "base/types.h"
#include "system/snapshot/archive.h"

namespace tiercel::system {

class FdtNode;

/// Register accesses come from vCPU threads, any number at once, and events from the I/O thread: a device locks itself.
/// A device may raise interrupt lines and arm timers with its own lock held; neither ever calls back into it.
class Device {
 public:
  virtual ~Device() = default;

  /// `offset` counts from where the device is mapped and is a multiple of `bytes`, which is 1, 2, 4 or 8.
  /// The result's bits above 8 * bytes are ignored.
  virtual u64 read(u64 offset, unsigned bytes) = 0;
  /// As read; the bits of `value` above 8 * bytes are zero. Must not wait for the outside world.
  virtual void write(u64 offset, unsigned bytes, u64 value) = 0;
  /// The state after power-on. No vCPU runs meanwhile.
  virtual void reset() = 0;
  /// Its part of a snapshot: every register, and whatever else reset clears. Loading also sets its lines and timers
  /// again. Nothing else runs meanwhile.
  virtual void serialize(Archive& state) = 0;
  /// What the device tree says of it besides `reg` and `interrupts`, which the board knows.
  virtual void describe(FdtNode&) const {}
};

}  // namespace tiercel::system
