// Halving sums and differences, bit counts, bit reversal, polynomial products.
#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

constexpr const VOp* kAdd[] = {&vop::paddb, &vop::paddw, &vop::paddd, &vop::paddq};
constexpr const VOp* kSub[] = {&vop::psubb, &vop::psubw, &vop::psubd, &vop::psubq};

}  // namespace

/// With a + b = 2(a & b) + (a ^ b) = 2(a | b) - (a ^ b) and a - b = (a ^ b) - 2(~a & b) nothing overflows.
bool VectorEmitter::emit_halving() {
  const bool is_signed = inst_->op == Opcode::VHAddS || inst_->op == Opcode::VHSubS || inst_->op == Opcode::VRHAddS;
  const bool rounding = inst_->op == Opcode::VRHAddS || inst_->op == Opcode::VRHAddU;
  const bool difference = inst_->op == Opcode::VHSubS || inst_->op == Opcode::VHSubU;
  if (size() == 3) return false;
  const bool high_is_zero = in_zero(0) && in_zero(1);
  if (rounding && !is_signed && size() < 2) return binary(size() == 0 ? vop::pavgb : vop::pavgw, high_is_zero);
  const Xmm x = in(0), y = in(1);
  const Xmm d = fresh(), t = tmp(), u = tmp();
  op(vop::pxor, t, x, y);
  shift_right(u, t, 1, is_signed);
  if (difference) {
    op(vop::pandn, d, x, y);
    op(*kSub[size()], d, u, d);
  } else if (rounding) {
    op(vop::por, d, x, y);
    op(*kSub[size()], d, d, u);
  } else {
    op(vop::pand, d, x, y);
    op(*kAdd[size()], d, d, u);
  }
  return finish(d, high_is_zero);
}

/// Per byte: low[x & 15] and high[x >> 4], combined by minimum or sum (or OR, when no bits overlap).
bool VectorEmitter::nibble_table(U128 low, U128 high, bool min) {
  const Xmm x = in(0);
  const Xmm d = fresh(), t = tmp(), u = tmp();
  const Mem nibble = splat(0x0f0f0f0f0f0f0f0f);
  op(vop::pand, t, x, nibble);
  load(d, e.constant(low));
  op(vop::pshufb, d, d, t);
  shift(vop::psrlw, t, x, 4);
  op(vop::pand, t, t, nibble);
  load(u, e.constant(high));
  op(vop::pshufb, u, u, t);
  op(min ? vop::pminub : vop::paddb, d, d, u);
  return finish(d);
}

/// Leading zeros of halfwords or words. d is not x.
bool VectorEmitter::clz_lanes(Xmm d, Xmm x) {
  if (!v512) return false;
  if (size() == 2) {
    a.vplzcntd(d, x);
    return true;
  }
  const Xmm t = tmp();
  const Mem stop = splat(0x0000ffff0000ffff);
  shift(vop::pslld, t, x, 16);
  op(vop::por, t, t, stop);
  a.vplzcntd(t, t);
  op(vop::por, d, x, stop);
  a.vplzcntd(d, d);
  shift(vop::pslld, d, d, 16);
  op(vop::por, d, d, t);
  return true;
}

bool VectorEmitter::emit_counting() {
  constexpr U128 kPopulation{0x0302020102010100, 0x0403030203020201};
  // A nonzero high nibble decides; the low nibble counts four more.
  constexpr U128 kZerosHigh{0x01010101020203ff, 0}, kZerosLow{0x0505050506060708, 0x0404040404040404};
  constexpr U128 kReverseLow{0xe060a020c0408000, 0xf070b030d0509010},
      kReverseHigh{0x0e060a020c040800, 0x0f070b030d050901};
  switch (inst_->op) {
    case Opcode::VCnt: {
      if (!v512 || !e.features().avx512bitalg) return nibble_table(kPopulation, kPopulation, false);
      const Xmm x = in(0);
      const bool high_is_zero = in_zero(0);
      const Xmm d = reusing(0);
      a.vpopcntb(d, x);
      return finish(d, high_is_zero);
    }
    case Opcode::VRbit: {
      if (!avx || !e.features().gfni) return nibble_table(kReverseLow, kReverseHigh, false);
      const Xmm x = in(0);
      const bool high_is_zero = in_zero(0);
      const Xmm d = reusing(0);
      a.vgf2p8affineqb(d, x, splat(0x8040201008040201), 0);
      return finish(d, high_is_zero);
    }
    case Opcode::VClz: {
      if (size() == 0) return nibble_table(kZerosLow, kZerosHigh, true);
      if (!v512 || size() == 3) return false;
      const Xmm x = in(0);
      const Xmm d = fresh();
      clz_lanes(d, x);
      return finish(d);
    }
    case Opcode::VCls: {  // the bits that differ from their left neighbour, one place down: clz(x ^ (x >> 1)) - 1
      if (!v512 || size() == 0 || size() == 3) return false;
      const Xmm x = in(0);
      const Xmm d = fresh(), t = tmp();
      shift_right(t, x, 1, true);
      op(vop::pxor, t, t, x);
      clz_lanes(d, t);
      const Xmm minus_one = tmp();
      ones(minus_one);
      op(*kAdd[size()], d, d, minus_one);
      return finish(d);
    }
    case Opcode::VPMul:
    case Opcode::VPMull:
      return polynomial();
    default:
      return false;
  }
}

bool VectorEmitter::polynomial() {
  if (inst_->op != Opcode::VPMull || size() != 3 || !e.features().pclmul) return false;
  const Xmm x = in(0), y = in(1);
  const Xmm d = reusing(0);
  if ((high(d) || high(x) || high(y)) && e.features().vpclmul)
    a.vpclmulqdq(d, x, y, 0);
  else
    op(vop::pclmulqdq, d, x, y, 0);
  return finish(d);
}

}  // namespace tiercel::backend::x64
