// Saturating vector opcodes on constants. Each computes the exact result of a lane and saturates once; with aux bit 0
// the value of the instruction is the mask of lanes that saturated instead.
#include "ir/eval_internal.h"

namespace tiercel::ir::detail {
namespace {

/// Collects saturated lanes, or the mask of those that hit a limit.
class Lanes {
 public:
  Lanes(const PureOp& op, bool is_signed)
      : bits_(lane_bits(op.arr)), count_(lane_count(op.arr)), want_mask_(op.aux & 1), signed_(is_signed) {}
  unsigned bits() const { return bits_; }
  unsigned count() const { return count_; }
  void put(unsigned i, Wide exact) { put(i, saturate(exact, bits_, signed_)); }
  void put(unsigned i, Saturated s) { set_lane(result_, bits_, i, want_mask_ ? (s.hit ? ~u64{0} : 0) : s.value); }
  U128 result() const { return result_; }

 private:
  unsigned bits_, count_;
  bool want_mask_, signed_;
  U128 result_;
};

template <bool SignedA, bool SignedB, bool SignedResult, typename Fn>
U128 lanes2(const PureOp& op, const U128* args, Fn fn) {
  Lanes out(op, SignedResult);
  for (unsigned i = 0; i < out.count(); ++i)
    out.put(i, fn(wide_lane<SignedA>(args[0], out.bits(), i), wide_lane<SignedB>(args[1], out.bits(), i)));
  return out.result();
}

template <bool Signed, typename Fn>
U128 lanes1(const PureOp& op, const U128* args, Fn fn) {
  Lanes out(op, Signed);
  for (unsigned i = 0; i < out.count(); ++i) out.put(i, fn(wide_lane<Signed>(args[0], out.bits(), i)));
  return out.result();
}

/// x << n, or 2^bits with x's sign when the exact result is at least that large: it saturates anyway.
Wide shift_left_clipped(Wide x, unsigned n, unsigned bits) {
  const Wide huge = Wide{1} << bits;
  if (x == 0) return 0;
  if (n >= bits || x >= huge >> n || x < -(huge >> n)) return x < 0 ? -huge : huge;
  return x << n;
}

/// Arm ARM "UQSHL (register)", "SQRSHL (register)" and their kin.
template <bool SignedA, bool SignedResult>
U128 shift(const PureOp& op, const U128* args, bool rounding) {
  Lanes out(op, SignedResult);
  const unsigned bits = out.bits();
  for (unsigned i = 0; i < out.count(); ++i) {
    const Wide x = wide_lane<SignedA>(args[0], bits, i);
    const int n = static_cast<int>(sign_extend(lane(args[1], bits, i) & 0xff, 8));
    out.put(i, n < 0 ? shift_right_exact(x, -n, rounding) : shift_left_clipped(x, static_cast<unsigned>(n), bits));
  }
  return out.result();
}

/// High half of a doubled product, with an accumulator for SQRDMLAH and SQRDMLSH.
Wide doubled_high(Wide accumulator, Wide a, Wide b, unsigned bits, bool rounding) {
  return ((accumulator << bits) + 2 * a * b + (rounding ? Wide{1} << (bits - 1) : 0)) >> bits;
}

U128 accumulate_doubled_high(const PureOp& op, const U128* args, int sign) {
  Lanes out(op, true);
  const unsigned bits = out.bits();
  for (unsigned i = 0; i < out.count(); ++i)
    out.put(i, doubled_high(wide_lane<true>(args[0], bits, i), sign * wide_lane<true>(args[1], bits, i),
                            wide_lane<true>(args[2], bits, i), bits, true));
  return out.result();
}

U128 doubled_long(const PureOp& op, const U128* args) {
  Lanes out(op, true);
  const unsigned half = out.bits() / 2;
  for (unsigned i = 0; i < out.count(); ++i)
    out.put(i, 2 * wide_lane<true>(args[0], half, i) * wide_lane<true>(args[1], half, i));
  return out.result();
}

template <bool SignedA, bool SignedResult>
U128 narrow(const PureOp& op, const U128* args) {
  Lanes out(op, SignedResult);
  for (unsigned i = 0; i < 64 / out.bits(); ++i) out.put(i, wide_lane<SignedA>(args[0], out.bits() * 2, i));
  return out.result();
}

}  // namespace

U128 eval_vector_saturating(const PureOp& op, const U128* args) {
  const unsigned bits = lane_bits(op.arr);
  const auto sum = [](Wide a, Wide b) { return a + b; };
  const auto difference = [](Wide a, Wide b) { return a - b; };
  const auto high = [bits](Wide a, Wide b) { return doubled_high(0, a, b, bits, false); };
  const auto rounded_high = [bits](Wide a, Wide b) { return doubled_high(0, a, b, bits, true); };
  switch (op.op) {
    case Opcode::VQAddS:
      return lanes2<true, true, true>(op, args, sum);
    case Opcode::VQAddU:
      return lanes2<false, false, false>(op, args, sum);
    case Opcode::VQSubS:
      return lanes2<true, true, true>(op, args, difference);
    case Opcode::VQSubU:
      return lanes2<false, false, false>(op, args, difference);
    case Opcode::VQAddSU:
      return lanes2<true, false, true>(op, args, sum);
    case Opcode::VQAddUS:
      return lanes2<false, true, false>(op, args, sum);
    case Opcode::VQAbs:
      return lanes1<true>(op, args, [](Wide a) { return a < 0 ? -a : a; });
    case Opcode::VQNeg:
      return lanes1<true>(op, args, [](Wide a) { return -a; });
    case Opcode::VQShlU:
      return shift<false, false>(op, args, false);
    case Opcode::VQShlS:
      return shift<true, true>(op, args, false);
    case Opcode::VQRShlU:
      return shift<false, false>(op, args, true);
    case Opcode::VQRShlS:
      return shift<true, true>(op, args, true);
    case Opcode::VQShlSU:
      return shift<true, false>(op, args, false);
    case Opcode::VQDMulH:
      return lanes2<true, true, true>(op, args, high);
    case Opcode::VQRDMulH:
      return lanes2<true, true, true>(op, args, rounded_high);
    case Opcode::VQRDMlAH:
      return accumulate_doubled_high(op, args, 1);
    case Opcode::VQRDMlSH:
      return accumulate_doubled_high(op, args, -1);
    case Opcode::VQDMull:
      return doubled_long(op, args);
    case Opcode::VQNarrowS:
      return narrow<true, true>(op, args);
    case Opcode::VQNarrowU:
      return narrow<false, false>(op, args);
    case Opcode::VQNarrowSU:
      return narrow<true, false>(op, args);
    default:
      UNREACHABLE();
  }
}

}  // namespace tiercel::ir::detail
