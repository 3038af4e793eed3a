// bench: class=integer flags=-O2 iterations=200 quick=20
// Modular exponentiation of 1024-bit numbers (Montgomery multiplication, 64-bit limbs) and decimal printing by long
// division.
#include <string.h>

#include "kernel.h"

enum { kLimbs = 16 };
typedef unsigned __int128 u128;

static uint64_t negative_inverse(uint64_t odd) {
  uint64_t x = odd;  // Newton: five steps double 3 right bits to 96
  for (int i = 0; i < 5; i++) x *= 2 - odd * x;
  return -x;
}

static void montgomery(uint64_t* out, const uint64_t* a, const uint64_t* b, const uint64_t* m, uint64_t inverse) {
  uint64_t t[kLimbs + 2] = {0};
  for (int i = 0; i < kLimbs; i++) {
    u128 carry = 0;
    for (int j = 0; j < kLimbs; j++) {
      carry += (u128)a[j] * b[i] + t[j];
      t[j] = (uint64_t)carry;
      carry >>= 64;
    }
    carry += t[kLimbs];
    t[kLimbs] = (uint64_t)carry;
    t[kLimbs + 1] = (uint64_t)(carry >> 64);
    uint64_t q = t[0] * inverse;
    carry = ((u128)q * m[0] + t[0]) >> 64;
    for (int j = 1; j < kLimbs; j++) {
      carry += (u128)q * m[j] + t[j];
      t[j - 1] = (uint64_t)carry;
      carry >>= 64;
    }
    carry += t[kLimbs];
    t[kLimbs - 1] = (uint64_t)carry;
    t[kLimbs] = t[kLimbs + 1] + (uint64_t)(carry >> 64);
  }
  uint64_t borrow = 0, reduced[kLimbs];
  for (int i = 0; i < kLimbs; i++) {
    u128 d = (u128)t[i] - m[i] - borrow;
    reduced[i] = (uint64_t)d;
    borrow = (uint64_t)(d >> 64) & 1;
  }
  memcpy(out, t[kLimbs] || !borrow ? reduced : t, sizeof reduced);
}

static uint64_t divide_small(uint32_t* number, int words, uint32_t divisor) {
  uint64_t rest = 0;
  for (int i = words; i-- > 0;) {
    rest = rest << 32 | number[i];
    number[i] = (uint32_t)(rest / divisor);
    rest %= divisor;
  }
  return rest;
}

int main(int argc, char** argv) {
  uint64_t modulus[kLimbs], base[kLimbs], result[kLimbs], sum = 0;
  uint32_t seed = 99;
  for (int i = 0; i < kLimbs; i++) {
    modulus[i] = (uint64_t)kernel_random(&seed) << 32 | kernel_random(&seed);
    base[i] = (uint64_t)kernel_random(&seed) << 32 | kernel_random(&seed);
  }
  modulus[0] |= 1;
  modulus[kLimbs - 1] |= 1ull << 63;
  uint64_t inverse = negative_inverse(modulus[0]);
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    memcpy(result, base, sizeof result);
    for (int bit = 0; bit < 512; bit++) {
      montgomery(result, result, result, modulus, inverse);
      if (base[bit / 64] >> (bit % 64) & 1) montgomery(result, result, base, modulus, inverse);
    }
    uint32_t digits[2 * kLimbs];
    memcpy(digits, result, sizeof digits);
    for (int i = 0; i < 35; i++) sum = kernel_mix(sum, divide_small(digits, 2 * kLimbs, 1000000000));
    base[n % kLimbs] ^= result[0];
  }
  return kernel_result(sum);
}
