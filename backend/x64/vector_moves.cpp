// Moves between scalars, lanes and vectors, table look-up, selection.
#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {

namespace x86 = asmjit::x86;

bool VectorEmitter::emit_move() {
  switch (inst_->op) {
    case Opcode::Bitcast:
      return bitcast();
    case Opcode::VZext:
      return vzext();
    case Opcode::VExtract:
      return vextract();
    case Opcode::VInsert:
      return vinsert();
    case Opcode::VDup:
      return vdup();
    case Opcode::VTbl:
      return vtbl();
    case Opcode::Select:
      return select();
    default:
      return false;
  }
}

bool VectorEmitter::bitcast() {
  const Type from = in_type(0), to = inst_->type;
  const bool wide = ir::type_bits(to) == 64;
  if (ir::is_float(to) && ir::is_int(from)) {
    const Gp x = in_gp(0);
    const Xmm d = fresh();
    gp_to_xmm(d, x, wide);
    return finish_high(true);
  }
  if (ir::is_int(to) && ir::is_float(from)) {
    const Xmm x = in(0);
    xmm_to_gp(e.def_gp(index_), x, wide);
    return finish_high(true);
  }
  return false;
}

void VectorEmitter::gp_to_xmm(Xmm d, Gp x, bool wide) {
  if (wide)
    avx ? a.vmovq(d, x.r64()) : a.movq(d, x.r64());
  else
    avx ? a.vmovd(d, x.r32()) : a.movd(d, x.r32());
}

void VectorEmitter::xmm_to_gp(Gp d, Xmm x, bool wide) {
  if (wide)
    avx ? a.vmovq(d.r64(), x) : a.movq(d.r64(), x);
  else
    avx ? a.vmovd(d.r32(), x) : a.movd(d.r32(), x);
}

bool VectorEmitter::vzext() {
  const Type from = in_type(0);
  if (ir::is_int(from)) {
    const Gp x = in_gp(0);
    gp_to_xmm(fresh(), x, from == Type::I64);
    return finish_high(true);
  }
  const Xmm x = in(0);
  const bool high_is_zero = in_zero(0);
  const Xmm d = reusing(0);
  if (high_is_zero)
    mov(d, x);
  else if (from == Type::F64)
    zero_high(d, x);
  else
    zero_above_32(d, x);
  return finish_high(true);
}

bool VectorEmitter::vextract() {
  const Xmm x = in(0);
  const auto lane = static_cast<unsigned>(inst_->imm);
  if (ir::is_float(inst_->type)) {
    const bool high_is_zero = inst_->type == Type::F64 && in_zero(0);
    const Xmm d = reusing(0);
    if (lane == 0) {
      mov(d, x);
      return finish_high(high_is_zero);
    }
    if (inst_->type == Type::F64)
      op(vop::punpckhqdq, d, x, x);
    else
      un(vop::pshufd, d, x, static_cast<int>(lane));
    return true;
  }
  const Gp d = e.def_gp(index_);
  switch (size()) {
    case 0:
      avx ? a.vpextrb(d.r32(), x, lane) : a.pextrb(d.r32(), x, lane);
      break;
    case 1:
      avx ? a.vpextrw(d.r32(), x, lane) : a.pextrw(d.r32(), x, lane);
      break;
    case 2:
      if (lane == 0)
        xmm_to_gp(d, x, false);
      else
        avx ? a.vpextrd(d.r32(), x, lane) : a.pextrd(d.r32(), x, lane);
      break;
    default:
      if (lane == 0)
        xmm_to_gp(d, x, true);
      else
        avx ? a.vpextrq(d.r64(), x, lane) : a.pextrq(d.r64(), x, lane);
      break;
  }
  return finish_high(true);
}

bool VectorEmitter::vinsert() {
  const auto lane = static_cast<unsigned>(inst_->imm);
  const Type from = in_type(1);
  const bool high_is_zero = in_zero(0) && (lane + 1) * ir::lane_bits(inst_->arr) <= 64;
  const Xmm x = in(0);
  if (ir::is_float(from)) {
    const Xmm y = in(1);
    if (from == Type::F64 ? size() != 3 : size() != 2) return false;
    const Xmm d = reusing(0);
    if (from == Type::F64) {
      if (lane == 0)
        op(vop::movsd, d, x, y);
      else
        op(vop::punpcklqdq, d, x, y);
      return finish_high(high_is_zero);
    }
    op(vop::insertps, d, x, y, static_cast<int>(lane << 4));
    return finish_high(high_is_zero);
  }
  const Gp y = in_gp(1);
  const Xmm d = reusing(0);
  if (!avx) mov(d, x);
  switch (size()) {
    case 0:
      avx ? a.vpinsrb(d, x, y.r32(), lane) : a.pinsrb(d, y.r32(), lane);
      break;
    case 1:
      avx ? a.vpinsrw(d, x, y.r32(), lane) : a.pinsrw(d, y.r32(), lane);
      break;
    case 2:
      avx ? a.vpinsrd(d, x, y.r32(), lane) : a.pinsrd(d, y.r32(), lane);
      break;
    default:
      avx ? a.vpinsrq(d, x, y.r64(), lane) : a.pinsrq(d, y.r64(), lane);
      break;
  }
  return finish_high(high_is_zero);
}

bool VectorEmitter::vdup() {
  const Type from = in_type(0);
  if (ir::is_int(from)) {
    const Gp x = in_gp(0);
    const Xmm d = fresh();
    if (v512) {
      switch (size()) {
        case 0:
          a.vpbroadcastb(d, x.r32());
          break;
        case 1:
          a.vpbroadcastw(d, x.r32());
          break;
        case 2:
          a.vpbroadcastd(d, x.r32());
          break;
        default:
          a.vpbroadcastq(d, x.r64());
          break;
      }
      return finish(d);
    }
    gp_to_xmm(d, x, size() == 3);
    broadcast(d, d);
    return finish(d, !full());
  }
  const Xmm x = in(0);
  const Xmm d = reusing(0);
  broadcast(d, x);
  return finish(d, !full());
}

/// The low lane of x in every lane of the arrangement, zero above.
void VectorEmitter::broadcast(Xmm d, Xmm x) {
  if (!full()) {
    constexpr u64 masks[] = {0, 0x0100010001000100, 0x0302010003020100, 0x0706050403020100};
    if (size() == 3)
      zero_high(d, x);
    else
      op(vop::pshufb, d, x, constant(masks[size()], ~u64{0}));
    return;
  }
  switch (size()) {
    case 0:
      if (avx2)
        a.vpbroadcastb(d, x);
      else
        op(vop::pshufb, d, x, splat(0));
      break;
    case 1:
      if (avx2)
        a.vpbroadcastw(d, x);
      else
        op(vop::pshufb, d, x, splat(0x0100010001000100));
      break;
    case 2:
      un(vop::pshufd, d, x, 0);
      break;
    default:
      un(vop::movddup, d, x);
      break;
  }
}

/// pshufb clears bytes whose index has bit 7; adding 0x70 with saturation sets it for indices of 16 and more.
bool VectorEmitter::vtbl() {
  const Xmm table = in(0), indices = in(1);
  const Xmm d = fresh(), t = tmp();
  op(vop::paddusb, t, indices, splat(0x7070707070707070));
  op(vop::pshufb, d, table, t);
  return finish_high(false);
}

bool VectorEmitter::select() {
  e.clobber_flags();
  const Gp c = in_gp(0);
  const Xmm x = in(1), y = in(2);
  const bool high_is_zero = in_zero(1) && in_zero(2);
  const Xmm d = fresh();
  if (v512) {
    if (inst_->type == Type::V128) {
      const Gp mask = e.temp_gp();
      a.mov(mask.r32(), c.r32());
      a.neg(mask.r32());
      a.kmovd(x86::k1, mask.r32());
      a.k(x86::k1).vpblendmq(d, y, x);
    } else {
      a.kmovd(x86::k1, c.r32());
      mov(d, y);
      if (inst_->type == Type::F64)
        a.k(x86::k1).vmovsd(d, y, x);
      else
        a.k(x86::k1).vmovss(d, y, x);
    }
    return finish_high(high_is_zero);
  }
  // y ^ ((x ^ y) & mask)
  const Xmm mask = tmp();
  const Gp g = e.temp_gp();
  a.mov(g.r32(), c.r32());
  a.neg(g.r64());
  gp_to_xmm(mask, g, true);
  if (inst_->type == Type::V128) un(vop::movddup, mask, mask);
  op(vop::pxor, d, x, y);
  op(vop::pand, d, d, mask);
  op(vop::pxor, d, d, y);
  return finish_high(high_is_zero);
}

}  // namespace tiercel::backend::x64
