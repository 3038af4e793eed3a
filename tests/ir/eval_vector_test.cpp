#include "tests/ir/eval_helper.h"

namespace tiercel::ir {
namespace {

using enum Opcode;

constexpr U128 low(u64 v) {
  return {v, 0};
}

TEST(EvalVector, SixtyFourBitArrangementsClearTheHighHalf) {
  const U128 ones{~u64{0}, ~u64{0}};
  EXPECT_EQ(vector(VNot, Arr::B8, {U128{}}), low(~u64{0}));
  EXPECT_EQ(vector(VAdd, Arr::S2, {ones, ones}), low(0xfffffffefffffffe));
  EXPECT_EQ(vector(VDup, Arr::H4, {low(0x12345)}), low(0x2345234523452345));
}

TEST(EvalVector, Moves) {
  const U128 a{0x0706050403020100, 0x0f0e0d0c0b0a0908}, b{0x1716151413121110, 0x1f1e1d1c1b1a1918};
  PureOp shuffle = make_op(VShuffle, Type::V128);
  shuffle.constant = {0x80800f1000011f1e, 0};
  EXPECT_EQ(evaluate(shuffle, {a, b}), (U128{0x00000f1000011f1e, 0}));
  EXPECT_EQ(vector(VTbl, Arr::None, {b, U128{0x10ff000102030405, 0}}), (U128{0x0000101112131415, 0x1010101010101010}));
  EXPECT_EQ(evaluate(make_op(VExtract, Type::I32, Arr::H8, 5), {a}).lo, 0x0b0au);
  EXPECT_EQ(vector(VInsert, Arr::S4, {a, low(0x1122334455667788)}, 3), (U128{a.lo, 0x556677880b0a0908}));
}

TEST(EvalVector, Lanes) {
  EXPECT_EQ(vector(VAbs, Arr::B8, {low(0x80ff)}), low(0x8001));
  EXPECT_EQ(vector(VHAddS, Arr::B8, {low(0xff7f), low(0xfe7f)}), low(0xfe7f));
  EXPECT_EQ(vector(VHSubU, Arr::B8, {low(0x00), low(0x01)}), low(0xff));
  EXPECT_EQ(vector(VRHAddU, Arr::B8, {low(0xff), low(0xfe)}), low(0xff));
  EXPECT_EQ(vector(VAbdS, Arr::B8, {low(0x80), low(0x7f)}), low(0xff));
  EXPECT_EQ(vector(VCls, Arr::H4, {low(0x0001'8000'0000'ffff)}), low(0x000e'0000'000f'000f));
  EXPECT_EQ(vector(VClz, Arr::S2, {low(0x00000000'00000001)}), low(0x00000020'0000001f));
  EXPECT_EQ(vector(VPMul, Arr::B8, {low(0x83), low(0x03)}), low(0x85));
  EXPECT_EQ(vector(VCmpTst, Arr::B8, {low(0x0103), low(0x0201)}), low(0x00ff));
}

TEST(EvalVector, WideAndNarrow) {
  EXPECT_EQ(vector(VMullS, Arr::H8, {low(0x80ff), low(0x8002)}), low(0x4000fffe));
  EXPECT_EQ(vector(VMullU, Arr::D2, {low(0xffffffff00000002), low(0xffffffff00000003)}), (U128{6, 0xfffffffe00000001}));
  EXPECT_EQ(vector(VNarrow, Arr::B8, {U128{0x0102030405060708, 0x1112131415161718}}), low(0x1214161802040608));
  EXPECT_EQ(vector(VPMull, Arr::D2, {low(~u64{0}), low(~u64{0})}), (U128{0x5555555555555555, 0x5555555555555555}));
}

TEST(EvalVector, ShiftsByLanes) {
  EXPECT_EQ(vector(VShlU, Arr::B8, {low(0x8181), low(0xff01)}), low(0x4002));
  EXPECT_EQ(vector(VShlS, Arr::B8, {low(0x8181), low(0x80ff)}), low(0xffc0));
  EXPECT_EQ(vector(VRShlS, Arr::B8, {low(0x8181), low(0x80ff)}), low(0x00c1));
  EXPECT_EQ(vector(VRShlU, Arr::D1, {low(~u64{0}), low(0xc0)}), low(1));  // by -64, rounded
  EXPECT_EQ(vector(VShlU, Arr::D1, {low(1), low(64)}), low(0));
}

TEST(EvalVector, SaturationAndItsMask) {
  EXPECT_EQ(vector(VQAddS, Arr::B8, {low(0x7f01), low(0x0101)}), low(0x7f02));
  EXPECT_EQ(vector(VQAddS, Arr::B8, {low(0x7f01), low(0x0101)}, 0, 1), low(0xff00));
  EXPECT_EQ(vector(VQSubU, Arr::D1, {low(1), low(2)}), low(0));
  EXPECT_EQ(vector(VQNeg, Arr::H4, {low(0x8000)}), low(0x7fff));
  EXPECT_EQ(vector(VQShlU, Arr::D1, {low(1), low(63)}), low(u64{1} << 63));
  EXPECT_EQ(vector(VQShlU, Arr::D1, {low(2), low(63)}), low(~u64{0}));
  EXPECT_EQ(vector(VQShlS, Arr::D1, {low(~u64{0}), low(63)}), low(u64{1} << 63));
  EXPECT_EQ(vector(VQShlS, Arr::D1, {low(~u64{0}), low(63)}, 0, 1), low(0));
  EXPECT_EQ(vector(VQShlS, Arr::D1, {low(~u64{0}), low(64)}, 0, 1), low(~u64{0}));
  EXPECT_EQ(vector(VQShlSU, Arr::B8, {low(0xff40), low(0x0101)}), low(0x0080));
  EXPECT_EQ(vector(VQDMulH, Arr::H4, {low(0x8000), low(0x8000)}), low(0x7fff));
  EXPECT_EQ(vector(VQRDMulH, Arr::H4, {low(0x4000), low(0x0001)}), low(0x0001));
  EXPECT_EQ(vector(VQRDMlSH, Arr::H4, {low(0x7fff), low(0x8000), low(0x7fff)}), low(0x7fff));
  EXPECT_EQ(vector(VQDMull, Arr::S4, {low(0x8000), low(0x8000)}), low(0x7fffffff));
  EXPECT_EQ(vector(VQNarrowSU, Arr::B8, {U128{0x00ff'0100'ffff'0001, 0}}), low(0xffff0001));
}

TEST(EvalVector, UnsignedEstimates) {
  EXPECT_EQ(vector(VURecpE, Arr::S2, {low(0x80000000'7fffffff)}), low(0xff800000'ffffffff));
  EXPECT_EQ(vector(VURsqrtE, Arr::S2, {low(0x40000000'3fffffff)}), low(0xff800000'ffffffff));
}

}  // namespace
}  // namespace tiercel::ir
