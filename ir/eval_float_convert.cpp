// Conversions between formats, to integral values, and to and from integers.
#include "ir/eval_float.h"

namespace tiercel::ir::detail {
namespace {

/// Arm ARM "FPConvertNaN": the payload keeps its top bits.
u64 convert_nan(FpContext& c, const Format& from, const Format& to, u64 a) {
  if (c.rules().default_nan) return c.default_nan(to);
  const u64 fraction = from.frac_bits > to.frac_bits ? from.fraction(a) >> (from.frac_bits - to.frac_bits)
                                                     : from.fraction(a) << (to.frac_bits - from.frac_bits);
  return to.infinity(from.sign(a)) | to.quiet_bit() | fraction;
}

}  // namespace

/// Arm ARM "FPConvert".
u64 convert(FpContext& c, const Format& from, const Format& to, u64 a, Round mode) {
  if (from.width() != 16) a = c.input(from, a);  // FZ does not cover half precision
  const bool negative = from.sign(a);
  const bool from_alt = from.width() == 16 && c.rules().alt_half, to_alt = to.width() == 16 && c.rules().alt_half;
  if (from.is_nan(a) && !from_alt) {
    if (from.is_snan(a) || to_alt) c.raise(fpstatus::kInvalid);
    return to_alt ? to.zero(negative) : convert_nan(c, from, to, a);
  }
  if (from.is_infinity(a) && !from_alt) {
    if (!to_alt) return to.infinity(negative);
    c.raise(fpstatus::kInvalid);
    return to.zero(negative) | low_mask(to.width() - 1);
  }
  if (from.is_zero(a)) return to.zero(negative);
  return round_pack(c, to, negative, unpack(from, a), mode, to_alt);
}

/// Arm ARM "FPRoundInt".
u64 round_to_integral(FpContext& c, const Format& f, u64 a, Round mode, bool signal_inexact) {
  const u64 x[1] = {c.input(f, a)};
  if (const auto nan = c.propagate_nan(f, x)) return *nan;
  if (f.is_zero(x[0]) || f.is_infinity(x[0])) return x[0];
  const bool negative = f.sign(x[0]);
  const Magnitude m = unpack(f, x[0]);
  if (m.exponent >= 0) return x[0];
  const Split s = split(m.mantissa, -m.exponent);
  const UWide whole = s.whole + (rounds_away(s, mode, negative) ? 1 : 0);
  if (s.inexact() && signal_inexact) c.raise(fpstatus::kInexact);
  if (whole == 0) return f.zero(negative);
  return round_pack(c, f, negative, {whole, 0}, Round::Zero);  // exact
}

/// Arm ARM "FPToFixed".
u64 to_integer(FpContext& c, const Format& f, u64 a, unsigned width, bool is_unsigned, unsigned fraction_bits,
               Round mode) {
  const u64 x = c.input(f, a);
  if (f.is_nan(x)) {
    c.raise(fpstatus::kInvalid);
    return 0;
  }
  if (f.is_zero(x)) return 0;
  const bool negative = f.sign(x);
  const Magnitude m = unpack(f, x);
  const int exponent = m.exponent + static_cast<int>(fraction_bits);
  Split s{0, false, false};
  if (f.is_infinity(x) || exponent > 64)
    s.whole = UWide{1} << 100;  // out of any range
  else
    s = exponent >= 0 ? Split{m.mantissa << exponent, false, false} : split(m.mantissa, -exponent);
  const Wide whole = static_cast<Wide>(s.whole) + (rounds_away(s, mode, negative) ? 1 : 0);
  const Saturated r = saturate(negative ? -whole : whole, width, !is_unsigned);
  if (r.hit)
    c.raise(fpstatus::kInvalid);
  else if (s.inexact())
    c.raise(fpstatus::kInexact);
  return r.value & low_mask(width);
}

/// Arm ARM "FixedToFP".
u64 from_integer(FpContext& c, const Format& f, u64 a, unsigned width, bool is_unsigned, unsigned fraction_bits) {
  const bool negative = !is_unsigned && (a >> (width - 1) & 1);
  const u64 magnitude = (negative ? 0 - a : a) & low_mask(width);
  if (magnitude == 0) return 0;
  return round_pack(c, f, negative, {magnitude, -static_cast<int>(fraction_bits)}, c.rounding(Round::Current));
}

}  // namespace tiercel::ir::detail
