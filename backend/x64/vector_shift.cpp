// Lane shifts: by immediates, rounding, and by register (Arm USHL and SSHL).
#include <algorithm>

#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

constexpr const VOp* kAdd[] = {&vop::paddb, &vop::paddw, &vop::paddd, &vop::paddq};
constexpr const VOp* kLeft[] = {nullptr, &vop::psllw, &vop::pslld, &vop::psllq};
constexpr const VOp* kRight[] = {nullptr, &vop::psrlw, &vop::psrld, &vop::psrlq};
constexpr const VOp* kRightSigned[] = {nullptr, &vop::psraw, &vop::psrad, &vop::psraq};

/// `lane` in every lane of 8 << size bits.
constexpr u64 spread(u64 lane, unsigned size) {
  for (unsigned bits = 8u << size; bits < 64; bits *= 2) lane |= lane << bits;
  return lane;
}

/// The operand of gf2p8affineqb that shifts each byte: byte 7 - i selects the input bits that make output bit i.
constexpr u64 byte_shift_matrix(int right, bool is_signed) {
  u64 matrix = 0;
  for (int i = 0; i < 8; ++i) {
    int from = i + right;
    if (is_signed) from = std::min(from, 7);
    if (from >= 0 && from < 8) matrix |= u64{1} << from << 8 * (7 - i);
  }
  return matrix;
}

}  // namespace

void VectorEmitter::shift_left(Xmm d, Xmm x, unsigned n) {
  if (size() != 0) return shift(*kLeft[size()], d, x, n);
  if (e.features().gfni && avx) {
    a.vgf2p8affineqb(d, x, splat(byte_shift_matrix(-static_cast<int>(n), false)), 0);
    return;
  }
  shift(vop::psllw, d, x, n);
  op(vop::pand, d, d, splat(spread(0xff << n & 0xff, 0)));
}

/// All ones in the lanes of `x` below zero, for doublewords. d is not x.
void VectorEmitter::sign_mask(Xmm d, Xmm x) {
  if (v512) return un(vop::psraq, d, x, 63);
  zero(d);
  op(vop::pcmpgtq, d, d, x);
}

void VectorEmitter::shift_right(Xmm d, Xmm x, unsigned n, bool is_signed) {
  const unsigned width = 8u << size();
  if (size() == 0 && e.features().gfni && avx) {
    a.vgf2p8affineqb(d, x, splat(byte_shift_matrix(static_cast<int>(n), is_signed)), 0);
    return;
  }
  if (!is_signed && n == width) return zero(d);
  if (is_signed && n == width) n = width - 1;  // only sign bits remain
  if (size() == 0) {
    shift(vop::psrlw, d, x, n);
    op(vop::pand, d, d, splat(spread(0xffu >> n, 0)));
    if (is_signed) {  // extend the sign that is now in bit 7 - n
      const Mem sign = splat(spread(0x80u >> n, 0));
      op(vop::pxor, d, d, sign);
      op(vop::psubb, d, d, sign);
    }
    return;
  }
  if (!is_signed) return shift(*kRight[size()], d, x, n);
  if (size() != 3 || v512) return shift(*kRightSigned[size()], d, x, n);
  const Xmm t = tmp();
  sign_mask(t, x);
  shift(vop::psllq, t, t, 64 - n);
  shift(vop::psrlq, d, x, n);
  op(vop::por, d, d, t);
}

bool VectorEmitter::emit_shift() {
  const bool is_signed = inst_->op == Opcode::VShrSI || inst_->op == Opcode::VRShrSI || inst_->op == Opcode::VShlS;
  const auto n = static_cast<unsigned>(inst_->imm);
  switch (inst_->op) {
    case Opcode::VShlI: {
      const Xmm x = in(0);
      const bool high_is_zero = in_zero(0);
      const Xmm d = reusing(0);
      shift_left(d, x, n);
      return finish(d, high_is_zero);
    }
    case Opcode::VShrUI:
    case Opcode::VShrSI: {
      const Xmm x = in(0);
      const bool high_is_zero = in_zero(0);
      const Xmm d = fresh();
      shift_right(d, x, n, is_signed);
      return finish(d, high_is_zero);
    }
    case Opcode::VRShrUI:
    case Opcode::VRShrSI:
      return rounding_shift(is_signed);
    case Opcode::VShlU:
    case Opcode::VShlS:
      return register_shift(is_signed);
    default:
      return false;
  }
}

/// (x >> n) + bit n - 1 of x: the sum before the shift could overflow.
bool VectorEmitter::rounding_shift(bool is_signed) {
  const auto n = static_cast<unsigned>(inst_->imm);
  const Xmm x = in(0);
  const bool high_is_zero = in_zero(0);
  const Xmm d = fresh(), t = tmp();
  if (n == 1)
    mov(t, x);
  else
    shift_right(t, x, n - 1, is_signed);
  op(vop::pand, t, t, splat(spread(1, size())));
  shift_right(d, x, n, is_signed);
  op(*kAdd[size()], d, d, t);
  return finish(d, high_is_zero);
}

/// The count is the low byte of each lane as a signed number. Host shifts by variable counts give zero (or sign bits)
/// for counts beyond the width, so both directions are computed with the count and its negation as unsigned bytes, and
/// the wrong one yields zero.
bool VectorEmitter::register_shift(bool is_signed) {
  if (size() == 0 || (size() == 1 ? !v512 : !avx2)) return false;
  if (is_signed && size() == 3 && !v512) return false;
  const Xmm x = in(0), n = in(1);
  const bool high_is_zero = in_zero(0);
  const Xmm d = fresh(), left = tmp(), right = tmp();
  const Mem low_byte = splat(spread(0xff, size()));
  constexpr const VOp* kSub[] = {nullptr, &vop::psubw, &vop::psubd, &vop::psubq};
  op(vop::pand, left, n, low_byte);
  zero(right);
  op(*kSub[size()], right, right, n);
  op(vop::pand, right, right, low_byte);
  switch (size()) {
    case 1:
      a.vpsllvw(left, x, left);
      break;
    case 2:
      a.vpsllvd(left, x, left);
      break;
    default:
      a.vpsllvq(left, x, left);
      break;
  }
  if (!is_signed) {
    if (size() == 1)
      a.vpsrlvw(right, x, right);
    else if (size() == 2)
      a.vpsrlvd(right, x, right);
    else
      a.vpsrlvq(right, x, right);
    op(vop::por, d, left, right);
    return finish(d, high_is_zero);
  }
  if (size() == 1)
    a.vpsravw(right, x, right);
  else if (size() == 2)
    a.vpsravd(right, x, right);
  else
    a.vpsravq(right, x, right);
  // Sign bits where the count is not negative must not show: bit 7 of the count decides.
  if (size() == 3)
    a.vpsllq(d, n, 56);
  else
    shift(*kLeft[size()], d, n, (8u << size()) - 8);
  shift(*kRightSigned[size()], d, d, (8u << size()) - 1);
  op(vop::pand, d, d, right);
  op(vop::por, d, d, left);
  return finish(d, high_is_zero);
}

}  // namespace tiercel::backend::x64
