#include "tests/ir/eval_helper.h"

namespace tiercel::ir {
namespace {

using enum Opcode;
constexpr Type kW = Type::I32, kX = Type::I64;
constexpr u64 kMin64 = u64{1} << 63;

TEST(EvalInteger, ResultsWrapToTheType) {
  EXPECT_EQ(scalar(Add, kW, {0xffffffff, 2}), 1u);
  EXPECT_EQ(scalar(Sub, kW, {0, 1}), 0xffffffffu);
  EXPECT_EQ(scalar(Mul, kW, {0x10000, 0x10000}), 0u);
  EXPECT_EQ(scalar(Neg, kX, {1}), ~u64{0});
  EXPECT_EQ(scalar(Not, Type::I1, {1}), 0u);
  EXPECT_EQ(scalar(OrNot, kW, {0, 1}), 0xfffffffeu);
}

TEST(EvalInteger, CarriesAndBorrows) {
  EXPECT_EQ(scalar(Adc, kX, {~u64{0}, 0, 1}), 0u);
  EXPECT_EQ(scalar(Sbc, kX, {5, 3, 1}), 2u);
  EXPECT_EQ(scalar(Sbc, kX, {5, 3, 0}), 1u);
}

TEST(EvalInteger, HighHalves) {
  EXPECT_EQ(scalar(MulHiU, kX, {~u64{0}, ~u64{0}}), ~u64{0} - 1);
  EXPECT_EQ(scalar(MulHiS, kX, {~u64{0}, ~u64{0}}), 0u);
  EXPECT_EQ(scalar(MulHiS, kX, {kMin64, 2}), ~u64{0});
  EXPECT_EQ(scalar(MulHiU, kW, {0x80000000, 4}), 2u);
}

TEST(EvalInteger, DivisionNeverTraps) {
  EXPECT_EQ(scalar(DivU, kX, {7, 0}), 0u);
  EXPECT_EQ(scalar(DivS, kX, {7, 0}), 0u);
  EXPECT_EQ(scalar(DivS, kX, {kMin64, ~u64{0}}), kMin64);
  EXPECT_EQ(scalar(DivS, kW, {0x80000000, 0xffffffff}), 0x80000000u);
  EXPECT_EQ(scalar(DivS, kW, {0xfffffff9, 2}), 0xfffffffdu);  // -7 / 2 = -3
}

TEST(EvalInteger, ShiftCountsWrap) {
  EXPECT_EQ(scalar(Shl, kW, {1, 33}), 2u);
  EXPECT_EQ(scalar(Shr, kX, {kMin64, 64 + 63}), 1u);
  EXPECT_EQ(scalar(Sar, kW, {0x80000000, 31}), 0xffffffffu);
  EXPECT_EQ(scalar(Ror, kW, {1, 1}), 0x80000000u);
  EXPECT_EQ(scalar(Ror, kX, {1, 64}), 1u);
}

TEST(EvalInteger, Fields) {
  const auto field = [](unsigned lsb, unsigned width) { return lsb | width << 8; };
  EXPECT_EQ(scalar(UBfx, kX, {0xabcd}, 0, field(4, 8)), 0xbcu);
  EXPECT_EQ(scalar(SBfx, kW, {0x80}, 0, field(0, 8)), 0xffffff80u);
  EXPECT_EQ(scalar(SBfx, kX, {kMin64}, 0, field(0, 64)), kMin64);
  EXPECT_EQ(scalar(Bfi, kX, {0xffff, 0x5}, 0, field(4, 4)), 0xff5fu);
  EXPECT_EQ(scalar(Bfi, kX, {0xffff, 0x5}, 0, field(0, 64)), 5u);
  EXPECT_EQ(scalar(Extr, kW, {0x1, 0x80000000}, 31), 3u);
  EXPECT_EQ(scalar(Extr, kX, {7, 9}, 0), 9u);
}

TEST(EvalInteger, BitCounts) {
  EXPECT_EQ(scalar(Clz, kW, {0}), 32u);
  EXPECT_EQ(scalar(Clz, kW, {1}), 31u);
  EXPECT_EQ(scalar(Clz, kX, {kMin64}), 0u);
  EXPECT_EQ(scalar(Ctz, kW, {0}), 32u);
  EXPECT_EQ(scalar(Ctz, kX, {kMin64}), 63u);
  EXPECT_EQ(scalar(Popcnt, kX, {~u64{0}}), 64u);
  EXPECT_EQ(scalar(BitRev, kW, {1}), 0x80000000u);
  EXPECT_EQ(scalar(ByteRev, kW, {0x01020304}), 0x04030201u);
  EXPECT_EQ(scalar(ByteRev, kX, {0x0102030405060708}), 0x0807060504030201u);
}

TEST(EvalInteger, Extensions) {
  PureOp op = make_op(SExt, kX);
  op.arg_type = Type::I8;
  EXPECT_EQ(evaluate(op, {{0x80, 0}}).lo, 0xffffffffffffff80u);
  op.arg_type = Type::I1;
  EXPECT_EQ(evaluate(op, {{1, 0}}).lo, ~u64{0});
  op = make_op(Trunc, Type::I16);
  op.arg_type = kX;
  EXPECT_EQ(evaluate(op, {{0x12345678, 0}}).lo, 0x5678u);
}

// "123456789" has the check values CBF43926 (CRC-32) and E3069283 (CRC-32C) with pre- and post-inversion.
TEST(EvalInteger, CrcCheckValues) {
  const auto check = [](Opcode o) {
    u64 crc = 0xffffffff;
    crc = scalar(o, kW, {crc, 0x3837363534333231}, 8);
    crc = scalar(o, kW, {crc, '9'}, 1);
    return static_cast<u32>(~crc);
  };
  EXPECT_EQ(check(Crc32), 0xcbf43926u);
  EXPECT_EQ(check(Crc32c), 0xe3069283u);
}

TEST(EvalInteger, Comparisons) {
  const auto compare = [](Opcode o, Type t, u64 a, u64 b) {
    PureOp op = make_op(o, Type::I1);
    op.arg_type = t;
    return evaluate(op, {{a, 0}, {b, 0}}).lo;
  };
  EXPECT_EQ(compare(CmpLtS, kW, 0x80000000, 0), 1u);
  EXPECT_EQ(compare(CmpLtU, kW, 0x80000000, 0), 0u);
  EXPECT_EQ(compare(CmpLeS, kX, 5, 5), 1u);
  EXPECT_EQ(compare(CmpNe, kX, 5, 5), 0u);
}

u32 nzcv(Opcode o, Type t, std::initializer_list<U128> args, u64 imm = 0) {
  PureOp op = make_op(o, Type::Flags, Arr::None, imm);
  op.arg_type = t;
  return nzcv_from_flags(evaluate(op, args).lo);
}

TEST(EvalFlags, OfSumsAndDifferences) {
  EXPECT_EQ(nzcv(FlagsAdd, kW, {{0x7fffffff, 0}, {1, 0}}), 0b1001u);
  EXPECT_EQ(nzcv(FlagsAdd, kW, {{0xffffffff, 0}, {1, 0}}), 0b0110u);
  EXPECT_EQ(nzcv(FlagsSub, kX, {{0, 0}, {0, 0}}), 0b0110u);
  EXPECT_EQ(nzcv(FlagsSub, kX, {{0, 0}, {1, 0}}), 0b1000u);
  EXPECT_EQ(nzcv(FlagsSub, kX, {{kMin64, 0}, {1, 0}}), 0b0011u);
  EXPECT_EQ(nzcv(FlagsAdc, kX, {{~u64{0}, 0}, {0, 0}, {1, 0}}), 0b0110u);
  EXPECT_EQ(nzcv(FlagsSbc, kW, {{0, 0}, {0, 0}, {0, 0}}), 0b1000u);
  EXPECT_EQ(nzcv(FlagsLogic, kW, {{0x80000000, 0}}), 0b1000u);
  EXPECT_EQ(nzcv(FlagsLogic, kW, {{0, 0}}), 0b0100u);
}

TEST(EvalFlags, ConditionalComparisons) {
  EXPECT_EQ(nzcv(FlagsCcmpSub, kW, {{1, 0}, {3, 0}, {3, 0}}, 0b1001), 0b0110u);
  EXPECT_EQ(nzcv(FlagsCcmpSub, kW, {{0, 0}, {3, 0}, {3, 0}}, 0b1001), 0b1001u);
  EXPECT_EQ(nzcv(FlagsCcmpAdd, kW, {{1, 0}, {0xffffffff, 0}, {1, 0}}, 0), 0b0110u);
}

TEST(EvalFlags, EveryConditionOnEveryFlags) {
  for (u32 f = 0; f < 16; ++f) {
    const bool n = f & 8, z = f & 4, c = f & 2, v = f & 1;
    const bool expected[] = {z, !z, c, !c, n, !n, v, !v, c && !z, !c || z, n == v, n != v, !z && n == v, z || n != v};
    for (u64 cond = 0; cond < std::size(expected); ++cond) {
      // Bits outside the four may hold anything.
      const u64 stored = flags_from_nzcv(f) | 0x3efe;
      EXPECT_EQ(evaluate(make_op(FlagsCond, Type::I1, Arr::None, cond), {{stored, 0}}).lo, expected[cond]) << f << cond;
    }
  }
}

TEST(EvalFlags, AsARegister) {
  EXPECT_EQ(evaluate(make_op(FlagsToNzcv, kW), {{flags_from_nzcv(0b1010), 0}}).lo, 0xa0000000u);
  EXPECT_EQ(nzcv(FlagsFromNzcv, kW, {{0x5fffffff, 0}}), 0b0101u);
}

}  // namespace
}  // namespace tiercel::ir
