// Rounding modes, exception flags, NaN, conversions: what the C library reaches of them.
// flags: -frounding-math -lm
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include "check.h"

static uint64_t bits(double x) {
  uint64_t b;
  memcpy(&b, &x, 8);
  return b;
}
static uint32_t bits32(float x) {
  uint32_t b;
  memcpy(&b, &x, 4);
  return b;
}

int main(void) {
  volatile double one = 1, three = 3, zero = 0, big = DBL_MAX, tiny = DBL_MIN, inf = INFINITY, nan_ = NAN;
  fesetround(FE_TONEAREST);
  CHECK(bits(one / three) == 0x3fd5555555555555);
  fesetround(FE_UPWARD);
  CHECK(bits(one / three) == 0x3fd5555555555556);
  CHECK(lrint(2.5) == 3 && lrint(-2.5) == -2);
  fesetround(FE_DOWNWARD);
  CHECK(bits(-one / three) == 0xbfd5555555555556);
  CHECK(lrint(2.5) == 2 && bits(one - one) == 0x8000000000000000);
  fesetround(FE_TOWARDZERO);
  CHECK(lrint(-2.7) == -2 && fegetround() == FE_TOWARDZERO);
  fesetround(FE_TONEAREST);
  CHECK(lrint(2.5) == 2 && lrint(3.5) == 4);

  feclearexcept(FE_ALL_EXCEPT);
  volatile double r = one / zero;
  CHECK(isinf(r) && fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO);
  feclearexcept(FE_ALL_EXCEPT);
  r = zero / zero;
  CHECK(isnan(r) && fetestexcept(FE_ALL_EXCEPT) == FE_INVALID);
  CHECK(bits(r) == 0x7ff8000000000000);
  feclearexcept(FE_ALL_EXCEPT);
  r = big * 2;
  CHECK(isinf(r) && fetestexcept(FE_ALL_EXCEPT) == (FE_OVERFLOW | FE_INEXACT));
  feclearexcept(FE_ALL_EXCEPT);
  r = tiny / 3;
  CHECK(fetestexcept(FE_ALL_EXCEPT) == (FE_UNDERFLOW | FE_INEXACT));
  feclearexcept(FE_ALL_EXCEPT);
  r = one / three;
  CHECK(fetestexcept(FE_ALL_EXCEPT) == FE_INEXACT);
  feclearexcept(FE_ALL_EXCEPT);
  volatile int less = nan_ < one;
  CHECK(!less && fetestexcept(FE_ALL_EXCEPT) == FE_INVALID);
  feclearexcept(FE_ALL_EXCEPT);
  volatile int equal = nan_ == one;
  CHECK(!equal && fetestexcept(FE_ALL_EXCEPT) == 0);

  // Conversions saturate.
  volatile double large = 1e30, negative = -5.7;
  CHECK((int32_t)large == INT32_MAX && (int64_t)large == INT64_MAX && (uint32_t)large == UINT32_MAX);
  CHECK((uint64_t)negative == 0 && (uint32_t)negative == 0 && (int32_t)negative == -5);
  CHECK((int32_t)nan_ == 0 && (int64_t)-inf == INT64_MIN);
  volatile uint64_t most = UINT64_MAX;
  CHECK(bits((double)most) == 0x43f0000000000000 && bits32((float)most) == 0x5f800000);

  // The payload of a NaN operand is kept and made quiet; the first operand wins.
  uint64_t payload = 0x7ff0000000000123, second = 0x7ff8000000000456, result;
  asm("fmov d0, %1\n fmov d1, %2\n fadd d0, d0, d1\n fmov %0, d0"
      : "=r"(result)
      : "r"(payload), "r"(second)
      : "v0", "v1");
  CHECK(result == 0x7ff8000000000123);
  asm("fmov d0, %1\n fmov d1, %2\n fadd d0, d1, d0\n fmov %0, d0"
      : "=r"(result)
      : "r"(payload), "r"(second)
      : "v0", "v1");
  CHECK(result == 0x7ff8000000000123);
  asm("fmov d0, %1\n fmov d1, %2\n fmaxnm d0, d0, d1\n fmov %0, d0"
      : "=r"(result)
      : "r"(bits(2.0)), "r"(second)
      : "v0", "v1");
  CHECK(result == bits(2.0));
  asm("fmov d0, %1\n fmov d1, %2\n fmax d0, d0, d1\n fmov %0, d0"
      : "=r"(result)
      : "r"(bits(-0.0)), "r"(bits(0.0))
      : "v0", "v1");
  CHECK(result == 0);
  // FPCR.DN makes every NaN the default one, FPCR.FZ flushes.
  uint64_t fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  asm volatile("msr fpcr, %0" ::"r"(fpcr | 1ul << 25));
  asm volatile("fmov d0, %1\n fadd d0, d0, d0\n fmov %0, d0" : "=r"(result) : "r"(payload) : "v0");
  CHECK(result == 0x7ff8000000000000);
  asm volatile("msr fpcr, %0" ::"r"(fpcr | 1ul << 24));
  asm volatile("fmov d0, %1\n fmov d1, #1.0\n fmul d0, d0, d1\n fmov %0, d0" : "=r"(result) : "r"(5ul) : "v0", "v1");
  CHECK(result == 0);
  asm volatile("msr fpcr, %0" ::"r"(fpcr));
  asm volatile("fmov d0, %1\n fmov d1, #1.0\n fmul d0, d0, d1\n fmov %0, d0" : "=r"(result) : "r"(5ul) : "v0", "v1");
  CHECK(result == 5);

  // A fused multiply-add rounds once.
  volatile double a = 1 + 0x1p-30, c = -1;
  CHECK(fma(a, a, c) == 0x1p-29 + 0x1p-60);
  CHECK(bits(sqrt(2.0 * one)) == 0x3ff6a09e667f3bcd);
  CHECK(bits32(sqrtf(2.0f * (float)one)) == 0x3fb504f3);
  CHECK(round(-2.5 * one) == -3 && trunc(-2.5 * one) == -2 && floor(-2.5 * one) == -3 && ceil(-2.5 * one) == -2);
  CHECK(bits(sin(one)) == 0x3feaed548f090cee && bits(exp(one)) == 0x4005bf0a8b145769);
  CHECK(bits(pow(2.5 * one, 3.5)) == 0x4038b4c3cc3e7c32 || fabs(pow(2.5 * one, 3.5) - 24.705294220065465) < 1e-13);
  __fp16 half = (__fp16)(float)(one / three);
  uint16_t half_bits;
  memcpy(&half_bits, &half, 2);
  CHECK(half_bits == 0x3555);
  long double quad = 1.0L / 3;
  CHECK((double)(quad * 3) == 1.0 && sizeof quad == 16);
  char text[64];
  snprintf(text, sizeof text, "%.17g %a %Lg %g", 0.1 * one, one / three, quad, nan_);
  CHECK(!strcmp(text, "0.10000000000000001 0x1.5555555555555p-2 0.333333 nan"));
  return finish();
}
