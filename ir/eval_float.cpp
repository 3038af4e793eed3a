// Dispatch of the floating-point opcodes, lane by lane.
#include "ir/eval_float.h"

namespace tiercel::ir::detail {
namespace {

struct ToIntAttr {
  Round mode;
  bool is_unsigned;
  unsigned fraction_bits;
  explicit ToIntAttr(u32 aux)
      : mode(static_cast<Round>(aux & 7)), is_unsigned(aux >> 3 & 1), fraction_bits(aux >> 8 & 0xff) {}
};

u64 mask_if(bool c) {
  return c ? ~u64{0} : 0;
}

u64 compare_lane(FpContext& c, const Format& f, Opcode op, u64 a, u64 b) {
  const Relation r = compare(c, f, a, b, op != Opcode::VFCmpEq);
  if (op == Opcode::VFCmpEq) return mask_if(r == Relation::Equal);
  if (op == Opcode::VFCmpGt) return mask_if(r == Relation::Greater);
  return mask_if(r == Relation::Greater || r == Relation::Equal);
}

/// Opcodes whose result has the operands' format.
u64 eval_lane(FpContext& c, const Format& f, const PureOp& op, const u64* x) {
  using enum Opcode;
  switch (op.op) {
    case FAdd:
      return add(c, f, x[0], x[1]);
    case FSub:
      return subtract(c, f, x[0], x[1]);
    case FMul:
      return multiply(c, f, x[0], x[1]);
    case FMulX:
      return multiply_extended(c, f, x[0], x[1]);
    case FDiv:
      return divide(c, f, x[0], x[1]);
    case FMulAdd:
      return multiply_add(c, f, x[0], x[1], x[2]);
    case FSqrt:
      return square_root(c, f, x[0]);
    case FNeg:
      return x[0] ^ f.sign_bit();
    case FAbs:
      return f.magnitude(x[0]);
    case FMax:
    case FMin:
      return max_min(c, f, x[0], x[1], op.op == FMax);
    case FMaxNm:
    case FMinNm:
      return max_min_number(c, f, x[0], x[1], op.op == FMaxNm);
    case FRint:
      return round_to_integral(c, f, x[0], c.rounding(static_cast<Round>(op.aux & 7)), op.aux >> 3 & 1);
    case FRecipE:
      return recip_estimate(c, f, x[0]);
    case FRsqrtE:
      return recip_sqrt_estimate(c, f, x[0]);
    case FRecipS:
      return recip_step(c, f, x[0], x[1]);
    case FRsqrtS:
      return recip_sqrt_step(c, f, x[0], x[1]);
    case FRecipX:
      return recip_exponent(c, f, x[0]);
    case VFCmpEq:
    case VFCmpGe:
    case VFCmpGt:
      return compare_lane(c, f, op.op, x[0], x[1]);
    default:
      UNREACHABLE();
  }
}

U128 eval_lanes(FpContext& c, const PureOp& op, const U128* args) {
  const bool vector = op.type == Type::V128;
  const unsigned width = vector ? lane_bits(op.arr) : type_bits(op.type), count = vector ? lane_count(op.arr) : 1;
  const std::size_t operands = info(op.op).operands.size();
  const Format& f = format(width);
  U128 r;
  for (unsigned i = 0; i < count; ++i) {
    u64 x[3] = {};
    for (std::size_t k = 0; k < operands; ++k) x[k] = lane(args[k], width, i);
    set_lane(r, width, i, eval_lane(c, f, op, x));
  }
  return r;
}

U128 eval_to_integer(FpContext& c, const PureOp& op, const U128* args) {
  const ToIntAttr attr(op.aux);
  const Round mode = c.rounding(attr.mode);
  const auto one = [&](unsigned from, unsigned to, u64 x) {
    return to_integer(c, format(from), x, to, attr.is_unsigned, attr.fraction_bits, mode);
  };
  if (op.type != Type::V128) return scalar(one(type_bits(op.arg_type), type_bits(op.type), args[0].lo));
  const unsigned width = lane_bits(op.arr);
  U128 r;
  for (unsigned i = 0; i < lane_count(op.arr); ++i) set_lane(r, width, i, one(width, width, lane(args[0], width, i)));
  return r;
}

U128 eval_from_integer(FpContext& c, const PureOp& op, const U128* args) {
  const ToIntAttr attr(op.aux);
  const auto one = [&](unsigned from, unsigned to, u64 x) {
    return from_integer(c, format(to), x, from, attr.is_unsigned, attr.fraction_bits);
  };
  if (op.type != Type::V128) return scalar(one(type_bits(op.arg_type), type_bits(op.type), args[0].lo));
  const unsigned width = lane_bits(op.arr);
  U128 r;
  for (unsigned i = 0; i < lane_count(op.arr); ++i) set_lane(r, width, i, one(width, width, lane(args[0], width, i)));
  return r;
}

/// Between a format and the next: `arr` names the result; the wide side fills 128 bits, the other the low 64.
U128 eval_vector_convert(FpContext& c, const PureOp& op, const U128& a) {
  const bool up = op.op == Opcode::VFCvtUp;
  const unsigned to = lane_bits(op.arr), from = up ? to / 2 : to * 2, count = 128 / (up ? to : from);
  const Round mode = c.rounding(up ? Round::Current : static_cast<Round>(op.aux & 7));
  U128 r;
  for (unsigned i = 0; i < count; ++i) set_lane(r, to, i, convert(c, format(from), format(to), lane(a, from, i), mode));
  return r;
}

U128 eval_flags_of_compare(FpContext& c, const PureOp& op, const U128* args) {
  switch (compare(c, format(type_bits(op.arg_type)), args[0].lo, args[1].lo, op.imm & 1)) {
    case Relation::Less:
      return scalar(flags_from_nzcv(0b1000));
    case Relation::Equal:
      return scalar(flags_from_nzcv(0b0110));
    case Relation::Greater:
      return scalar(flags_from_nzcv(0b0010));
    case Relation::Unordered:
      return scalar(flags_from_nzcv(0b0011));
  }
  UNREACHABLE();
}

}  // namespace

U128 eval_float(const PureOp& op, const U128* args, FpEnv& env) {
  FpContext c(FpRules::unpack(op.fp), env);
  const auto scalar_convert = [&](const Format& from, const Format& to) {
    return scalar(convert(c, from, to, args[0].lo & low_mask(from.width()), c.rounding(Round::Current)));
  };
  switch (op.op) {
    case Opcode::FlagsFcmp:
      return eval_flags_of_compare(c, op, args);
    case Opcode::FCvt:
      return scalar(convert(c, format(type_bits(op.arg_type)), format(type_bits(op.type)), args[0].lo,
                            c.rounding(static_cast<Round>(op.aux & 7))));
    case Opcode::FFromHalf:
      return scalar_convert(kHalf, format(type_bits(op.type)));
    case Opcode::FToHalf:
      return scalar_convert(format(type_bits(op.arg_type)), kHalf);
    case Opcode::FToInt:
      return eval_to_integer(c, op, args);
    case Opcode::IntToF:
      return eval_from_integer(c, op, args);
    case Opcode::VFCvtUp:
    case Opcode::VFCvtDown:
      return eval_vector_convert(c, op, args[0]);
    default:
      return eval_lanes(c, op, args);
  }
}

}  // namespace tiercel::ir::detail
