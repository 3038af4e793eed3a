// Arm ARM (DDI 0487), encoding class "Advanced SIMD two-register miscellaneous", integer part. The floating-point part
// is in simd_two_reg_misc_fp.cpp.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

template <Opcode O>
bool lanes(Translate& t, bool q, u32 size, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, arrangement(size, q), {t.v(n)}));
  return t.next();
}

// CNT, NOT and RBIT work on bytes whatever the size field says.
template <Opcode O>
bool bytes(Translate& t, bool q, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, arrangement(0, q), {t.v(n)}));
  return t.next();
}

// REV16, REV32, REV64: the order of the elements inside each container is reversed.
template <unsigned ContainerBytes>
bool reverse(Translate& t, bool q, u32 size, VReg n, VReg d) {
  const unsigned lane = 1u << size;
  const U128 mask = byte_mask(q ? 16 : 8, [&](unsigned i) {
    const unsigned at = i % ContainerBytes;
    return i - at + (ContainerBytes - lane - at / lane * lane) + at % lane;
  });
  const Value v = t.v(n);
  t.set_v(d, t.ir.vshuffle(v, v, mask));
  return t.next();
}
inline bool smaller_than_word(u32 word) {
  return size_bits(word) < 2;
}

template <bool Unsigned>
bool addlp(Translate& t, bool q, u32 size, VReg n, VReg d) {
  t.set_v(d, add_long_pairs(t, t.v(n), size, q, Unsigned));
  return t.next();
}
template <bool Unsigned>
bool adalp(Translate& t, bool q, u32 size, VReg n, VReg d) {
  const Value sums = add_long_pairs(t, t.v(n), size, q, Unsigned);
  t.set_v(d, t.ir.vec(Opcode::VAdd, arrangement(size + 1, q), {t.v(d), sums}));
  return t.next();
}

template <Opcode O>
bool saturate(Translate& t, bool q, u32 size, VReg n, VReg d) {
  t.set_v(d, saturating(t, O, arrangement(size, q), {t.v(n)}));
  return t.next();
}

// SUQADD, USQADD: Vd accumulates Vn.
template <Opcode O>
bool saturating_accumulate(Translate& t, bool q, u32 size, VReg n, VReg d) {
  t.set_v(d, saturating(t, O, arrangement(size, q), {t.v(d), t.v(n)}));
  return t.next();
}

template <Opcode O>
bool compare_zero(Translate& t, bool q, u32 size, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, arrangement(size, q), {t.v(n), t.ir.vconst({})}));
  return t.next();
}
// CMLE, CMLT: zero on the left.
template <Opcode O>
bool zero_compare(Translate& t, bool q, u32 size, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, arrangement(size, q), {t.ir.vconst({}), t.v(n)}));
  return t.next();
}

bool xtn(Translate& t, bool q, u32 size, VReg n, VReg d) {
  set_narrow(t, q, d, t.ir.vec(Opcode::VNarrow, arrangement(size, false), {t.v(n)}));
  return t.next();
}
template <Opcode O>
bool qxtn(Translate& t, bool q, u32 size, VReg n, VReg d) {
  set_narrow(t, q, d, saturating(t, O, arrangement(size, false), {t.v(n)}));
  return t.next();
}

// The shift is by the width of the narrow element.
bool shll(Translate& t, bool q, u32 size, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size);
  const Value extended = t.ir.vec(Opcode::VExtU, wide, {long_operand(t, q, n)});
  t.set_v(d, t.ir.vec(Opcode::VShlI, wide, {extended}, 8u << size));
  return t.next();
}

bool single_lanes(Translate& t, bool q, VReg n, VReg d, Opcode o) {
  t.set_v(d, t.ir.vec(o, arrangement(2, q), {t.v(n)}));
  return t.next();
}
bool urecpe(Translate& t, bool q, VReg n, VReg d) {
  return single_lanes(t, q, n, d, Opcode::VURecpE);
}
bool ursqrte(Translate& t, bool q, VReg n, VReg d) {
  return single_lanes(t, q, n, d, Opcode::VURsqrtE);
}

bool rev16(Translate& t, bool q, VReg n, VReg d) {
  return reverse<2>(t, q, 0, n, d);
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 01110 size:2!=3 10000 00000 10 Rn:5 Rd:5", reverse<8>>("rev64 {Rd:T}, {Rn:T}", "REV64"),
    simd<"0 Q 1 01110 size:2 10000 00000 10 Rn:5 Rd:5", reverse<4>, smaller_than_word>("rev32 {Rd:T}, {Rn:T}",
                                                                                       "REV32 (vector)"),
    simd<"0 Q 0 01110 00 10000 00001 10 Rn:5 Rd:5", rev16>("rev16 {Rd:T}, {Rn:T}", "REV16 (vector)"),
    simd<"0 Q 0 01110 size:2!=3 10000 00010 10 Rn:5 Rd:5", addlp<false>>("saddlp {Rd:Tp}, {Rn:T}", "SADDLP"),
    simd<"0 Q 1 01110 size:2!=3 10000 00010 10 Rn:5 Rd:5", addlp<true>>("uaddlp {Rd:Tp}, {Rn:T}", "UADDLP"),
    simd<"0 Q 0 01110 size:2!=3 10000 00110 10 Rn:5 Rd:5", adalp<false>>("sadalp {Rd:Tp}, {Rn:T}", "SADALP"),
    simd<"0 Q 1 01110 size:2!=3 10000 00110 10 Rn:5 Rd:5", adalp<true>>("uadalp {Rd:Tp}, {Rn:T}", "UADALP"),
    simd<"0 Q 0 01110 size:2 10000 00011 10 Rn:5 Rd:5", saturating_accumulate<VQAddSU>, any_lanes>(
        "suqadd {Rd:T}, {Rn:T}", "SUQADD"),
    simd<"0 Q 1 01110 size:2 10000 00011 10 Rn:5 Rd:5", saturating_accumulate<VQAddUS>, any_lanes>(
        "usqadd {Rd:T}, {Rn:T}", "USQADD"),
    simd<"0 Q 0 01110 size:2!=3 10000 00100 10 Rn:5 Rd:5", lanes<VCls>>("cls {Rd:T}, {Rn:T}", "CLS (vector)"),
    simd<"0 Q 1 01110 size:2!=3 10000 00100 10 Rn:5 Rd:5", lanes<VClz>>("clz {Rd:T}, {Rn:T}", "CLZ (vector)"),
    simd<"0 Q 0 01110 00 10000 00101 10 Rn:5 Rd:5", bytes<VCnt>>("cnt {Rd:T}, {Rn:T}", "CNT"),
    simd<"0 Q 1 01110 00 10000 00101 10 Rn:5 Rd:5", bytes<VNot>>("not {Rd:T}, {Rn:T}", "NOT"),
    simd<"0 Q 1 01110 01 10000 00101 10 Rn:5 Rd:5", bytes<VRbit>>("rbit {Rd:T}, {Rn:T}", "RBIT (vector)"),
    simd<"0 Q 0 01110 size:2 10000 00111 10 Rn:5 Rd:5", saturate<VQAbs>, any_lanes>("sqabs {Rd:T}, {Rn:T}", "SQABS"),
    simd<"0 Q 1 01110 size:2 10000 00111 10 Rn:5 Rd:5", saturate<VQNeg>, any_lanes>("sqneg {Rd:T}, {Rn:T}", "SQNEG"),
    simd<"0 Q 0 01110 size:2 10000 01000 10 Rn:5 Rd:5", compare_zero<VCmpGtS>, any_lanes>("cmgt {Rd:T}, {Rn:T}, #0",
                                                                                          "CMGT (zero)"),
    simd<"0 Q 1 01110 size:2 10000 01000 10 Rn:5 Rd:5", compare_zero<VCmpGeS>, any_lanes>("cmge {Rd:T}, {Rn:T}, #0",
                                                                                          "CMGE (zero)"),
    simd<"0 Q 0 01110 size:2 10000 01001 10 Rn:5 Rd:5", compare_zero<VCmpEq>, any_lanes>("cmeq {Rd:T}, {Rn:T}, #0",
                                                                                         "CMEQ (zero)"),
    simd<"0 Q 1 01110 size:2 10000 01001 10 Rn:5 Rd:5", zero_compare<VCmpGeS>, any_lanes>("cmle {Rd:T}, {Rn:T}, #0",
                                                                                          "CMLE (zero)"),
    simd<"0 Q 0 01110 size:2 10000 01010 10 Rn:5 Rd:5", zero_compare<VCmpGtS>, any_lanes>("cmlt {Rd:T}, {Rn:T}, #0",
                                                                                          "CMLT (zero)"),
    simd<"0 Q 0 01110 size:2 10000 01011 10 Rn:5 Rd:5", lanes<VAbs>, any_lanes>("abs {Rd:T}, {Rn:T}", "ABS"),
    simd<"0 Q 1 01110 size:2 10000 01011 10 Rn:5 Rd:5", lanes<VNeg>, any_lanes>("neg {Rd:T}, {Rn:T}", "NEG (vector)"),
    simd<"0 Q 0 01110 size:2!=3 10000 10010 10 Rn:5 Rd:5", xtn>("xtn{@2} {Rd:T}, {Rn:Tw}", "XTN, XTN2"),
    simd<"0 Q 1 01110 size:2!=3 10000 10010 10 Rn:5 Rd:5", qxtn<VQNarrowSU>>("sqxtun{@2} {Rd:T}, {Rn:Tw}",
                                                                             "SQXTUN, SQXTUN2"),
    simd<"0 Q 1 01110 size:2!=3 10000 10011 10 Rn:5 Rd:5", shll>("shll{@2} {Rd:Tw}, {Rn:T}, #{@width}", "SHLL, SHLL2"),
    simd<"0 Q 0 01110 size:2!=3 10000 10100 10 Rn:5 Rd:5", qxtn<VQNarrowS>>("sqxtn{@2} {Rd:T}, {Rn:Tw}",
                                                                            "SQXTN, SQXTN2"),
    simd<"0 Q 1 01110 size:2!=3 10000 10100 10 Rn:5 Rd:5", qxtn<VQNarrowU>>("uqxtn{@2} {Rd:T}, {Rn:Tw}",
                                                                            "UQXTN, UQXTN2"),
    simd<"0 Q 0 01110 10 10000 11100 10 Rn:5 Rd:5", urecpe>("urecpe {Rd:Ts}, {Rn:Ts}", "URECPE"),
    simd<"0 Q 1 01110 10 10000 11100 10 Rn:5 Rd:5", ursqrte>("ursqrte {Rd:Ts}, {Rn:Ts}", "URSQRTE"),
});

}  // namespace

std::span<const Row> simd_two_reg_misc_rows() {
  return kRows;
}

}  // namespace tiercel::arm
