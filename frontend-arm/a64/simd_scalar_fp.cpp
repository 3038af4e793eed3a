// Arm ARM (DDI 0487), floating-point part of the encoding classes "Advanced SIMD scalar three same", "... two-register
// miscellaneous" and "... pairwise".

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

template <Opcode O>
bool two(Translate& t, bool sz, VReg m, VReg n, VReg d) {
  const Type f = fp_type(sz);
  t.set_v(d, t.ir.fp(O, f, Arr::None, {t.v_scalar(f, n), t.v_scalar(f, m)}));
  return t.next();
}
template <Opcode O>
bool compare_absolute(Translate& t, bool sz, VReg m, VReg n, VReg d) {
  const Type f = fp_type(sz);
  const Value left = t.ir.fp(Opcode::FAbs, f, Arr::None, {t.v_scalar(f, n)});
  const Value right = t.ir.fp(Opcode::FAbs, f, Arr::None, {t.v_scalar(f, m)});
  t.set_v(d, t.ir.fp(O, f, Arr::None, {left, right}));
  return t.next();
}
bool fabd(Translate& t, bool sz, VReg m, VReg n, VReg d) {
  const Type f = fp_type(sz);
  const Value difference = t.ir.fp(Opcode::FSub, f, Arr::None, {t.v_scalar(f, n), t.v_scalar(f, m)});
  t.set_v(d, t.ir.fp(Opcode::FAbs, f, Arr::None, {difference}));
  return t.next();
}

template <Opcode O>
bool one(Translate& t, bool sz, VReg n, VReg d) {
  const Type f = fp_type(sz);
  t.set_v(d, t.ir.fp(O, f, Arr::None, {t.v_scalar(f, n)}));
  return t.next();
}
template <Opcode O>
bool compare_zero(Translate& t, bool sz, VReg n, VReg d) {
  const Type f = fp_type(sz);
  t.set_v(d, t.ir.fp(O, f, Arr::None, {t.v_scalar(f, n), t.ir.imm(f, 0)}));
  return t.next();
}
// FCMLE, FCMLT: zero on the left.
template <Opcode O>
bool zero_compare(Translate& t, bool sz, VReg n, VReg d) {
  const Type f = fp_type(sz);
  t.set_v(d, t.ir.fp(O, f, Arr::None, {t.ir.imm(f, 0), t.v_scalar(f, n)}));
  return t.next();
}
template <Round R, bool Unsigned>
bool to_integer(Translate& t, bool sz, VReg n, VReg d) {
  t.set_v(d,
          t.ir.op(Opcode::FToInt, int_type(sz), {t.v_scalar(fp_type(sz), n)}, Arr::None, unsigned_round(R, Unsigned)));
  return t.next();
}
template <bool Unsigned>
bool from_integer(Translate& t, bool sz, VReg n, VReg d) {
  t.set_v(d, t.ir.op(Opcode::IntToF, fp_type(sz), {t.v_scalar(int_type(sz), n)}, Arr::None,
                     unsigned_round(Round::Current, Unsigned)));
  return t.next();
}
bool fcvtxn(Translate& t, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(Opcode::FCvt, Type::F32, Arr::None, {t.v_scalar(Type::F64, n)}, static_cast<u32>(Round::Odd)));
  return t.next();
}

// The two lowest lanes.
template <Opcode O>
bool pairwise(Translate& t, bool sz, VReg n, VReg d) {
  const Type f = fp_type(sz);
  const Arr lanes = sz ? Arr::D2 : Arr::S4;
  const Value low = t.ir.vextract(f, t.v(n), lanes, 0), high = t.ir.vextract(f, t.v(n), lanes, 1);
  t.set_v(d, t.ir.fp(O, f, Arr::None, {low, high}));
  return t.next();
}

using enum Opcode;
using enum Round;
constexpr auto kRows = std::to_array<Row>({
    simd<"01 0 11110 0 sz 1 Rm:5 11011 1 Rn:5 Rd:5", two<FMulX>>("fmulx {Rd:Z}, {Rn:Z}, {Rm:Z}", "FMULX"),
    simd<"01 0 11110 0 sz 1 Rm:5 11100 1 Rn:5 Rd:5", two<VFCmpEq>>("fcmeq {Rd:Z}, {Rn:Z}, {Rm:Z}", "FCMEQ (register)"),
    simd<"01 0 11110 0 sz 1 Rm:5 11111 1 Rn:5 Rd:5", two<FRecipS>>("frecps {Rd:Z}, {Rn:Z}, {Rm:Z}", "FRECPS"),
    simd<"01 0 11110 1 sz 1 Rm:5 11111 1 Rn:5 Rd:5", two<FRsqrtS>>("frsqrts {Rd:Z}, {Rn:Z}, {Rm:Z}", "FRSQRTS"),
    simd<"01 1 11110 0 sz 1 Rm:5 11100 1 Rn:5 Rd:5", two<VFCmpGe>>("fcmge {Rd:Z}, {Rn:Z}, {Rm:Z}", "FCMGE (register)"),
    simd<"01 1 11110 0 sz 1 Rm:5 11101 1 Rn:5 Rd:5", compare_absolute<VFCmpGe>>("facge {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                                "FACGE"),
    simd<"01 1 11110 1 sz 1 Rm:5 11010 1 Rn:5 Rd:5", fabd>("fabd {Rd:Z}, {Rn:Z}, {Rm:Z}", "FABD"),
    simd<"01 1 11110 1 sz 1 Rm:5 11100 1 Rn:5 Rd:5", two<VFCmpGt>>("fcmgt {Rd:Z}, {Rn:Z}, {Rm:Z}", "FCMGT (register)"),
    simd<"01 1 11110 1 sz 1 Rm:5 11101 1 Rn:5 Rd:5", compare_absolute<VFCmpGt>>("facgt {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                                "FACGT"),

    simd<"01 0 11110 0 sz 10000 11010 10 Rn:5 Rd:5", to_integer<TieEven, false>>("fcvtns {Rd:Z}, {Rn:Z}",
                                                                                 "FCVTNS (vector)"),
    simd<"01 0 11110 0 sz 10000 11011 10 Rn:5 Rd:5", to_integer<NegInf, false>>("fcvtms {Rd:Z}, {Rn:Z}",
                                                                                "FCVTMS (vector)"),
    simd<"01 0 11110 0 sz 10000 11100 10 Rn:5 Rd:5", to_integer<TieAway, false>>("fcvtas {Rd:Z}, {Rn:Z}",
                                                                                 "FCVTAS (vector)"),
    simd<"01 0 11110 1 sz 10000 11010 10 Rn:5 Rd:5", to_integer<PosInf, false>>("fcvtps {Rd:Z}, {Rn:Z}",
                                                                                "FCVTPS (vector)"),
    simd<"01 0 11110 1 sz 10000 11011 10 Rn:5 Rd:5", to_integer<Zero, false>>("fcvtzs {Rd:Z}, {Rn:Z}",
                                                                              "FCVTZS (vector)"),
    simd<"01 0 11110 0 sz 10000 11101 10 Rn:5 Rd:5", from_integer<false>>("scvtf {Rd:Z}, {Rn:Z}",
                                                                          "SCVTF (vector, integer)"),
    simd<"01 1 11110 0 sz 10000 11010 10 Rn:5 Rd:5", to_integer<TieEven, true>>("fcvtnu {Rd:Z}, {Rn:Z}",
                                                                                "FCVTNU (vector)"),
    simd<"01 1 11110 0 sz 10000 11011 10 Rn:5 Rd:5", to_integer<NegInf, true>>("fcvtmu {Rd:Z}, {Rn:Z}",
                                                                               "FCVTMU (vector)"),
    simd<"01 1 11110 0 sz 10000 11100 10 Rn:5 Rd:5", to_integer<TieAway, true>>("fcvtau {Rd:Z}, {Rn:Z}",
                                                                                "FCVTAU (vector)"),
    simd<"01 1 11110 1 sz 10000 11010 10 Rn:5 Rd:5", to_integer<PosInf, true>>("fcvtpu {Rd:Z}, {Rn:Z}",
                                                                               "FCVTPU (vector)"),
    simd<"01 1 11110 1 sz 10000 11011 10 Rn:5 Rd:5", to_integer<Zero, true>>("fcvtzu {Rd:Z}, {Rn:Z}",
                                                                             "FCVTZU (vector)"),
    simd<"01 1 11110 0 sz 10000 11101 10 Rn:5 Rd:5", from_integer<true>>("ucvtf {Rd:Z}, {Rn:Z}",
                                                                         "UCVTF (vector, integer)"),
    simd<"01 0 11110 1 sz 10000 01100 10 Rn:5 Rd:5", compare_zero<VFCmpGt>>("fcmgt {Rd:Z}, {Rn:Z}, #0.0",
                                                                            "FCMGT (zero)"),
    simd<"01 0 11110 1 sz 10000 01101 10 Rn:5 Rd:5", compare_zero<VFCmpEq>>("fcmeq {Rd:Z}, {Rn:Z}, #0.0",
                                                                            "FCMEQ (zero)"),
    simd<"01 0 11110 1 sz 10000 01110 10 Rn:5 Rd:5", zero_compare<VFCmpGt>>("fcmlt {Rd:Z}, {Rn:Z}, #0.0",
                                                                            "FCMLT (zero)"),
    simd<"01 1 11110 1 sz 10000 01100 10 Rn:5 Rd:5", compare_zero<VFCmpGe>>("fcmge {Rd:Z}, {Rn:Z}, #0.0",
                                                                            "FCMGE (zero)"),
    simd<"01 1 11110 1 sz 10000 01101 10 Rn:5 Rd:5", zero_compare<VFCmpGe>>("fcmle {Rd:Z}, {Rn:Z}, #0.0",
                                                                            "FCMLE (zero)"),
    simd<"01 0 11110 1 sz 10000 11101 10 Rn:5 Rd:5", one<FRecipE>>("frecpe {Rd:Z}, {Rn:Z}", "FRECPE"),
    simd<"01 0 11110 1 sz 10000 11111 10 Rn:5 Rd:5", one<FRecipX>>("frecpx {Rd:Z}, {Rn:Z}", "FRECPX"),
    simd<"01 1 11110 1 sz 10000 11101 10 Rn:5 Rd:5", one<FRsqrtE>>("frsqrte {Rd:Z}, {Rn:Z}", "FRSQRTE"),
    simd<"01 1 11110 0 1 10000 10110 10 Rn:5 Rd:5", fcvtxn>("fcvtxn {Rd:S}, {Rn:d}", "FCVTXN, FCVTXN2"),

    simd<"01 1 11110 0 sz 11000 01100 10 Rn:5 Rd:5", pairwise<FMaxNm>>("fmaxnmp {Rd:Z}, {Rn:P}", "FMAXNMP (scalar)"),
    simd<"01 1 11110 0 sz 11000 01101 10 Rn:5 Rd:5", pairwise<FAdd>>("faddp {Rd:Z}, {Rn:P}", "FADDP (scalar)"),
    simd<"01 1 11110 0 sz 11000 01111 10 Rn:5 Rd:5", pairwise<FMax>>("fmaxp {Rd:Z}, {Rn:P}", "FMAXP (scalar)"),
    simd<"01 1 11110 1 sz 11000 01100 10 Rn:5 Rd:5", pairwise<FMinNm>>("fminnmp {Rd:Z}, {Rn:P}", "FMINNMP (scalar)"),
    simd<"01 1 11110 1 sz 11000 01111 10 Rn:5 Rd:5", pairwise<FMin>>("fminp {Rd:Z}, {Rn:P}", "FMINP (scalar)"),
});

}  // namespace

std::span<const Row> simd_scalar_fp_rows() {
  return kRows;
}

}  // namespace tiercel::arm
