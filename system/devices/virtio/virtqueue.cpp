#include "system/devices/virtio/virtqueue.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "base/bits.h"

namespace tiercel::system {
namespace {

constexpr u64 kDescriptorBytes = 16;
constexpr u16 kNext = 1, kWrite = 2, kIndirect = 4;  // VIRTQ_DESC_F_*
constexpr u16 kNoInterrupt = 1;                      // VIRTQ_AVAIL_F_NO_INTERRUPT
// "The total length of all descriptors" fits in 32 bits, as the used ring's length does.
constexpr u64 kMostChainBytes = 0xffffffff;

// The two rings: flags, idx, ring[size], and the other side's event index.
constexpr u64 kFlags = 0, kIndex = 2, kRing = 4;
u64 used_event(u16 size) {
  return kRing + 2 * u64{size};
}  // in the driver's area
u64 available_event(u16 size) {
  return kRing + 8 * u64{size};
}  // in the device's area

}  // namespace

u64 Chain::total(const std::vector<Segment>& segments) {
  u64 bytes = 0;
  for (const Segment& s : segments) bytes += s.bytes.size();
  return bytes;
}

std::vector<iovec> Chain::slice(const std::vector<Segment>& segments, u64 offset, u64 bytes) {
  std::vector<iovec> out;
  for (const Segment& s : segments) {
    if (bytes == 0) break;
    if (offset >= s.bytes.size()) {
      offset -= s.bytes.size();
      continue;
    }
    const u64 n = std::min<u64>(bytes, s.bytes.size() - offset);
    out.push_back({s.bytes.data() + offset, n});
    bytes -= n;
    offset = 0;
  }
  return out;
}

u64 Chain::read(u64 offset, std::span<u8> out) const {
  u64 done = 0;
  for (const iovec& v : readable(offset, out.size())) {
    std::memcpy(out.data() + done, v.iov_base, v.iov_len);
    done += v.iov_len;
  }
  return done;
}

u64 Chain::write(u64 offset, std::span<const u8> in) const {
  u64 done = 0;
  for (const iovec& v : writable(offset, in.size())) {
    std::memcpy(v.iov_base, in.data() + done, v.iov_len);
    done += v.iov_len;
  }
  return done;
}

u16 Virtqueue::load16(std::span<u8> area, u64 offset) const {
  return std::atomic_ref(*reinterpret_cast<u16*>(area.data() + offset)).load(std::memory_order_acquire);
}

void Virtqueue::store16(std::span<u8> area, u64 offset, u16 value) {
  std::atomic_ref(*reinterpret_cast<u16*>(area.data() + offset)).store(value, std::memory_order_release);
}

bool Virtqueue::enable(const Bus& bus, bool event_index) {
  if (!std::has_single_bit(size) || size > kMaxSize) return false;
  if (!is_aligned(descriptors, 16) || !is_aligned(driver_area, 2) || !is_aligned(device_area, 4)) return false;
  table_ = bus.ram(PAddr{descriptors}, kDescriptorBytes * size);
  available_ = bus.ram(PAddr{driver_area}, used_event(size) + 2);
  used_ = bus.ram(PAddr{device_area}, available_event(size) + 2);
  event_index_ = event_index;
  enabled_ = !table_.empty() && !available_.empty() && !used_.empty();
  return enabled_;
}

bool Virtqueue::serialize(Archive& state, const Bus& bus, bool event_index) {
  bool in_use = enabled_;
  state(size, descriptors, driver_area, device_area, in_use);
  if (state.loads() && in_use && !enable(bus, event_index)) return false;
  state(next_available_, next_used_, signalled_used_);
  return true;
}

Virtqueue::Pop Virtqueue::pop(const Bus& bus, Chain& chain) {
  if (!enabled_) return Pop::Empty;
  u16 index = load16(available_, kIndex);
  if (index == next_available_ && event_index_) {
    // Say what we wait for, then look again: the driver may have passed it in between.
    store16(used_, available_event(size), next_available_);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    index = load16(available_, kIndex);
  }
  const u16 waiting = static_cast<u16>(index - next_available_);
  if (waiting == 0) return Pop::Empty;
  if (waiting > size) return Pop::Broken;
  const u16 head = load16(available_, kRing + 2 * (u64{next_available_} % size));
  chain = {};
  if (!follow(bus, head, chain)) return Pop::Broken;
  ++next_available_;
  return Pop::Got;
}

/// Collects the chain's segments. False: it loops, is too long, or points where it must not.
bool Virtqueue::follow(const Bus& bus, u16 head, Chain& chain) const {
  chain.head_ = head;
  std::span<u8> table = table_;
  bool indirect = false;
  u16 index = head;
  u64 bytes = 0;
  // No chain is longer than the queue, indirect or not; a longer one is a loop.
  for (u32 count = 0; count < size;) {
    if (index >= table.size() / kDescriptorBytes) return false;
    Descriptor d;
    std::memcpy(&d, table.data() + kDescriptorBytes * index, sizeof d);
    asm volatile("" : "+m"(d));  // the compiler must not read the guest's copy again after it was checked
    if (d.flags & kIndirect) {
      // A whole table instead of this descriptor: it ends the chain and is not nested.
      if ((d.flags & kNext) || indirect || d.length % kDescriptorBytes != 0) return false;
      table = bus.ram(PAddr{d.address}, d.length);
      indirect = true;
      index = 0;
      continue;
    }
    if (!add(bus, d, chain, bytes)) return false;
    if (!(d.flags & kNext)) return true;
    index = d.next;
    ++count;
  }
  return false;
}

bool Virtqueue::add(const Bus& bus, const Descriptor& d, Chain& chain, u64& bytes) const {
  const bool writable = d.flags & kWrite;
  if (!writable && !chain.writable_.empty()) return false;  // the driver's bytes come first
  bytes += d.length;
  if (bytes > kMostChainBytes) return false;
  if (d.length == 0) return true;
  const std::span<u8> memory = bus.ram(PAddr{d.address}, d.length);
  if (memory.empty()) return false;
  (writable ? chain.writable_ : chain.readable_).push_back({PAddr{d.address}, memory});
  return true;
}

void Virtqueue::push(Bus& bus, const Chain& chain, u32 written) {
  u64 left = written;
  for (const Segment& s : chain.writable_) {
    const u64 n = std::min<u64>(left, s.bytes.size());
    bus.written(s.address, n);
    left -= n;
  }
  const u32 element[2] = {chain.head_, written};
  const u64 at = kRing + 8 * (u64{next_used_} % size);
  std::memcpy(used_.data() + at, element, sizeof element);
  store16(used_, kIndex, ++next_used_);
}

bool Virtqueue::take_interrupt() {
  if (!enabled_ || next_used_ == signalled_used_) return false;
  const u16 before = signalled_used_;
  signalled_used_ = next_used_;
  // The driver writes its wish and then reads our index; we wrote the index and now read the wish.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!event_index_) return !(load16(available_, kFlags) & kNoInterrupt);
  const u16 event = load16(available_, used_event(size));
  return static_cast<u16>(next_used_ - event - 1) < static_cast<u16>(next_used_ - before);
}

}  // namespace tiercel::system
