// Arm ARM (DDI 0487), integer part of the encoding classes "Advanced SIMD scalar three same", "... three same extra",
// "... three different", "... two-register miscellaneous" and "... pairwise". Operations that do not saturate exist for
// doublewords only.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

// -- three registers
// ---------------------------------------------------------------------------------------------------------

template <Opcode O>
bool doubleword(Translate& t, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, Arr::D1, {t.v(n), t.v(m)}));
  return t.next();
}
template <Opcode O>
bool saturate(Translate& t, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, saturating_scalar(t, O, size, {t.v(n), t.v(m)}));
  return t.next();
}
template <Opcode O>
bool rounding_accumulate(Translate& t, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, saturating_scalar(t, O, size, {t.v(d), t.v(n), t.v(m)}));
  return t.next();
}
bool sqdmull(Translate& t, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, saturating_double_long_scalar(t, size, t.v(n), t.v(m)));
  return t.next();
}
template <Opcode Accumulate>
bool sqdmlal(Translate& t, u32 size, VReg m, VReg n, VReg d) {
  const Value product = saturating_double_long_scalar(t, size, t.v(n), t.v(m));
  t.set_v(d, saturating_scalar(t, Accumulate, size + 1, {t.v(d), product}));
  return t.next();
}

// -- two registers
// -----------------------------------------------------------------------------------------------------------

template <Opcode O>
bool doubleword_of(Translate& t, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, Arr::D1, {t.v(n)}));
  return t.next();
}
template <Opcode O>
bool compare_zero(Translate& t, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, Arr::D1, {t.v(n), t.ir.vconst({})}));
  return t.next();
}
// CMLE, CMLT: zero on the left.
template <Opcode O>
bool zero_compare(Translate& t, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, Arr::D1, {t.ir.vconst({}), t.v(n)}));
  return t.next();
}
template <Opcode O>
bool saturate_one(Translate& t, u32 size, VReg n, VReg d) {
  t.set_v(d, saturating_scalar(t, O, size, {t.v(n)}));
  return t.next();
}
template <Opcode O>
bool saturating_accumulate(Translate& t, u32 size, VReg n, VReg d) {
  t.set_v(d, saturating_scalar(t, O, size, {t.v(d), t.v(n)}));
  return t.next();
}

bool addp(Translate& t, VReg n, VReg d) {
  const Value v = t.v(n);
  t.set_v(d, t.ir.vec(Opcode::VAdd, Arr::D1, {v, long_operand(t, true, n)}));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"01 0 11110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", saturate<VQAddS>>("sqadd", "SQADD"),
    simd<"01 0 11110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", saturate<VQSubS>>("sqsub", "SQSUB"),
    simd<"01 0 11110 11 1 Rm:5 00110 1 Rn:5 Rd:5", doubleword<VCmpGtS>>("cmgt", "CMGT (register)"),
    simd<"01 0 11110 11 1 Rm:5 00111 1 Rn:5 Rd:5", doubleword<VCmpGeS>>("cmge", "CMGE (register)"),
    simd<"01 0 11110 11 1 Rm:5 01000 1 Rn:5 Rd:5", doubleword<VShlS>>("sshl", "SSHL"),
    simd<"01 0 11110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", saturate<VQShlS>>("sqshl", "SQSHL (register)"),
    simd<"01 0 11110 11 1 Rm:5 01010 1 Rn:5 Rd:5", doubleword<VRShlS>>("srshl", "SRSHL"),
    simd<"01 0 11110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", saturate<VQRShlS>>("sqrshl", "SQRSHL"),
    simd<"01 1 11110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", saturate<VQAddU>>("uqadd", "UQADD"),
    simd<"01 1 11110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", saturate<VQSubU>>("uqsub", "UQSUB"),
    simd<"01 1 11110 11 1 Rm:5 00110 1 Rn:5 Rd:5", doubleword<VCmpGtU>>("cmhi", "CMHI (register)"),
    simd<"01 1 11110 11 1 Rm:5 00111 1 Rn:5 Rd:5", doubleword<VCmpGeU>>("cmhs", "CMHS (register)"),
    simd<"01 1 11110 11 1 Rm:5 01000 1 Rn:5 Rd:5", doubleword<VShlU>>("ushl", "USHL"),
    simd<"01 1 11110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", saturate<VQShlU>>("uqshl", "UQSHL (register)"),
    simd<"01 1 11110 11 1 Rm:5 01010 1 Rn:5 Rd:5", doubleword<VRShlU>>("urshl", "URSHL"),
    simd<"01 1 11110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", saturate<VQRShlU>>("uqrshl", "UQRSHL"),
    simd<"01 0 11110 11 1 Rm:5 10000 1 Rn:5 Rd:5", doubleword<VAdd>>("add", "ADD (vector)"),
    simd<"01 1 11110 11 1 Rm:5 10000 1 Rn:5 Rd:5", doubleword<VSub>>("sub", "SUB (vector)"),
    simd<"01 0 11110 11 1 Rm:5 10001 1 Rn:5 Rd:5", doubleword<VCmpTst>>("cmtst", "CMTST"),
    simd<"01 1 11110 11 1 Rm:5 10001 1 Rn:5 Rd:5", doubleword<VCmpEq>>("cmeq", "CMEQ (register)"),
    simd<"01 0 11110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", saturate<VQDMulH>, halves_or_singles>("sqdmulh",
                                                                                             "SQDMULH (vector)"),
    simd<"01 1 11110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", saturate<VQRDMulH>, halves_or_singles>("sqrdmulh",
                                                                                              "SQRDMULH (vector)"),
    row<"01 1 11110 size:2 0 Rm:5 1 0000 1 Rn:5 Rd:5", rounding_accumulate<VQRDMlAH>, halves_or_singles>(
        "sqrdmlah", Feature::RDM, "SQRDMLAH (vector)"),
    row<"01 1 11110 size:2 0 Rm:5 1 0001 1 Rn:5 Rd:5", rounding_accumulate<VQRDMlSH>, halves_or_singles>(
        "sqrdmlsh", Feature::RDM, "SQRDMLSH (vector)"),

    simd<"01 0 11110 size:2 1 Rm:5 1001 00 Rn:5 Rd:5", sqdmlal<VQAddS>, halves_or_singles>(
        "sqdmlal", "SQDMLAL, SQDMLAL2 (vector)"),
    simd<"01 0 11110 size:2 1 Rm:5 1011 00 Rn:5 Rd:5", sqdmlal<VQSubS>, halves_or_singles>(
        "sqdmlsl", "SQDMLSL, SQDMLSL2 (vector)"),
    simd<"01 0 11110 size:2 1 Rm:5 1101 00 Rn:5 Rd:5", sqdmull, halves_or_singles>("sqdmull",
                                                                                   "SQDMULL, SQDMULL2 (vector)"),

    simd<"01 0 11110 size:2 10000 00011 10 Rn:5 Rd:5", saturating_accumulate<VQAddSU>>("suqadd", "SUQADD"),
    simd<"01 1 11110 size:2 10000 00011 10 Rn:5 Rd:5", saturating_accumulate<VQAddUS>>("usqadd", "USQADD"),
    simd<"01 0 11110 size:2 10000 00111 10 Rn:5 Rd:5", saturate_one<VQAbs>>("sqabs", "SQABS"),
    simd<"01 1 11110 size:2 10000 00111 10 Rn:5 Rd:5", saturate_one<VQNeg>>("sqneg", "SQNEG"),
    simd<"01 0 11110 11 10000 01000 10 Rn:5 Rd:5", compare_zero<VCmpGtS>>("cmgt", "CMGT (zero)"),
    simd<"01 1 11110 11 10000 01000 10 Rn:5 Rd:5", compare_zero<VCmpGeS>>("cmge", "CMGE (zero)"),
    simd<"01 0 11110 11 10000 01001 10 Rn:5 Rd:5", compare_zero<VCmpEq>>("cmeq", "CMEQ (zero)"),
    simd<"01 1 11110 11 10000 01001 10 Rn:5 Rd:5", zero_compare<VCmpGeS>>("cmle", "CMLE (zero)"),
    simd<"01 0 11110 11 10000 01010 10 Rn:5 Rd:5", zero_compare<VCmpGtS>>("cmlt", "CMLT (zero)"),
    simd<"01 0 11110 11 10000 01011 10 Rn:5 Rd:5", doubleword_of<VAbs>>("abs", "ABS"),
    simd<"01 1 11110 11 10000 01011 10 Rn:5 Rd:5", doubleword_of<VNeg>>("neg", "NEG (vector)"),
    simd<"01 1 11110 size:2!=3 10000 10010 10 Rn:5 Rd:5", saturate_one<VQNarrowSU>>("sqxtun", "SQXTUN, SQXTUN2"),
    simd<"01 0 11110 size:2!=3 10000 10100 10 Rn:5 Rd:5", saturate_one<VQNarrowS>>("sqxtn", "SQXTN, SQXTN2"),
    simd<"01 1 11110 size:2!=3 10000 10100 10 Rn:5 Rd:5", saturate_one<VQNarrowU>>("uqxtn", "UQXTN, UQXTN2"),
    simd<"01 0 11110 11 11000 11011 10 Rn:5 Rd:5", addp>("addp", "ADDP (scalar)"),
});

}  // namespace

std::span<const Row> simd_scalar_rows() {
  return kRows;
}

}  // namespace tiercel::arm
