// Scattered bytes, block by block.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <span>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::system {

/// Calls `piece` with (disk offset, bytes) for each part of the vectors that lies in one block, whose size is a power
/// of two.
template <typename Piece>
Result<void> by_blocks(u64 offset, std::span<const iovec> vectors, u64 block, Piece piece) {
  for (const iovec& v : vectors) {
    std::span<u8> rest(static_cast<u8*>(v.iov_base), v.iov_len);
    while (!rest.empty()) {
      const u64 n = std::min<u64>(rest.size(), block - (offset & (block - 1)));
      if (Result<void> done = piece(offset, rest.first(n)); !done) return done;
      rest = rest.subspan(n);
      offset += n;
    }
  }
  return {};
}

}  // namespace tiercel::system
