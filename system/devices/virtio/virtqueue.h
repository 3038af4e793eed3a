// Split virtqueues. Virtio 1.2, "Split Virtqueues".
//
// All of it is in the guest's hands, and the guest may lie and change its mind while we read: every index, address and
// length is read once, checked, and then used from our copy. What cannot be right breaks the queue.
#pragma once

#include <sys/uio.h>

#include <array>
#include <span>
#include <vector>

#include "base/types.h"
#include "system/bus/bus.h"
#include "system/snapshot/archive.h"

namespace tiercel::system {

/// A piece of guest RAM that a descriptor names.
struct Segment {
  PAddr address;
  std::span<u8> bytes;
};

/// The buffers of one request. Segments are never empty.
class Chain {
 public:
  u16 head() const { return head_; }
  /// What the driver wrote, and where the device may write.
  u64 readable_bytes() const { return total(readable_); }
  u64 writable_bytes() const { return total(writable_); }

  /// Copies from the driver's bytes, `offset` bytes in; says how many there were.
  u64 read(u64 offset, std::span<u8> out) const;
  /// Copies to the device's bytes; says how much room there was.
  u64 write(u64 offset, std::span<const u8> in) const;
  /// `bytes` bytes from `offset` for preadv and pwritev; fewer where the chain ends.
  std::vector<iovec> readable(u64 offset, u64 bytes) const { return slice(readable_, offset, bytes); }
  std::vector<iovec> writable(u64 offset, u64 bytes) const { return slice(writable_, offset, bytes); }

 private:
  friend class Virtqueue;
  static u64 total(const std::vector<Segment>& segments);
  static std::vector<iovec> slice(const std::vector<Segment>& segments, u64 offset, u64 bytes);
  u16 head_ = 0;
  std::vector<Segment> readable_, writable_;
};

class Virtqueue {
 public:
  static constexpr u16 kMaxSize = 1024;  // the largest queue of any of our devices

  // What the driver sets up through the transport while the queue is not enabled.
  u16 size = 0;
  u64 descriptors = 0, driver_area = 0, device_area = 0;

  enum class Pop { Got, Empty, Broken };

  /// Takes the areas into use. False: they are misaligned, not RAM, or the size is not a power of two up to kMaxSize.
  bool enable(const Bus& bus, bool event_index);
  void reset() { *this = {}; }
  /// Its position in the rings, which are in the guest's RAM. Loading takes them into use again; false: they cannot be.
  bool serialize(Archive& state, const Bus& bus, bool event_index);
  bool enabled() const { return enabled_; }

  /// The next request. Empty also asks the driver to notify about the next one.
  Pop pop(const Bus& bus, Chain& chain);
  /// Gives a request back, with `written` bytes from the start of its writable ones.
  void push(Bus& bus, const Chain& chain, u32 written);
  /// Whether the driver wants an interrupt for what was pushed since the last call.
  bool take_interrupt();

 private:
  struct Descriptor {
    u64 address;
    u32 length;
    u16 flags;
    u16 next;
  };
  u16 load16(std::span<u8> area, u64 offset) const;
  void store16(std::span<u8> area, u64 offset, u16 value);
  bool follow(const Bus& bus, u16 head, Chain& chain) const;
  bool add(const Bus& bus, const Descriptor& d, Chain& chain, u64& bytes) const;

  std::span<u8> table_, available_, used_;
  bool enabled_ = false;
  bool event_index_ = false;
  u16 next_available_ = 0;  // of the driver's ring, the first we have not taken
  u16 next_used_ = 0;
  u16 signalled_used_ = 0;  // next_used_ at the last take_interrupt
};

}  // namespace tiercel::system
