// Arm ARM (DDI 0487), encoding class "Advanced SIMD three same", floating-point part: size<1> selects the operation,
// size<0> (sz) singles or doubles.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

template <Opcode O>
bool lanes(Translate& t, bool q, bool sz, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(O, Type::V128, fp_arrangement(q, sz), {t.v(n), t.v(m)}));
  return t.next();
}

bool fmla(Translate& t, bool q, bool sz, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(Opcode::FMulAdd, Type::V128, fp_arrangement(q, sz), {t.v(d), t.v(n), t.v(m)}));
  return t.next();
}

bool fmls(Translate& t, bool q, bool sz, VReg m, VReg n, VReg d) {
  const Arr a = fp_arrangement(q, sz);
  const Value negated = t.ir.fp(Opcode::FNeg, Type::V128, a, {t.v(n)});
  t.set_v(d, t.ir.fp(Opcode::FMulAdd, Type::V128, a, {t.v(d), negated, t.v(m)}));
  return t.next();
}

template <Opcode O>
bool pairwise(Translate& t, bool q, bool sz, VReg m, VReg n, VReg d) {
  const Value a = t.v(n), b = t.v(m);
  const unsigned bytes = q ? 16 : 8;
  const u32 size = sz ? 3 : 2;
  const Value even = unzip(t, a, b, size, bytes, false), odd = unzip(t, a, b, size, bytes, true);
  t.set_v(d, t.ir.fp(O, Type::V128, fp_arrangement(q, sz), {even, odd}));
  return t.next();
}

bool fabd(Translate& t, bool q, bool sz, VReg m, VReg n, VReg d) {
  const Arr a = fp_arrangement(q, sz);
  const Value difference = t.ir.fp(Opcode::FSub, Type::V128, a, {t.v(n), t.v(m)});
  t.set_v(d, t.ir.fp(Opcode::FAbs, Type::V128, a, {difference}));
  return t.next();
}

// FACGE, FACGT compare magnitudes.
template <Opcode O>
bool compare_absolute(Translate& t, bool q, bool sz, VReg m, VReg n, VReg d) {
  const Arr a = fp_arrangement(q, sz);
  const Value left = t.ir.fp(Opcode::FAbs, Type::V128, a, {t.v(n)});
  const Value right = t.ir.fp(Opcode::FAbs, Type::V128, a, {t.v(m)});
  t.set_v(d, t.ir.fp(O, Type::V128, a, {left, right}));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 01110 0 sz 1 Rm:5 11000 1 Rn:5 Rd:5", lanes<FMaxNm>, fp_lanes>("fmaxnm {Rd:T}, {Rn:T}, {Rm:T}",
                                                                               "FMAXNM (vector)"),
    simd<"0 Q 0 01110 0 sz 1 Rm:5 11001 1 Rn:5 Rd:5", fmla, fp_lanes>("fmla {Rd:T}, {Rn:T}, {Rm:T}", "FMLA (vector)"),
    simd<"0 Q 0 01110 0 sz 1 Rm:5 11010 1 Rn:5 Rd:5", lanes<FAdd>, fp_lanes>("fadd {Rd:T}, {Rn:T}, {Rm:T}",
                                                                             "FADD (vector)"),
    simd<"0 Q 0 01110 0 sz 1 Rm:5 11011 1 Rn:5 Rd:5", lanes<FMulX>, fp_lanes>("fmulx {Rd:T}, {Rn:T}, {Rm:T}", "FMULX"),
    simd<"0 Q 0 01110 0 sz 1 Rm:5 11100 1 Rn:5 Rd:5", lanes<VFCmpEq>, fp_lanes>("fcmeq {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "FCMEQ (register)"),
    simd<"0 Q 0 01110 0 sz 1 Rm:5 11110 1 Rn:5 Rd:5", lanes<FMax>, fp_lanes>("fmax {Rd:T}, {Rn:T}, {Rm:T}",
                                                                             "FMAX (vector)"),
    simd<"0 Q 0 01110 0 sz 1 Rm:5 11111 1 Rn:5 Rd:5", lanes<FRecipS>, fp_lanes>("frecps {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "FRECPS"),
    simd<"0 Q 0 01110 1 sz 1 Rm:5 11000 1 Rn:5 Rd:5", lanes<FMinNm>, fp_lanes>("fminnm {Rd:T}, {Rn:T}, {Rm:T}",
                                                                               "FMINNM (vector)"),
    simd<"0 Q 0 01110 1 sz 1 Rm:5 11001 1 Rn:5 Rd:5", fmls, fp_lanes>("fmls {Rd:T}, {Rn:T}, {Rm:T}", "FMLS (vector)"),
    simd<"0 Q 0 01110 1 sz 1 Rm:5 11010 1 Rn:5 Rd:5", lanes<FSub>, fp_lanes>("fsub {Rd:T}, {Rn:T}, {Rm:T}",
                                                                             "FSUB (vector)"),
    simd<"0 Q 0 01110 1 sz 1 Rm:5 11110 1 Rn:5 Rd:5", lanes<FMin>, fp_lanes>("fmin {Rd:T}, {Rn:T}, {Rm:T}",
                                                                             "FMIN (vector)"),
    simd<"0 Q 0 01110 1 sz 1 Rm:5 11111 1 Rn:5 Rd:5", lanes<FRsqrtS>, fp_lanes>("frsqrts {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "FRSQRTS"),
    simd<"0 Q 1 01110 0 sz 1 Rm:5 11000 1 Rn:5 Rd:5", pairwise<FMaxNm>, fp_lanes>("fmaxnmp {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                  "FMAXNMP (vector)"),
    simd<"0 Q 1 01110 0 sz 1 Rm:5 11010 1 Rn:5 Rd:5", pairwise<FAdd>, fp_lanes>("faddp {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "FADDP (vector)"),
    simd<"0 Q 1 01110 0 sz 1 Rm:5 11011 1 Rn:5 Rd:5", lanes<FMul>, fp_lanes>("fmul {Rd:T}, {Rn:T}, {Rm:T}",
                                                                             "FMUL (vector)"),
    simd<"0 Q 1 01110 0 sz 1 Rm:5 11100 1 Rn:5 Rd:5", lanes<VFCmpGe>, fp_lanes>("fcmge {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "FCMGE (register)"),
    simd<"0 Q 1 01110 0 sz 1 Rm:5 11101 1 Rn:5 Rd:5", compare_absolute<VFCmpGe>, fp_lanes>(
        "facge {Rd:T}, {Rn:T}, {Rm:T}", "FACGE"),
    simd<"0 Q 1 01110 0 sz 1 Rm:5 11110 1 Rn:5 Rd:5", pairwise<FMax>, fp_lanes>("fmaxp {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "FMAXP (vector)"),
    simd<"0 Q 1 01110 0 sz 1 Rm:5 11111 1 Rn:5 Rd:5", lanes<FDiv>, fp_lanes>("fdiv {Rd:T}, {Rn:T}, {Rm:T}",
                                                                             "FDIV (vector)"),
    simd<"0 Q 1 01110 1 sz 1 Rm:5 11000 1 Rn:5 Rd:5", pairwise<FMinNm>, fp_lanes>("fminnmp {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                  "FMINNMP (vector)"),
    simd<"0 Q 1 01110 1 sz 1 Rm:5 11010 1 Rn:5 Rd:5", fabd, fp_lanes>("fabd {Rd:T}, {Rn:T}, {Rm:T}", "FABD"),
    simd<"0 Q 1 01110 1 sz 1 Rm:5 11100 1 Rn:5 Rd:5", lanes<VFCmpGt>, fp_lanes>("fcmgt {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "FCMGT (register)"),
    simd<"0 Q 1 01110 1 sz 1 Rm:5 11101 1 Rn:5 Rd:5", compare_absolute<VFCmpGt>, fp_lanes>(
        "facgt {Rd:T}, {Rn:T}, {Rm:T}", "FACGT"),
    simd<"0 Q 1 01110 1 sz 1 Rm:5 11110 1 Rn:5 Rd:5", pairwise<FMin>, fp_lanes>("fminp {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                "FMINP (vector)"),
});

}  // namespace

std::span<const Row> simd_three_same_fp_rows() {
  return kRows;
}

}  // namespace tiercel::arm
