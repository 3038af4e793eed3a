// IEEE 754 arithmetic: the five basic operations on the host, fused and NaN-aware ones in integers.
#include <bit>

#include "ir/eval_float.h"

namespace tiercel::ir::detail {
namespace {

enum class Basic : u8 { Add, Sub, Mul, Div, Sqrt };

/// One host instruction. Volatile, so that the compiler neither folds, reorders nor speculates it: its exceptions are
/// part of the result.
double host(Basic op, double a, double b) {
  switch (op) {
    case Basic::Add:
      asm volatile("addsd %1, %0" : "+x"(a) : "x"(b));
      break;
    case Basic::Sub:
      asm volatile("subsd %1, %0" : "+x"(a) : "x"(b));
      break;
    case Basic::Mul:
      asm volatile("mulsd %1, %0" : "+x"(a) : "x"(b));
      break;
    case Basic::Div:
      asm volatile("divsd %1, %0" : "+x"(a) : "x"(b));
      break;
    case Basic::Sqrt:
      asm volatile("sqrtsd %0, %0" : "+x"(a));
      break;
  }
  return a;
}
float host(Basic op, float a, float b) {
  switch (op) {
    case Basic::Add:
      asm volatile("addss %1, %0" : "+x"(a) : "x"(b));
      break;
    case Basic::Sub:
      asm volatile("subss %1, %0" : "+x"(a) : "x"(b));
      break;
    case Basic::Mul:
      asm volatile("mulss %1, %0" : "+x"(a) : "x"(b));
      break;
    case Basic::Div:
      asm volatile("divss %1, %0" : "+x"(a) : "x"(b));
      break;
    case Basic::Sqrt:
      asm volatile("sqrtss %0, %0" : "+x"(a));
      break;
  }
  return a;
}
u64 host(const Format& f, Basic op, u64 a, u64 b) {
  if (f.width() == 64) return std::bit_cast<u64>(host(op, std::bit_cast<double>(a), std::bit_cast<double>(b)));
  return std::bit_cast<u32>(
      host(op, std::bit_cast<float>(static_cast<u32>(a)), std::bit_cast<float>(static_cast<u32>(b))));
}

constexpr u32 kMxTruncate = 0x7f80;  // all masked, rounding towards zero, no exception seen
constexpr u32 kMxUnderflow = 16, kMxInexact = 32;

/// Arm calls a result tiny when the exact value is below the least normal number; truncation keeps that property.
/// `result` is what the host made of it, `before` the MXCSR from before when flushing.
u64 settle_tiny(FpContext& c, const Format& f, Basic op, u64 a, u64 b, u64 result, u32 before) {
  const u32 now = read_mxcsr();
  write_mxcsr(kMxTruncate);
  const u64 truncated = f.magnitude(host(f, op, a, b));
  const bool inexact = read_mxcsr() & kMxInexact;
  write_mxcsr(now);
  const bool tiny = truncated < f.min_normal() && (truncated != 0 || inexact);
  if (!tiny) return result;
  if (c.rules().flush) {
    write_mxcsr(before | kMxUnderflow);
    return f.zero(f.sign(result));
  }
  if (inexact) write_mxcsr(now | kMxUnderflow);
  return result;
}

/// Operands are not NaN, and went through FpContext::input.
u64 arithmetic(FpContext& c, const Format& f, Basic op, u64 a, u64 b) {
  const u32 before = c.rules().flush ? read_mxcsr() : 0;
  const u64 r = host(f, op, a, b);
  if (f.magnitude(r) <= f.min_normal()) return settle_tiny(c, f, op, a, b, r, before);
  return f.is_nan(r) ? c.default_nan(f) : r;
}

u64 binary(FpContext& c, const Format& f, Basic op, u64 a, u64 b) {
  const u64 x[2] = {c.input(f, a), c.input(f, b)};
  if (const auto nan = c.propagate_nan(f, x)) return *nan;
  return arithmetic(c, f, op, x[0], x[1]);
}

bool is_infinity_times_zero(const Format& f, u64 a, u64 b) {
  return (f.is_infinity(a) && f.is_zero(b)) || (f.is_zero(a) && f.is_infinity(b));
}

u64 invalid(FpContext& c, const Format& f) {
  c.raise(fpstatus::kInvalid);
  return c.default_nan(f);
}

int leading_zeros(UWide v) {
  const u64 hi = static_cast<u64>(v >> 64);
  return hi != 0 ? std::countl_zero(hi) : 64 + std::countl_zero(static_cast<u64>(v));
}

struct Signed {
  bool negative;
  Magnitude m;
};

Magnitude normalised(Magnitude m) {
  const int shift = leading_zeros(m.mantissa) - 3;  // top bit at 124: a sum still fits in 126 bits
  return {m.mantissa << shift, m.exponent - shift};
}

/// Exact sum of two finite values but for a lowest bit that is set when lower ones were lost. mantissa 0: exactly zero.
/// Losing needs an alignment of more than the 18 zero bits a normalised 106-bit product ends with, and then at most one
/// leading bit cancels: the lost bits stay far below any rounding position.
Signed sum(Signed a, Signed b) {
  if (a.m.mantissa == 0) return b;
  if (b.m.mantissa == 0) return a;
  a.m = normalised(a.m);
  b.m = normalised(b.m);
  if (a.m.exponent < b.m.exponent) std::swap(a, b);
  if (const int shift = a.m.exponent - b.m.exponent; shift > 0) {
    const Split s = split(b.m.mantissa, shift);
    b.m.mantissa = s.whole | (s.inexact() ? 1 : 0);
  }
  if (a.negative == b.negative) return {a.negative, {a.m.mantissa + b.m.mantissa, a.m.exponent}};
  if (a.m.mantissa >= b.m.mantissa) return {a.negative, {a.m.mantissa - b.m.mantissa, a.m.exponent}};
  return {b.negative, {b.m.mantissa - a.m.mantissa, a.m.exponent}};
}

/// (addend + a * b) * 2^scale of finite operands with one rounding.
u64 fused(FpContext& c, const Format& f, u64 addend, u64 a, u64 b, int scale) {
  const Round mode = c.rounding(Round::Current);
  const Magnitude ma = unpack(f, a), mb = unpack(f, b);
  const bool product_negative = f.sign(a) != f.sign(b), product_zero = f.is_zero(a) || f.is_zero(b);
  if (f.is_zero(addend) && product_zero && f.sign(addend) == product_negative) return f.zero(product_negative);
  Signed r = sum({f.sign(addend), unpack(f, addend)},
                 {product_negative, {ma.mantissa * mb.mantissa, ma.exponent + mb.exponent}});
  if (r.m.mantissa == 0) return f.zero(mode == Round::NegInf);
  r.m.exponent += scale;
  return round_pack(c, f, r.negative, r.m, mode);
}

/// Arm ARM "FPRecipStepFused" and "FPRSqrtStepFused": (constant - a * b) * 2^scale, zero times infinity being zero.
u64 step(FpContext& c, const Format& f, u64 a, u64 b, u64 constant, int scale) {
  const u64 x[2] = {c.input(f, a ^ f.sign_bit()), c.input(f, b)};
  if (const auto nan = c.propagate_nan(f, x)) return *nan;
  if (is_infinity_times_zero(f, x[0], x[1])) return scale == 0 ? constant : f.power_of_two(0) | f.quiet_bit();
  if (f.is_infinity(x[0]) || f.is_infinity(x[1])) return f.infinity(f.sign(x[0]) != f.sign(x[1]));
  return fused(c, f, constant, x[0], x[1], scale);
}

/// Orders finite and infinite values; both zeros are equal.
s64 order(const Format& f, u64 x) {
  const s64 magnitude = static_cast<s64>(f.magnitude(x));
  return f.sign(x) ? -magnitude : magnitude;
}

}  // namespace

u64 add(FpContext& c, const Format& f, u64 a, u64 b) {
  return binary(c, f, Basic::Add, a, b);
}
u64 subtract(FpContext& c, const Format& f, u64 a, u64 b) {
  return binary(c, f, Basic::Sub, a, b);
}
u64 multiply(FpContext& c, const Format& f, u64 a, u64 b) {
  return binary(c, f, Basic::Mul, a, b);
}
u64 divide(FpContext& c, const Format& f, u64 a, u64 b) {
  return binary(c, f, Basic::Div, a, b);
}

u64 multiply_extended(FpContext& c, const Format& f, u64 a, u64 b) {
  a = c.input(f, a);
  b = c.input(f, b);
  if (is_infinity_times_zero(f, a, b)) return f.zero(f.sign(a) != f.sign(b)) | f.power_of_two(1);
  return binary(c, f, Basic::Mul, a, b);
}

u64 square_root(FpContext& c, const Format& f, u64 a) {
  const u64 x[1] = {c.input(f, a)};
  if (const auto nan = c.propagate_nan(f, x)) return *nan;
  return arithmetic(c, f, Basic::Sqrt, x[0], 0);
}

/// Arm ARM "FPMulAdd".
u64 multiply_add(FpContext& c, const Format& f, u64 addend, u64 a, u64 b) {
  const u64 x[3] = {c.input(f, addend), c.input(f, a), c.input(f, b)};
  const auto nan = c.propagate_nan(f, x);
  const bool bad_product = is_infinity_times_zero(f, x[1], x[2]);
  if (bad_product && (!nan || (f.is_nan(x[0]) && !f.is_snan(x[0])))) return invalid(c, f);
  if (nan) return *nan;
  const bool product_negative = f.sign(x[1]) != f.sign(x[2]);
  if (f.is_infinity(x[1]) || f.is_infinity(x[2])) {
    if (f.is_infinity(x[0]) && f.sign(x[0]) != product_negative) return invalid(c, f);
    return f.infinity(product_negative);
  }
  if (f.is_infinity(x[0])) return x[0];
  return fused(c, f, x[0], x[1], x[2], 0);
}

u64 recip_step(FpContext& c, const Format& f, u64 a, u64 b) {
  return step(c, f, a, b, f.power_of_two(1), 0);
}
u64 recip_sqrt_step(FpContext& c, const Format& f, u64 a, u64 b) {
  return step(c, f, a, b, f.power_of_two(1) | f.quiet_bit(), -1);  // 3.0
}

u64 max_min(FpContext& c, const Format& f, u64 a, u64 b, bool want_max) {
  const u64 x[2] = {c.input(f, a), c.input(f, b)};
  if (const auto nan = c.propagate_nan(f, x)) return *nan;
  if (f.is_zero(x[0]) && f.is_zero(x[1])) return want_max ? x[0] & x[1] : x[0] | x[1];
  const bool first_is_greater = order(f, x[0]) > order(f, x[1]);
  return first_is_greater == want_max ? x[0] : x[1];
}

/// Arm ARM "FPMaxNum": a single quiet NaN counts as the infinity that loses.
u64 max_min_number(FpContext& c, const Format& f, u64 a, u64 b, bool want_max) {
  const auto is_qnan = [&](u64 x) { return f.is_nan(x) && !f.is_snan(x); };
  const bool qa = is_qnan(a), qb = is_qnan(b);
  if (qa && !qb) a = f.infinity(want_max);
  if (qb && !qa) b = f.infinity(want_max);
  return max_min(c, f, a, b, want_max);
}

Relation compare(FpContext& c, const Format& f, u64 a, u64 b, bool signal_quiet_nans) {
  a = c.input(f, a);
  b = c.input(f, b);
  if (f.is_nan(a) || f.is_nan(b)) {
    if (signal_quiet_nans || f.is_snan(a) || f.is_snan(b)) c.raise(fpstatus::kInvalid);
    return Relation::Unordered;
  }
  const s64 x = order(f, a), y = order(f, b);
  return x < y ? Relation::Less : x > y ? Relation::Greater : Relation::Equal;
}

}  // namespace tiercel::ir::detail
