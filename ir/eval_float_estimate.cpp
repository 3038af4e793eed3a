// Reciprocal and reciprocal square root estimates: 8 result bits, exactly as the Arm ARM's functions compute them.
#include "ir/eval_float.h"

namespace tiercel::ir::detail {
namespace {

constexpr u64 kTopFraction = u64{1} << 51;
constexpr u64 kFractionMask = low_mask(52);

/// The fraction as if the format were double precision.
u64 double_fraction(const Format& f, u64 x) {
  return f.fraction(x) << (52 - f.frac_bits);
}

u64 pack(const Format& f, bool negative, int exponent, u64 fraction) {
  return f.zero(negative) | static_cast<u64>(exponent) << f.frac_bits | fraction >> (52 - f.frac_bits);
}

/// The reciprocal of a number this small overflows: below 2^-128, below 2^-1024.
bool reciprocal_overflows(const Format& f, u64 x) {
  return f.magnitude(x) < u64{1} << (f.frac_bits - 2);
}
/// The reciprocal of a number this large is subnormal: from 2^126, from 2^1022 on.
bool reciprocal_is_subnormal(const Format& f, u64 x) {
  return f.exponent(x) >= f.max_exp() - 2;
}

}  // namespace

u32 recip_estimate(u32 a) {
  a = a * 2 + 1;  // round to nearest
  const u32 b = (1u << 19) / a;
  return (b + 1) / 2;
}

u32 recip_sqrt_estimate(u32 a) {
  if (a < 256)
    a = a * 2 + 1;
  else
    a = ((a >> 1 << 1) + 1) * 2;
  u32 b = 512;
  while (u64{a} * (b + 1) * (b + 1) < u64{1} << 28) ++b;
  return (b + 1) / 2;
}

/// Arm ARM "FPRecipEstimate".
u64 recip_estimate(FpContext& c, const Format& f, u64 a) {
  const u64 x[1] = {c.input(f, a)};
  const bool negative = f.sign(x[0]);
  if (const auto nan = c.propagate_nan(f, x)) return *nan;
  if (f.is_infinity(x[0])) return f.zero(negative);
  if (f.is_zero(x[0])) {
    c.raise(fpstatus::kDivByZero);
    return f.infinity(negative);
  }
  if (reciprocal_overflows(f, x[0])) {
    const Round mode = c.rounding(Round::Current);
    c.raise(fpstatus::kOverflow | fpstatus::kInexact);
    const bool to_infinity = mode == Round::TieEven || mode == (negative ? Round::NegInf : Round::PosInf);
    return to_infinity ? f.infinity(negative) : f.max_normal(negative);
  }
  if (c.rules().flush && reciprocal_is_subnormal(f, x[0])) {
    c.raise(fpstatus::kUnderflow);
    return f.zero(negative);
  }
  u64 fraction = double_fraction(f, x[0]);
  int exponent = static_cast<int>(f.exponent(x[0]));
  if (exponent == 0) {
    if (fraction & kTopFraction) {
      fraction = fraction << 1 & kFractionMask;
    } else {
      exponent = -1;
      fraction = fraction << 2 & kFractionMask;
    }
  }
  const u32 estimate = recip_estimate(256 | static_cast<u32>(fraction >> 44));
  int result_exponent = 2 * f.bias() - 1 - exponent;
  fraction = u64{estimate & 0xff} << 44;
  if (result_exponent == 0) {
    fraction = kTopFraction | fraction >> 1;
  } else if (result_exponent == -1) {
    fraction = kTopFraction >> 1 | fraction >> 2;
    result_exponent = 0;
  }
  return pack(f, negative, result_exponent, fraction);
}

/// Arm ARM "FPRSqrtEstimate".
u64 recip_sqrt_estimate(FpContext& c, const Format& f, u64 a) {
  const u64 x[1] = {c.input(f, a)};
  const bool negative = f.sign(x[0]);
  if (const auto nan = c.propagate_nan(f, x)) return *nan;
  if (f.is_zero(x[0])) {
    c.raise(fpstatus::kDivByZero);
    return f.infinity(negative);
  }
  if (negative) {
    c.raise(fpstatus::kInvalid);
    return c.default_nan(f);
  }
  if (f.is_infinity(x[0])) return f.zero(false);
  u64 fraction = double_fraction(f, x[0]);
  int exponent = static_cast<int>(f.exponent(x[0]));
  if (exponent == 0) {
    while (!(fraction & kTopFraction)) {
      fraction <<= 1;
      --exponent;
    }
    fraction = fraction << 1 & kFractionMask;
  }
  const u32 scaled = exponent & 1 ? 128 | static_cast<u32>(fraction >> 45) : 256 | static_cast<u32>(fraction >> 44);
  const int result_exponent = (3 * f.bias() - 1 - exponent) / 2;
  return pack(f, false, result_exponent, u64{recip_sqrt_estimate(scaled) & 0xff} << 44);
}

/// Arm ARM "FPRecpX".
u64 recip_exponent(FpContext& c, const Format& f, u64 a) {
  const u64 x[1] = {c.input(f, a)};
  if (const auto nan = c.propagate_nan(f, x)) return *nan;
  const u64 exponent = f.exponent(a);
  return f.zero(f.sign(a)) | (exponent == 0 ? f.max_exp() - 1 : ~exponent & f.max_exp()) << f.frac_bits;
}

}  // namespace tiercel::ir::detail
