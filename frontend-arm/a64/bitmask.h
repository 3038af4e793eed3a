// The bitmask immediates of the logical instructions.
#pragma once

#include <optional>

#include "base/bits.h"

namespace tiercel::arm {

/// Arm ARM, shared pseudocode, DecodeBitMasks with immediate = TRUE: the mask `wmask` for a register of `size` bits
/// (32 or 64), or nothing for a reserved encoding.
constexpr std::optional<u64> decode_bitmask(u32 n, u32 imms, u32 immr, unsigned size) {
  const u32 combined = n << 6 | (~imms & 0x3f);
  if (combined < 2 || (size == 32 && n != 0)) return std::nullopt;
  const unsigned len = static_cast<unsigned>(std::bit_width(combined)) - 1;
  const unsigned element = 1u << len, levels = element - 1;
  const unsigned s = imms & levels, r = immr & levels;
  if (s == levels) return std::nullopt;
  const u64 ones = low_mask(s + 1);
  u64 mask = r == 0 ? ones : ((ones >> r) | (ones << (element - r))) & low_mask(element);
  for (unsigned width = element; width < 64; width *= 2) mask |= mask << width;
  return mask & low_mask(size);
}

}  // namespace tiercel::arm
