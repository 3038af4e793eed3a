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
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 00000 1 Rn:5 Rd:5", lanes<VHAddS>>("shadd", "SHADD"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 00000 1 Rn:5 Rd:5", lanes<VHAddU>>("uhadd", "UHADD"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", saturate<VQAddS>, any_lanes>("sqadd", "SQADD"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", saturate<VQAddU>, any_lanes>("uqadd", "UQADD"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 00010 1 Rn:5 Rd:5", lanes<VRHAddS>>("srhadd", "SRHADD"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 00010 1 Rn:5 Rd:5", lanes<VRHAddU>>("urhadd", "URHADD"),
    simd<"0 Q 0 01110 00 1 Rm:5 00011 1 Rn:5 Rd:5", logical<VAnd>>("and", "AND (vector)"),
    simd<"0 Q 0 01110 01 1 Rm:5 00011 1 Rn:5 Rd:5", logical<VAndNot>>("bic", "BIC (vector, register)"),
    simd<"0 Q 0 01110 10 1 Rm:5 00011 1 Rn:5 Rd:5", orr>("orr", "ORR (vector, register)"),
    simd<"0 Q 0 01110 11 1 Rm:5 00011 1 Rn:5 Rd:5", logical<VOrNot>>("orn", "ORN (vector)"),
    simd<"0 Q 1 01110 00 1 Rm:5 00011 1 Rn:5 Rd:5", logical<VXor>>("eor", "EOR (vector)"),
    simd<"0 Q 1 01110 01 1 Rm:5 00011 1 Rn:5 Rd:5", bsl>("bsl", "BSL"),
    simd<"0 Q 1 01110 10 1 Rm:5 00011 1 Rn:5 Rd:5", bit>("bit", "BIT"),
    simd<"0 Q 1 01110 11 1 Rm:5 00011 1 Rn:5 Rd:5", bif>("bif", "BIF"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 00100 1 Rn:5 Rd:5", lanes<VHSubS>>("shsub", "SHSUB"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 00100 1 Rn:5 Rd:5", lanes<VHSubU>>("uhsub", "UHSUB"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", saturate<VQSubS>, any_lanes>("sqsub", "SQSUB"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", saturate<VQSubU>, any_lanes>("uqsub", "UQSUB"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 00110 1 Rn:5 Rd:5", lanes<VCmpGtS>, any_lanes>("cmgt", "CMGT (register)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 00110 1 Rn:5 Rd:5", lanes<VCmpGtU>, any_lanes>("cmhi", "CMHI (register)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 00111 1 Rn:5 Rd:5", lanes<VCmpGeS>, any_lanes>("cmge", "CMGE (register)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 00111 1 Rn:5 Rd:5", lanes<VCmpGeU>, any_lanes>("cmhs", "CMHS (register)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 01000 1 Rn:5 Rd:5", lanes<VShlS>, any_lanes>("sshl", "SSHL"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 01000 1 Rn:5 Rd:5", lanes<VShlU>, any_lanes>("ushl", "USHL"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", saturate<VQShlS>, any_lanes>("sqshl", "SQSHL (register)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", saturate<VQShlU>, any_lanes>("uqshl", "UQSHL (register)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 01010 1 Rn:5 Rd:5", lanes<VRShlS>, any_lanes>("srshl", "SRSHL"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 01010 1 Rn:5 Rd:5", lanes<VRShlU>, any_lanes>("urshl", "URSHL"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", saturate<VQRShlS>, any_lanes>("sqrshl", "SQRSHL"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", saturate<VQRShlU>, any_lanes>("uqrshl", "UQRSHL"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 01100 1 Rn:5 Rd:5", lanes<VMaxS>>("smax", "SMAX"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 01100 1 Rn:5 Rd:5", lanes<VMaxU>>("umax", "UMAX"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 01101 1 Rn:5 Rd:5", lanes<VMinS>>("smin", "SMIN"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 01101 1 Rn:5 Rd:5", lanes<VMinU>>("umin", "UMIN"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 01110 1 Rn:5 Rd:5", lanes<VAbdS>>("sabd", "SABD"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 01110 1 Rn:5 Rd:5", lanes<VAbdU>>("uabd", "UABD"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 01111 1 Rn:5 Rd:5", accumulate<VAdd, VAbdS>>("saba", "SABA"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 01111 1 Rn:5 Rd:5", accumulate<VAdd, VAbdU>>("uaba", "UABA"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 10000 1 Rn:5 Rd:5", lanes<VAdd>, any_lanes>("add", "ADD (vector)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 10000 1 Rn:5 Rd:5", lanes<VSub>, any_lanes>("sub", "SUB (vector)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 10001 1 Rn:5 Rd:5", lanes<VCmpTst>, any_lanes>("cmtst", "CMTST"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 10001 1 Rn:5 Rd:5", lanes<VCmpEq>, any_lanes>("cmeq", "CMEQ"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 10010 1 Rn:5 Rd:5", accumulate<VAdd, VMul>>("mla", "MLA (vector)"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 10010 1 Rn:5 Rd:5", accumulate<VSub, VMul>>("mls", "MLS (vector)"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 10011 1 Rn:5 Rd:5", lanes<VMul>>("mul", "MUL (vector)"),
    simd<"0 Q 1 01110 00 1 Rm:5 10011 1 Rn:5 Rd:5", pmul>("pmul", "PMUL"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 10100 1 Rn:5 Rd:5", pairwise<VMaxS>>("smaxp", "SMAXP"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 10100 1 Rn:5 Rd:5", pairwise<VMaxU>>("umaxp", "UMAXP"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 10101 1 Rn:5 Rd:5", pairwise<VMinS>>("sminp", "SMINP"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 10101 1 Rn:5 Rd:5", pairwise<VMinU>>("uminp", "UMINP"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", saturate<VQDMulH>, halves_or_singles>("sqdmulh",
                                                                                              "SQDMULH (vector)"),
    simd<"0 Q 1 01110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", saturate<VQRDMulH>, halves_or_singles>("sqrdmulh",
                                                                                               "SQRDMULH (vector)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 10111 1 Rn:5 Rd:5", pairwise<VAdd>, any_lanes>("addp", "ADDP (vector)"),

    row<"0 Q 1 01110 size:2 0 Rm:5 1 0000 1 Rn:5 Rd:5", rounding_accumulate<VQRDMlAH>, halves_or_singles>(
        "sqrdmlah", Feature::RDM, "SQRDMLAH (vector)"),
    row<"0 Q 1 01110 size:2 0 Rm:5 1 0001 1 Rn:5 Rd:5", rounding_accumulate<VQRDMlSH>, halves_or_singles>(
        "sqrdmlsh", Feature::RDM, "SQRDMLSH (vector)"),
});

}  // namespace

std::span<const Row> simd_three_same_rows() {
  return kRows;
}

}  // namespace tiercel::arm
