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
    simd<"01 0 11110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", saturate<VQAddS>>("sqadd {Rd:Z}, {Rn:Z}, {Rm:Z}", "SQADD"),
    simd<"01 0 11110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", saturate<VQSubS>>("sqsub {Rd:Z}, {Rn:Z}, {Rm:Z}", "SQSUB"),
    simd<"01 0 11110 11 1 Rm:5 00110 1 Rn:5 Rd:5", doubleword<VCmpGtS>>("cmgt {Rd:d}, {Rn:d}, {Rm:d}",
                                                                        "CMGT (register)"),
    simd<"01 0 11110 11 1 Rm:5 00111 1 Rn:5 Rd:5", doubleword<VCmpGeS>>("cmge {Rd:d}, {Rn:d}, {Rm:d}",
                                                                        "CMGE (register)"),
    simd<"01 0 11110 11 1 Rm:5 01000 1 Rn:5 Rd:5", doubleword<VShlS>>("sshl {Rd:d}, {Rn:d}, {Rm:d}", "SSHL"),
    simd<"01 0 11110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", saturate<VQShlS>>("sqshl {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                         "SQSHL (register)"),
    simd<"01 0 11110 11 1 Rm:5 01010 1 Rn:5 Rd:5", doubleword<VRShlS>>("srshl {Rd:d}, {Rn:d}, {Rm:d}", "SRSHL"),
    simd<"01 0 11110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", saturate<VQRShlS>>("sqrshl {Rd:Z}, {Rn:Z}, {Rm:Z}", "SQRSHL"),
    simd<"01 1 11110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", saturate<VQAddU>>("uqadd {Rd:Z}, {Rn:Z}, {Rm:Z}", "UQADD"),
    simd<"01 1 11110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", saturate<VQSubU>>("uqsub {Rd:Z}, {Rn:Z}, {Rm:Z}", "UQSUB"),
    simd<"01 1 11110 11 1 Rm:5 00110 1 Rn:5 Rd:5", doubleword<VCmpGtU>>("cmhi {Rd:d}, {Rn:d}, {Rm:d}",
                                                                        "CMHI (register)"),
    simd<"01 1 11110 11 1 Rm:5 00111 1 Rn:5 Rd:5", doubleword<VCmpGeU>>("cmhs {Rd:d}, {Rn:d}, {Rm:d}",
                                                                        "CMHS (register)"),
    simd<"01 1 11110 11 1 Rm:5 01000 1 Rn:5 Rd:5", doubleword<VShlU>>("ushl {Rd:d}, {Rn:d}, {Rm:d}", "USHL"),
    simd<"01 1 11110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", saturate<VQShlU>>("uqshl {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                         "UQSHL (register)"),
    simd<"01 1 11110 11 1 Rm:5 01010 1 Rn:5 Rd:5", doubleword<VRShlU>>("urshl {Rd:d}, {Rn:d}, {Rm:d}", "URSHL"),
    simd<"01 1 11110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", saturate<VQRShlU>>("uqrshl {Rd:Z}, {Rn:Z}, {Rm:Z}", "UQRSHL"),
    simd<"01 0 11110 11 1 Rm:5 10000 1 Rn:5 Rd:5", doubleword<VAdd>>("add {Rd:d}, {Rn:d}, {Rm:d}", "ADD (vector)"),
    simd<"01 1 11110 11 1 Rm:5 10000 1 Rn:5 Rd:5", doubleword<VSub>>("sub {Rd:d}, {Rn:d}, {Rm:d}", "SUB (vector)"),
    simd<"01 0 11110 11 1 Rm:5 10001 1 Rn:5 Rd:5", doubleword<VCmpTst>>("cmtst {Rd:d}, {Rn:d}, {Rm:d}", "CMTST"),
    simd<"01 1 11110 11 1 Rm:5 10001 1 Rn:5 Rd:5", doubleword<VCmpEq>>("cmeq {Rd:d}, {Rn:d}, {Rm:d}",
                                                                       "CMEQ (register)"),
    simd<"01 0 11110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", saturate<VQDMulH>, halves_or_singles>(
        "sqdmulh {Rd:Z}, {Rn:Z}, {Rm:Z}", "SQDMULH (vector)"),
    simd<"01 1 11110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", saturate<VQRDMulH>, halves_or_singles>(
        "sqrdmulh {Rd:Z}, {Rn:Z}, {Rm:Z}", "SQRDMULH (vector)"),
    row<"01 1 11110 size:2 0 Rm:5 1 0000 1 Rn:5 Rd:5", rounding_accumulate<VQRDMlAH>, halves_or_singles>(
        "sqrdmlah {Rd:Z}, {Rn:Z}, {Rm:Z}", Feature::RDM, "SQRDMLAH (vector)"),
    row<"01 1 11110 size:2 0 Rm:5 1 0001 1 Rn:5 Rd:5", rounding_accumulate<VQRDMlSH>, halves_or_singles>(
        "sqrdmlsh {Rd:Z}, {Rn:Z}, {Rm:Z}", Feature::RDM, "SQRDMLSH (vector)"),

    simd<"01 0 11110 size:2 1 Rm:5 1001 00 Rn:5 Rd:5", sqdmlal<VQAddS>, halves_or_singles>(
        "sqdmlal {Rd:Zw}, {Rn:Z}, {Rm:Z}", "SQDMLAL, SQDMLAL2 (vector)"),
    simd<"01 0 11110 size:2 1 Rm:5 1011 00 Rn:5 Rd:5", sqdmlal<VQSubS>, halves_or_singles>(
        "sqdmlsl {Rd:Zw}, {Rn:Z}, {Rm:Z}", "SQDMLSL, SQDMLSL2 (vector)"),
    simd<"01 0 11110 size:2 1 Rm:5 1101 00 Rn:5 Rd:5", sqdmull, halves_or_singles>("sqdmull {Rd:Zw}, {Rn:Z}, {Rm:Z}",
                                                                                   "SQDMULL, SQDMULL2 (vector)"),

    simd<"01 0 11110 size:2 10000 00011 10 Rn:5 Rd:5", saturating_accumulate<VQAddSU>>("suqadd {Rd:Z}, {Rn:Z}",
                                                                                       "SUQADD"),
    simd<"01 1 11110 size:2 10000 00011 10 Rn:5 Rd:5", saturating_accumulate<VQAddUS>>("usqadd {Rd:Z}, {Rn:Z}",
                                                                                       "USQADD"),
    simd<"01 0 11110 size:2 10000 00111 10 Rn:5 Rd:5", saturate_one<VQAbs>>("sqabs {Rd:Z}, {Rn:Z}", "SQABS"),
    simd<"01 1 11110 size:2 10000 00111 10 Rn:5 Rd:5", saturate_one<VQNeg>>("sqneg {Rd:Z}, {Rn:Z}", "SQNEG"),
    simd<"01 0 11110 11 10000 01000 10 Rn:5 Rd:5", compare_zero<VCmpGtS>>("cmgt {Rd:d}, {Rn:d}, #0", "CMGT (zero)"),
    simd<"01 1 11110 11 10000 01000 10 Rn:5 Rd:5", compare_zero<VCmpGeS>>("cmge {Rd:d}, {Rn:d}, #0", "CMGE (zero)"),
    simd<"01 0 11110 11 10000 01001 10 Rn:5 Rd:5", compare_zero<VCmpEq>>("cmeq {Rd:d}, {Rn:d}, #0", "CMEQ (zero)"),
    simd<"01 1 11110 11 10000 01001 10 Rn:5 Rd:5", zero_compare<VCmpGeS>>("cmle {Rd:d}, {Rn:d}, #0", "CMLE (zero)"),
    simd<"01 0 11110 11 10000 01010 10 Rn:5 Rd:5", zero_compare<VCmpGtS>>("cmlt {Rd:d}, {Rn:d}, #0", "CMLT (zero)"),
    simd<"01 0 11110 11 10000 01011 10 Rn:5 Rd:5", doubleword_of<VAbs>>("abs {Rd:d}, {Rn:d}", "ABS"),
    simd<"01 1 11110 11 10000 01011 10 Rn:5 Rd:5", doubleword_of<VNeg>>("neg {Rd:d}, {Rn:d}", "NEG (vector)"),
    simd<"01 1 11110 size:2!=3 10000 10010 10 Rn:5 Rd:5", saturate_one<VQNarrowSU>>("sqxtun {Rd:Z}, {Rn:Zw}",
                                                                                    "SQXTUN, SQXTUN2"),
    simd<"01 0 11110 size:2!=3 10000 10100 10 Rn:5 Rd:5", saturate_one<VQNarrowS>>("sqxtn {Rd:Z}, {Rn:Zw}",
                                                                                   "SQXTN, SQXTN2"),
    simd<"01 1 11110 size:2!=3 10000 10100 10 Rn:5 Rd:5", saturate_one<VQNarrowU>>("uqxtn {Rd:Z}, {Rn:Zw}",
                                                                                   "UQXTN, UQXTN2"),
    simd<"01 0 11110 11 11000 11011 10 Rn:5 Rd:5", addp>("addp {Rd:d}, {Rn:.2d}", "ADDP (scalar)"),
});

}  // namespace

std::span<const Row> simd_scalar_rows() {
  return kRows;
}

}  // namespace tiercel::arm
