// Floating point on bit patterns, after the Arm ARM's shared/functions/float pseudocode. Private to ir/eval*.cpp.
//
// Addition, subtraction, multiplication, division and square root use the host's SSE instructions under the calling
// thread's MXCSR; everything else is integer arithmetic here. Both accumulate exceptions in MXCSR. The host looks at
// the result after rounding to decide what is tiny, Arm at the exact result before: arithmetic() repairs that.
#pragma once

#include <optional>
#include <span>

#include "ir/eval_internal.h"

namespace tiercel::ir::detail {

struct Format {
  unsigned exp_bits, frac_bits;
  constexpr unsigned width() const { return 1 + exp_bits + frac_bits; }
  constexpr u64 sign_bit() const { return u64{1} << (width() - 1); }
  constexpr u64 max_exp() const { return low_mask(exp_bits); }
  constexpr int bias() const { return static_cast<int>(max_exp() >> 1); }
  constexpr u64 quiet_bit() const { return u64{1} << (frac_bits - 1); }
  constexpr u64 min_normal() const { return u64{1} << frac_bits; }

  constexpr bool sign(u64 x) const { return x & sign_bit(); }
  constexpr u64 exponent(u64 x) const { return x >> frac_bits & max_exp(); }
  constexpr u64 fraction(u64 x) const { return x & low_mask(frac_bits); }
  constexpr u64 magnitude(u64 x) const { return x & (sign_bit() - 1); }

  constexpr u64 zero(bool negative) const { return negative ? sign_bit() : 0; }
  constexpr u64 infinity(bool negative) const { return zero(negative) | max_exp() << frac_bits; }
  constexpr u64 max_normal(bool negative) const { return infinity(negative) - 1; }
  /// 1.0, 2.0, 4.0 for n = 0, 1, 2
  constexpr u64 power_of_two(int n) const { return static_cast<u64>(bias() + n) << frac_bits; }

  constexpr bool is_zero(u64 x) const { return magnitude(x) == 0; }
  constexpr bool is_subnormal(u64 x) const { return exponent(x) == 0 && fraction(x) != 0; }
  constexpr bool is_infinity(u64 x) const { return magnitude(x) == infinity(false); }
  constexpr bool is_nan(u64 x) const { return magnitude(x) > infinity(false); }
  constexpr bool is_snan(u64 x) const { return is_nan(x) && !(x & quiet_bit()); }
};
inline constexpr Format kHalf{5, 10}, kSingle{8, 23}, kDouble{11, 52};
constexpr const Format& format(unsigned bits) {
  return bits == 64 ? kDouble : bits == 32 ? kSingle : kHalf;
}

u32 read_mxcsr();
void write_mxcsr(u32 v);

/// One PureFp operation under way: its rules, and the exceptions that wait to be added to MXCSR.
class FpContext {
 public:
  FpContext(FpRules rules, FpEnv& env) : rules_(rules), env_(env) {}
  FpContext(const FpContext&) = delete;
  FpContext& operator=(const FpContext&) = delete;
  ~FpContext() {
    if (raised_ != 0) commit();
  }

  const FpRules& rules() const { return rules_; }
  void raise(u32 status) { raised_ |= status; }
  /// The mode to use for `wanted`, looking Current up in MXCSR.
  Round rounding(Round wanted) const;

  u64 default_nan(const Format& f) const { return f.infinity(rules_.x86_nans) | f.quiet_bit(); }
  /// Arm ARM "FPUnpack": a subnormal input counts as zero when flushing.
  u64 input(const Format& f, u64 x) {
    if (!rules_.flush || !f.is_subnormal(x)) return x;
    raise(fpstatus::kInputDenormal);
    return f.zero(f.sign(x));
  }
  /// Arm ARM "FPProcessNaNs" and its one and three operand forms: the result if any operand is a NaN.
  std::optional<u64> propagate_nan(const Format& f, std::span<const u64> operands);

 private:
  void commit();

  FpRules rules_;
  FpEnv& env_;
  u32 raised_ = 0;
};

/// A finite nonzero magnitude: mantissa * 2^exponent.
struct Magnitude {
  UWide mantissa;
  int exponent;
};
Magnitude unpack(const Format& f, u64 x);

/// mantissa >> shift and what fell off. shift >= 1.
struct Split {
  UWide whole;
  bool half, rest;  // the bit below the last kept one; any bit below that
  bool inexact() const { return half || rest; }
};
Split split(UWide mantissa, int shift);
bool rounds_away(const Split& s, Round mode, bool negative);

/// Arm ARM "FPRound": the exact value +-m (m nonzero, below 2^127; its lowest bit may stand for everything below it).
u64 round_pack(FpContext& c, const Format& f, bool negative, Magnitude m, Round mode, bool alt_half = false);

// One lane each; operands and results are bit patterns.
u64 add(FpContext& c, const Format& f, u64 a, u64 b);
u64 subtract(FpContext& c, const Format& f, u64 a, u64 b);
u64 multiply(FpContext& c, const Format& f, u64 a, u64 b);
u64 multiply_extended(FpContext& c, const Format& f, u64 a, u64 b);
u64 divide(FpContext& c, const Format& f, u64 a, u64 b);
u64 square_root(FpContext& c, const Format& f, u64 a);
u64 multiply_add(FpContext& c, const Format& f, u64 addend, u64 a, u64 b);
u64 recip_step(FpContext& c, const Format& f, u64 a, u64 b);
u64 recip_sqrt_step(FpContext& c, const Format& f, u64 a, u64 b);
u64 max_min(FpContext& c, const Format& f, u64 a, u64 b, bool want_max);
u64 max_min_number(FpContext& c, const Format& f, u64 a, u64 b, bool want_max);
u64 recip_exponent(FpContext& c, const Format& f, u64 a);
u64 recip_estimate(FpContext& c, const Format& f, u64 a);
u64 recip_sqrt_estimate(FpContext& c, const Format& f, u64 a);

enum class Relation : u8 { Less, Equal, Greater, Unordered };
Relation compare(FpContext& c, const Format& f, u64 a, u64 b, bool signal_quiet_nans);

u64 round_to_integral(FpContext& c, const Format& f, u64 a, Round mode, bool signal_inexact);
u64 convert(FpContext& c, const Format& from, const Format& to, u64 a, Round mode);
u64 to_integer(FpContext& c, const Format& f, u64 a, unsigned width, bool is_unsigned, unsigned fraction_bits,
               Round mode);
u64 from_integer(FpContext& c, const Format& f, u64 a, unsigned width, bool is_unsigned, unsigned fraction_bits);

}  // namespace tiercel::ir::detail
