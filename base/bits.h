// Bit manipulation shared by everybody.
#pragma once

#include <bit>

#include "base/types.h"

namespace tiercel {

/// `n` low one bits, n in 0..64.
constexpr u64 low_mask(unsigned n) {
  return n >= 64 ? ~u64{0} : (u64{1} << n) - 1;
}

/// Bits [lsb, lsb+width) of x, zero-extended.
constexpr u64 bits(u64 x, unsigned lsb, unsigned width) {
  return (x >> lsb) & low_mask(width);
}

/// The low `width` bits of x as a two's complement number, width in 1..64.
constexpr s64 sign_extend(u64 x, unsigned width) {
  return static_cast<s64>(x << (64 - width)) >> (64 - width);
}

constexpr u64 align_down(u64 x, u64 a) {
  return x & ~(a - 1);
}
constexpr u64 align_up(u64 x, u64 a) {
  return (x + a - 1) & ~(a - 1);
}
constexpr bool is_aligned(u64 x, u64 a) {
  return (x & (a - 1)) == 0;
}

}  // namespace tiercel
