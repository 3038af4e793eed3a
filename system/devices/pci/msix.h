// MSI-X: a table of messages in a BAR. PCI Express Base Specification, "MSI-X Capability and Table Structure".
#pragma once

#include <functional>
#include <vector>

#include "base/types.h"
#include "system/snapshot/archive.h"

namespace tiercel::system {

/// What a message does: a write of `data` to `address`. Only interrupt controllers' addresses have an effect.
using MessageSink = std::function<void(u64 address, u32 data)>;

/// Not locked: its function does that.
class MsixTable {
 public:
  static constexpr u16 kNoVector = 0xffff;
  static constexpr u64 kPendingOffset = 0x800;  // of the pending bits, in the table's BAR
  static constexpr u64 kBarBytes = 0x1000;
  static constexpr unsigned kMostVectors = 64;

  MsixTable(unsigned vectors, MessageSink sink) : entries_(vectors), sink_(std::move(sink)) {}

  unsigned vectors() const { return static_cast<unsigned>(entries_.size()); }
  /// The capability's Message Control: MSI-X Enable (bit 15) and Function Mask (bit 14).
  void set_control(u16 control);
  bool enabled() const { return enabled_; }
  /// Sends a vector's message, now or when it is unmasked.
  void signal(u16 vector);
  void reset();
  /// Sends nothing.
  void serialize(Archive& state) { state(entries_, enabled_, masked_); }

  // Accesses to the BAR, of 4 bytes (8 are two).
  u32 read(u64 offset) const;
  void write(u64 offset, u32 value);

 private:
  struct Entry {
    u32 words[4] = {0, 0, 0, 1};  // address low and high, data, control (bit 0: masked)
    bool pending = false;
    void serialize(Archive& state) { state(words, pending); }
  };
  void send_pending();

  std::vector<Entry> entries_;
  MessageSink sink_;
  bool enabled_ = false, masked_ = false;
};

}  // namespace tiercel::system
