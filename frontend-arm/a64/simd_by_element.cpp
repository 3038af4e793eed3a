// Arm ARM (DDI 0487), encoding classes "Advanced SIMD vector x indexed element" and "Advanced SIMD scalar x indexed
// element". Halfwords: index H:L:M and Vm from the first 16 registers; words and singles: index H:L; doubles: index H,
// L must be 0.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

/// The fields L, M, Rm and H as they stand in the word.
struct Element {
  VReg m;
  unsigned index;
};
constexpr Element element_of(u32 size, bool l, bool m, u32 rm, bool h) {
  const u32 high = h, low = l;
  if (size == 1) return {{static_cast<u8>(rm)}, high << 2 | low << 1 | m};
  const VReg whole = {static_cast<u8>(u32{m} << 4 | rm)};
  if (size == 2) return {whole, high << 1 | low};
  return {whole, high};
}
inline bool fp_element(u32 word) {
  const bool sz = word >> 22 & 1, l = word >> 21 & 1;
  return !sz || (!l && (q_bit(word) || (word >> 28 & 1)));
}

Value broadcast(Translate& t, u32 size, bool q, Element e) {
  return duplicate_lane(t, t.v(e.m), size, q, e.index);
}

// -- vectors
// -----------------------------------------------------------------------------------------------------------------

template <Opcode O>
bool lanes(Translate& t, bool q, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, q, element_of(size, l, m, rm, h));
  t.set_v(d, t.ir.vec(O, arrangement(size, q), {t.v(n), b}));
  return t.next();
}
template <Opcode Accumulate>
bool mla(Translate& t, bool q, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Arr a = arrangement(size, q);
  const Value product = t.ir.vec(Opcode::VMul, a, {t.v(n), broadcast(t, size, q, element_of(size, l, m, rm, h))});
  t.set_v(d, t.ir.vec(Accumulate, a, {t.v(d), product}));
  return t.next();
}
template <Opcode O>
bool saturate(Translate& t, bool q, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, q, element_of(size, l, m, rm, h));
  t.set_v(d, saturating(t, O, arrangement(size, q), {t.v(n), b}));
  return t.next();
}
template <Opcode O>
bool rounding_accumulate(Translate& t, bool q, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, q, element_of(size, l, m, rm, h));
  t.set_v(d, saturating(t, O, arrangement(size, q), {t.v(d), t.v(n), b}));
  return t.next();
}

template <Opcode Multiply>
bool mull(Translate& t, bool q, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, false, element_of(size, l, m, rm, h));
  t.set_v(d, t.ir.vec(Multiply, wide_arrangement(size), {long_operand(t, q, n), b}));
  return t.next();
}
template <Opcode Accumulate, Opcode Multiply>
bool mlal(Translate& t, bool q, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size);
  const Value b = broadcast(t, size, false, element_of(size, l, m, rm, h));
  t.set_v(d, t.ir.vec(Accumulate, wide, {t.v(d), t.ir.vec(Multiply, wide, {long_operand(t, q, n), b})}));
  return t.next();
}
bool sqdmull(Translate& t, bool q, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, false, element_of(size, l, m, rm, h));
  t.set_v(d, saturating(t, Opcode::VQDMull, wide_arrangement(size), {long_operand(t, q, n), b}));
  return t.next();
}
template <Opcode Accumulate>
bool sqdmlal(Translate& t, bool q, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size);
  const Value b = broadcast(t, size, false, element_of(size, l, m, rm, h));
  const Value product = saturating(t, Opcode::VQDMull, wide, {long_operand(t, q, n), b});
  t.set_v(d, saturating(t, Accumulate, wide, {t.v(d), product}));
  return t.next();
}

template <Opcode O>
bool fmul(Translate& t, bool q, bool sz, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const u32 size = sz ? 3 : 2;
  const Value b = broadcast(t, size, q, element_of(size, l, m, rm, h));
  t.set_v(d, t.ir.fp(O, Type::V128, fp_arrangement(q, sz), {t.v(n), b}));
  return t.next();
}
template <bool Negate>
bool fmla(Translate& t, bool q, bool sz, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const u32 size = sz ? 3 : 2;
  const Arr a = fp_arrangement(q, sz);
  const Value b = broadcast(t, size, q, element_of(size, l, m, rm, h));
  Value left = t.v(n);
  if (Negate) left = t.ir.fp(Opcode::FNeg, Type::V128, a, {left});
  t.set_v(d, t.ir.fp(Opcode::FMulAdd, Type::V128, a, {t.v(d), left, b}));
  return t.next();
}

// -- scalars
// -----------------------------------------------------------------------------------------------------------------

template <Opcode O>
bool scalar_saturate(Translate& t, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, false, element_of(size, l, m, rm, h));
  t.set_v(d, saturating_scalar(t, O, size, {t.v(n), b}));
  return t.next();
}
template <Opcode O>
bool scalar_rounding_accumulate(Translate& t, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, false, element_of(size, l, m, rm, h));
  t.set_v(d, saturating_scalar(t, O, size, {t.v(d), t.v(n), b}));
  return t.next();
}
bool scalar_sqdmull(Translate& t, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, false, element_of(size, l, m, rm, h));
  t.set_v(d, saturating_double_long_scalar(t, size, t.v(n), b));
  return t.next();
}
template <Opcode Accumulate>
bool scalar_sqdmlal(Translate& t, u32 size, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Value b = broadcast(t, size, false, element_of(size, l, m, rm, h));
  const Value product = saturating_double_long_scalar(t, size, t.v(n), b);
  t.set_v(d, saturating_scalar(t, Accumulate, size + 1, {t.v(d), product}));
  return t.next();
}

Value fp_element_value(Translate& t, bool sz, Element e) {
  return t.ir.vextract(fp_type(sz), t.v(e.m), sz ? Arr::D2 : Arr::S4, e.index);
}
template <Opcode O>
bool scalar_fmul(Translate& t, bool sz, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Type f = fp_type(sz);
  const Value b = fp_element_value(t, sz, element_of(sz ? 3 : 2, l, m, rm, h));
  t.set_v(d, t.ir.fp(O, f, Arr::None, {t.v_scalar(f, n), b}));
  return t.next();
}
template <bool Negate>
bool scalar_fmla(Translate& t, bool sz, bool l, bool m, u32 rm, bool h, VReg n, VReg d) {
  const Type f = fp_type(sz);
  const Value b = fp_element_value(t, sz, element_of(sz ? 3 : 2, l, m, rm, h));
  Value left = t.v_scalar(f, n);
  if (Negate) left = t.ir.fp(Opcode::FNeg, f, Arr::None, {left});
  t.set_v(d, t.ir.fp(Opcode::FMulAdd, f, Arr::None, {t.v_scalar(f, d), left, b}));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 1 01111 size:2 L M Rm:4 0000 H 0 Rn:5 Rd:5", mla<VAdd>, halves_or_singles>(
        "mla {Rd:T}, {Rn:T}, {@element}", "MLA (by element)"),
    simd<"0 Q 1 01111 size:2 L M Rm:4 0100 H 0 Rn:5 Rd:5", mla<VSub>, halves_or_singles>(
        "mls {Rd:T}, {Rn:T}, {@element}", "MLS (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 1000 H 0 Rn:5 Rd:5", lanes<VMul>, halves_or_singles>(
        "mul {Rd:T}, {Rn:T}, {@element}", "MUL (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 0010 H 0 Rn:5 Rd:5", mlal<VAdd, VMullS>, halves_or_singles>(
        "smlal{@2} {Rd:Tw}, {Rn:T}, {@element}", "SMLAL, SMLAL2 (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 0110 H 0 Rn:5 Rd:5", mlal<VSub, VMullS>, halves_or_singles>(
        "smlsl{@2} {Rd:Tw}, {Rn:T}, {@element}", "SMLSL, SMLSL2 (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 1010 H 0 Rn:5 Rd:5", mull<VMullS>, halves_or_singles>(
        "smull{@2} {Rd:Tw}, {Rn:T}, {@element}", "SMULL, SMULL2 (by element)"),
    simd<"0 Q 1 01111 size:2 L M Rm:4 0010 H 0 Rn:5 Rd:5", mlal<VAdd, VMullU>, halves_or_singles>(
        "umlal{@2} {Rd:Tw}, {Rn:T}, {@element}", "UMLAL, UMLAL2 (by element)"),
    simd<"0 Q 1 01111 size:2 L M Rm:4 0110 H 0 Rn:5 Rd:5", mlal<VSub, VMullU>, halves_or_singles>(
        "umlsl{@2} {Rd:Tw}, {Rn:T}, {@element}", "UMLSL, UMLSL2 (by element)"),
    simd<"0 Q 1 01111 size:2 L M Rm:4 1010 H 0 Rn:5 Rd:5", mull<VMullU>, halves_or_singles>(
        "umull{@2} {Rd:Tw}, {Rn:T}, {@element}", "UMULL, UMULL2 (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 0011 H 0 Rn:5 Rd:5", sqdmlal<VQAddS>, halves_or_singles>(
        "sqdmlal{@2} {Rd:Tw}, {Rn:T}, {@element}", "SQDMLAL, SQDMLAL2 (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 0111 H 0 Rn:5 Rd:5", sqdmlal<VQSubS>, halves_or_singles>(
        "sqdmlsl{@2} {Rd:Tw}, {Rn:T}, {@element}", "SQDMLSL, SQDMLSL2 (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 1011 H 0 Rn:5 Rd:5", sqdmull, halves_or_singles>(
        "sqdmull{@2} {Rd:Tw}, {Rn:T}, {@element}", "SQDMULL, SQDMULL2 (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 1100 H 0 Rn:5 Rd:5", saturate<VQDMulH>, halves_or_singles>(
        "sqdmulh {Rd:T}, {Rn:T}, {@element}", "SQDMULH (by element)"),
    simd<"0 Q 0 01111 size:2 L M Rm:4 1101 H 0 Rn:5 Rd:5", saturate<VQRDMulH>, halves_or_singles>(
        "sqrdmulh {Rd:T}, {Rn:T}, {@element}", "SQRDMULH (by element)"),
    row<"0 Q 1 01111 size:2 L M Rm:4 1101 H 0 Rn:5 Rd:5", rounding_accumulate<VQRDMlAH>, halves_or_singles>(
        "sqrdmlah {Rd:T}, {Rn:T}, {@element}", Feature::RDM, "SQRDMLAH (by element)"),
    row<"0 Q 1 01111 size:2 L M Rm:4 1111 H 0 Rn:5 Rd:5", rounding_accumulate<VQRDMlSH>, halves_or_singles>(
        "sqrdmlsh {Rd:T}, {Rn:T}, {@element}", Feature::RDM, "SQRDMLSH (by element)"),
    simd<"0 Q 0 01111 1 sz L M Rm:4 0001 H 0 Rn:5 Rd:5", fmla<false>, fp_element>("fmla {Rd:T}, {Rn:T}, {@element}",
                                                                                  "FMLA (by element)"),
    simd<"0 Q 0 01111 1 sz L M Rm:4 0101 H 0 Rn:5 Rd:5", fmla<true>, fp_element>("fmls {Rd:T}, {Rn:T}, {@element}",
                                                                                 "FMLS (by element)"),
    simd<"0 Q 0 01111 1 sz L M Rm:4 1001 H 0 Rn:5 Rd:5", fmul<FMul>, fp_element>("fmul {Rd:T}, {Rn:T}, {@element}",
                                                                                 "FMUL (by element)"),
    simd<"0 Q 1 01111 1 sz L M Rm:4 1001 H 0 Rn:5 Rd:5", fmul<FMulX>, fp_element>("fmulx {Rd:T}, {Rn:T}, {@element}",
                                                                                  "FMULX (by element)"),

    simd<"01 0 11111 size:2 L M Rm:4 0011 H 0 Rn:5 Rd:5", scalar_sqdmlal<VQAddS>, halves_or_singles>(
        "sqdmlal {Rd:Zw}, {Rn:Z}, {@element}", "SQDMLAL, SQDMLAL2 (by element)"),
    simd<"01 0 11111 size:2 L M Rm:4 0111 H 0 Rn:5 Rd:5", scalar_sqdmlal<VQSubS>, halves_or_singles>(
        "sqdmlsl {Rd:Zw}, {Rn:Z}, {@element}", "SQDMLSL, SQDMLSL2 (by element)"),
    simd<"01 0 11111 size:2 L M Rm:4 1011 H 0 Rn:5 Rd:5", scalar_sqdmull, halves_or_singles>(
        "sqdmull {Rd:Zw}, {Rn:Z}, {@element}", "SQDMULL, SQDMULL2 (by element)"),
    simd<"01 0 11111 size:2 L M Rm:4 1100 H 0 Rn:5 Rd:5", scalar_saturate<VQDMulH>, halves_or_singles>(
        "sqdmulh {Rd:Z}, {Rn:Z}, {@element}", "SQDMULH (by element)"),
    simd<"01 0 11111 size:2 L M Rm:4 1101 H 0 Rn:5 Rd:5", scalar_saturate<VQRDMulH>, halves_or_singles>(
        "sqrdmulh {Rd:Z}, {Rn:Z}, {@element}", "SQRDMULH (by element)"),
    row<"01 1 11111 size:2 L M Rm:4 1101 H 0 Rn:5 Rd:5", scalar_rounding_accumulate<VQRDMlAH>, halves_or_singles>(
        "sqrdmlah {Rd:Z}, {Rn:Z}, {@element}", Feature::RDM, "SQRDMLAH (by element)"),
    row<"01 1 11111 size:2 L M Rm:4 1111 H 0 Rn:5 Rd:5", scalar_rounding_accumulate<VQRDMlSH>, halves_or_singles>(
        "sqrdmlsh {Rd:Z}, {Rn:Z}, {@element}", Feature::RDM, "SQRDMLSH (by element)"),
    simd<"01 0 11111 1 sz L M Rm:4 0001 H 0 Rn:5 Rd:5", scalar_fmla<false>, fp_element>(
        "fmla {Rd:Z}, {Rn:Z}, {@element}", "FMLA (by element)"),
    simd<"01 0 11111 1 sz L M Rm:4 0101 H 0 Rn:5 Rd:5", scalar_fmla<true>, fp_element>(
        "fmls {Rd:Z}, {Rn:Z}, {@element}", "FMLS (by element)"),
    simd<"01 0 11111 1 sz L M Rm:4 1001 H 0 Rn:5 Rd:5", scalar_fmul<FMul>, fp_element>(
        "fmul {Rd:Z}, {Rn:Z}, {@element}", "FMUL (by element)"),
    simd<"01 1 11111 1 sz L M Rm:4 1001 H 0 Rn:5 Rd:5", scalar_fmul<FMulX>, fp_element>(
        "fmulx {Rd:Z}, {Rn:Z}, {@element}", "FMULX (by element)"),
});

}  // namespace

std::span<const Row> simd_by_element_rows() {
  return kRows;
}

}  // namespace tiercel::arm
