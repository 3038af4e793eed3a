// MXCSR, the host's control and status register of floating point (Intel SDM vol. 1 "MXCSR Control and Status
// Register").
#pragma once

#include <immintrin.h>

#include "base/types.h"

namespace tiercel::mxcsr {

/// Exceptions seen; each is masked by the bit kMaskShift above.
inline constexpr u32 kInvalid = 1, kDenormal = 2, kDivByZero = 4, kOverflow = 8, kUnderflow = 16, kInexact = 32,
                     kFlags = 0x3f;
/// Those that other machines know as well: but for kDenormal.
inline constexpr u32 kCommonFlags = kFlags & ~kDenormal;
inline constexpr unsigned kMaskShift = 7, kRoundingShift = 13;
inline constexpr u32 kMasks = kFlags << kMaskShift;
inline constexpr u32 kRounding = 3u << kRoundingShift;
/// Subnormal operands count as zeros ("denormals are zeros"); tiny results become zeros ("flush to zero").
inline constexpr u32 kZeroOperands = 0x40, kZeroResults = 0x8000;

/// The control that C++ code wants: `value` with everything masked and without flushing.
constexpr u32 plain(u32 value) {
  return (value | kMasks) & ~(kZeroOperands | kZeroResults);
}

/// While it lives the calling thread's control is that of C++ code, with the rounding and the exceptions seen as they
/// are; those seen at its end stay.
class Plain {
 public:
  Plain() : outside_(_mm_getcsr()) { _mm_setcsr(plain(outside_)); }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  ~Plain() { _mm_setcsr((outside_ & ~kCommonFlags) | (_mm_getcsr() & kCommonFlags)); }

 private:
  const u32 outside_;
};

/// While it lives the calling thread computes with the rounding and the exceptions seen of `value`, which then gets
/// those seen at its end.
class Lent {
 public:
  explicit Lent(u32& value) : value_(value), outside_(_mm_getcsr()) { _mm_setcsr(plain(value)); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() {
    value_ = (value_ & ~kCommonFlags) | (_mm_getcsr() & kCommonFlags);
    _mm_setcsr(outside_);
  }

 private:
  u32& value_;
  const u32 outside_;
};

}  // namespace tiercel::mxcsr
