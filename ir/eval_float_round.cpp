// What every floating-point operation shares: the host's control word, NaNs, unpacking and rounding.
#include <algorithm>
#include <bit>

#include "ir/eval_float.h"

namespace tiercel::ir::detail {
namespace {

// MXCSR, Intel SDM vol. 1 "MXCSR Control and Status Register".
constexpr u32 kMxInvalid = 1, kMxDivByZero = 4, kMxOverflow = 8, kMxUnderflow = 16, kMxInexact = 32;
constexpr unsigned kMxRoundingShift = 13;

int top_bit(UWide v) {
  const u64 hi = static_cast<u64>(v >> 64), lo = static_cast<u64>(v);
  return hi != 0 ? 127 - std::countl_zero(hi) : 63 - std::countl_zero(lo);
}

}  // namespace

// Volatile: ordered against each other and against the arithmetic in eval_float_arithmetic.cpp.
u32 read_mxcsr() {
  u32 v;
  asm volatile("stmxcsr %0" : "=m"(v));
  return v;
}
void write_mxcsr(u32 v) {
  asm volatile("ldmxcsr %0" : : "m"(v));
}

void FpContext::commit() {
  u32 mx = 0;
  if (raised_ & fpstatus::kInvalid) mx |= kMxInvalid;
  if (raised_ & fpstatus::kDivByZero) mx |= kMxDivByZero;
  if (raised_ & fpstatus::kOverflow) mx |= kMxOverflow;
  if (raised_ & fpstatus::kUnderflow) mx |= kMxUnderflow;
  if (raised_ & fpstatus::kInexact) mx |= kMxInexact;
  if (mx != 0) write_mxcsr(read_mxcsr() | mx);
  if ((raised_ & fpstatus::kInputDenormal) && env_.extra != nullptr) *env_.extra |= fpstatus::kInputDenormal;
}

Round FpContext::rounding(Round wanted) const {
  if (wanted != Round::Current) return wanted;
  constexpr Round kModes[] = {Round::TieEven, Round::NegInf, Round::PosInf, Round::Zero};
  return kModes[read_mxcsr() >> kMxRoundingShift & 3];
}

std::optional<u64> FpContext::propagate_nan(const Format& f, std::span<const u64> operands) {
  const auto quiet = [&](u64 x) { return rules_.default_nan ? default_nan(f) : x | f.quiet_bit(); };
  const auto nan = std::ranges::find_if(operands, [&](u64 x) { return f.is_nan(x); });
  if (nan == operands.end()) return std::nullopt;
  const auto snan = std::ranges::find_if(operands, [&](u64 x) { return f.is_snan(x); });
  if (snan == operands.end()) return quiet(*nan);
  raise(fpstatus::kInvalid);
  return quiet(rules_.x86_nans ? *nan : *snan);
}

Magnitude unpack(const Format& f, u64 x) {
  const int exponent = static_cast<int>(f.exponent(x)), lowest = 1 - f.bias() - static_cast<int>(f.frac_bits);
  if (exponent == 0) return {f.fraction(x), lowest};
  return {f.fraction(x) | f.min_normal(), lowest + exponent - 1};
}

Split split(UWide mantissa, int shift) {
  if (shift > 127) return {0, false, mantissa != 0};
  return {mantissa >> shift, static_cast<bool>(mantissa >> (shift - 1) & 1),
          (mantissa & ((UWide{1} << (shift - 1)) - 1)) != 0};
}

bool rounds_away(const Split& s, Round mode, bool negative) {
  switch (mode) {
    case Round::TieEven:
      return s.half && (s.rest || (s.whole & 1));
    case Round::TieAway:
      return s.half;
    case Round::PosInf:
      return s.inexact() && !negative;
    case Round::NegInf:
      return s.inexact() && negative;
    case Round::Zero:
    case Round::Odd:
      return false;
    case Round::Current:
      break;
  }
  UNREACHABLE();
}

u64 round_pack(FpContext& c, const Format& f, bool negative, Magnitude m, Round mode, bool alt_half) {
  const int min_exp = 1 - f.bias(), exponent = top_bit(m.mantissa) + m.exponent;
  const bool subnormal = exponent < min_exp;
  if (subnormal && c.rules().flush && f.width() != 16) {  // FZ does not cover half precision
    c.raise(fpstatus::kUnderflow);
    return f.zero(negative);
  }
  const int shift = std::max(exponent, min_exp) - static_cast<int>(f.frac_bits) - m.exponent;
  const Split s = shift > 0 ? split(m.mantissa, shift) : Split{m.mantissa << -shift, false, false};
  if (subnormal && s.inexact()) c.raise(fpstatus::kUnderflow);
  u64 kept = static_cast<u64>(s.whole) + (rounds_away(s, mode, negative) ? 1 : 0);
  if (mode == Round::Odd && s.inexact()) kept |= 1;
  // The integer bit adds one to the exponent field, and so does a carry out of the fraction.
  const u64 biased = subnormal ? 0 : static_cast<u64>(exponent - min_exp);
  const u64 magnitude = (biased << f.frac_bits) + kept;
  if (alt_half) {
    if (magnitude > low_mask(f.width() - 1)) {
      c.raise(fpstatus::kInvalid);
      return f.zero(negative) | low_mask(f.width() - 1);
    }
  } else if (magnitude >= f.infinity(false)) {
    c.raise(fpstatus::kOverflow | fpstatus::kInexact);
    const bool away =
        mode == Round::TieEven || mode == Round::TieAway || mode == (negative ? Round::NegInf : Round::PosInf);
    return away ? f.infinity(negative) : f.max_normal(negative);
  }
  if (s.inexact()) c.raise(fpstatus::kInexact);
  return f.zero(negative) | magnitude;
}

}  // namespace tiercel::ir::detail
