// Integer and flags opcodes on constants.
#include <bit>

#include "ir/eval_internal.h"

namespace tiercel::ir::detail {
namespace {

/// Arm ARM "BitReverse" + "Poly32Mod2" reduce to the reflected CRC step.
u32 crc_step(u32 crc, u64 data, unsigned bytes, u32 reflected_polynomial) {
  for (unsigned i = 0; i < bytes; ++i) {
    crc ^= static_cast<u8>(data >> (8 * i));
    for (unsigned k = 0; k < 8; ++k) crc = (crc >> 1) ^ (crc & 1 ? reflected_polynomial : 0);
  }
  return crc;
}

u64 bit_reverse(u64 a, unsigned w) {
  u64 r = 0;
  for (unsigned i = 0; i < w; ++i) r |= (a >> i & 1) << (w - 1 - i);
  return r;
}

u64 byte_reverse(u64 a, unsigned w) {
  return __builtin_bswap64(a) >> (64 - w);
}

u64 div_signed(u64 a, u64 b, unsigned w) {
  const s64 x = sign_extend(a, w), y = sign_extend(b, w);
  if (y == 0) return 0;
  if (y == -1) return 0 - a;  // MIN / -1 would trap on the host
  return static_cast<u64>(x / y);
}

u64 rotate_right(u64 a, unsigned n, unsigned w) {
  return n == 0 ? a : (a >> n | a << (w - n));
}

u64 mul_high(u64 a, u64 b, unsigned w, bool is_signed) {
  if (is_signed) return static_cast<u64>((Wide{sign_extend(a, w)} * sign_extend(b, w)) >> w);
  return static_cast<u64>((static_cast<UWide>(a) * b) >> w);
}

u64 bitfield(const PureOp& op, u64 a, u64 b) {
  const unsigned lsb = op.aux & 0xff, width = op.aux >> 8 & 0xff;
  if (op.op == Opcode::UBfx) return bits(a, lsb, width);
  if (op.op == Opcode::SBfx) return static_cast<u64>(sign_extend(bits(a, lsb, width), width));
  const u64 mask = low_mask(width) << lsb;
  return (a & ~mask) | (b << lsb & mask);
}

/// Results of the inst's own type, before truncation to it.
u64 eval_raw(const PureOp& op, const U128* args) {
  using enum Opcode;
  const unsigned w = type_bits(op.type);
  const u64 a = args[0].lo, b = args[1].lo;
  const unsigned n = static_cast<unsigned>(b) & (w - 1);  // shift count
  switch (op.op) {
    case Const:
      return op.imm;
    case Add:
      return a + b;
    case Sub:
      return a - b;
    case Adc:
      return a + b + args[2].lo;
    case Sbc:
      return a + ~b + args[2].lo;
    case Mul:
      return a * b;
    case MulHiU:
      return mul_high(a, b, w, false);
    case MulHiS:
      return mul_high(a, b, w, true);
    case DivU:
      return b == 0 ? 0 : a / b;
    case DivS:
      return div_signed(a, b, w);
    case And:
      return a & b;
    case Or:
      return a | b;
    case Xor:
      return a ^ b;
    case AndNot:
      return a & ~b;
    case OrNot:
      return a | ~b;
    case XorNot:
      return a ^ ~b;
    case Not:
      return ~a;
    case Neg:
      return 0 - a;
    case Shl:
      return a << n;
    case Shr:
      return a >> n;
    case Sar:
      return static_cast<u64>(sign_extend(a, w) >> n);
    case Ror:
      return rotate_right(a, n, w);
    case Extr:
      return op.imm == 0 ? b : (b >> op.imm | a << (w - op.imm));
    case UBfx:
    case SBfx:
    case Bfi:
      return bitfield(op, a, b);
    case Clz:
      return a == 0 ? w : static_cast<u64>(std::countl_zero(a)) - (64 - w);
    case Ctz:
      return a == 0 ? w : static_cast<u64>(std::countr_zero(a));
    case Popcnt:
      return static_cast<u64>(std::popcount(a));
    case BitRev:
      return bit_reverse(a, w);
    case ByteRev:
      return byte_reverse(a, w);
    case ZExt:
    case Trunc:
      return a;
    case SExt:
      return static_cast<u64>(sign_extend(a, type_bits(op.arg_type)));
    case Crc32:
      return crc_step(static_cast<u32>(a), b, static_cast<unsigned>(op.imm), 0xedb88320);
    case Crc32c:
      return crc_step(static_cast<u32>(a), b, static_cast<unsigned>(op.imm), 0x82f63b78);
    default:
      UNREACHABLE();
  }
}

bool compare(const PureOp& op, u64 a, u64 b) {
  const unsigned w = type_bits(op.arg_type);
  switch (op.op) {
    case Opcode::CmpEq:
      return a == b;
    case Opcode::CmpNe:
      return a != b;
    case Opcode::CmpLtU:
      return a < b;
    case Opcode::CmpLeU:
      return a <= b;
    case Opcode::CmpLtS:
      return sign_extend(a, w) < sign_extend(b, w);
    default:
      return sign_extend(a, w) <= sign_extend(b, w);
  }
}

/// Arm ARM "AddWithCarry".
u16 add_flags(u64 a, u64 b, u64 carry, unsigned w) {
  const u64 mask = low_mask(w);
  const UWide unsigned_sum = static_cast<UWide>(a & mask) + (b & mask) + carry;
  const Wide signed_sum = Wide{sign_extend(a, w)} + sign_extend(b, w) + static_cast<Wide>(carry);
  const u64 r = static_cast<u64>(unsigned_sum) & mask;
  const bool n = r >> (w - 1) & 1, z = r == 0, c = unsigned_sum != r, v = signed_sum != sign_extend(r, w);
  return flags_from_nzcv(static_cast<u32>(n << 3 | z << 2 | c << 1 | int{v}));
}

bool condition(u64 flags, Cond cond) {
  const u32 nzcv = nzcv_from_flags(flags);
  const bool n = nzcv >> 3 & 1, z = nzcv >> 2 & 1, c = nzcv >> 1 & 1, v = nzcv & 1;
  switch (cond) {
    case Cond::Eq:
      return z;
    case Cond::Ne:
      return !z;
    case Cond::Hs:
      return c;
    case Cond::Lo:
      return !c;
    case Cond::Mi:
      return n;
    case Cond::Pl:
      return !n;
    case Cond::Vs:
      return v;
    case Cond::Vc:
      return !v;
    case Cond::Hi:
      return c && !z;
    case Cond::Ls:
      return !c || z;
    case Cond::Ge:
      return n == v;
    case Cond::Lt:
      return n != v;
    case Cond::Gt:
      return !z && n == v;
    case Cond::Le:
      return z || n != v;
  }
  UNREACHABLE();
}

}  // namespace

U128 eval_integer(const PureOp& op, const U128* args) {
  switch (op.op) {
    case Opcode::Select:
      return args[0].lo & 1 ? args[1] : args[2];
    case Opcode::TestBit:
      return scalar(args[0].lo >> op.imm & 1);
    case Opcode::CmpEq:
    case Opcode::CmpNe:
    case Opcode::CmpLtU:
    case Opcode::CmpLeU:
    case Opcode::CmpLtS:
    case Opcode::CmpLeS:
      return scalar(compare(op, args[0].lo, args[1].lo));
    default:
      return scalar(eval_raw(op, args) & low_mask(type_bits(op.type)));
  }
}

U128 eval_flags(const PureOp& op, const U128* args) {
  const u64 a = args[0].lo, b = args[1].lo;
  const unsigned w = type_bits(op.arg_type);
  switch (op.op) {
    case Opcode::FlagsAdd:
      return scalar(add_flags(a, b, 0, w));
    case Opcode::FlagsSub:
      return scalar(add_flags(a, ~b, 1, w));
    case Opcode::FlagsAdc:
      return scalar(add_flags(a, b, args[2].lo, w));
    case Opcode::FlagsSbc:
      return scalar(add_flags(a, ~b, args[2].lo, w));
    case Opcode::FlagsLogic:
      return scalar(flags_from_nzcv(static_cast<u32>((a >> (w - 1) & 1) << 3 | u64{a == 0} << 2)));
    case Opcode::FlagsCcmpSub:
      return scalar(a & 1 ? add_flags(b, ~args[2].lo, 1, w) : flags_from_nzcv(static_cast<u32>(op.imm)));
    case Opcode::FlagsCcmpAdd:
      return scalar(a & 1 ? add_flags(b, args[2].lo, 0, w) : flags_from_nzcv(static_cast<u32>(op.imm)));
    case Opcode::FlagsFromNzcv:
      return scalar(flags_from_nzcv(static_cast<u32>(a >> 28)));
    case Opcode::FlagsToNzcv:
      return scalar(u64{nzcv_from_flags(a)} << 28);
    case Opcode::FlagsCond:
      return scalar(condition(a, static_cast<Cond>(op.imm)));
    default:
      UNREACHABLE();
  }
}

}  // namespace tiercel::ir::detail
