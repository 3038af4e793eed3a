// Arm ARM (DDI 0487), encoding class "Advanced SIMD two-register miscellaneous", floating-point part: size<1> belongs
// to the operation, size<0> (sz) selects singles or doubles.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

template <Opcode O, u32 Aux = 0>
bool lanes(Translate& t, bool q, bool sz, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(O, Type::V128, fp_arrangement(q, sz), {t.v(n)}, Aux));
  return t.next();
}

template <Opcode O>
bool compare_zero(Translate& t, bool q, bool sz, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(O, Type::V128, fp_arrangement(q, sz), {t.v(n), t.ir.vconst({})}));
  return t.next();
}
// FCMLE, FCMLT: zero on the left.
template <Opcode O>
bool zero_compare(Translate& t, bool q, bool sz, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(O, Type::V128, fp_arrangement(q, sz), {t.ir.vconst({}), t.v(n)}));
  return t.next();
}

// sz = 0: halves and singles; sz = 1: singles and doubles.
bool fcvtl(Translate& t, bool q, bool sz, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(Opcode::VFCvtUp, Type::V128, sz ? Arr::D2 : Arr::S4, {long_operand(t, q, n)}));
  return t.next();
}
bool fcvtn(Translate& t, bool q, bool sz, VReg n, VReg d) {
  set_narrow(
      t, q, d,
      t.ir.fp(Opcode::VFCvtDown, Type::V128, sz ? Arr::S2 : Arr::H4, {t.v(n)}, static_cast<u32>(Round::Current)));
  return t.next();
}
bool fcvtxn(Translate& t, bool q, VReg n, VReg d) {
  set_narrow(t, q, d, t.ir.fp(Opcode::VFCvtDown, Type::V128, Arr::S2, {t.v(n)}, static_cast<u32>(Round::Odd)));
  return t.next();
}

constexpr u32 kSignalInexact = 8;
constexpr u32 aux(Round r) {
  return static_cast<u32>(r);
}

using enum Opcode;
using enum Round;
constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 01110 0 sz 10000 10110 10 Rn:5 Rd:5", fcvtn>("fcvtn{@2} {Rd:Tn}, {Rn:Tf}", "FCVTN, FCVTN2"),
    simd<"0 Q 1 01110 0 1 10000 10110 10 Rn:5 Rd:5", fcvtxn>("fcvtxn{@2} {Rd:Ts}, {Rn:.2d}", "FCVTXN, FCVTXN2"),
    simd<"0 Q 0 01110 0 sz 10000 10111 10 Rn:5 Rd:5", fcvtl>("fcvtl{@2} {Rd:Tf}, {Rn:Tn}", "FCVTL, FCVTL2"),
    simd<"0 Q 0 01110 0 sz 10000 11000 10 Rn:5 Rd:5", lanes<FRint, aux(TieEven)>, fp_lanes>("frintn {Rd:T}, {Rn:T}",
                                                                                            "FRINTN (vector)"),
    simd<"0 Q 0 01110 0 sz 10000 11001 10 Rn:5 Rd:5", lanes<FRint, aux(NegInf)>, fp_lanes>("frintm {Rd:T}, {Rn:T}",
                                                                                           "FRINTM (vector)"),
    simd<"0 Q 0 01110 1 sz 10000 11000 10 Rn:5 Rd:5", lanes<FRint, aux(PosInf)>, fp_lanes>("frintp {Rd:T}, {Rn:T}",
                                                                                           "FRINTP (vector)"),
    simd<"0 Q 0 01110 1 sz 10000 11001 10 Rn:5 Rd:5", lanes<FRint, aux(Zero)>, fp_lanes>("frintz {Rd:T}, {Rn:T}",
                                                                                         "FRINTZ (vector)"),
    simd<"0 Q 1 01110 0 sz 10000 11000 10 Rn:5 Rd:5", lanes<FRint, aux(TieAway)>, fp_lanes>("frinta {Rd:T}, {Rn:T}",
                                                                                            "FRINTA (vector)"),
    simd<"0 Q 1 01110 0 sz 10000 11001 10 Rn:5 Rd:5", lanes<FRint, aux(Current) | kSignalInexact>, fp_lanes>(
        "frintx {Rd:T}, {Rn:T}", "FRINTX (vector)"),
    simd<"0 Q 1 01110 1 sz 10000 11001 10 Rn:5 Rd:5", lanes<FRint, aux(Current)>, fp_lanes>("frinti {Rd:T}, {Rn:T}",
                                                                                            "FRINTI (vector)"),
    simd<"0 Q 0 01110 0 sz 10000 11010 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(TieEven, false)>, fp_lanes>(
        "fcvtns {Rd:T}, {Rn:T}", "FCVTNS (vector)"),
    simd<"0 Q 0 01110 0 sz 10000 11011 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(NegInf, false)>, fp_lanes>(
        "fcvtms {Rd:T}, {Rn:T}", "FCVTMS (vector)"),
    simd<"0 Q 0 01110 0 sz 10000 11100 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(TieAway, false)>, fp_lanes>(
        "fcvtas {Rd:T}, {Rn:T}", "FCVTAS (vector)"),
    simd<"0 Q 0 01110 1 sz 10000 11010 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(PosInf, false)>, fp_lanes>(
        "fcvtps {Rd:T}, {Rn:T}", "FCVTPS (vector)"),
    simd<"0 Q 0 01110 1 sz 10000 11011 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(Zero, false)>, fp_lanes>(
        "fcvtzs {Rd:T}, {Rn:T}", "FCVTZS (vector)"),
    simd<"0 Q 0 01110 0 sz 10000 11101 10 Rn:5 Rd:5", lanes<IntToF, unsigned_round(Current, false)>, fp_lanes>(
        "scvtf {Rd:T}, {Rn:T}", "SCVTF (vector, integer)"),
    simd<"0 Q 1 01110 0 sz 10000 11010 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(TieEven, true)>, fp_lanes>(
        "fcvtnu {Rd:T}, {Rn:T}", "FCVTNU (vector)"),
    simd<"0 Q 1 01110 0 sz 10000 11011 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(NegInf, true)>, fp_lanes>(
        "fcvtmu {Rd:T}, {Rn:T}", "FCVTMU (vector)"),
    simd<"0 Q 1 01110 0 sz 10000 11100 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(TieAway, true)>, fp_lanes>(
        "fcvtau {Rd:T}, {Rn:T}", "FCVTAU (vector)"),
    simd<"0 Q 1 01110 1 sz 10000 11010 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(PosInf, true)>, fp_lanes>(
        "fcvtpu {Rd:T}, {Rn:T}", "FCVTPU (vector)"),
    simd<"0 Q 1 01110 1 sz 10000 11011 10 Rn:5 Rd:5", lanes<FToInt, unsigned_round(Zero, true)>, fp_lanes>(
        "fcvtzu {Rd:T}, {Rn:T}", "FCVTZU (vector)"),
    simd<"0 Q 1 01110 0 sz 10000 11101 10 Rn:5 Rd:5", lanes<IntToF, unsigned_round(Current, true)>, fp_lanes>(
        "ucvtf {Rd:T}, {Rn:T}", "UCVTF (vector, integer)"),
    simd<"0 Q 0 01110 1 sz 10000 01100 10 Rn:5 Rd:5", compare_zero<VFCmpGt>, fp_lanes>("fcmgt {Rd:T}, {Rn:T}, #0.0",
                                                                                       "FCMGT (zero)"),
    simd<"0 Q 0 01110 1 sz 10000 01101 10 Rn:5 Rd:5", compare_zero<VFCmpEq>, fp_lanes>("fcmeq {Rd:T}, {Rn:T}, #0.0",
                                                                                       "FCMEQ (zero)"),
    simd<"0 Q 0 01110 1 sz 10000 01110 10 Rn:5 Rd:5", zero_compare<VFCmpGt>, fp_lanes>("fcmlt {Rd:T}, {Rn:T}, #0.0",
                                                                                       "FCMLT (zero)"),
    simd<"0 Q 1 01110 1 sz 10000 01100 10 Rn:5 Rd:5", compare_zero<VFCmpGe>, fp_lanes>("fcmge {Rd:T}, {Rn:T}, #0.0",
                                                                                       "FCMGE (zero)"),
    simd<"0 Q 1 01110 1 sz 10000 01101 10 Rn:5 Rd:5", zero_compare<VFCmpGe>, fp_lanes>("fcmle {Rd:T}, {Rn:T}, #0.0",
                                                                                       "FCMLE (zero)"),
    simd<"0 Q 0 01110 1 sz 10000 01111 10 Rn:5 Rd:5", lanes<FAbs>, fp_lanes>("fabs {Rd:T}, {Rn:T}", "FABS (vector)"),
    simd<"0 Q 1 01110 1 sz 10000 01111 10 Rn:5 Rd:5", lanes<FNeg>, fp_lanes>("fneg {Rd:T}, {Rn:T}", "FNEG (vector)"),
    simd<"0 Q 0 01110 1 sz 10000 11101 10 Rn:5 Rd:5", lanes<FRecipE>, fp_lanes>("frecpe {Rd:T}, {Rn:T}", "FRECPE"),
    simd<"0 Q 1 01110 1 sz 10000 11101 10 Rn:5 Rd:5", lanes<FRsqrtE>, fp_lanes>("frsqrte {Rd:T}, {Rn:T}", "FRSQRTE"),
    simd<"0 Q 1 01110 1 sz 10000 11111 10 Rn:5 Rd:5", lanes<FSqrt>, fp_lanes>("fsqrt {Rd:T}, {Rn:T}", "FSQRT (vector)"),
});

}  // namespace

std::span<const Row> simd_two_reg_misc_fp_rows() {
  return kRows;
}

}  // namespace tiercel::arm
