// Bitwise operations and plain integer lanes.
#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

constexpr const VOp* kAdd[] = {&vop::paddb, &vop::paddw, &vop::paddd, &vop::paddq};
constexpr const VOp* kSub[] = {&vop::psubb, &vop::psubw, &vop::psubd, &vop::psubq};
constexpr const VOp* kAbs[] = {&vop::pabsb, &vop::pabsw, &vop::pabsd, &vop::pabsq};
// [max][signed][size]
constexpr const VOp* kMinMax[2][2][4] = {{{&vop::pminub, &vop::pminuw, &vop::pminud, &vop::pminuq},
                                          {&vop::pminsb, &vop::pminsw, &vop::pminsd, &vop::pminsq}},
                                         {{&vop::pmaxub, &vop::pmaxuw, &vop::pmaxud, &vop::pmaxuq},
                                          {&vop::pmaxsb, &vop::pmaxsw, &vop::pmaxsd, &vop::pmaxsq}}};

}  // namespace

bool VectorEmitter::binary(const VOp& o, bool high_is_zero) {
  U128 constant;
  const unsigned first = o.commutes && is_vconst(0, constant) ? 1 : 0;
  const Xmm x = in(first);
  const Operand y = in_any(1 - first);
  const Xmm d = reusing(first);
  op(o, d, x, y);
  return finish(d, high_is_zero);
}

bool VectorEmitter::emit_bitwise() {
  switch (inst_->op) {
    case Opcode::VAnd:
      return binary(vop::pand, in_zero(0) || in_zero(1));
    case Opcode::VOr:
      return binary(vop::por, in_zero(0) && in_zero(1));
    case Opcode::VXor:
      return binary(vop::pxor, in_zero(0) && in_zero(1));
    case Opcode::VAndNot: {  // pandn complements its first operand
      if (U128 c; is_vconst(1, c)) {
        const bool high_is_zero = in_zero(0);
        const Xmm x = in(0);
        const Xmm d = reusing(0);
        op(vop::pand, d, x, constant(~c.lo, ~c.hi));
        return finish(d, high_is_zero);
      }
      const Xmm x = in(0), y = in(1);
      const bool high_is_zero = in_zero(0);
      const Xmm d = reusing(1);
      op(vop::pandn, d, y, x);
      return finish(d, high_is_zero);
    }
    case Opcode::VOrNot: {
      const Xmm x = in(0), y = in(1);
      const Xmm d = fresh();
      if (v512) {
        mov(d, x);
        a.vpternlogd(d, y, y, 0xf3);  // A | ~B
      } else {
        invert(d, y);
        op(vop::por, d, d, x);
      }
      return finish(d);
    }
    case Opcode::VNot: {
      const Xmm x = in(0);
      const Xmm d = reusing(0);
      invert(d, x);
      return finish(d);
    }
    case Opcode::VBsl:
      return vbsl();
    default:
      return false;
  }
}

bool VectorEmitter::vbsl() {
  const Xmm m = in(0), x = in(1), y = in(2);
  const bool high_is_zero = in_zero(1) && in_zero(2);
  if (v512) {
    // The destination is also a source: take the operand that dies, if one does. Truth table index: d, s1, s2.
    if (e.dies_here(inst_->args[1])) {
      const Xmm d = reusing(1);
      mov(d, x);
      a.vpternlogd(d, m, y, 0xe2);
      return finish(d, high_is_zero);
    }
    if (e.dies_here(inst_->args[2])) {
      const Xmm d = reusing(2);
      mov(d, y);
      a.vpternlogd(d, m, x, 0xb8);  // B ? C : A
      return finish(d, high_is_zero);
    }
    const Xmm d = reusing(0);
    mov(d, m);
    a.vpternlogd(d, x, y, 0xca);  // A ? B : C
    return finish(d, high_is_zero);
  }
  const Xmm d = fresh();
  op(vop::pxor, d, x, y);
  op(vop::pand, d, d, m);
  op(vop::pxor, d, d, y);
  return finish(d, high_is_zero);
}

bool VectorEmitter::emit_integer() {
  const bool both_zero = in_zero(0) && (!inst_->args[1] || in_zero(1));
  switch (inst_->op) {
    case Opcode::VAdd:
      return binary(*kAdd[size()], both_zero);
    case Opcode::VSub:
      return binary(*kSub[size()], both_zero);
    case Opcode::VMul:
      return vmul();
    case Opcode::VNeg: {
      const Xmm x = in(0);
      const Xmm d = fresh();
      zero(d);
      op(*kSub[size()], d, d, x);
      return finish(d, both_zero);
    }
    case Opcode::VAbs:
      return vabs();
    case Opcode::VMaxS:
      return minmax(true, true);
    case Opcode::VMinS:
      return minmax(false, true);
    case Opcode::VMaxU:
      return minmax(true, false);
    case Opcode::VMinU:
      return minmax(false, false);
    case Opcode::VAbdS:
      return vabd(true);
    case Opcode::VAbdU:
      return vabd(false);
    case Opcode::VMullS:
      return vmull(true);
    case Opcode::VMullU:
      return vmull(false);
    case Opcode::VExtS:
      return vext(true);
    case Opcode::VExtU:
      return vext(false);
    case Opcode::VNarrow:
      return vnarrow();
    default:
      return false;
  }
}

bool VectorEmitter::vmul() {
  const bool high_is_zero = in_zero(0) || in_zero(1);
  if (size() == 1) return binary(vop::pmullw, high_is_zero);
  if (size() == 2) return binary(vop::pmulld, high_is_zero);
  if (size() == 3) return v512 && binary(vop::pmullq, high_is_zero);
  // Bytes: even and odd ones apart, as halfwords.
  const Xmm x = in(0), y = in(1);
  const Xmm d = fresh(), t = tmp();
  const Mem even = splat(0x00ff00ff00ff00ff);
  op(vop::pmullw, d, x, y);
  op(vop::pand, d, d, even);
  shift(vop::psrlw, t, x, 8);
  const Xmm u = tmp();
  op(vop::pand, u, y, splat(0xff00ff00ff00ff00));
  op(vop::pmullw, t, t, u);
  op(vop::por, d, d, t);
  return finish(d, high_is_zero);
}

bool VectorEmitter::vabs() {
  const Xmm x = in(0);
  const bool high_is_zero = in_zero(0);
  if (has(*kAbs[size()])) {
    const Xmm d = reusing(0);
    un(*kAbs[size()], d, x);
    return finish(d, high_is_zero);
  }
  const Xmm d = fresh(), t = tmp();
  zero(t);
  op(vop::pcmpgtq, t, t, x);
  op(vop::pxor, d, x, t);
  op(vop::psubq, d, d, t);
  return finish(d, high_is_zero);
}

void VectorEmitter::minmax_lanes(Xmm d, Xmm x, const Operand& y, bool max, bool is_signed) {
  op(*kMinMax[max][is_signed][size()], d, x, y);
}

bool VectorEmitter::minmax(bool max, bool is_signed) {
  const VOp& o = *kMinMax[max][is_signed][size()];
  return has(o) && binary(o, in_zero(0) && in_zero(1));
}

bool VectorEmitter::vabd(bool is_signed) {
  if (!has(*kMinMax[0][is_signed][size()])) return false;
  const Xmm x = in(0), y = in(1);
  const bool high_is_zero = in_zero(0) && in_zero(1);
  const Xmm d = fresh(), t = tmp();
  minmax_lanes(d, x, y, true, is_signed);
  minmax_lanes(t, x, y, false, is_signed);
  op(*kSub[size()], d, d, t);
  return finish(d, high_is_zero);
}

bool VectorEmitter::vmull(bool is_signed) {
  const Xmm x = in(0), y = in(1);
  const Xmm d = fresh(), t = tmp();
  switch (size()) {
    case 1: {
      const VOp& widen = is_signed ? vop::pmovsxbw : vop::pmovzxbw;
      un(widen, d, x);
      un(widen, t, y);
      op(vop::pmullw, d, d, t);
      break;
    }
    case 2:  // both halves of the products, interleaved: cheaper than pmulld
      op(vop::pmullw, d, x, y);
      op(is_signed ? vop::pmulhw : vop::pmulhuw, t, x, y);
      op(vop::punpcklwd, d, d, t);
      break;
    case 3:
      un(vop::pshufd, d, x, 0x50);
      un(vop::pshufd, t, y, 0x50);
      op(is_signed ? vop::pmuldq : vop::pmuludq, d, d, t);
      break;
    default:
      return false;
  }
  return finish(d);
}

bool VectorEmitter::vext(bool is_signed) {
  const VOp* const ops[2][3] = {{&vop::pmovzxbw, &vop::pmovzxwd, &vop::pmovzxdq},
                                {&vop::pmovsxbw, &vop::pmovsxwd, &vop::pmovsxdq}};
  const Xmm x = in(0);
  const Xmm d = reusing(0);
  un(*ops[is_signed][size() - 1], d, x);
  return finish(d);
}

bool VectorEmitter::vnarrow() {
  constexpr U128 masks[] = {
      {0x0e0c0a0806040200, ~u64{0}}, {0x0d0c090805040100, ~u64{0}}, {0x0b0a090803020100, ~u64{0}}};
  const Xmm x = in(0);
  const Xmm d = reusing(0);
  op(vop::pshufb, d, x, e.constant(masks[size()]));
  return finish(d, true);
}

}  // namespace tiercel::backend::x64
