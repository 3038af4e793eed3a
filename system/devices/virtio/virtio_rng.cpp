#include "system/devices/virtio/virtio_rng.h"

#include <algorithm>

namespace tiercel::system {
namespace {

// A request gets at least one byte and need not get all: this bounds its time. Linux asks for 64 or so.
constexpr u64 kMostBytes = 4096;

}  // namespace

void VirtioRng::process(unsigned queue) {
  Chain chain;
  while (pop(queue, chain)) {
    u64 given = 0;
    for (const iovec& piece : chain.writable(0, kMostBytes)) {
      source_({static_cast<u8*>(piece.iov_base), piece.iov_len});
      given += piece.iov_len;
    }
    push(queue, chain, given);
    signal(queue);
  }
}

}  // namespace tiercel::system
