// FCMP and FCMPE under FPCR.FZ: subnormals compare as zeros and raise Input Denormal (FPSR bit 7), the smallest normal
// number does neither (Arm ARM, "Flushing denormalized numbers to zero").
#include <stdint.h>

#include "check.h"

struct Outcome {
  unsigned nzcv, fpsr;
};

#define COMPARE(name, type, insn, reg)                                           \
  static struct Outcome name(type a, type b) {                                   \
    uint64_t flags, status;                                                      \
    __asm__ volatile("msr fpcr, %4\n msr fpsr, xzr\n " insn " %" reg "2, %" reg  \
                     "3\n mrs %0, nzcv\n mrs %1, fpsr\n msr fpcr, xzr"           \
                     : "=&r"(flags), "=&r"(status)                               \
                     : "w"(a), "w"(b), "r"(UINT64_C(1) << 24)                    \
                     : "cc");                                                    \
    return (struct Outcome){(unsigned)(flags >> 28), (unsigned)(status & 0x9f)}; \
  }
COMPARE(quiet_double, double, "fcmp", "d")
COMPARE(quiet_single, float, "fcmp", "s")
COMPARE(loud_double, double, "fcmpe", "d")
COMPARE(loud_single, float, "fcmpe", "s")

enum { kLess = 8, kEqual = 6, kGreater = 2, kUnordered = 3, kInvalid = 1, kInputDenormal = 0x80 };

static int gives(struct Outcome o, unsigned nzcv, unsigned fpsr) {
  return o.nzcv == nzcv && o.fpsr == fpsr;
}

int main(void) {
  CHECK(gives(quiet_double(0x1p-1074, 0.0), kEqual, kInputDenormal));
  CHECK(gives(quiet_double(-0x1p-1074, 0x1.8p-1023), kEqual, kInputDenormal));
  CHECK(gives(quiet_double(0x1p-1022, 0.0), kGreater, 0));
  CHECK(gives(quiet_double(-0x1p-1022, 0x1p-1074), kLess, kInputDenormal));
  CHECK(gives(quiet_double(1.0, 0x1p-1074), kGreater, kInputDenormal));
  CHECK(gives(quiet_double(0x1p-1074, __builtin_nan("")), kUnordered, kInputDenormal));
  CHECK(gives(loud_double(0x1p-1074, __builtin_nan("")), kUnordered, kInputDenormal | kInvalid));
  CHECK(gives(loud_double(-1.0, 2.0), kLess, 0));
  CHECK(gives(quiet_single(0x1p-149f, 0.0f), kEqual, kInputDenormal));
  CHECK(gives(quiet_single(0x1p-126f, -0x1p-149f), kGreater, kInputDenormal));
  CHECK(gives(quiet_single(-0x1p-126f, 0.0f), kLess, 0));
  CHECK(gives(loud_single(0x1p-130f, __builtin_nanf("")), kUnordered, kInputDenormal | kInvalid));
  CHECK(gives(loud_single(3.0f, 3.0f), kEqual, 0));
  return finish();
}
