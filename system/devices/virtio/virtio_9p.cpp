#include "system/devices/virtio/virtio_9p.h"

#include <algorithm>

namespace tiercel::system {
namespace {

constexpr u64 kMostMessage = (1 << 20) + 4096;  // more than the server agrees to

}  // namespace

std::vector<u8> Virtio9p::config() const {
  std::vector<u8> all(2 + tag_.size());
  all[0] = static_cast<u8>(tag_.size());
  all[1] = static_cast<u8>(tag_.size() >> 8);
  std::copy(tag_.begin(), tag_.end(), all.begin() + 2);
  return all;
}

void Virtio9p::process(unsigned queue) {
  Chain chain;
  while (pop(queue, chain)) {
    if (chain.readable_bytes() > kMostMessage) return needs_reset();
    std::vector<u8> message(chain.readable_bytes());
    chain.read(0, message);
    push(queue, chain, chain.write(0, server_.handle(message, chain.writable_bytes())));
    signal(queue);
  }
}

}  // namespace tiercel::system
