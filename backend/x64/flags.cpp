// Conditions and the Flags type. EFLAGS are a one-entry cache: they hold the flags of at most one value, its owner, and
// are saved to a register when somebody who changes them comes before the owner's last use.
#include "backend/x64/emitter.h"
#include "base/bits.h"

namespace tiercel::backend::x64 {
namespace {

using x86::CondCode;

// The stored form, see ir::flags_from_nzcv.
constexpr u32 kStoredN = 0x8000, kStoredZ = 0x4000, kStoredNotC = 0x100, kStoredV = 1;

/// After a host CMP.
CondCode borrow_condition(ir::Cond c) {
  static constexpr CondCode kTable[] = {CondCode::kE,  CondCode::kNE, CondCode::kAE, CondCode::kB, CondCode::kS,
                                        CondCode::kNS, CondCode::kO,  CondCode::kNO, CondCode::kA, CondCode::kBE,
                                        CondCode::kGE, CondCode::kL,  CondCode::kG,  CondCode::kLE};
  return kTable[static_cast<unsigned>(c)];
}

/// After UCOMIS a, b (or b, a if swapped): unordered sets ZF, PF and CF, less CF, equal ZF. False: no single condition.
bool fcmp_condition(ir::Cond c, bool swapped, CondCode& out) {
  using ir::Cond;
  if (c == Cond::Vs || c == Cond::Vc) {
    out = c == Cond::Vs ? CondCode::kP : CondCode::kNP;
    return true;
  }
  if (swapped) {
    switch (c) {
      case Cond::Mi:
      case Cond::Lo:
        out = CondCode::kA;
        return true;
      case Cond::Pl:
      case Cond::Hs:
        out = CondCode::kBE;
        return true;
      case Cond::Ls:
        out = CondCode::kAE;
        return true;
      case Cond::Hi:
        out = CondCode::kB;
        return true;
      default:
        return false;
    }
  }
  switch (c) {
    case Cond::Gt:
      out = CondCode::kA;
      return true;
    case Cond::Ge:
      out = CondCode::kAE;
      return true;
    case Cond::Lt:
      out = CondCode::kB;
      return true;
    case Cond::Le:
      out = CondCode::kBE;
      return true;
    default:
      return false;
  }
}

bool wants_swapped(ir::Cond c) {
  CondCode ignored;
  return !fcmp_condition(c, false, ignored) && fcmp_condition(c, true, ignored);
}

/// The host instruction of an FP compare.
struct FpCompare {
  bool is_double, signalling;

  void emit(Emitter& e, Xmm x, Xmm y) const {
    if (e.features().avx) {
      if (is_double)
        signalling ? e.a.vcomisd(x, y) : e.a.vucomisd(x, y);
      else
        signalling ? e.a.vcomiss(x, y) : e.a.vucomiss(x, y);
    } else if (is_double) {
      signalling ? e.a.comisd(x, y) : e.a.ucomisd(x, y);
    } else {
      signalling ? e.a.comiss(x, y) : e.a.ucomiss(x, y);
    }
  }

  /// Under FpRules::host_flush: beside a NaN the host does not tell of a subnormal operand.
  void touch(Emitter& e, Xmm x, Xmm y) const {
    const FpCompare quiet{is_double, false};
    quiet.emit(e, x, x);
    quiet.emit(e, y, y);
  }

  /// Carry iff x is subnormal: its bits without the sign, shifted left, less one, make zeros large.
  void test_subnormal(Emitter& e, Xmm x, Gp t, Gp limit) const {
    const bool avx = e.features().avx;
    if (is_double) {
      avx ? e.a.vmovq(t.r64(), x) : e.a.movq(t.r64(), x);
      e.a.lea(t.r64(), x86::ptr(t.r64(), t.r64(), 0, -1));
      e.a.mov(limit.r64(), asmjit::Imm((u64{1} << 53) - 1));
      e.a.cmp(t.r64(), limit.r64());
    } else {
      avx ? e.a.vmovd(t.r32(), x) : e.a.movd(t.r32(), x);
      e.a.lea(t.r32(), x86::ptr(t.r64(), t.r64(), 0, -1));
      e.a.cmp(t.r32(), asmjit::Imm((1 << 24) - 1));
    }
  }

  /// Arm FPCR.FZ: subnormals compare as zeros and raise Input Denormal.
  void emit_flushed(Emitter& e, Xmm x, Xmm y) const {
    const Gp t = e.temp_gp(), limit = e.temp_gp();
    const Xmm p = e.temp_xmm(), q = e.temp_xmm();
    const Label back = e.a.newLabel();
    const u32 t_id = t.id(), limit_id = limit.id(), back_id = back.id();
    const Label flush = e.cold([*this, x, y, p, q, t_id, limit_id, back_id](Emitter& c) {
      for (const auto& [flushed, from] : {std::pair(p, x), std::pair(q, y)}) {
        const Label normal = c.a.newLabel();
        c.mov(flushed, from);
        test_subnormal(c, from, x86::gpq(t_id), x86::gpq(limit_id));
        c.a.jae(normal);
        c.features().avx ? c.a.vxorps(flushed, flushed, flushed) : c.a.xorps(flushed, flushed);
        c.a.or_(TIERCEL_CONTEXT(fp_extra), asmjit::Imm(ir::fpstatus::kInputDenormal));
        c.a.bind(normal);
      }
      emit(c, p, q);
      c.a.jmp(Label(back_id));
    });
    for (const Xmm& operand : {x, y}) {
      test_subnormal(e, operand, t, limit);
      e.a.jb(flush);
    }
    emit(e, x, y);
    e.a.bind(back);
  }
};

}  // namespace

void Emitter::set_eflags(u32 owner, FlagsForm form) {
  eflags_ = {owner, form, false, CondCode::kO};
}
void Emitter::set_eflags_condition(u32 owner, CondCode cc) {
  eflags_ = {owner, FlagsForm::Borrow, true, cc};
}

void Emitter::clobber_flags() {
  if (eflags_.owner == kNoOwner) return;
  if (state_[eflags_.owner].last_use >= index_) save_eflags();
  eflags_.owner = kNoOwner;
}

/// Copies the owner's flags or condition to a register unless there is a copy. EFLAGS keep it, though perhaps in
/// another form.
void Emitter::save_eflags() {
  if (state_[eflags_.owner].place != kNowhere || state_[eflags_.owner].spill >= 0) return;
  const u64 locked = locked_;
  save_eflags_to_register();
  locked_ = locked;  // the saved value may be spilled, its temporaries are free
}

void Emitter::save_eflags_to_register() {
  const u32 owner = eflags_.owner;
  if (eflags_.is_condition) {
    const Gp r = temp_gp();
    a.mov(r.r32(), asmjit::Imm(0));
    a.set(eflags_.cc, r.r8());
    put(owner, r.id());
    state_[owner].high_zero = true;
    return;
  }
  if (!(locked_ & reg_bit(x86::rax.id()))) {
    reserve(x86::rax);
    flags_to_ax();
    put(owner, x86::rax.id());
    return;
  }
  const Gp t = temp_gp();
  a.mov(t, x86::rax);
  flags_to_ax();
  a.xchg(x86::rax, t);
  put(owner, t.id());
}

/// EFLAGS to the stored form in AX.
void Emitter::flags_to_ax() {
  if (eflags_.form == FlagsForm::Carry) {
    a.cmc();
    eflags_.form = FlagsForm::Borrow;
  }
  if (eflags_.form == FlagsForm::Borrow) {
    a.lahf();
    a.seto(x86::al);
    return;
  }
  const bool swapped = eflags_.form == FlagsForm::FcmpSwapped;
  constexpr u64 kLess = kStoredN | kStoredNotC, kGreater = 0, kEqual = kStoredZ, kUnordered = kStoredV;
  const u64 below = swapped ? kGreater : kLess;
  const Mem choices = with_size(constant({below | kEqual << 32, kUnordered}), 4);
  a.mov(x86::eax, asmjit::Imm(swapped ? kLess : kGreater));
  a.cmovb(x86::eax, choices);
  a.cmove(x86::eax, choices.cloneAdjusted(4));
  a.cmovp(x86::eax, choices.cloneAdjusted(8));
}

/// Makes EFLAGS hold `flags`, which are in a register or in memory.
void Emitter::load_eflags(Value flags) {
  clobber_flags();
  const u32 rax = x86::rax.id();
  const bool in_rax = state_[flags.index].place == rax;
  Gp saved;
  if (!in_rax && (locked_ & reg_bit(rax))) {
    saved = temp_gp();
    a.mov(saved, x86::rax);
  } else if (!in_rax) {
    reserve(x86::rax);
  }
  if (!in_rax) fetch(x86::rax, flags);
  // Overflows exactly for AL = 1.
  a.cmp(x86::al, asmjit::Imm(-127));
  a.sahf();
  if (saved.isValid()) a.mov(x86::rax, saved);
  set_eflags(flags.index, FlagsForm::Borrow);
}

/// Call before fetching operands when condition(c) comes later: what needs many registers happens here.
void Emitter::prepare_condition(Value c) {
  const ValueState& s = state_[c.index];
  if (inst(c).op != Opcode::FlagsCond || s.place != kNowhere || s.spill >= 0) return;
  const Value flags = inst(c).args[0];
  if (eflags_.owner == flags.index || inst(c).cond() < ir::Cond::Ge) return;
  load_eflags(flags);
  locked_ = 0;
}

CondCode Emitter::condition(Value v) {
  const ValueState& s = state_[v.index];
  eflags_busy_ = true;
  if (eflags_.owner == v.index) return eflags_.cc;
  if (inst(v).op == Opcode::FlagsCond && s.place == kNowhere && s.spill < 0)
    return flags_condition(inst(v).args[0], inst(v).cond());
  const Gp r = use_gp(v);
  clobber_flags();
  a.test(r.r32(), r.r32());
  return CondCode::kNE;
}

CondCode Emitter::flags_condition(Value flags, ir::Cond cond) {
  CondCode cc;
  if (eflags_.owner != flags.index) {
    if (test_stored_flags(flags, cond, cc)) return cc;
    load_eflags(flags);
  }
  eflags_busy_ = true;
  if (eflags_.form == FlagsForm::Carry) {
    if (cond == ir::Cond::Hs || cond == ir::Cond::Lo) return cond == ir::Cond::Hs ? CondCode::kB : CondCode::kAE;
    if (cond == ir::Cond::Hi || cond == ir::Cond::Ls) {
      a.cmc();
      eflags_.form = FlagsForm::Borrow;
    }
  }
  if (eflags_.form == FlagsForm::Borrow || eflags_.form == FlagsForm::Carry) return borrow_condition(cond);
  if (fcmp_condition(cond, eflags_.form == FlagsForm::FcmpSwapped, cc)) return cc;
  if (cond == ir::Cond::Eq || cond == ir::Cond::Ne) return fcmp_equal(cond);
  // Made for another condition: go through the stored form.
  save_eflags();
  eflags_.owner = kNoOwner;
  return flags_condition(flags, cond);
}

/// Equal means ZF and not PF.
CondCode Emitter::fcmp_equal(ir::Cond cond) {
  if (flags_live()) save_eflags();
  const Gp t = temp_gp(), u = temp_gp();
  a.setnp(t.r8());
  a.sete(u.r8());
  a.test(t.r8(), u.r8());
  eflags_.owner = kNoOwner;
  return cond == ir::Cond::Eq ? CondCode::kNE : CondCode::kE;
}

/// Conditions that one bit test on the stored form answers.
bool Emitter::test_stored_flags(Value flags, ir::Cond cond, CondCode& cc) {
  using ir::Cond;
  u32 mask = 0;
  switch (cond) {
    case Cond::Eq:
    case Cond::Ne:
      mask = kStoredZ;
      break;
    case Cond::Hs:
    case Cond::Lo:
      mask = kStoredNotC;
      break;
    case Cond::Mi:
    case Cond::Pl:
      mask = kStoredN;
      break;
    case Cond::Vs:
    case Cond::Vc:
      mask = kStoredV;
      break;
    case Cond::Hi:
    case Cond::Ls:
      mask = kStoredZ | kStoredNotC;
      break;
    default:
      return false;
  }
  clobber_flags();
  Mem m;
  if (state_[flags.index].place >= kRegisterCount && memory_of(flags.index, 1, m)) {
    const bool low = mask == kStoredV;
    a.test(low ? m : m.cloneAdjusted(1), asmjit::Imm(low ? mask : mask >> 8));
  } else {
    a.test(use_gp(flags).r32(), asmjit::Imm(mask));
  }
  eflags_busy_ = true;
  const bool if_set = cond == Cond::Eq || cond == Cond::Lo || cond == Cond::Mi || cond == Cond::Vs || cond == Cond::Ls;
  cc = if_set ? CondCode::kNE : CondCode::kE;
  return true;
}

/// Gives a value that so far exists only as EFLAGS, or as a condition nobody asked yet, a register.
void Emitter::materialise(u32 index) {
  if (eflags_.owner == index) return save_eflags();
  const Inst& inst = f_->insts[index];
  CHECK_MSG(inst.op == Opcode::FlagsCond, "use of a value that is nowhere");
  const bool was_busy = eflags_busy_;
  const u64 locked = locked_;
  const bool loaded = eflags_.owner != inst.args[0].index;
  const CondCode cc = flags_condition(inst.args[0], inst.cond());
  locked_ = locked;  // EFLAGS hold the condition: what it took may go
  const Gp r = temp_gp();
  a.mov(r.r32(), asmjit::Imm(0));
  a.set(cc, r.r8());
  eflags_busy_ = was_busy;
  // Callers who change EFLAGS have saved them before they fetch operands: leave nothing in them behind their back.
  if (loaded) eflags_.owner = kNoOwner;
  put(index, r.id());
  state_[index].high_zero = true;
}

/// Call before fetching operands when carry_to_cf(c) comes later.
void Emitter::prepare_carry(Value c) {
  const ValueState& s = state_[c.index];
  if (inst(c).op == Opcode::Const) return;
  const bool is_carry =
      inst(c).op == Opcode::FlagsCond && (inst(c).cond() == ir::Cond::Hs || inst(c).cond() == ir::Cond::Lo);
  if (is_carry && s.place == kNowhere && s.spill < 0) return;
  use_gp(c);
  // The flags c was made of have served: saving them later, beside all operands, would take one register too many.
  if (!flags_live()) eflags_.owner = kNoOwner;
}

/// CF = c, or not c if inverted.
void Emitter::carry_to_cf(Value c, bool inverted) {
  const ValueState& s = state_[c.index];
  if (u64 known; is_const(c, known)) {
    clobber_flags();
    eflags_busy_ = true;
    (known != 0) != inverted ? a.stc() : a.clc();
    return;
  }
  bool complement;
  const ir::Cond cond = inst(c).op == Opcode::FlagsCond ? inst(c).cond() : ir::Cond::Eq;
  const Value flags = inst(c).args[0];
  if ((cond == ir::Cond::Hs || cond == ir::Cond::Lo) && s.place == kNowhere && s.spill < 0) {
    complement = (cond == ir::Cond::Lo) != inverted;
    if (eflags_.owner != flags.index || eflags_.form == FlagsForm::Fcmp || eflags_.form == FlagsForm::FcmpSwapped) {
      const Gp r = use_gp(flags);
      clobber_flags();
      a.bt(r.r32(), 8);
      complement = !complement;
    } else if (eflags_.form == FlagsForm::Borrow) {
      complement = !complement;
    }
    if (complement && eflags_.owner == flags.index)
      eflags_.form = eflags_.form == FlagsForm::Borrow ? FlagsForm::Carry : FlagsForm::Borrow;
  } else {
    const Gp r = use_gp(c);
    clobber_flags();
    a.bt(r.r32(), 0);
    complement = inverted;
  }
  if (complement) a.cmc();
  eflags_busy_ = true;
}

// -- instructions -----------------------------------------------------------------------------------------------------

bool Emitter::emit_flags(const Inst& inst, u32 i) {
  using enum Opcode;
  if (state_[i].fused) return true;
  switch (inst.op) {
    case CmpEq:
    case CmpNe:
    case CmpLtU:
    case CmpLeU:
    case CmpLtS:
    case CmpLeS:
      emit_compare(inst, i);
      return true;
    case TestBit:
      emit_test_bit(inst, i);
      return true;
    case FlagsCond:
      return true;  // where it is used
    case FlagsSub:
      clobber_flags();
      compare_operands(inst.args[0], inst.args[1]);
      set_eflags(i, FlagsForm::Borrow);
      return true;
    case FlagsAdd:
      emit_flags_add(inst, i);
      return true;
    case FlagsLogic: {
      clobber_flags();
      const Gp r = sized(use_gp(inst.args[0]), this->inst(inst.args[0]).type);
      a.test(r, r);
      set_eflags(i, FlagsForm::Carry);
      return true;
    }
    case FlagsAdc:
    case FlagsSbc:
      emit_flags_carry(inst, i);
      return true;
    case FlagsCcmpSub:
    case FlagsCcmpAdd:
      emit_ccmp(inst, i);
      return true;
    case FlagsFcmp:
      return emit_fcmp(inst, i);
    default:
      return false;
  }
}

/// Host CMP x, y.
void Emitter::compare_operands(Value x, Value y) {
  const Operand_ right = use_any(y);
  const Gp left = sized(use_gp(x), inst(x).type);
  if (u64 c; is_const(y, c) && c == 0)
    a.test(left, left);  // the same flags: CF = OF = 0
  else
    a.emit(x86::Inst::kIdCmp, left, right);
}

void Emitter::emit_compare(const Inst& inst, u32 i) {
  using enum Opcode;
  Value x = inst.args[0], y = inst.args[1];
  CondCode cc = CondCode::kE;
  switch (inst.op) {
    case CmpEq:
      cc = CondCode::kE;
      break;
    case CmpNe:
      cc = CondCode::kNE;
      break;
    case CmpLtU:
      cc = CondCode::kB;
      break;
    case CmpLeU:
      cc = CondCode::kBE;
      break;
    case CmpLtS:
      cc = CondCode::kL;
      break;
    default:
      cc = CondCode::kLE;
      break;
  }
  clobber_flags();
  if (u64 c; is_const(x, c) && !is_const(y, c)) {
    std::swap(x, y);
    cc = x86::reverseCond(cc);
  }
  const unsigned bits = bits_of(x);
  if (bits >= 32) {
    compare_operands(x, y);
  } else {
    Gp shifted[2];
    for (const unsigned k : {0u, 1u}) {
      const Value v = k == 0 ? x : y;
      shifted[k] = temp_gp();
      fetch(shifted[k], v);
      unlock(v);
      lock(shifted[k].id());
      a.shl(shifted[k].r32(), 32 - bits);
    }
    a.cmp(shifted[0].r32(), shifted[1].r32());
  }
  set_eflags_condition(i, cc);
}

void Emitter::emit_test_bit(const Inst& inst, u32 i) {
  clobber_flags();
  const Value v = inst.args[0];
  const u32 bit = static_cast<u32>(inst.imm);
  Mem m;
  if (state_[v.index].place >= kRegisterCount && bits_of(v) >= 32 && memory_of(v.index, 1, m)) {
    a.test(m.cloneAdjusted(bit / 8), asmjit::Imm(1u << bit % 8));
    return set_eflags_condition(i, CondCode::kNE);
  }
  const Gp r = use_gp(v);
  if (bit < 7 && r.id() < 4)
    a.test(r.r8(), asmjit::Imm(1u << bit));
  else if (bit < 31)
    a.test(r.r32(), asmjit::Imm(1u << bit));
  else
    return a.bt(r.r64(), bit), set_eflags_condition(i, CondCode::kB);
  set_eflags_condition(i, CondCode::kNE);
}

/// CMN. With a constant it is a compare with the negated constant, which has the same carry unless it is 0 and the same
/// overflow unless it is the smallest number.
void Emitter::emit_flags_add(const Inst& inst, u32 i) {
  clobber_flags();
  const Type type = this->inst(inst.args[0]).type;
  const unsigned bits = ir::type_bits(type);
  const Gp left = sized(use_gp(inst.args[0]), type);
  if (u64 c; is_const(inst.args[1], c) && c != 0 && c <= 0x7fffffff) {
    a.cmp(left, asmjit::Imm(-static_cast<s64>(c)));
    return set_eflags(i, FlagsForm::Borrow);
  }
  const Operand_ right = use_any(inst.args[1]);
  const Gp t = bits == 64 ? Gp(temp_gp()) : Gp(temp_gp().r32());
  a.mov(t, left);
  a.emit(x86::Inst::kIdAdd, t, right);
  set_eflags(i, FlagsForm::Carry);
}

void Emitter::emit_flags_carry(const Inst& inst, u32 i) {
  if (flags_live()) clobber_flags();
  prepare_carry(inst.args[2]);
  const bool subtract = inst.op == Opcode::FlagsSbc;
  const Type type = this->inst(inst.args[0]).type;
  const Operand_ right = use_any(inst.args[1]);
  const Gp left = use_gp(inst.args[0]);
  const Gp t = temp_gp();
  carry_to_cf(inst.args[2], subtract);
  a.mov(t, left);
  a.emit(subtract ? x86::Inst::kIdSbb : x86::Inst::kIdAdc, sized(t, type), right);
  set_eflags(i, subtract ? FlagsForm::Borrow : FlagsForm::Carry);
}

void Emitter::emit_ccmp(const Inst& inst, u32 i) {
  if (flags_live()) clobber_flags();
  prepare_condition(inst.args[0]);
  // Conditions on FP flags may take two registers: settle them while there are some.
  if (eflags_.form == FlagsForm::Fcmp || eflags_.form == FlagsForm::FcmpSwapped) use_gp(inst.args[0]);
  // EFLAGS of somebody else are in the way of the condition: save them while there are registers.
  const Value c = inst.args[0];
  const bool held =
      eflags_.owner == c.index || (this->inst(c).op == Opcode::FlagsCond && state_[c.index].place == kNowhere &&
                                   state_[c.index].spill < 0 && eflags_.owner == this->inst(c).args[0].index);
  if (!held) clobber_flags();
  const bool subtract = inst.op == Opcode::FlagsCcmpSub;
  const Type type = this->inst(inst.args[1]).type;
  unlock(inst.args[0]);
  reserve(x86::rax);
  const Operand_ right = use_any(inst.args[2]);
  const Gp left = sized(use_gp(inst.args[1]), type);
  const CondCode cc = condition(inst.args[0]);
  const Label back = a.newLabel();
  const u32 otherwise = ir::flags_from_nzcv(static_cast<u32>(inst.imm));
  a.j(x86::negateCond(cc), cold([otherwise, back](Emitter& e) {
        e.a.mov(x86::eax, asmjit::Imm(otherwise));
        e.a.cmp(x86::al, asmjit::Imm(-127));
        e.a.sahf();
        e.a.jmp(back);
      }));
  if (subtract) {
    a.emit(x86::Inst::kIdCmp, left, right);
  } else {
    a.mov(sized(x86::rax, type), left);
    a.emit(x86::Inst::kIdAdd, sized(x86::rax, type), right);
    a.cmc();
  }
  a.bind(back);
  set_eflags(i, FlagsForm::Borrow);
}

bool Emitter::emit_fcmp(const Inst& inst, u32 i) {
  clobber_flags();
  const bool swapped = wants_swapped(static_cast<ir::Cond>(state_[i].hint & 15));
  const Xmm x = use_xmm(inst.args[swapped ? 1 : 0]), y = use_xmm(inst.args[swapped ? 0 : 1]);
  const FpCompare compare{this->inst(inst.args[0]).type == Type::F64, (inst.imm & 1) != 0};
  if (f_->fp.flush && !f_->fp.host_flush) {
    compare.emit_flushed(*this, x, y);
  } else {
    if (f_->fp.host_flush) compare.touch(*this, x, y);
    compare.emit(*this, x, y);
  }
  set_eflags(i, swapped ? FlagsForm::FcmpSwapped : FlagsForm::Fcmp);
  return true;
}

}  // namespace tiercel::backend::x64
