// Floating-point arithmetic under the guest's MXCSR. Results that are no NaN are the same on Arm and x86; a NaN result
// is found by one unordered test and made again by the evaluator in a cold path, which knows Arm's rules. The sticky
// bits are the host's in both cases: evaluating again raises what the host instruction raised already, or what only Arm
// raises. Lanes that are not part of the operation must not raise anything: 64-bit arrangements clear them first.
#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

namespace x86 = asmjit::x86;

/// The four forms of one operation: [vector][double].
struct Forms {
  const VOp* forms[2][2];
  const VOp& pick(bool vector, bool is_double) const { return *forms[vector][is_double]; }
};
constexpr Forms kAdd{{{&vop::addss, &vop::addsd}, {&vop::addps, &vop::addpd}}};
constexpr Forms kSub{{{&vop::subss, &vop::subsd}, {&vop::subps, &vop::subpd}}};
constexpr Forms kMul{{{&vop::mulss, &vop::mulsd}, {&vop::mulps, &vop::mulpd}}};
constexpr Forms kDiv{{{&vop::divss, &vop::divsd}, {&vop::divps, &vop::divpd}}};
constexpr Forms kMax{{{&vop::maxss, &vop::maxsd}, {&vop::maxps, &vop::maxpd}}};
constexpr Forms kMin{{{&vop::minss, &vop::minsd}, {&vop::minps, &vop::minpd}}};
constexpr Forms kRange{{{&vop::rangess, &vop::rangesd}, {&vop::rangeps, &vop::rangepd}}};
constexpr Forms kSqrt{{{&vop::sqrtss, &vop::sqrtsd}, {&vop::sqrtps, &vop::sqrtpd}}};
constexpr Forms kCompare{{{&vop::cmpss, &vop::cmpsd}, {&vop::cmpps, &vop::cmppd}}};
constexpr Forms kRound{{{&vop::roundss, &vop::roundsd}, {&vop::roundps, &vop::roundpd}}};
/// [product negated][addend negated][vector][double]; all add to (or subtract from) the destination.
constexpr u32 kFma[2][2][2][2] = {
    {{{x86::Inst::kIdVfmadd231ss, x86::Inst::kIdVfmadd231sd}, {x86::Inst::kIdVfmadd231ps, x86::Inst::kIdVfmadd231pd}},
     {{x86::Inst::kIdVfmsub231ss, x86::Inst::kIdVfmsub231sd}, {x86::Inst::kIdVfmsub231ps, x86::Inst::kIdVfmsub231pd}}},
    {{{x86::Inst::kIdVfnmadd231ss, x86::Inst::kIdVfnmadd231sd},
      {x86::Inst::kIdVfnmadd231ps, x86::Inst::kIdVfnmadd231pd}},
     {{x86::Inst::kIdVfnmsub231ss, x86::Inst::kIdVfnmsub231sd},
      {x86::Inst::kIdVfnmsub231ps, x86::Inst::kIdVfnmsub231pd}}}};
constexpr int kUnordered = 3, kEqualQuiet = 0, kLess = 1, kLessEqual = 2;

}  // namespace

bool VectorEmitter::emit_fp() {
  if (inst_->op == Opcode::FNeg) return fp_negate();
  if (inst_->op == Opcode::FAbs) return fp_abs();
  if (f_.fp.host_flush) tell_subnormals();
  if (!f_.fp.flush || f_.fp.host_flush) return emit_fp_unflushed();
  if (!flushes_inline()) return false;
  const ColdEval cold = guard_flush();
  const bool done = emit_fp_unflushed();
  a.bind(cold.resume);
  return done;
}

bool VectorEmitter::emit_fp_unflushed() {
  switch (inst_->op) {
    case Opcode::FAdd:
    case Opcode::FSub:
    case Opcode::FMul:
    case Opcode::FDiv:
      return fp_binary();
    case Opcode::FMulAdd:
      return fp_muladd();
    case Opcode::FSqrt:
      return fp_sqrt();
    case Opcode::FMax:
      return fp_minmax(true, false);
    case Opcode::FMin:
      return fp_minmax(false, false);
    case Opcode::FMaxNm:
      return fp_minmax(true, true);
    case Opcode::FMinNm:
      return fp_minmax(false, true);
    case Opcode::VFCmpEq:
    case Opcode::VFCmpGe:
    case Opcode::VFCmpGt:
      return fp_compare();
    case Opcode::FRint:
      return fp_round();
    default:
      return false;
  }
}

/// Operand i with the lanes zero that are not part of a 64-bit arrangement.
VectorEmitter::Xmm VectorEmitter::fp_in(unsigned i) {
  const Xmm x = in(i);
  if (!is_vector() || full() || in_zero(i)) return x;
  if (cleaned_[i].isNone()) {
    const Xmm t = tmp();
    zero_high(t, x);
    cleaned_[i] = t;
  }
  return cleaned_[i].as<Xmm>();
}

/// Operand i with its low half in both halves if the arrangement is a 64-bit one.
VectorEmitter::Xmm VectorEmitter::fp_in_duplicated(unsigned i) {
  const Xmm x = in(i);
  if (!is_vector() || full()) return x;
  if (cleaned_[i].isNone()) {
    const Xmm t = tmp();
    un(vop::movddup, t, x);
    cleaned_[i] = t;
  }
  return cleaned_[i].as<Xmm>();
}

/// To `cold` if any lane of x or y is a NaN.
void VectorEmitter::jump_if_unordered(Xmm x, Xmm y, asmjit::Label cold) {
  if (!is_vector()) {
    if (is_double())
      avx ? a.vucomisd(x, y) : a.ucomisd(x, y);
    else
      avx ? a.vucomiss(x, y) : a.ucomiss(x, y);
    a.jp(cold);
    return;
  }
  if (v512) {
    if (is_double())
      a.vcmppd(x86::k1, x, y, kUnordered);
    else
      a.vcmpps(x86::k1, x, y, kUnordered);
    a.kortestb(x86::k1, x86::k1);
  } else {
    const Xmm t = tmp();
    op(kCompare.pick(true, is_double()), t, x, y, kUnordered);
    avx ? a.vptest(t, t) : a.ptest(t, t);
  }
  a.jnz(cold);
}

/// The end of an operation whose NaN results need Arm's rules: repairs in a cold path.
bool VectorEmitter::fp_finish(Xmm d, bool high_is_zero) {
  if (f_.fp.x86_nans && !f_.fp.flush) return finish(d, high_is_zero);
  const ColdEval cold = cold_eval(d);
  jump_if_doubtful(d, cold.entry);
  finish(d, high_is_zero);
  a.bind(cold.resume);
  return true;
}

bool VectorEmitter::fp_binary() {
  const Opcode o = inst_->op;
  const bool divide = o == Opcode::FDiv, commutes = o == Opcode::FAdd || o == Opcode::FMul;
  const Forms& forms = o == Opcode::FAdd ? kAdd : o == Opcode::FSub ? kSub : o == Opcode::FMul ? kMul : kDiv;
  Xmm x = divide ? fp_in_duplicated(0) : fp_in(0);
  Xmm y = divide ? fp_in_duplicated(1) : fp_in(1);
  // A scalar result takes its upper bits from the first operand.
  bool high_is_zero = in_zero(0);
  if (commutes && !is_vector() && !high_is_zero && in_zero(1)) {
    std::swap(x, y);
    high_is_zero = true;
  }
  // 0 - 0 is -0 when rounding downwards, and halves that were duplicated to divide are not zero.
  if (is_vector()) high_is_zero = commutes;
  const Xmm d = fresh();
  op(forms.pick(is_vector(), is_double()), d, x, y);
  return fp_finish(d, high_is_zero);
}

/// Does the negation `v` go into the one fused multiply-add that uses it? It is then not made: v's register holds the
/// operand as it was.
bool VectorEmitter::fuses_negation(ir::Value v) const {
  const ir::Inst& negation = f_[v];
  if (negation.op != Opcode::FNeg || !e.features().fma) return false;
  if (f_.fp.flush && !f_.fp.host_flush) return false;
  if (negation.type == Type::V128 && !ir::is_full(negation.arr)) return false;
  return sole_user(v) == Opcode::FMulAdd;
}

bool VectorEmitter::fp_muladd() {
  if (!e.features().fma) return false;
  const Xmm addend = fp_in(0), x = fp_in(1), y = fp_in(2);
  const bool high_is_zero = is_vector() || in_zero(0);
  bool negated[3];
  for (unsigned i = 0; i < 3; ++i) negated[i] = fuses_negation(inst_->args[i]);
  const Xmm d = fresh();
  mov(d, addend);
  a.emit(kFma[negated[1] != negated[2]][negated[0]][is_vector()][is_double()], d, x, y);
  if (f_.fp.x86_nans || !(negated[0] || negated[1] || negated[2])) return fp_finish(d, high_is_zero);
  // The evaluator wants the operands negated.
  Xmm originals[3];
  for (unsigned i = 0; i < 3; ++i) {
    if (!negated[i]) continue;
    const Xmm original = in(i), t = tmp();
    operands_[i] = t;
    originals[i] = original;
  }
  const ColdEval cold = cold_eval(d);
  struct Negate {
    u32 then;
    U128 sign;
    u8 from[3], to[3];
    bool used[3];
  } n{cold.entry.id(), sign_bits(), {}, {}, {}};
  for (unsigned i = 0; i < 3; ++i)
    if (negated[i]) {
      n.used[i] = true;
      n.from[i] = static_cast<u8>(originals[i].id());
      n.to[i] = static_cast<u8>(operands_[i].id());
    }
  const asmjit::Label entry = e.cold([n](Emitter& emitter) {
    VectorAsm v(emitter);
    for (unsigned i = 0; i < 3; ++i)
      if (n.used[i]) v.op(vop::pxor, x86::xmm(n.to[i]), x86::xmm(n.from[i]), emitter.constant(n.sign));
    emitter.a.jmp(asmjit::Label(n.then));
  });
  jump_if_doubtful(d, entry);
  finish(d, high_is_zero);
  a.bind(cold.resume);
  return true;
}

bool VectorEmitter::fp_sqrt() {
  const Xmm x = fp_in(0);
  const bool high_is_zero = is_vector() || in_zero(0);
  const Xmm d = fresh();
  const VOp& o = kSqrt.pick(is_vector(), is_double());
  if (is_vector())
    un(o, d, x);
  else
    op(o, d, x, x);
  return fp_finish(d, high_is_zero);
}

/// The sign bits of the operation's lanes, none elsewhere.
U128 VectorEmitter::sign_bits() const {
  const u64 lanes = is_double() ? u64{1} << 63 : is_vector() ? 0x8000000080000000 : 0x80000000;
  return {lanes, is_vector() && full() ? lanes : 0};
}

/// Sign operations touch NaNs like any number and raise nothing.
bool VectorEmitter::fp_negate() {
  if (fuses_negation(ir::Value{index_})) {
    const bool high_is_zero = in_zero(0);
    e.def_alias(index_, inst_->args[0]);
    return finish_high(high_is_zero);
  }
  const bool high_is_zero = in_zero(0);
  const Xmm x = in(0);
  const Xmm d = reusing(0);
  op(vop::pxor, d, x, e.constant(sign_bits()));
  return finish(d, high_is_zero);
}

bool VectorEmitter::fp_abs() {
  const U128 sign = sign_bits();
  const u64 low = !is_vector() && !is_double() ? 0xffffffff : ~u64{0}, high = is_vector() && full() ? ~u64{0} : 0;
  const Xmm x = in(0);
  const Xmm d = reusing(0);
  op(vop::pand, d, x, constant(low & ~sign.lo, high & ~sign.hi));
  return finish(d, true);
}

/// Where neither operand is a NaN, x86's maximum differs from Arm's only for zeros of unequal sign, where it returns
/// the second operand; the AND of both orders is +0 there (the OR of minima -0). vrange orders zeros as Arm does, and
/// treats a single quiet NaN as FMAXNM does.
bool VectorEmitter::fp_minmax(bool max, bool number) {
  const Xmm x = fp_in(0), y = fp_in(1);
  const bool high_is_zero = is_vector() || in_zero(0);
  const Xmm d = fresh();
  if (v512 && number && !f_.fp.host_flush) {
    op(kRange.pick(is_vector(), is_double()), d, x, y, max ? 5 : 4);
    return fp_finish(d, high_is_zero);
  }
  // A NaN must not reach the host's maximum: it raises Invalid for quiet ones.
  const ColdEval cold = cold_eval(d);
  jump_if_unordered(x, y, cold.entry);
  if (v512) {
    op(kRange.pick(is_vector(), is_double()), d, x, y, max ? 5 : 4);
  } else {
    const VOp& o = (max ? kMax : kMin).pick(is_vector(), is_double());
    const Xmm t = tmp();
    op(o, d, x, y);
    op(o, t, y, x);
    op(max ? vop::pand : vop::por, d, d, t);
  }
  finish(d, v512 ? high_is_zero : is_vector() || (max ? in_zero(0) || in_zero(1) : in_zero(0) && in_zero(1)));
  a.bind(cold.resume);
  return true;
}

bool VectorEmitter::fp_compare() {
  const bool equal = inst_->op == Opcode::VFCmpEq;
  const int predicate = equal ? kEqualQuiet : inst_->op == Opcode::VFCmpGt ? kLess : kLessEqual;
  Xmm x = fp_in(0), y = fp_in(1);
  if (!equal) std::swap(x, y);                            // a > b as b < a
  const bool vector_zero = inst_->op == Opcode::VFCmpGt;  // 0 > 0 is false
  const bool x_zero = in_zero(equal ? 0 : 1);
  const Xmm d = fresh();
  const VOp& o = kCompare.pick(is_vector(), is_double());
  if (high(x) || high(y)) {
    a.emit(o.vex, x86::k1, x, y, asmjit::Imm(predicate));
    is_double() ? a.vpmovm2q(d, x86::k1) : a.vpmovm2d(d, x86::k1);
    return finish(d, !is_vector() || vector_zero);
  }
  op(o, d, x, y, predicate);
  return finish(d, is_vector() ? vector_zero : x_zero);
}

/// d = x rounded to nearest, ties away from zero, raising nothing. Numbers too large to have a fraction, infinities and
/// NaNs go to `cold`. The fraction and the sums are exact. d is not x.
void VectorEmitter::round_away(Xmm d, Xmm x, bool vector, bool is_double, asmjit::Label cold) {
  const u64 sign = is_double ? u64{1} << 63 : 0x8000000080000000;
  const u64 no_fraction = is_double ? u64{1023 + 52} << 52 : 0x4b0000004b000000;
  const u64 half = is_double ? 0x3fe0000000000000 : 0x3f0000003f000000;
  const u64 one = is_double ? 0x3ff0000000000000 : 0x3f8000003f800000;
  const auto both = [&](u64 pattern) {
    return vector ? splat(pattern) : constant(is_double ? pattern : pattern & 0xffffffff, 0);
  };
  const Xmm magnitude = tmp(), t = tmp();
  op(vop::pand, magnitude, x, both(~sign));
  if (!vector) {
    avx ? (is_double ? a.vucomisd(magnitude, scalar(no_fraction, is_double))
                     : a.vucomiss(magnitude, scalar(no_fraction, is_double)))
        : (is_double ? a.ucomisd(magnitude, scalar(no_fraction, is_double))
                     : a.ucomiss(magnitude, scalar(no_fraction, is_double)));
    a.jae(cold);
    a.jp(cold);
  } else {  // magnitudes order like integers
    load(t, splat(is_double ? no_fraction - 1 : no_fraction - 0x100000001));
    op(is_double ? vop::pcmpgtq : vop::pcmpgtd, t, magnitude, t);
    avx ? a.vptest(t, t) : a.ptest(t, t);
    a.jnz(cold);
  }
  const VOp& truncate = kRound.pick(vector, is_double);
  if (vector)
    un(truncate, d, magnitude, 3 | 8);
  else
    op(truncate, d, magnitude, magnitude, 3 | 8);
  op(kSub.pick(vector, is_double), magnitude, magnitude, d);
  load(t, both(half));
  op(kCompare.pick(vector, is_double), t, t, magnitude, kLessEqual);
  op(vop::pand, t, t, both(one));
  op(kAdd.pick(vector, is_double), d, d, t);
  op(vop::pand, t, x, both(sign));
  op(vop::por, d, d, t);
}

bool VectorEmitter::fp_round_away() {
  if (inst_->aux & 8) return false;
  const Xmm x = fp_in(0);
  const Xmm d = fresh();
  const ColdEval cold = cold_eval(d);
  round_away(d, x, is_vector(), is_double(), cold.entry);
  finish(d, true);
  a.bind(cold.resume);
  return true;
}

bool VectorEmitter::fp_round() {
  const ir::Round mode = inst_->round();
  if (mode == ir::Round::TieAway) return fp_round_away();
  if (mode == ir::Round::Odd) return false;
  // SDM ROUNDSD: bits 1..0 nearest, down, up, to zero; bit 2: MXCSR's mode; bit 3: no Inexact.
  int imm = inst_->aux & 8 ? 0 : 8;
  switch (mode) {
    case ir::Round::NegInf:
      imm |= 1;
      break;
    case ir::Round::PosInf:
      imm |= 2;
      break;
    case ir::Round::Zero:
      imm |= 3;
      break;
    case ir::Round::Current:
      imm |= 4;
      break;
    default:
      break;
  }
  const Xmm x = fp_in(0);
  const bool high_is_zero = is_vector() || in_zero(0);
  const Xmm d = fresh();
  const VOp& o = kRound.pick(is_vector(), is_double());
  if (is_vector())
    un(o, d, x, imm);
  else
    op(o, d, x, x, imm);
  return f_.fp.default_nan ? fp_finish(d, high_is_zero) : finish(d, high_is_zero);
}

/// Compares each with itself, which raises what the operation raises, and the host's exception for subnormals.
void VectorEmitter::touch(std::initializer_list<Xmm> operands, bool is_double) {
  const VOp& o = kCompare.pick(is_vector(), is_double);
  const Xmm t = v512 ? Xmm() : tmp();
  for (const Xmm& x : operands)
    if (v512)
      a.emit(o.vex, x86::k1, x, x, asmjit::Imm(kEqualQuiet));
    else
      op(o, t, x, x, kEqualQuiet);
}

}  // namespace tiercel::backend::x64
