// The families eval is divided into, and the lane arithmetic they share. Private to ir/eval*.cpp.
#pragma once

#include <type_traits>

#include "base/bits.h"
#include "base/check.h"
#include "ir/eval.h"

namespace tiercel::ir::detail {

U128 eval_integer(const PureOp& op, const U128* args);
U128 eval_flags(const PureOp& op, const U128* args);
U128 eval_vector(const PureOp& op, const U128* args);
U128 eval_vector_wide(const PureOp& op, const U128* args);
U128 eval_vector_saturating(const PureOp& op, const U128* args);
U128 eval_crypto(const PureOp& op, const U128* args);
U128 eval_float(const PureOp& op, const U128* args, FpEnv& env);

/// Wide enough for every sum, product and doubled product of 64-bit lanes but the few that say otherwise.
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UWide;

constexpr U128 scalar(u64 v) {
  return {v, 0};
}

/// Lane `i` of `bits` bits, zero-extended.
constexpr u64 lane(const U128& v, unsigned bits, unsigned i) {
  const unsigned at = i * bits;
  return ((at < 64 ? v.lo : v.hi) >> (at & 63)) & low_mask(bits);
}
constexpr void set_lane(U128& v, unsigned bits, unsigned i, u64 x) {
  const unsigned at = i * bits;
  u64& word = at < 64 ? v.lo : v.hi;
  word = (word & ~(low_mask(bits) << (at & 63))) | (x & low_mask(bits)) << (at & 63);
}
template <bool Signed>
constexpr Wide wide_lane(const U128& v, unsigned bits, unsigned i) {
  const u64 x = lane(v, bits, i);
  return Signed ? Wide{sign_extend(x, bits)} : static_cast<Wide>(x);
}

/// Saturation of an exact value to a lane; `hit` tells whether it changed anything.
struct Saturated {
  u64 value;
  bool hit;
};
constexpr Saturated saturate(Wide x, unsigned bits, bool is_signed) {
  const Wide max = is_signed ? (Wide{1} << (bits - 1)) - 1 : (Wide{1} << bits) - 1;
  const Wide min = is_signed ? -(Wide{1} << (bits - 1)) : 0;
  if (x > max) return {static_cast<u64>(max), true};
  if (x < min) return {static_cast<u64>(min), true};
  return {static_cast<u64>(x), false};
}

/// x >> n for a lane value x and n in 1..128, optionally rounding to nearest first.
Wide shift_right_exact(Wide x, int n, bool rounding);

u32 recip_estimate(u32 a);       // Arm ARM shared/functions/float/recipestimate, a in 256..511
u32 recip_sqrt_estimate(u32 a);  // Arm ARM shared/functions/float/recipsqrtestimate, a in 128..511

}  // namespace tiercel::ir::detail
