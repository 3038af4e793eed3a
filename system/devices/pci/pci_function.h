// A PCI function's configuration space. PCI Express Base Specification, "Configuration Space"; type 0 headers.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <span>
#include <vector>

#include "base/types.h"
#include "system/bus/irq_line.h"
#include "system/snapshot/archive.h"

namespace tiercel::system {

struct PciIdentity {
  u16 vendor = 0, device = 0, subsystem_vendor = 0, subsystem = 0;
  u32 class_code = 0;  // base class, subclass, interface
  u8 revision = 0;
};

class PciFunction {
 public:
  static constexpr unsigned kBars = 6;
  static constexpr u64 kConfigBytes = 4096;

  explicit PciFunction(const PciIdentity& identity);
  virtual ~PciFunction() = default;
  PciFunction(const PciFunction&) = delete;
  PciFunction& operator=(const PciFunction&) = delete;

  // Called by the host bridge. Offsets are multiples of `bytes`, which is 1, 2 or 4.
  u32 read_config(u64 offset, unsigned bytes);
  void write_config(u64 offset, unsigned bytes, u32 value);
  /// The memory BAR that holds a PCI address at present, or kBars; `offset` is then from its start.
  unsigned find_bar(u64 address, u64& offset) const;
  virtual u64 read_bar(unsigned bar, u64 offset, unsigned bytes) = 0;
  virtual void write_bar(unsigned bar, u64 offset, unsigned bytes, u64 value) = 0;
  void reset();
  void serialize(Archive& state);
  /// INTA. Before the machine runs.
  void connect(IrqLine intx) { intx_ = intx; }

 protected:
  // While it is made.
  /// A 32-bit memory BAR; `bytes` is a power of two, at least 16.
  void add_bar(unsigned bar, u32 bytes);
  /// Appends a capability: its ID and what follows the next pointer. Gives its offset.
  u8 add_capability(u8 id, std::span<const u8> body);
  void make_writable(u64 offset, std::span<const u8> mask);

  /// Its own registers' reset values, beside the header's. With the lock held.
  virtual void on_reset() {}
  /// What on_reset resets. With the lock held.
  virtual void on_serialize(Archive& /*state*/) {}
  /// After a reset, without the lock.
  virtual void after_reset() {}
  /// What after_reset resets. Without the lock.
  virtual void serialize_device(Archive& /*state*/) {}
  /// Asked before a read of configuration space, told after a write; without the lock.
  virtual void before_config_read(u64 /*offset*/, unsigned /*bytes*/) {}
  virtual void after_config_write(u64 /*offset*/, unsigned /*bytes*/) {}

  std::mutex& mutex() { return mutex_; }
  /// The bytes of configuration space. With the lock held.
  std::span<u8> config() { return config_; }
  /// INTA, unless the guest has disabled it. With the lock held.
  void set_intx(bool level);

 private:
  void update_bars();
  void update_intx();
  u16 command() const;

  std::mutex mutex_;
  std::array<u8, kConfigBytes> config_ = {}, writable_ = {};  // writable bits are zero after reset
  std::array<u32, kBars> bar_bytes_ = {};
  std::array<std::atomic<u64>, kBars> bar_base_;  // kUnmapped: the BAR answers nowhere
  u8 last_capability_ = 0;                        // offset, 0: none yet
  u8 next_free_ = 0x40;
  IrqLine intx_;
  bool intx_level_ = false;
};

}  // namespace tiercel::system
