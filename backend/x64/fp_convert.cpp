// Floating-point conversions: between formats, and to and from integers.
#include <bit>

#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

namespace x86 = asmjit::x86;

/// Attributes of FToInt and IntToF in Inst::aux.
struct IntConversion {
  ir::Round round;
  bool is_unsigned;
  int fraction_bits;
  explicit IntConversion(u32 aux)
      : round(static_cast<ir::Round>(aux & 7)),
        is_unsigned(aux >> 3 & 1),
        fraction_bits(static_cast<int>(aux >> 8 & 0xff)) {}
};

/// 2^n as a lane pattern over 64 bits.
u64 power_of_two(int n, bool is_double) {
  if (is_double) return static_cast<u64>(1023 + n) << 52;
  const u64 single = static_cast<u64>(127 + n) << 23;
  return single << 32 | single;
}

/// ROUNDSD's immediate for modes that are not truncation; negative: no such mode.
int round_immediate(ir::Round mode) {
  switch (mode) {
    case ir::Round::TieEven:
      return 0;
    case ir::Round::NegInf:
      return 1;
    case ir::Round::PosInf:
      return 2;
    case ir::Round::Current:
      return 4;
    default:
      return -1;
  }
}

Gp sized_gp(Gp r, bool wide) {
  return wide ? Gp(r.r64()) : Gp(r.r32());
}

}  // namespace

bool VectorEmitter::emit_fp_convert() {
  if (inst_->op == Opcode::IntToF) return is_vector() ? int_to_fp_vector() : int_to_fp();
  if (f_.fp.host_flush) tell_subnormals();
  if (!f_.fp.flush || f_.fp.host_flush) return emit_fp_convert_unflushed();
  if (!flushes_inline() || (inst_->op == Opcode::FToInt && !converts_to_int_inline())) return false;
  const ColdEval cold = guard_flush();
  const bool done = emit_fp_convert_unflushed();
  a.bind(cold.resume);
  return done;
}

bool VectorEmitter::emit_fp_convert_unflushed() {
  switch (inst_->op) {
    case Opcode::FCvt:
      return fp_convert();
    case Opcode::FToInt:
      return is_vector() ? fp_to_int_vector() : fp_to_int();
    case Opcode::VFCvtUp:
      return fp_widen();
    case Opcode::VFCvtDown:
      return fp_narrow();
    case Opcode::FFromHalf:
      return from_half();
    case Opcode::FToHalf:
      return to_half();
    default:
      return false;
  }
}

/// NaNs keep their payload's high bits and become quiet, on both machines.
bool VectorEmitter::fp_convert() {
  if (inst_->round() == ir::Round::Odd) return false;
  const bool widen = inst_->type == Type::F64;
  const bool high_is_zero = in_zero(0);
  const Xmm x = in(0);
  const Xmm d = fresh();
  if (widen) {
    if (!high_is_zero) zero(d);
    op(vop::cvtss2sd, d, high_is_zero ? x : d, x);
  } else if (high_is_zero) {
    un(vop::cvtpd2ps, d, x);
  } else {
    zero(d);
    op(vop::cvtsd2ss, d, d, x);
  }
  return f_.fp.default_nan || rounds_to_least_normal() ? fp_finish(d, true) : finish(d, true);
}

bool VectorEmitter::converts_to_int_inline() const {
  const ir::Round mode = IntConversion(inst_->aux).round;
  return mode == ir::Round::Zero || mode == ir::Round::TieAway || round_immediate(mode) >= 0;
}

/// Values out of range, and NaNs, make the host return its "integer indefinite" and raise Invalid, nothing else, as Arm
/// does; the cold path then finds the saturated result. Rounding in a separate step must not raise Inexact before the
/// range is known: a second conversion, of the operand itself, raises it afterwards.
bool VectorEmitter::fp_to_int() {
  const IntConversion c(inst_->aux);
  const bool truncate = c.round == ir::Round::Zero;
  const bool away = c.round == ir::Round::TieAway;
  if (!converts_to_int_inline()) return false;
  const bool wide = inst_->type == Type::I64, from_double = in_type(0) == Type::F64;
  const int width = wide ? 64 : 32;
  Xmm x = in(0);
  const Gp d = fresh_gp();
  const ColdEval cold = cold_eval(d);
  const auto compare = [&](Xmm value, const Operand& with) {
    a.emit(from_double ? (avx ? x86::Inst::kIdVucomisd : x86::Inst::kIdUcomisd)
                       : (avx ? x86::Inst::kIdVucomiss : x86::Inst::kIdUcomiss),
           value, with);
  };
  if (c.fraction_bits != 0) {  // scaling is exact where it cannot overflow
    const Xmm t = tmp();
    const u64 magnitude = from_double ? ~u64{0} >> 1 : 0x7fffffff;
    op(vop::pand, t, x, constant(magnitude, 0));
    compare(t, scalar(power_of_two(width - c.fraction_bits, from_double), from_double));
    a.jae(cold.entry);
    a.jp(cold.entry);
    op(from_double ? vop::mulsd : vop::mulss, t, x, scalar(power_of_two(c.fraction_bits, from_double), from_double));
    x = t;
  }
  Xmm rounded = x;
  if (!truncate) {
    rounded = tmp();
    if (away)
      round_away(rounded, x, false, from_double, cold.entry);
    else
      op(from_double ? vop::roundsd : vop::roundss, rounded, x, x, round_immediate(c.round) | 8);
  }
  if (c.is_unsigned && !v512) {
    // Within (-1, 2^32) or (-1, 2^63) a signed conversion to 64 bits does it.
    compare(rounded, scalar(power_of_two(wide ? 63 : 32, from_double), from_double));
    a.jae(cold.entry);
    a.jp(cold.entry);
    compare(rounded, scalar(from_double ? 0xbff0000000000000 : 0xbf800000bf800000, from_double));
    a.jbe(cold.entry);
    truncate_to_gp(d.r64(), rounded, from_double, false);
    if (!truncate) truncate_to_gp(Gp(e.temp_gp().r64()), x, from_double, false);
  } else {
    const Gp sized = sized_gp(d, wide);
    truncate_to_gp(sized, rounded, from_double, c.is_unsigned);
    if (c.is_unsigned) {
      a.cmp(sized, -1);
      a.je(cold.entry);
    } else {
      a.cmp(sized, 1);
      a.jo(cold.entry);
    }
    if (!truncate) {
      const Gp unused = e.temp_gp();
      truncate_to_gp(sized_gp(unused, wide), x, from_double, c.is_unsigned);
    }
  }
  a.bind(cold.resume);
  return true;
}

void VectorEmitter::truncate_to_gp(Gp d, Xmm x, bool from_double, bool is_unsigned) {
  if (is_unsigned)
    a.emit(from_double ? x86::Inst::kIdVcvttsd2usi : x86::Inst::kIdVcvttss2usi, d, x);
  else if (avx)
    a.emit(from_double ? x86::Inst::kIdVcvttsd2si : x86::Inst::kIdVcvttss2si, d, x);
  else
    a.emit(from_double ? x86::Inst::kIdCvttsd2si : x86::Inst::kIdCvttss2si, d, x);
}

bool VectorEmitter::fp_to_int_vector() {
  const IntConversion c(inst_->aux);
  const bool truncate = c.round == ir::Round::Zero, wide = size() == 3;
  const bool away = c.round == ir::Round::TieAway;
  if (c.fraction_bits != 0 || !converts_to_int_inline()) return false;
  if ((wide || c.is_unsigned) && !v512) return false;
  const Xmm x = fp_in(0);
  const Xmm d = fresh(), t = tmp();
  const ColdEval cold = cold_eval(d);
  const auto convert = [&](Xmm to, Xmm from) {
    if (wide)
      c.is_unsigned ? a.vcvttpd2uqq(to, from) : a.vcvttpd2qq(to, from);
    else if (c.is_unsigned)
      a.vcvttps2udq(to, from);
    else
      un(vop::cvttps2dq, to, from);
  };
  if (truncate) {
    convert(d, x);
  } else {
    if (away)
      round_away(t, x, true, wide, cold.entry);
    else
      un(wide ? vop::roundpd : vop::roundps, t, x, round_immediate(c.round) | 8);
    convert(d, t);
  }
  const Mem indefinite = splat(c.is_unsigned ? ~u64{0} : wide ? u64{1} << 63 : 0x8000000080000000);
  if (v512) {
    wide ? a.vpcmpeqq(x86::k1, d, indefinite) : a.vpcmpeqd(x86::k1, d, indefinite);
    a.kortestb(x86::k1, x86::k1);
  } else {
    load(t, indefinite);
    op(vop::pcmpeqd, t, t, d);
    avx ? a.vptest(t, t) : a.ptest(t, t);
  }
  a.jnz(cold.entry);
  if (!truncate) convert(t, x);
  finish(d, true);
  a.bind(cold.resume);
  return true;
}

bool VectorEmitter::int_to_fp() {
  const IntConversion c(inst_->aux);
  const bool wide = in_type(0) == Type::I64, to_double = inst_->type == Type::F64;
  const Gp x = sized_gp(in_gp(0), wide);
  const Xmm d = fresh();
  zero(d);
  if (c.is_unsigned && v512) {
    to_double ? a.vcvtusi2sd(d, d, x) : a.vcvtusi2ss(d, d, x);
    scale_down(d, c.fraction_bits, to_double);
    return finish_high(true);
  }
  Gp source = x;
  ColdEval cold;
  const bool may_be_large = c.is_unsigned && wide;
  if (may_be_large) {
    cold = cold_eval(d);
    a.test(x, x);
    a.js(cold.entry);
  } else if (c.is_unsigned) {
    source = Gp(e.temp_gp().r64());
    a.mov(source.r32(), x);
  }
  if (avx)
    to_double ? a.vcvtsi2sd(d, d, source) : a.vcvtsi2ss(d, d, source);
  else
    to_double ? a.cvtsi2sd(d, source) : a.cvtsi2ss(d, source);
  scale_down(d, c.fraction_bits, to_double);
  finish_high(true);
  if (may_be_large) a.bind(cold.resume);
  return true;
}

/// Divides by 2^bits: exact, for the exponents of converted integers are far from the smallest.
void VectorEmitter::scale_down(Xmm d, int bits, bool is_double) {
  if (bits == 0) return;
  const u64 factor = power_of_two(-bits, is_double);
  if (is_vector())
    op(is_double ? vop::mulpd : vop::mulps, d, d, splat(factor));
  else
    op(is_double ? vop::mulsd : vop::mulss, d, d, scalar(factor, is_double));
}

bool VectorEmitter::int_to_fp_vector() {
  const IntConversion c(inst_->aux);
  const bool wide = size() == 3;
  if (wide && !v512 && c.is_unsigned) return false;
  const Xmm x = fp_in(0);
  const Xmm d = fresh();
  if (!wide && !c.is_unsigned) {
    un(vop::cvtdq2ps, d, x);
  } else if (v512) {
    if (wide)
      c.is_unsigned ? a.vcvtuqq2pd(d, x) : a.vcvtqq2pd(d, x);
    else
      a.vcvtudq2ps(d, x);
  } else if (wide) {
    const Xmm t = tmp();
    const Gp g = Gp(e.temp_gp().r64());
    zero(d);
    zero(t);
    xmm_to_gp(g, x, true);
    avx ? a.vcvtsi2sd(d, d, g) : a.cvtsi2sd(d, g);
    avx ? a.vpextrq(g, x, 1) : a.pextrq(g, x, 1);
    avx ? a.vcvtsi2sd(t, t, g) : a.cvtsi2sd(t, g);
    op(vop::punpcklqdq, d, d, t);
  } else {  // both halves are exact, so the sum rounds once
    const Xmm t = tmp();
    shift(vop::psrld, t, x, 16);
    un(vop::cvtdq2ps, t, t);
    op(vop::mulps, t, t, splat(power_of_two(16, false)));
    op(vop::pand, d, x, splat(0x0000ffff0000ffff));
    un(vop::cvtdq2ps, d, d);
    op(vop::addps, d, d, t);
  }
  scale_down(d, c.fraction_bits, wide);
  return finish(d, true);
}

bool VectorEmitter::fp_widen() {
  const bool halves = size() == 2;
  if (halves && (!e.features().f16c || f_.fp.alt_half || f_.fp.flush)) return false;
  const Xmm x = in(0);
  const Xmm d = fresh();
  if (halves)
    a.vcvtph2ps(d, x);
  else
    un(vop::cvtps2pd, d, x);
  return f_.fp.default_nan ? fp_finish(d, true) : finish(d, true);
}

bool VectorEmitter::fp_narrow() {
  const bool halves = size() == 1;
  if (inst_->round() == ir::Round::Odd) return false;
  if (halves && (!e.features().f16c || f_.fp.alt_half || f_.fp.default_nan || f_.fp.flush)) return false;
  const Xmm x = in(0);
  const Xmm d = fresh();
  if (halves) {
    a.vcvtps2ph(d, x, 4);  // MXCSR's rounding
    return finish(d, true);
  }
  un(vop::cvtpd2ps, d, x);
  return f_.fp.default_nan || rounds_to_least_normal() ? fp_finish(d, true) : finish(d, true);
}

bool VectorEmitter::from_half() {
  if (!e.features().f16c || f_.fp.alt_half || f_.fp.flush) return false;
  const Gp x = in_gp(0);
  const Xmm d = fresh();
  const Gp low = e.temp_gp();
  a.movzx(low.r32(), x.r16());  // the bits above are not part of the number
  gp_to_xmm(d, low, false);
  a.vcvtph2ps(d, d);
  if (inst_->type == Type::F64) un(vop::cvtps2pd, d, d);
  return f_.fp.default_nan ? fp_finish(d, true) : finish(d, true);
}

bool VectorEmitter::to_half() {
  if (!e.features().f16c || f_.fp.alt_half || f_.fp.default_nan || f_.fp.flush || in_type(0) != Type::F32) return false;
  const bool high_is_zero = in_zero(0);
  const Xmm x = in(0), t = tmp();
  if (!high_is_zero) zero_above_32(t, x);
  a.vcvtps2ph(t, high_is_zero ? x : t, 4);  // MXCSR's rounding
  xmm_to_gp(e.def_gp(index_), t, false);
  return finish_high(true);
}

}  // namespace tiercel::backend::x64
