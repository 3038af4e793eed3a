// Vector opcodes on constants: moves, bitwise and same-width integer lanes. Widening, shifting and saturating lanes are
// in eval_vector_wide.cpp and eval_vector_saturating.cpp.
#include <algorithm>
#include <bit>

#include "ir/eval_internal.h"

namespace tiercel::ir::detail {
namespace {

U128 low_half_only(Arr arr, U128 v) {
  if (arr != Arr::None && !is_full(arr)) v.hi = 0;
  return v;
}

template <typename Fn>
U128 lanes1(Arr arr, const U128& a, Fn fn) {
  const unsigned bits = lane_bits(arr), count = lane_count(arr);
  U128 r;
  for (unsigned i = 0; i < count; ++i) set_lane(r, bits, i, fn(lane(a, bits, i)));
  return r;
}

/// fn takes the two lanes as exact integers; the result is truncated to the lane.
template <bool Signed, typename Fn>
U128 lanes2(Arr arr, const U128* args, Fn fn) {
  const unsigned bits = lane_bits(arr), count = lane_count(arr);
  U128 r;
  for (unsigned i = 0; i < count; ++i) {
    const Wide x = wide_lane<Signed>(args[0], bits, i), y = wide_lane<Signed>(args[1], bits, i);
    set_lane(r, bits, i, static_cast<u64>(fn(x, y)));
  }
  return r;
}

constexpr Wide mask_if(bool c) {
  return c ? -1 : 0;
}

u64 reverse_bits_of_byte(u64 b) {
  u64 r = 0;
  for (unsigned i = 0; i < 8; ++i) r |= (b >> i & 1) << (7 - i);
  return r;
}

u64 poly_mul8(u64 a, u64 b) {
  u64 r = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (b >> i & 1) r ^= a << i;
  return r;
}

u64 leading_sign_bits(u64 x, unsigned bits) {
  const u64 flipped = (x ^ x << 1) & low_mask(bits);  // the top bit is set where bit w-1 differs from bit w-2
  const u64 pairs = flipped >> 1;                     // bits-1 neighbours, compared
  return pairs == 0 ? bits - 1 : static_cast<u64>(std::countl_zero(pairs)) - (64 - (bits - 1));
}

U128 eval_move(const PureOp& op, const U128* args) {
  const unsigned bits = lane_bits(op.arr);
  switch (op.op) {
    case Opcode::VConst:
      return op.constant;
    case Opcode::Bitcast:
    case Opcode::VZext:
      return scalar(args[0].lo & low_mask(type_bits(op.arg_type)));
    case Opcode::VExtract:
      return scalar(lane(args[0], bits, static_cast<unsigned>(op.imm)));
    case Opcode::VInsert: {
      U128 r = args[0];
      set_lane(r, bits, static_cast<unsigned>(op.imm), args[1].lo);
      return r;
    }
    case Opcode::VDup:
      return lanes1(op.arr, args[0], [&](u64) { return args[0].lo; });
    case Opcode::VShuffle:
      return lanes1(Arr::B16, op.constant, [&](u64 m) { return m >= 32 ? 0 : lane(args[m >> 4], 8, m & 15); });
    default:  // VTbl
      return lanes1(Arr::B16, args[1], [&](u64 m) { return m < 16 ? lane(args[0], 8, static_cast<unsigned>(m)) : 0; });
  }
}

U128 eval_bitwise(const PureOp& op, const U128* args) {
  const U128 &a = args[0], &b = args[1], &c = args[2];
  switch (op.op) {
    case Opcode::VAnd:
      return {a.lo & b.lo, a.hi & b.hi};
    case Opcode::VOr:
      return {a.lo | b.lo, a.hi | b.hi};
    case Opcode::VXor:
      return {a.lo ^ b.lo, a.hi ^ b.hi};
    case Opcode::VAndNot:
      return {a.lo & ~b.lo, a.hi & ~b.hi};
    case Opcode::VOrNot:
      return {a.lo | ~b.lo, a.hi | ~b.hi};
    case Opcode::VNot:
      return {~a.lo, ~a.hi};
    default:  // VBsl
      return {(a.lo & b.lo) | (~a.lo & c.lo), (a.hi & b.hi) | (~a.hi & c.hi)};
  }
}

U128 eval_unary(const PureOp& op, const U128& a) {
  const unsigned bits = lane_bits(op.arr);
  switch (op.op) {
    case Opcode::VNeg:
      return lanes1(op.arr, a, [](u64 x) { return 0 - x; });
    case Opcode::VAbs:
      return lanes1(op.arr, a, [&](u64 x) { return sign_extend(x, bits) < 0 ? 0 - x : x; });
    case Opcode::VClz:
      return lanes1(op.arr, a,
                    [&](u64 x) { return x == 0 ? u64{bits} : static_cast<u64>(std::countl_zero(x)) - (64 - bits); });
    case Opcode::VCls:
      return lanes1(op.arr, a, [&](u64 x) { return leading_sign_bits(x, bits); });
    case Opcode::VCnt:
      return lanes1(op.arr, a, [](u64 x) { return static_cast<u64>(std::popcount(x)); });
    case Opcode::VRbit:
      return lanes1(op.arr, a, reverse_bits_of_byte);
    case Opcode::VURecpE:  // Arm ARM "UnsignedRecipEstimate"
      return lanes1(op.arr, a, [](u64 x) {
        return x >> 31 == 0 ? 0xffffffffu : u64{recip_estimate(static_cast<u32>(x >> 23))} << 23;
      });
    default:  // VURsqrtE: Arm ARM "UnsignedRSqrtEstimate"
      return lanes1(op.arr, a, [](u64 x) {
        return x >> 30 == 0 ? 0xffffffffu : u64{recip_sqrt_estimate(static_cast<u32>(x >> 23))} << 23;
      });
  }
}

U128 eval_compare(const PureOp& op, const U128* args) {
  switch (op.op) {
    case Opcode::VCmpEq:
      return lanes2<false>(op.arr, args, [](Wide a, Wide b) { return mask_if(a == b); });
    case Opcode::VCmpGtS:
      return lanes2<true>(op.arr, args, [](Wide a, Wide b) { return mask_if(a > b); });
    case Opcode::VCmpGeS:
      return lanes2<true>(op.arr, args, [](Wide a, Wide b) { return mask_if(a >= b); });
    case Opcode::VCmpGtU:
      return lanes2<false>(op.arr, args, [](Wide a, Wide b) { return mask_if(a > b); });
    case Opcode::VCmpGeU:
      return lanes2<false>(op.arr, args, [](Wide a, Wide b) { return mask_if(a >= b); });
    default:  // VCmpTst
      return lanes2<false>(op.arr, args, [](Wide a, Wide b) { return mask_if((a & b) != 0); });
  }
}

U128 eval_arithmetic(const PureOp& op, const U128* args) {
  const auto max = [](Wide a, Wide b) { return std::max(a, b); };
  const auto min = [](Wide a, Wide b) { return std::min(a, b); };
  const auto half_sum = [](Wide a, Wide b) { return (a + b) >> 1; };
  const auto half_difference = [](Wide a, Wide b) { return (a - b) >> 1; };
  const auto rounded_half_sum = [](Wide a, Wide b) { return (a + b + 1) >> 1; };
  const auto distance = [](Wide a, Wide b) { return a > b ? a - b : b - a; };
  switch (op.op) {
    case Opcode::VAdd:
      return lanes2<false>(op.arr, args, [](Wide a, Wide b) { return a + b; });
    case Opcode::VSub:
      return lanes2<false>(op.arr, args, [](Wide a, Wide b) { return a - b; });
    case Opcode::VMul:
      return lanes2<false>(op.arr, args, [](Wide a, Wide b) { return static_cast<u64>(a) * static_cast<u64>(b); });
    case Opcode::VMaxS:
      return lanes2<true>(op.arr, args, max);
    case Opcode::VMinS:
      return lanes2<true>(op.arr, args, min);
    case Opcode::VMaxU:
      return lanes2<false>(op.arr, args, max);
    case Opcode::VMinU:
      return lanes2<false>(op.arr, args, min);
    case Opcode::VHAddS:
      return lanes2<true>(op.arr, args, half_sum);
    case Opcode::VHAddU:
      return lanes2<false>(op.arr, args, half_sum);
    case Opcode::VHSubS:
      return lanes2<true>(op.arr, args, half_difference);
    case Opcode::VHSubU:
      return lanes2<false>(op.arr, args, half_difference);
    case Opcode::VRHAddS:
      return lanes2<true>(op.arr, args, rounded_half_sum);
    case Opcode::VRHAddU:
      return lanes2<false>(op.arr, args, rounded_half_sum);
    case Opcode::VAbdS:
      return lanes2<true>(op.arr, args, distance);
    case Opcode::VAbdU:
      return lanes2<false>(op.arr, args, distance);
    default:  // VPMul
      return lanes2<false>(op.arr, args,
                           [](Wide a, Wide b) { return poly_mul8(static_cast<u64>(a), static_cast<u64>(b)); });
  }
}

}  // namespace

U128 eval_vector(const PureOp& op, const U128* args) {
  using enum Opcode;
  switch (op.op) {
    case VConst:
    case Bitcast:
    case VZext:
    case VExtract:
    case VInsert:
    case VDup:
    case VShuffle:
    case VTbl:
      return eval_move(op, args);
    case VAnd:
    case VOr:
    case VXor:
    case VAndNot:
    case VOrNot:
    case VNot:
    case VBsl:
      return low_half_only(op.arr, eval_bitwise(op, args));
    case VNeg:
    case VAbs:
    case VClz:
    case VCls:
    case VCnt:
    case VRbit:
    case VURecpE:
    case VURsqrtE:
      return eval_unary(op, args[0]);
    case VCmpEq:
    case VCmpGtS:
    case VCmpGeS:
    case VCmpGtU:
    case VCmpGeU:
    case VCmpTst:
      return eval_compare(op, args);
    default:
      return eval_arithmetic(op, args);
  }
}

}  // namespace tiercel::ir::detail
