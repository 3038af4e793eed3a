// Arm ARM (DDI 0487), encoding classes "Advanced SIMD three same" (integer and logical part) and "Advanced SIMD three
// same extra" (RDM). The floating-point part is in simd_three_same_fp.cpp.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

// Vd = op(Vn, Vm), lane by lane.
template <Opcode O>
bool lanes(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, arrangement(size, q), {t.v(n), t.v(m)}));
  return t.next();
}

template <Opcode O>
bool saturate(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, saturating(t, O, arrangement(size, q), {t.v(n), t.v(m)}));
  return t.next();
}

// Vd = accumulate(Vd, op(Vn, Vm)).
template <Opcode Accumulate, Opcode O>
bool accumulate(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const Arr a = arrangement(size, q);
  t.set_v(d, t.ir.vec(Accumulate, a, {t.v(d), t.ir.vec(O, a, {t.v(n), t.v(m)})}));
  return t.next();
}

// Neighbours of Vm:Vn.
template <Opcode O>
bool pairwise(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const Value a = t.v(n), b = t.v(m);
  const unsigned bytes = q ? 16 : 8;
  const Value even = unzip(t, a, b, size, bytes, false), odd = unzip(t, a, b, size, bytes, true);
  t.set_v(d, t.ir.vec(O, arrangement(size, q), {even, odd}));
  return t.next();
}

bool pmul(Translate& t, bool q, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Opcode::VPMul, arrangement(0, q), {t.v(n), t.v(m)}));
  return t.next();
}

template <Opcode O>
bool logical(Translate& t, bool q, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, arrangement(0, q), {t.v(n), t.v(m)}));
  return t.next();
}

// MOV (vector) is the alias with n = m.
bool orr(Translate& t, bool q, VReg m, VReg n, VReg d) {
  if (n != m) return logical<Opcode::VOr>(t, q, m, n, d);
  t.set_v(d, q ? t.v(n) : t.v_scalar(Type::F64, n));
  return t.next();
}

// BSL, BIT and BIF are one selection with the mask in different places.
bool bsl(Translate& t, bool q, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Opcode::VBsl, arrangement(0, q), {t.v(d), t.v(n), t.v(m)}));
  return t.next();
}
bool bit(Translate& t, bool q, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Opcode::VBsl, arrangement(0, q), {t.v(m), t.v(n), t.v(d)}));
  return t.next();
}
bool bif(Translate& t, bool q, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Opcode::VBsl, arrangement(0, q), {t.v(m), t.v(d), t.v(n)}));
  return t.next();
}

template <Opcode O>
bool rounding_accumulate(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, saturating(t, O, arrangement(size, q), {t.v(d), t.v(n), t.v(m)}));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 00000 1 Rn:5 Rd:5", lanes<VHAddS>>("shadd {Rd:T}, {Rn:T}, {Rm:T}", "SHADD"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 00000 1 Rn:5 Rd:5", lanes<VHAddU>>("uhadd {Rd:T}, {Rn:T}, {Rm:T}", "UHADD"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", saturate<VQAddS>, any_lanes>("sqadd {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                     "SQADD"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", saturate<VQAddU>, any_lanes>("uqadd {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                     "UQADD"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 00010 1 Rn:5 Rd:5", lanes<VRHAddS>>("srhadd {Rd:T}, {Rn:T}, {Rm:T}", "SRHADD"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 00010 1 Rn:5 Rd:5", lanes<VRHAddU>>("urhadd {Rd:T}, {Rn:T}, {Rm:T}", "URHADD"),
    simd<"0 Q 0 01110 00 1 Rm:5 00011 1 Rn:5 Rd:5", logical<VAnd>>("and {Rd:T}, {Rn:T}, {Rm:T}", "AND (vector)"),
    simd<"0 Q 0 01110 01 1 Rm:5 00011 1 Rn:5 Rd:5", logical<VAndNot>>("bic {Rd:T}, {Rn:T}, {Rm:T}",
                                                                      "BIC (vector, register)"),
    simd<"0 Q 0 01110 10 1 Rm:5 00011 1 Rn:5 Rd:5", orr>("orr {Rd:T}, {Rn:T}, {Rm:T}", "ORR (vector, register)"),
    simd<"0 Q 0 01110 11 1 Rm:5 00011 1 Rn:5 Rd:5", logical<VOrNot>>("orn {Rd:T}, {Rn:T}, {Rm:T}", "ORN (vector)"),
    simd<"0 Q 1 01110 00 1 Rm:5 00011 1 Rn:5 Rd:5", logical<VXor>>("eor {Rd:T}, {Rn:T}, {Rm:T}", "EOR (vector)"),
    simd<"0 Q 1 01110 01 1 Rm:5 00011 1 Rn:5 Rd:5", bsl>("bsl {Rd:T}, {Rn:T}, {Rm:T}", "BSL"),
    simd<"0 Q 1 01110 10 1 Rm:5 00011 1 Rn:5 Rd:5", bit>("bit {Rd:T}, {Rn:T}, {Rm:T}", "BIT"),
    simd<"0 Q 1 01110 11 1 Rm:5 00011 1 Rn:5 Rd:5", bif>("bif {Rd:T}, {Rn:T}, {Rm:T}", "BIF"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 00100 1 Rn:5 Rd:5", lanes<VHSubS>>("shsub {Rd:T}, {Rn:T}, {Rm:T}", "SHSUB"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 00100 1 Rn:5 Rd:5", lanes<VHSubU>>("uhsub {Rd:T}, {Rn:T}, {Rm:T}", "UHSUB"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", saturate<VQSubS>, any_lanes>("sqsub {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                     "SQSUB"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", saturate<VQSubU>, any_lanes>("uqsub {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                     "UQSUB"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 00110 1 Rn:5 Rd:5", lanes<VCmpGtS>, any_lanes>("cmgt {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                   "CMGT (register)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 00110 1 Rn:5 Rd:5", lanes<VCmpGtU>, any_lanes>("cmhi {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                   "CMHI (register)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 00111 1 Rn:5 Rd:5", lanes<VCmpGeS>, any_lanes>("cmge {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                   "CMGE (register)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 00111 1 Rn:5 Rd:5", lanes<VCmpGeU>, any_lanes>("cmhs {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                   "CMHS (register)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 01000 1 Rn:5 Rd:5", lanes<VShlS>, any_lanes>("sshl {Rd:T}, {Rn:T}, {Rm:T}", "SSHL"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 01000 1 Rn:5 Rd:5", lanes<VShlU>, any_lanes>("ushl {Rd:T}, {Rn:T}, {Rm:T}", "USHL"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", saturate<VQShlS>, any_lanes>("sqshl {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                     "SQSHL (register)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", saturate<VQShlU>, any_lanes>("uqshl {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                     "UQSHL (register)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 01010 1 Rn:5 Rd:5", lanes<VRShlS>, any_lanes>("srshl {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                  "SRSHL"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 01010 1 Rn:5 Rd:5", lanes<VRShlU>, any_lanes>("urshl {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                  "URSHL"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", saturate<VQRShlS>, any_lanes>("sqrshl {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                      "SQRSHL"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", saturate<VQRShlU>, any_lanes>("uqrshl {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                      "UQRSHL"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 01100 1 Rn:5 Rd:5", lanes<VMaxS>>("smax {Rd:T}, {Rn:T}, {Rm:T}", "SMAX"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 01100 1 Rn:5 Rd:5", lanes<VMaxU>>("umax {Rd:T}, {Rn:T}, {Rm:T}", "UMAX"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 01101 1 Rn:5 Rd:5", lanes<VMinS>>("smin {Rd:T}, {Rn:T}, {Rm:T}", "SMIN"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 01101 1 Rn:5 Rd:5", lanes<VMinU>>("umin {Rd:T}, {Rn:T}, {Rm:T}", "UMIN"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 01110 1 Rn:5 Rd:5", lanes<VAbdS>>("sabd {Rd:T}, {Rn:T}, {Rm:T}", "SABD"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 01110 1 Rn:5 Rd:5", lanes<VAbdU>>("uabd {Rd:T}, {Rn:T}, {Rm:T}", "UABD"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 01111 1 Rn:5 Rd:5", accumulate<VAdd, VAbdS>>("saba {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                    "SABA"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 01111 1 Rn:5 Rd:5", accumulate<VAdd, VAbdU>>("uaba {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                    "UABA"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 10000 1 Rn:5 Rd:5", lanes<VAdd>, any_lanes>("add {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "ADD (vector)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 10000 1 Rn:5 Rd:5", lanes<VSub>, any_lanes>("sub {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "SUB (vector)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 10001 1 Rn:5 Rd:5", lanes<VCmpTst>, any_lanes>("cmtst {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                   "CMTST"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 10001 1 Rn:5 Rd:5", lanes<VCmpEq>, any_lanes>("cmeq {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                  "CMEQ"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 10010 1 Rn:5 Rd:5", accumulate<VAdd, VMul>>("mla {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                   "MLA (vector)"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 10010 1 Rn:5 Rd:5", accumulate<VSub, VMul>>("mls {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                   "MLS (vector)"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 10011 1 Rn:5 Rd:5", lanes<VMul>>("mul {Rd:T}, {Rn:T}, {Rm:T}", "MUL (vector)"),
    simd<"0 Q 1 01110 00 1 Rm:5 10011 1 Rn:5 Rd:5", pmul>("pmul {Rd:T}, {Rn:T}, {Rm:T}", "PMUL"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 10100 1 Rn:5 Rd:5", pairwise<VMaxS>>("smaxp {Rd:T}, {Rn:T}, {Rm:T}", "SMAXP"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 10100 1 Rn:5 Rd:5", pairwise<VMaxU>>("umaxp {Rd:T}, {Rn:T}, {Rm:T}", "UMAXP"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 10101 1 Rn:5 Rd:5", pairwise<VMinS>>("sminp {Rd:T}, {Rn:T}, {Rm:T}", "SMINP"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 10101 1 Rn:5 Rd:5", pairwise<VMinU>>("uminp {Rd:T}, {Rn:T}, {Rm:T}", "UMINP"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", saturate<VQDMulH>, halves_or_singles>(
        "sqdmulh {Rd:T}, {Rn:T}, {Rm:T}", "SQDMULH (vector)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", saturate<VQRDMulH>, halves_or_singles>(
        "sqrdmulh {Rd:T}, {Rn:T}, {Rm:T}", "SQRDMULH (vector)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 10111 1 Rn:5 Rd:5", pairwise<VAdd>, any_lanes>("addp {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                   "ADDP (vector)"),

    row<"0 Q 1 01110 size:2 0 Rm:5 1 0000 1 Rn:5 Rd:5", rounding_accumulate<VQRDMlAH>, halves_or_singles>(
        "sqrdmlah {Rd:T}, {Rn:T}, {Rm:T}", Feature::RDM, "SQRDMLAH (vector)"),
    row<"0 Q 1 01110 size:2 0 Rm:5 1 0001 1 Rn:5 Rd:5", rounding_accumulate<VQRDMlSH>, halves_or_singles>(
        "sqrdmlsh {Rd:T}, {Rn:T}, {Rm:T}", Feature::RDM, "SQRDMLSH (vector)"),
});

}  // namespace

std::span<const Row> simd_three_same_rows() {
  return kRows;
}

}  // namespace tiercel::arm
