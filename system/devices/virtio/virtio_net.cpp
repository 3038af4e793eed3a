#include "system/devices/virtio/virtio_net.h"

#include <algorithm>

namespace tiercel::system {
namespace {

enum : u64 { kGuestChecksum = 1 << 1, kMacAddress = 1 << 5, kStatus = 1 << 16 };  // VIRTIO_NET_F_*
constexpr unsigned kReceive = 0, kTransmit = 1;
constexpr u16 kQueueSize = 256;
constexpr u64 kMostFrame = 65550;          // what the driver may send: no offload makes more than an IP packet
constexpr std::size_t kMostWaiting = 256;  // frames; what comes on top is lost

/// virtio_net_hdr.
struct Header {
  u8 flags;
  u8 gso_type;
  u16 header_length, gso_size, checksum_start, checksum_offset;
  u16 buffers;
};
static_assert(sizeof(Header) == 12);
constexpr u8 kDataValid = 2;  // the checksum was verified: it comes from this host

}  // namespace

VirtioNet::VirtioNet(Environment environment, PacketPort& port, const Mac& mac)
    : VirtioDevice(environment, kId, {kQueueSize, kQueueSize}), port_(port), mac_(mac) {
  port_.on_receive([this](std::span<const u8> frame) { receive(frame); });
}

u64 VirtioNet::features() const {
  return kMacAddress | kStatus | kGuestChecksum;
}

std::vector<u8> VirtioNet::config() const {
  std::vector<u8> all(mac_.begin(), mac_.end());
  all.insert(all.end(), {1, 0});  // status: the link is up
  return all;
}

void VirtioNet::process(unsigned queue) {
  if (queue == kReceive)
    deliver();
  else
    send();
}

void VirtioNet::on_serialize(Archive& state) {
  u64 frames = waiting_.size();
  state(frames);
  state.require(frames <= kMostWaiting);
  if (state.loads()) waiting_.resize(state.good() ? frames : 0);
  for (std::vector<u8>& frame : waiting_) state.list(frame, kMostFrame);
}

void VirtioNet::send() {
  Chain chain;
  std::vector<u8> frame;
  while (pop(kTransmit, chain)) {
    const u64 bytes = chain.readable_bytes();
    if (bytes > sizeof(Header) && bytes - sizeof(Header) <= kMostFrame) {
      frame.resize(bytes - sizeof(Header));
      chain.read(sizeof(Header), frame);
      port_.send(frame);
    }
    push(kTransmit, chain, 0);
    signal(kTransmit);
  }
}

void VirtioNet::receive(std::span<const u8> frame) {
  const std::scoped_lock lock(mutex());
  if (!running() || waiting_.size() >= kMostWaiting) return;
  waiting_.emplace_back(frame.begin(), frame.end());
  deliver();
}

void VirtioNet::deliver() {
  Chain chain;
  while (!waiting_.empty() && pop(kReceive, chain)) {
    const std::vector<u8>& frame = waiting_.front();
    Header header = {};
    header.buffers = 1;
    if (accepted(kGuestChecksum)) header.flags = kDataValid;
    const u64 bytes = sizeof header + frame.size();
    const bool fits = chain.writable_bytes() >= bytes;
    if (fits) {
      chain.write(0, {reinterpret_cast<const u8*>(&header), sizeof header});
      chain.write(sizeof header, frame);
    }
    push(kReceive, chain, fits ? bytes : 0);  // a buffer that is too small comes back empty, and the frame is lost
    waiting_.pop_front();
    signal(kReceive);
  }
}

}  // namespace tiercel::system
