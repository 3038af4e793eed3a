// Shifts, bit fields, counting and reversing of bits. See integer.cpp.
#include "backend/x64/emitter.h"
#include "base/bits.h"

namespace tiercel::backend::x64 {

void Emitter::emit_shift(const Inst& inst, u32 i) {
  u64 c;
  if (is_const(inst.args[1], c)) return shift_by(inst, i, static_cast<u32>(c) & (ir::type_bits(inst.type) - 1));
  const Value x = inst.args[0], n = inst.args[1];
  if (cpu_.bmi2 && inst.op != Opcode::Ror) {
    const Gp count = sized(use_gp(n), inst.type);
    const Gp r = sized(use_gp(x), inst.type);
    const Gp d = sized(gp(define(i, false, reusable(x) | reusable(n))), inst.type);
    if (inst.op == Opcode::Shl)
      a.shlx(d, r, count);
    else if (inst.op == Opcode::Shr)
      a.shrx(d, r, count);
    else
      a.sarx(d, r, count);
    return;
  }
  clobber_flags();
  reserve(x86::rcx);
  fetch(x86::rcx, n);
  const Gp t = temp_gp();
  fetch(t, x);
  a.emit(shift_id(inst.op), sized(t, inst.type), x86::cl);
  def_in(i, t);
}

u32 Emitter::shift_id(Opcode op) {
  return op == Opcode::Shl   ? x86::Inst::kIdShl
         : op == Opcode::Shr ? x86::Inst::kIdShr
         : op == Opcode::Sar ? x86::Inst::kIdSar
                             : x86::Inst::kIdRor;
}

/// Shifts by a constant.
void Emitter::shift_by(const Inst& inst, u32 i, u32 n) {
  const Value x = inst.args[0];
  if (inst.op == Opcode::Ror && cpu_.bmi2 && n != 0) {
    const Gp r = use_gp(x);
    const Gp d = gp(define(i, false, reusable(x)));
    a.rorx(sized(d, inst.type), sized(r, inst.type), n);
    return;
  }
  if (inst.op == Opcode::Shl && n >= 1 && n <= 3 && (eflags_wanted() || n == 1) && !reusable(x)) {
    const Gp r = use_gp(x);
    const Gp d = gp(define(i, false, reusable(x)));
    n == 1 ? a.lea(sized(d, inst.type), x86::ptr(r, r)) : a.lea(sized(d, inst.type), x86::ptr(0, r, n));
    return;
  }
  if (n != 0 && eflags_wanted() && cpu_.bmi2) {
    const Gp t = temp_gp();
    a.mov(t.r32(), n);
    const Gp r = sized(use_gp(x), inst.type);
    const Gp d = sized(gp(define(i, false, reusable(x))), inst.type), count = sized(t, inst.type);
    inst.op == Opcode::Shl ? a.shlx(d, r, count) : inst.op == Opcode::Shr ? a.shrx(d, r, count) : a.sarx(d, r, count);
    return;
  }
  if (n == 0) return def_unchanged(i, x);
  clobber_flags();
  a.emit(shift_id(inst.op), define_copy(i, x, 0), asmjit::Imm(n));
}

void Emitter::emit_extr(const Inst& inst, u32 i) {
  const u32 n = static_cast<u32>(inst.imm);
  if (inst.args[0] == inst.args[1] && cpu_.bmi2 && n != 0) {
    const Gp r = use_gp(inst.args[0]);
    const Gp d = gp(define(i, false, reusable(inst.args[0])));
    a.rorx(sized(d, inst.type), sized(r, inst.type), n);
    return;
  }
  if (n == 0) return def_unchanged(i, inst.args[1]);
  clobber_flags();
  const Gp high = sized(use_gp(inst.args[0]), inst.type);
  a.shrd(define_copy(i, inst.args[1], 0), high, n);
}

/// r's low `width` bits (8, 16 or 32) extended into d.
void Emitter::extend(Gp d, Gp r, unsigned width, bool is_signed, Type type) {
  const Gp to = sized(d, is_signed ? type : Type::I32);
  if (width == 32)
    is_signed ? a.movsxd(d.r64(), r.r32()) : a.mov(d.r32(), r.r32());
  else if (width == 16)
    is_signed ? a.movsx(to, r.r16()) : a.movzx(to, r.r16());
  else
    is_signed ? a.movsx(to, r.r8()) : a.movzx(to, r.r8());
}

void Emitter::emit_ubfx(const Inst& inst, u32 i) {
  const Value x = inst.args[0];
  const u32 lsb = inst.lsb(), width = inst.width(), bits = ir::type_bits(inst.type);
  if (width == bits) return def_unchanged(i, x);
  if (lsb == 0) return and_constant(i, x, low_mask(width));
  if (lsb + width != bits && width < 32 && cpu_.bmi2) {
    const bool simple = width == 8 || width == 16;
    if (!simple) clobber_flags();
    const Gp r = use_gp(x);
    const Gp d = gp(define(i, false, reusable(x)));
    a.rorx(sized(d, inst.type), sized(r, inst.type), lsb);
    if (simple)
      extend(d, d, width, false, inst.type);
    else
      a.and_(d.r32(), asmjit::Imm(static_cast<u32>(low_mask(width))));
    return;
  }
  clobber_flags();
  const Gp d = define_copy(i, x, 0);
  if (lsb + width != bits) a.shl(d, bits - lsb - width);
  a.shr(d, bits - width);
}

void Emitter::emit_sbfx(const Inst& inst, u32 i) {
  const Value x = inst.args[0];
  const u32 lsb = inst.lsb(), width = inst.width(), bits = ir::type_bits(inst.type);
  if (width == bits) return def_unchanged(i, x);
  if ((width == 8 || width == 16 || width == 32) && (lsb == 0 || (cpu_.bmi2 && lsb + width != bits))) {
    const Gp r = use_gp(x);
    const Gp d = gp(define(i, false, reusable(x)));
    if (lsb != 0) a.rorx(sized(d, inst.type), sized(r, inst.type), lsb);
    return extend(d, lsb != 0 ? d : r, width, true, inst.type);
  }
  clobber_flags();
  const Gp d = define_copy(i, x, 0);
  if (lsb + width != bits) a.shl(d, bits - lsb - width);
  a.sar(d, bits - width);
}

void Emitter::emit_bfi(const Inst& inst, u32 i) {
  const u32 lsb = inst.lsb(), width = inst.width(), bits = ir::type_bits(inst.type);
  if (width == bits) return def_unchanged(i, inst.args[1]);
  clobber_flags();
  // The field in place, from b.
  const Gp t = temp_gp();
  const bool top = lsb + width == bits;
  if (!top && (width == 8 || width == 16 || width == 32) && !is_in_memory_or_const(inst.args[1].index)) {
    extend(t, use_gp(inst.args[1]), width, false, inst.type);
    unlock(inst.args[1]);
  } else {
    fetch(t, inst.args[1]);
    unlock(inst.args[1]);
    if (!top) {
      if (width <= 31)
        a.and_(t.r32(), asmjit::Imm(static_cast<u32>(low_mask(width))));
      else
        a.shl(t, 64 - width), a.shr(t, 64 - width);
    }
  }
  lock(t.id());
  if (lsb != 0) a.shl(sized(t, inst.type), lsb);
  u64 c;
  if (is_const(inst.args[0], c) && c == 0) {
    return def_in(i, t);
  }
  const u64 keep = ~(low_mask(width) << lsb) & low_mask(bits);
  Operand_ mask = asmjit::Imm(static_cast<s64>(bits == 32 ? static_cast<s32>(keep) : static_cast<s64>(keep)));
  if (bits == 64 && !fits_s32(keep)) {
    const Gp m = temp_gp();
    a.mov(m, asmjit::Imm(keep));
    mask = m;
  }
  const Gp d = define_copy(i, inst.args[0], 0);
  a.emit(x86::Inst::kIdAnd, d, mask);
  a.or_(d, sized(t, inst.type));
}

void Emitter::emit_count(const Inst& inst, u32 i) {
  clobber_flags();
  const unsigned bits = ir::type_bits(inst.type);
  const Gp r = sized(use_gp(inst.args[0]), inst.type);
  if (inst.op == Opcode::Popcnt || (inst.op == Opcode::Clz ? cpu_.lzcnt : cpu_.bmi1)) {
    const Gp d = sized(gp(define(i, false, reusable(inst.args[0]))), inst.type);
    if (inst.op == Opcode::Popcnt)
      a.popcnt(d, r);
    else
      inst.op == Opcode::Clz ? a.lzcnt(d, r) : a.tzcnt(d, r);
    return;
  }
  const Gp zero = temp_gp();
  const Gp d = sized(def_gp(i), inst.type);
  if (inst.op == Opcode::Clz) {
    a.mov(zero.r32(), asmjit::Imm(2 * bits - 1));
    a.bsr(d, r);
    a.cmovz(d, sized(zero, inst.type));
    a.xor_(d, asmjit::Imm(bits - 1));
  } else {
    a.mov(zero.r32(), asmjit::Imm(bits));
    a.bsf(d, r);
    a.cmovz(d, sized(zero, inst.type));
  }
}

/// Bits within bytes by an affine transformation with the anti-diagonal matrix, then the bytes.
bool Emitter::emit_bit_reverse(const Inst& inst, u32 i) {
  if (!cpu_.gfni || !cpu_.avx) return false;
  const Gp r = use_gp(inst.args[0]);
  const Xmm x = temp_xmm();
  const Gp d = gp(define(i, false, reusable(inst.args[0])));
  a.vmovq(x, r);
  a.vgf2p8affineqb(x, x, constant({0x8040201008040201, 0x8040201008040201}), 0);
  a.vmovq(d, x);
  a.bswap(sized(d, inst.type));
  return true;
}

/// The CRC32 instruction of SSE4.2 uses the polynomial of CRC-32C and neither side inverts.
void Emitter::emit_crc(const Inst& inst, u32 i) {
  const Gp data = use_gp(inst.args[1]);
  const Gp d = define_copy(i, inst.args[0], 0);
  if (inst.imm == 8)
    a.crc32(d.r64(), data.r64());
  else
    a.crc32(d.r32(), of_size(data, static_cast<u32>(inst.imm)));
}

}  // namespace tiercel::backend::x64
