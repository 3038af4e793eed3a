// Blocks that the fast tier once got wrong, found by the random IR of x64_random_test.cpp and cut down. Each is
// compared with the interpreter, on the host's features and on the least host.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "ir/parser.h"
#include "ir/verifier.h"
#include "tests/backend/harness.h"

namespace tiercel::backend::test {
namespace {

State random_state(std::mt19937_64& random) {
  State s;
  for (u32 i = 0; i + 8 <= kStateSize; i += 8) {
    const u64 v = random();
    std::memcpy(s.bytes + i, &v, 8);
  }
  const u16 flags = ir::flags_from_nzcv(random() & 15);
  std::memcpy(s.bytes + slots()[kFlags].offset, &flags, 2);
  return s;
}

void expect_same(const std::string& insts) {
  const std::string text = "block(pc=0x1000, end=0x1004):\n" + insts + "jump 0x1004\n";
  const Result<ir::Function> f = ir::parse(text, slots());
  ASSERT_TRUE(f) << f.error().message;
  ir::verify_or_die(*f, slots(), "parsing");
  std::mt19937_64 random(1);
  for (const HostFeatures& features : {HostFeatures::detect(), HostFeatures{}}) {
    Machine machine(features);
    for (int i = 0; i < 8; ++i) {
      const std::string difference = machine.compare(*f, random_state(random));
      ASSERT_TRUE(difference.empty()) << difference;
    }
  }
}

/// `inst` makes %4 from %3, whose register has bits above the 32 of its type; r12 has no register.
void expect_clean(const char* inst) {
  expect_same(std::string("%0 = get r0\n"
                          "%1 = get r1\n"
                          "%2 = add.i64 %0, %1\n"
                          "%3 = trunc.i32 %2\n") +
              inst + "set r12, %4\n");
}

TEST(X64Cases, ShiftByNothingDoesNotClearTheUpperHalf) {
  expect_clean("%4 = shl.i32 %3, 0\n");
  expect_clean("%4 = sar.i32 %3, 0\n");
}
TEST(X64Cases, WholeFieldDoesNotClearTheUpperHalf) {
  expect_clean("%4 = ubfx.i32 %3, 0, 32\n");
  expect_clean("%4 = sbfx.i32 %3, 0, 32\n");
  expect_clean("%4 = bfi.i32 7, %3, 0, 32\n");
}
TEST(X64Cases, ExtractionByNothingDoesNotClearTheUpperHalf) {
  expect_clean("%4 = extr.i32 7, %3, 0\n");
}

TEST(X64Cases, NarrowGetOfAVectorSlotClearsWhatIsAboveIt) {
  expect_same(
      "%0 = get.i16 v0\n"
      "set r0, %0\n"
      "%1 = get.i8 v1\n"
      "set r1, %1\n");
}
TEST(X64Cases, NarrowSignedLoadLeavesNothingAboveItsType) {
  expect_same(
      "%0 = load.i16 0x200000000000, s8\n"
      "set r0, %0\n"
      "%1 = load.i16 0x200000000008, s16\n"
      "set r12, %1\n"
      "%2 = load.i8 0x200000000010, s8\n"
      "set v0, %2\n");
}

TEST(X64Cases, StoreReleaseWithAScaledIndexAndConstants) {
  expect_same(
      "%0 = get.i8 v0\n"
      "store.i8 0x200000000000 + 48 << 4, %0, release, aligned\n");
}
TEST(X64Cases, HelperOperandsThatAreAllInMemory) {
  expect_same(
      "%0 = get r12\n"
      "%1 = get r13\n"
      "%2 = get r14\n"
      "%3 = get.i64 v0\n"
      "callhelper 0, %0, %1, 0x200000000000, %2\n"
      "callhelper 1, %3\n"
      "set r0, %0\n"
      "set r2, %1\n"
      "set r3, %2\n");
}
TEST(X64Cases, ComparisonOfTwoConditions) {
  expect_same(
      "%0 = get.i32 v29\n"
      "%1 = flags.logic %0\n"
      "%2 = flags.cond %1, lt\n"
      "%3 = flags.cond %1, mi\n"
      "%4 = cmpltu %2, %3\n"
      "set v11, %4\n"
      "%5 = cmpeq 0:i64, 0:i64\n"
      "%6 = flags.logic 0:i64\n"
      "%7 = flags.cond %6, hi\n"
      "%8 = cmples %5, %7\n"
      "set r6, %8\n");
}

TEST(X64Cases, SubtractionOfTwoGetsOfOneSlotIntoIt) {
  expect_same(
      "%0 = get r1\n"
      "%1 = get r1\n"
      "%2 = sub.i64 %0, %1\n"
      "set r1, %2\n");
}

TEST(X64Cases, CarryFromAConditionOnFlagsThatEndHere) {
  expect_same(
      "%0 = get r0\n"
      "%1 = get r1\n"
      "%2 = get r12\n"
      "%3 = get r13\n"
      "%4 = flags.sub %0, %1\n"
      "%5 = flags.cond %4, gt\n"
      "%6 = flags.adc %2, %3, %5\n"
      "set fl, %6\n"
      "set r0, %2\n"
      "set r1, %3\n");
}

TEST(X64Cases, SavedFpFlagsServeAConditionTheyWereNotMadeFor) {
  expect_same(
      "%0 = get.f64 v0\n"
      "%1 = get.f64 v1\n"
      "%2 = flags.fcmp %0, %1, 0\n"
      "%3 = flags.cond %2, ge\n"
      "%4 = flags.cond %2, pl\n"
      "set fl, %2\n"
      "set r0, %4\n"
      "set r1, %3\n"
      "%5 = get r2\n"
      "%6 = get r3\n"
      "%7 = shl.i64 %5, %6\n"
      "set r3, %7\n");
}

}  // namespace
}  // namespace tiercel::backend::test
