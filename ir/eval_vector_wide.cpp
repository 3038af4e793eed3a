// Vector opcodes on constants: lanes that change width, polynomial products and shifts.
#include <algorithm>

#include "ir/eval_internal.h"

namespace tiercel::ir::detail {
namespace {

/// Lanes of half the result's width from the low 64 bits of both operands. `arr` names the result.
template <bool Signed, typename Fn>
U128 widen2(Arr arr, const U128* args, Fn fn) {
  const unsigned bits = lane_bits(arr), count = lane_count(arr);
  U128 r;
  for (unsigned i = 0; i < count; ++i) {
    const Wide x = wide_lane<Signed>(args[0], bits / 2, i), y = wide_lane<Signed>(args[1], bits / 2, i);
    set_lane(r, bits, i, static_cast<u64>(fn(x, y)));
  }
  return r;
}

template <bool Signed>
U128 widen(Arr arr, const U128& a) {
  const unsigned bits = lane_bits(arr), count = lane_count(arr);
  U128 r;
  for (unsigned i = 0; i < count; ++i) set_lane(r, bits, i, static_cast<u64>(wide_lane<Signed>(a, bits / 2, i)));
  return r;
}

U128 narrow(Arr arr, const U128& a) {
  const unsigned bits = lane_bits(arr), count = 64 / bits;
  U128 r;
  for (unsigned i = 0; i < count; ++i) set_lane(r, bits, i, lane(a, bits * 2, i));
  return r;
}

UWide poly_mul(u64 a, u64 b) {
  UWide r = 0;
  for (unsigned i = 0; i < 64; ++i)
    if (b >> i & 1) r ^= static_cast<UWide>(a) << i;
  return r;
}

U128 poly_mull(Arr arr, const U128* args) {
  if (arr == Arr::D2) {
    const UWide p = poly_mul(args[0].lo, args[1].lo);
    return {static_cast<u64>(p), static_cast<u64>(p >> 64)};
  }
  return widen2<false>(
      arr, args, [](Wide a, Wide b) { return static_cast<Wide>(poly_mul(static_cast<u64>(a), static_cast<u64>(b))); });
}

/// Right by 1..width, optionally rounding to nearest.
template <bool Signed>
U128 shift_right(Arr arr, const U128& a, unsigned n, bool rounding) {
  const unsigned bits = lane_bits(arr), count = lane_count(arr);
  const Wide round = rounding ? Wide{1} << (n - 1) : 0;
  U128 r;
  for (unsigned i = 0; i < count; ++i)
    set_lane(r, bits, i, static_cast<u64>((wide_lane<Signed>(a, bits, i) + round) >> n));
  return r;
}

U128 shift_left(Arr arr, const U128& a, unsigned n) {
  const unsigned bits = lane_bits(arr), count = lane_count(arr);
  U128 r;
  for (unsigned i = 0; i < count; ++i) set_lane(r, bits, i, lane(a, bits, i) << n);
  return r;
}

/// Arm ARM "USHL", "SRSHL" and their kin: the count is the signed low byte of the lane of b.
template <bool Signed>
U128 shift_by_lanes(Arr arr, const U128* args, bool rounding) {
  const unsigned bits = lane_bits(arr), count = lane_count(arr);
  U128 r;
  for (unsigned i = 0; i < count; ++i) {
    const Wide x = wide_lane<Signed>(args[0], bits, i);
    const int n = static_cast<int>(sign_extend(lane(args[1], bits, i) & 0xff, 8));
    set_lane(r, bits, i, static_cast<u64>(n >= 0 ? (n >= 64 ? 0 : x << n) : shift_right_exact(x, -n, rounding)));
  }
  return r;
}

}  // namespace

Wide shift_right_exact(Wide x, int n, bool rounding) {
  // A lane has at most 64 bits: from 65 on only the sign is left, and rounding takes even that away.
  if (n > 65) n = 65;
  if (rounding) x += Wide{1} << (n - 1);
  return x >> n;
}

U128 eval_vector_wide(const PureOp& op, const U128* args) {
  const unsigned n = static_cast<unsigned>(op.imm);
  switch (op.op) {
    case Opcode::VMullS:
      return widen2<true>(op.arr, args, [](Wide a, Wide b) { return a * b; });
    case Opcode::VMullU:
      return widen2<false>(op.arr, args, [](Wide a, Wide b) { return a * b; });
    case Opcode::VExtS:
      return widen<true>(op.arr, args[0]);
    case Opcode::VExtU:
      return widen<false>(op.arr, args[0]);
    case Opcode::VNarrow:
      return narrow(op.arr, args[0]);
    case Opcode::VPMull:
      return poly_mull(op.arr, args);
    case Opcode::VShlI:
      return shift_left(op.arr, args[0], n);
    case Opcode::VShrUI:
      return shift_right<false>(op.arr, args[0], n, false);
    case Opcode::VShrSI:
      return shift_right<true>(op.arr, args[0], n, false);
    case Opcode::VRShrUI:
      return shift_right<false>(op.arr, args[0], n, true);
    case Opcode::VRShrSI:
      return shift_right<true>(op.arr, args[0], n, true);
    case Opcode::VShlU:
      return shift_by_lanes<false>(op.arr, args, false);
    case Opcode::VShlS:
      return shift_by_lanes<true>(op.arr, args, false);
    case Opcode::VRShlU:
      return shift_by_lanes<false>(op.arr, args, true);
    case Opcode::VRShlS:
      return shift_by_lanes<true>(op.arr, args, true);
    default:
      UNREACHABLE();
  }
}

}  // namespace tiercel::ir::detail
