// Integer arithmetic and logic; integer_bits.cpp has shifts and bit fields. Results of 32-bit instructions have zero
// high halves, which high_zero records.
#include "backend/x64/emitter.h"
#include "base/bits.h"

namespace tiercel::backend::x64 {

bool Emitter::emit_integer(const Inst& inst, u32 i) {
  if (!emit_integer_op(inst, i)) return false;
  // Aliases inherit the property instead.
  if (inst.type != Type::I64 && inst.op != Opcode::Trunc && inst.op != Opcode::Select && !state_[i].alias)
    set_high_zero(i);
  return true;
}

bool Emitter::emit_integer_op(const Inst& inst, u32 i) {
  using enum Opcode;
  switch (inst.op) {
    case CodeAddress:
      return emit_code_address(inst, i), true;
    case Add:
      return emit_add(inst, i), true;
    case Sub:
      return emit_sub(inst, i), true;
    case Adc:
    case Sbc:
      return emit_carry(inst, i), true;
    case Mul:
      return emit_mul(inst, i), true;
    case MulHiU:
    case MulHiS:
      return emit_mul_high(inst, i), true;
    case DivU:
    case DivS:
      return emit_div(inst, i), true;
    case And:
    case AndNot:
      return emit_and(inst, i), true;
    case Or:
    case OrNot:
      return emit_or_xor(inst, i, x86::Inst::kIdOr), true;
    case Xor:
    case XorNot:
      return emit_or_xor(inst, i, x86::Inst::kIdXor), true;
    case Not:
    case Neg:
    case ByteRev:
      return emit_in_place(inst, i), true;
    case Shl:
    case Shr:
    case Sar:
    case Ror:
      return emit_shift(inst, i), true;
    case Extr:
      return emit_extr(inst, i), true;
    case UBfx:
      return emit_ubfx(inst, i), true;
    case SBfx:
      return emit_sbfx(inst, i), true;
    case Bfi:
      return emit_bfi(inst, i), true;
    case Clz:
    case Ctz:
    case Popcnt:
      return emit_count(inst, i), true;
    case BitRev:
      return emit_bit_reverse(inst, i);
    case ZExt:
    case SExt:
      return emit_extend(inst, i), true;
    case Trunc:
      return emit_trunc(inst, i), true;
    case Crc32c:
      return emit_crc(inst, i), true;
    case Select:
      return emit_select(inst, i);
    default:
      return false;
  }
}

/// The result register holding a copy of operand `from`; `other` is the second operand, already fetched.
Gp Emitter::define_copy(u32 i, Value from, u64 extra_reusable) {
  const Type type = f_->insts[i].type;
  const unsigned place = state_[from.index].place;
  const bool in_reg = place < kRegisterCount;
  if (in_reg || !is_in_memory_or_const(from.index)) {
    const Gp src = use_gp(from);
    const Gp d = state_[i].uses == 0 ? temp_gp() : gp(define(i, false, reusable(from) | extra_reusable));
    if (d.id() != src.id()) a.mov(sized(d, type), sized(src, type));
    return sized(d, type);
  }
  // define() may make the place of `from` another's; it is memory or a constant, so it can still be read.
  const Gp d = state_[i].uses == 0 ? temp_gp() : gp(define(i, false, extra_reusable));
  load_into(d.id(), from.index);
  return sized(d, type);
}

/// The result is v. Nothing clears the upper half of its register, so only what is known of v's is known of it.
void Emitter::def_unchanged(u32 i, Value v) {
  state_[i].alias = true;
  def_alias(i, v);
  if (high_zero(v)) set_high_zero(i);
}

/// x op y into the result, setting EFLAGS.
void Emitter::two_operand(u32 id, u32 i, Value x, Value y, bool commutes) {
  clobber_flags();
  if (commutes && !reusable(x) && reusable(y) && !hinted_at(i, x)) std::swap(x, y);
  const Operand_ right = use_any(y);
  const Gp d = define_copy(i, x, 0);
  a.emit(id, d, right);
}

bool Emitter::hinted_at(u32 i, Value v) const {
  return state_[i].hint == state_[v.index].place;
}

void Emitter::emit_code_address(const Inst& inst, u32 i) {
  if (!fits_s32(inst.imm)) clobber_flags();
  mov_relative(def_gp(i), inst.imm);
}

void Emitter::emit_add(const Inst& inst, u32 i) {
  const u32 twin = state_[i].twin;
  if (twin != kNoOwner) {
    two_operand(x86::Inst::kIdAdd, i, inst.args[0], inst.args[1], true);
    return set_eflags(twin, FlagsForm::Carry);
  }
  const Value x = inst.args[0], y = inst.args[1];
  u64 c;
  const bool constant = is_const(y, c) && (inst.type == Type::I32 || fits_s32(c));
  const Gp rx = use_gp(x);
  if (constant) return add_constant(i, x, rx, static_cast<s32>(c));
  const Gp ry = use_gp(y);
  const Gp d = gp(define(i, false, reusable(x) | reusable(y)));
  const bool same = d.id() == rx.id() || d.id() == ry.id();
  if (same && !eflags_wanted())
    a.add(sized(d, inst.type), sized(d.id() == rx.id() ? ry : rx, inst.type));
  else
    a.lea(sized(d, inst.type), x86::ptr(rx, ry));
}

/// x + c without a twin.
void Emitter::add_constant(u32 i, Value x, Gp rx, s32 c) {
  const Type type = f_->insts[i].type;
  const Gp d = gp(define(i, false, reusable(x)));
  if (d.id() == rx.id() && !eflags_wanted())
    a.add(sized(d, type), asmjit::Imm(c));
  else
    a.lea(sized(d, type), x86::ptr(rx, c));
}

void Emitter::emit_sub(const Inst& inst, u32 i) {
  const u32 twin = state_[i].twin;
  const Value x = inst.args[0], y = inst.args[1];
  u64 c;
  if (twin != kNoOwner && state_[i].uses == 0) {
    clobber_flags();
    compare_operands(x, y);
    return set_eflags(twin, FlagsForm::Borrow);
  }
  if (twin == kNoOwner && is_const(y, c) && c != 0x80000000 &&
      (inst.type == Type::I32 || (fits_s32(c) && static_cast<s64>(c) != INT32_MIN)))
    return add_constant(i, x, use_gp(x), -static_cast<s32>(c));
  if (is_const(x, c) && c == 0 && !(y == x)) {
    clobber_flags();
    a.neg(define_copy(i, y, 0));
  } else if (twin == kNoOwner && hinted_at(i, y) && reusable(y) && state_[x.index].place != state_[y.index].place) {
    // x - y where y, and not x with the same bits, is in the place of the result
    clobber_flags();
    const Operand_ left = use_any(x);
    const Gp d = define_copy(i, y, 0);
    a.neg(d);
    a.emit(x86::Inst::kIdAdd, d, left);
  } else {
    two_operand(x86::Inst::kIdSub, i, x, y, false);
  }
  if (twin != kNoOwner) set_eflags(twin, FlagsForm::Borrow);
}

void Emitter::finish_logic(u32 i) {
  if (state_[i].twin != kNoOwner) set_eflags(state_[i].twin, FlagsForm::Carry);
}

void Emitter::emit_and(const Inst& inst, u32 i) {
  const bool twin = state_[i].twin != kNoOwner;
  Value x = inst.args[0], y = inst.args[1];
  u64 c;
  if (is_const(y, c)) {
    const u64 mask = (inst.op == Opcode::AndNot ? ~c : c) & low_mask(ir::type_bits(inst.type));
    return and_constant(i, x, mask);
  }
  if (inst.op == Opcode::AndNot) {
    clobber_flags();
    if (cpu_.bmi1) {
      const Gp ry = use_gp(y), rx = use_gp(x);
      const Gp d = state_[i].uses == 0 ? temp_gp() : gp(define(i, false, reusable(x) | reusable(y)));
      a.andn(sized(d, inst.type), sized(ry, inst.type), sized(rx, inst.type));
    } else {
      const Gp t = temp_gp();
      fetch(t, y);
      a.not_(t);
      a.and_(define_copy(i, x, 0), sized(t, inst.type));
    }
    return finish_logic(i);
  }
  if (twin && state_[i].uses == 0) {
    clobber_flags();
    const Gp rx = sized(use_gp(x), inst.type), ry = sized(use_gp(y), inst.type);
    a.test(rx, ry);
  } else {
    two_operand(x86::Inst::kIdAnd, i, x, y, true);
  }
  finish_logic(i);
}

void Emitter::and_constant(u32 i, Value x, u64 mask) {
  const Type type = f_->insts[i].type;
  const bool twin = state_[i].twin != kNoOwner;
  if (!twin && (mask == 0xff || mask == 0xffff || mask == 0xffffffff)) {
    const Gp r = use_gp(x);
    const Gp d = gp(define(i, false, reusable(x)));
    if (mask == 0xff)
      a.movzx(d.r32(), r.r8());
    else if (mask == 0xffff)
      a.movzx(d.r32(), r.r16());
    else
      a.mov(d.r32(), r.r32());
    return;
  }
  clobber_flags();
  // A 64-bit AND with a mask that is zero above bit 30 is the 32-bit one, flags included.
  const bool narrow = type == Type::I32 || (mask <= 0xffffffff && (!twin || mask <= 0x7fffffff));
  const bool encodable = narrow || fits_s32(mask);
  Operand_ right = asmjit::Imm(narrow ? static_cast<s64>(static_cast<s32>(mask)) : static_cast<s64>(mask));
  if (!encodable) {
    const Gp t = temp_gp();
    a.mov(t, asmjit::Imm(mask));
    right = t;
  }
  if (twin && state_[i].uses == 0) {
    const Gp r = use_gp(x);
    a.emit(x86::Inst::kIdTest, narrow ? Gp(r.r32()) : r, right);
  } else {
    const Gp d = define_copy(i, x, 0);
    a.emit(x86::Inst::kIdAnd, narrow ? Gp(d.r32()) : d, right);
  }
  finish_logic(i);
}

void Emitter::emit_or_xor(const Inst& inst, u32 i, u32 id) {
  const bool invert = inst.op == Opcode::OrNot || inst.op == Opcode::XorNot;
  const Value x = inst.args[0], y = inst.args[1];
  if (!invert) {
    two_operand(id, i, x, y, true);
    return finish_logic(i);
  }
  clobber_flags();
  u64 c;
  const Gp t = temp_gp();
  if (is_const(y, c)) {
    a.mov(t, asmjit::Imm(~c & low_mask(ir::type_bits(inst.type))));
  } else {
    fetch(t, y);
    a.not_(t);
  }
  a.emit(id, define_copy(i, x, 0), sized(t, inst.type));
}

void Emitter::emit_carry(const Inst& inst, u32 i) {
  if (flags_live()) clobber_flags();
  prepare_carry(inst.args[2]);
  const bool subtract = inst.op == Opcode::Sbc;
  const Operand_ right = use_any(inst.args[1]);
  if (!is_in_memory_or_const(inst.args[0].index)) use_gp(inst.args[0]);  // lock it
  carry_to_cf(inst.args[2], subtract);
  const Gp d = define_copy(i, inst.args[0], 0);
  const u32 consumed = eflags_.owner;
  a.emit(subtract ? x86::Inst::kIdSbb : x86::Inst::kIdAdc, d, right);
  if (consumed != kNoOwner) eflags_.owner = kNoOwner;
  if (state_[i].twin != kNoOwner) set_eflags(state_[i].twin, subtract ? FlagsForm::Borrow : FlagsForm::Carry);
}

void Emitter::emit_mul(const Inst& inst, u32 i) {
  u64 c;
  const Value x = inst.args[0], y = inst.args[1];
  if (is_const(y, c) && (inst.type == Type::I32 || fits_s32(c))) {
    clobber_flags();
    const Gp r = use_gp(x);
    const Gp d = gp(define(i, false, reusable(x)));
    a.imul(sized(d, inst.type), sized(r, inst.type), asmjit::Imm(static_cast<s32>(c)));
    return;
  }
  two_operand(x86::Inst::kIdImul, i, x, y, true);
}

void Emitter::emit_mul_high(const Inst& inst, u32 i) {
  clobber_flags();
  const bool is_signed = inst.op == Opcode::MulHiS;
  if (inst.type == Type::I32) {
    const Gp t = temp_gp();
    const Gp x = use_gp(inst.args[0]), y = use_gp(inst.args[1]);
    if (is_signed) {
      a.movsxd(t, y.r32());
      const Gp d = def_gp(i);
      a.movsxd(d, x.r32());
      a.imul(d, t);
      a.shr(d, 32);
    } else {
      a.mov(t.r32(), y.r32());
      const Gp d = def_gp(i);
      a.mov(d.r32(), x.r32());
      a.imul(d, t);
      a.shr(d, 32);
    }
    return;
  }
  reserve(x86::rdx);
  if (!is_signed && cpu_.bmi2) {
    fetch(x86::rdx, inst.args[0]);
    unlock(inst.args[0]);
    lock(x86::rdx.id());
    const Gp y = use_gp(inst.args[1]);
    const Gp d = gp(define(i, false, reusable(inst.args[1])));
    a.mulx(d, d, y);
    return;
  }
  reserve(x86::rax);
  fetch(x86::rax, inst.args[0]);
  const Gp y = use_gp(inst.args[1]);
  is_signed ? a.imul(y) : a.mul(y);
  def_in(i, x86::rdx);
}

/// x86 traps where Arm does not: those divisors go their own way.
void Emitter::emit_div(const Inst& inst, u32 i) {
  clobber_flags();
  const bool is_signed = inst.op == Opcode::DivS, wide = inst.type == Type::I64;
  reserve(x86::rax);
  reserve(x86::rdx);
  fetch(x86::rax, inst.args[0]);
  const Gp divisor = sized(use_gp(inst.args[1]), inst.type);
  const Label done = a.newLabel();
  u64 c;
  const bool known = is_const(inst.args[1], c);
  if (!known || c == 0) {
    a.test(divisor, divisor);
    a.jz(cold([done](Emitter& e) {
      e.a.xor_(x86::eax, x86::eax);
      e.a.jmp(done);
    }));
  }
  if (is_signed) {
    if (!known || sign_extend(c, ir::type_bits(inst.type)) == -1) {
      a.cmp(divisor, asmjit::Imm(-1));
      a.je(cold([done, wide](Emitter& e) {
        wide ? e.a.neg(x86::rax) : e.a.neg(x86::eax);
        e.a.jmp(done);
      }));
    }
    wide ? a.cqo() : a.cdq();
    a.idiv(divisor);
  } else {
    a.xor_(x86::edx, x86::edx);
    a.div(divisor);
  }
  a.bind(done);
  def_in(i, x86::rax);
}

void Emitter::emit_in_place(const Inst& inst, u32 i) {
  if (inst.op == Opcode::Neg) clobber_flags();
  const Gp d = define_copy(i, inst.args[0], 0);
  if (inst.op == Opcode::ByteRev)
    a.bswap(d);
  else if (inst.op == Opcode::Neg)
    a.neg(d);
  else if (inst.type == Type::I1)
    clobber_flags(), a.xor_(d, 1);
  else
    a.not_(d);
}

void Emitter::emit_extend(const Inst& inst, u32 i) {
  const Value x = inst.args[0];
  const unsigned from = bits_of(x);
  const bool is_signed = inst.op == Opcode::SExt;
  if (!is_signed && from < 64 && high_zero(x) && state_[x.index].place < kRegisterCount) {
    state_[i].alias = true;
    def_alias(i, x);
    set_high_zero(i);
    return;
  }
  if (from == 1) {
    if (is_signed) clobber_flags();
    const Gp r = use_gp_zero_extended(x);
    const Gp d = gp(define(i, false, reusable(x)));
    if (d.id() != r.id()) a.mov(d.r32(), r.r32());
    if (is_signed) a.neg(sized(d, inst.type));
    return;
  }
  const Gp r = use_gp(x);
  const Gp d = gp(define(i, false, reusable(x)));
  extend(d, r, from, is_signed, inst.type);
}

void Emitter::emit_trunc(const Inst& inst, u32 i) {
  const Value x = inst.args[0];
  if (inst.type == Type::I1) {
    clobber_flags();
    const Gp d = define_copy(i, x, 0);
    a.and_(d.r32(), 1);
    return set_high_zero(i);
  }
  def_alias(i, x);
}

bool Emitter::emit_select(const Inst& inst, u32 i) {
  if (wants_xmm(i)) return emit_vector(inst, i);
  const Value c = inst.args[0], x = inst.args[1], y = inst.args[2];
  u64 cx, cy;
  if (is_const(x, cx) && is_const(y, cy) && cx + cy == 1 && cx <= 1) {
    const x86::CondCode cc = condition(c);
    const Gp d = def_gp(i);
    a.mov(d.r32(), asmjit::Imm(0));
    a.set(cx == 1 ? cc : x86::negateCond(cc), d.r8());
    set_high_zero(i);
    return true;
  }
  prepare_condition(c);
  const Gp rx = sized(use_gp(x), inst.type), ry = sized(use_gp(y), inst.type);
  const x86::CondCode cc = condition(c);
  locked_ = reg_bit(rx.id()) | reg_bit(ry.id());  // EFLAGS hold the condition: what it took may go
  const Gp d = sized(gp(define(i, false, reusable(x) | reusable(y))), inst.type);
  if (d.id() == rx.id()) {
    a.cmov(x86::negateCond(cc), d, ry);
  } else {
    if (d.id() != ry.id()) a.mov(d, ry);
    a.cmov(cc, d, rx);
  }
  if (inst.type != Type::I64) set_high_zero(i);
  return true;
}

}  // namespace tiercel::backend::x64
