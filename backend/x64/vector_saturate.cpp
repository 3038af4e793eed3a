// Saturating operations and the masks of the lanes that saturated (Inst::aux bit 0).
#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

namespace x86 = asmjit::x86;

constexpr const VOp* kAdd[] = {&vop::paddb, &vop::paddw, &vop::paddd, &vop::paddq};
constexpr const VOp* kSub[] = {&vop::psubb, &vop::psubw, &vop::psubd, &vop::psubq};
constexpr const VOp* kAbs[] = {&vop::pabsb, &vop::pabsw, &vop::pabsd, &vop::pabsq};
// [add][signed][size], bytes and halfwords
constexpr const VOp* kSaturate[2][2][2] = {{{&vop::psubusb, &vop::psubusw}, {&vop::psubsb, &vop::psubsw}},
                                           {{&vop::paddusb, &vop::paddusw}, {&vop::paddsb, &vop::paddsw}}};
constexpr u64 kMinimum[] = {0x8080808080808080, 0x8000800080008000, 0x8000000080000000, 0x8000000000000000};

}  // namespace

bool VectorEmitter::emit_saturating() {
  switch (inst_->op) {
    case Opcode::VQAddS:
      return saturating_add_sub(true, true);
    case Opcode::VQAddU:
      return saturating_add_sub(true, false);
    case Opcode::VQSubS:
      return saturating_add_sub(false, true);
    case Opcode::VQSubU:
      return saturating_add_sub(false, false);
    case Opcode::VQAbs:
      return saturating_abs_neg(true);
    case Opcode::VQNeg:
      return saturating_abs_neg(false);
    case Opcode::VQDMulH:
      return doubling_high(false);
    case Opcode::VQRDMulH:
      return doubling_high(true);
    case Opcode::VQDMull:
      return doubling_long();
    case Opcode::VQNarrowS:
    case Opcode::VQNarrowU:
    case Opcode::VQNarrowSU:
      return saturating_narrow();
    default:
      return false;
  }
}

bool VectorEmitter::saturating_add_sub(bool add, bool is_signed) {
  if (size() >= 2) return saturating_add_sub_wide(add, is_signed);
  const VOp& o = *kSaturate[add][is_signed][size()];
  const bool both_zero = in_zero(0) && in_zero(1);
  if (!saturated_mask()) return binary(o, both_zero);
  // Saturated where it differs from the wrapping result.
  const Xmm x = in(0), y = in(1);
  const Xmm d = fresh(), t = tmp();
  op(o, d, x, y);
  op(add ? *kAdd[size()] : *kSub[size()], t, x, y);
  equal(d, d, t);
  invert(d, d);
  return finish(d, both_zero);
}

bool VectorEmitter::saturating_add_sub_wide(bool add, bool is_signed) {
  const bool both_zero = in_zero(0) && in_zero(1);
  const Xmm x = in(0), y = in(1);
  const Xmm d = fresh(), t = tmp();
  if (!is_signed) {
    // t: lanes that saturate. A sum that wrapped is below its operands; a difference wraps if a < b.
    op(add ? *kAdd[size()] : *kSub[size()], d, x, y);
    if (add)
      greater_unsigned(t, x, d);
    else
      greater_unsigned(t, y, x);
    if (saturated_mask())
      mov(d, t);
    else if (add)
      op(vop::por, d, d, t);
    else
      op(vop::pandn, d, t, d);
    return finish(d, both_zero);
  }
  // Overflow: the operands' signs agree (add) or differ (sub), and the result's sign is not the first operand's.
  const Xmm m = tmp();
  op(add ? *kAdd[size()] : *kSub[size()], t, x, y);
  op(vop::pxor, d, x, t);
  op(vop::pxor, m, add ? t : x, y);
  op(vop::pand, m, m, d);
  shift(vop::psrad, m, m, 31);
  if (size() == 3) un(vop::pshufd, m, m, 0xf5);
  if (saturated_mask()) {
    mov(d, m);
    return finish(d, both_zero);
  }
  // The limit: MAX for a >= 0, MIN for a < 0.
  shift(vop::psrad, d, x, 31);
  if (size() == 3) un(vop::pshufd, d, d, 0xf5);
  op(vop::pxor, d, d, splat(~kMinimum[size()]));
  op(vop::pxor, d, d, t);
  op(vop::pand, d, d, m);
  op(vop::pxor, d, d, t);
  return finish(d, both_zero);
}

/// Only MIN saturates: -MIN wraps to MIN, and adding all ones makes it MAX.
bool VectorEmitter::saturating_abs_neg(bool abs) {
  if (abs && !has(*kAbs[size()])) return false;
  const bool high_is_zero = in_zero(0);
  const Xmm x = in(0);
  const Xmm d = fresh();
  if (saturated_mask()) {
    load(d, splat(kMinimum[size()]));
    equal(d, d, x);
    return finish(d, high_is_zero);
  }
  const Xmm t = tmp();
  load(t, splat(kMinimum[size()]));
  equal(t, t, x);
  if (abs) {
    un(*kAbs[size()], d, x);
  } else {
    zero(d);
    op(*kSub[size()], d, d, x);
  }
  op(*kAdd[size()], d, d, t);
  return finish(d, high_is_zero);
}

/// High half of 2ab. Only MIN * MIN saturates; unsaturated it gives MIN, which no other product does.
bool VectorEmitter::doubling_high(bool rounding) {
  const bool high_is_zero = in_zero(0) || in_zero(1);
  const Xmm x = in(0), y = in(1);
  const Xmm d = fresh(), t = tmp();
  if (size() == 1) {
    if (rounding) {
      op(vop::pmulhrsw, d, x, y);
    } else {
      op(vop::pmulhw, d, x, y);
      op(vop::pmullw, t, x, y);
      op(vop::paddw, d, d, d);
      shift(vop::psrlw, t, t, 15);
      op(vop::por, d, d, t);
    }
  } else if (size() == 2) {
    const Xmm odd_x = tmp(), odd_y = tmp();
    op(vop::pmuldq, t, x, y);
    un(vop::pshufd, odd_x, x, 0xf5);
    un(vop::pshufd, odd_y, y, 0xf5);
    op(vop::pmuldq, odd_x, odd_x, odd_y);
    op(vop::paddq, t, t, t);
    op(vop::paddq, odd_x, odd_x, odd_x);
    if (rounding) {
      const Mem half = splat(0x80000000);
      op(vop::paddq, t, t, half);
      op(vop::paddq, odd_x, odd_x, half);
    }
    shift(vop::psrlq, d, t, 32);
    op(vop::pand, odd_x, odd_x, splat(0xffffffff00000000));
    op(vop::por, d, d, odd_x);
  } else {
    return false;
  }
  load(t, splat(kMinimum[size()]));
  equal(t, t, d);
  if (saturated_mask())
    mov(d, t);
  else
    op(vop::pxor, d, d, t);
  return finish(d, high_is_zero);
}

bool VectorEmitter::doubling_long() {
  const Xmm x = in(0), y = in(1);
  const Xmm d = fresh(), t = tmp();
  if (size() == 2) {
    op(vop::pmullw, d, x, y);
    op(vop::pmulhw, t, x, y);
    op(vop::punpcklwd, d, d, t);
    op(vop::paddd, d, d, d);
  } else {
    un(vop::pshufd, d, x, 0x50);
    un(vop::pshufd, t, y, 0x50);
    op(vop::pmuldq, d, d, t);
    op(vop::paddq, d, d, d);
  }
  load(t, splat(kMinimum[size()]));
  equal(t, t, d);
  if (saturated_mask())
    mov(d, t);
  else
    op(vop::pxor, d, d, t);
  return finish(d);
}

bool VectorEmitter::saturating_narrow() {
  const bool from_unsigned = inst_->op == Opcode::VQNarrowU, to_signed = inst_->op == Opcode::VQNarrowS;
  const unsigned n = size();  // of the narrow lanes
  if (n == 2 && !v512) return false;
  const Xmm x = in(0);
  const Xmm d = fresh(), t = tmp();
  if (n == 2) {
    if (to_signed) {
      a.vpmovsqd(d, x);
    } else if (from_unsigned) {
      a.vpmovusqd(d, x);
    } else {
      zero(t);
      op(vop::pmaxsq, t, t, x);
      a.vpmovusqd(d, t);
    }
  } else {
    Xmm source = x;
    if (from_unsigned) {  // the packs read signed lanes
      load(t, splat(n == 0 ? 0x00ff00ff00ff00ff : 0x0000ffff0000ffff));
      op(n == 0 ? vop::pminuw : vop::pminud, t, t, x);
      source = t;
    }
    zero(d);
    const VOp* const packs[2][2] = {{&vop::packuswb, &vop::packusdw}, {&vop::packsswb, &vop::packssdw}};
    op(*packs[to_signed][n], d, source, d);
  }
  if (!saturated_mask()) return finish(d, true);
  // Saturated where widening again does not give the operand back.
  const VOp* const widen[2][3] = {{&vop::pmovzxbw, &vop::pmovzxwd, &vop::pmovzxdq},
                                  {&vop::pmovsxbw, &vop::pmovsxwd, &vop::pmovsxdq}};
  const VOp* const same[] = {&vop::pcmpeqw, &vop::pcmpeqd, &vop::pcmpeqq};
  un(*widen[to_signed][n], t, d);
  op(vop::pxor, t, t, x);
  zero(d);
  op(*same[n], t, t, d);  // all ones: not saturated
  invert(t, t);
  if (n == 2)
    un(vop::pshufd, d, t, 0x08);
  else
    op(n == 0 ? vop::packsswb : vop::packssdw, d, t, d);
  return finish(d, n != 2);
}

}  // namespace tiercel::backend::x64
