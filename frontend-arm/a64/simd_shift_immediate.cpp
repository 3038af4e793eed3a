// Arm ARM (DDI 0487), encoding class "Advanced SIMD shift by immediate". The highest set bit of immh gives the size of
// the element; immh:immb is then size + shift for left shifts and 2 * size - shift for right shifts. immh = 0 belongs
// to "Advanced SIMD modified immediate".

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

constexpr u32 size_of(u32 immhb) {
  return static_cast<u32>(std::bit_width(immhb)) - 4;
}
constexpr unsigned left(u32 immhb) {
  return immhb - (8u << size_of(immhb));
}
constexpr unsigned right(u32 immhb) {
  return (16u << size_of(immhb)) - immhb;
}
constexpr u32 immhb_of(u32 word) {
  return word >> 16 & 0x7f;
}

inline bool any_size(u32 word) {
  return immhb_of(word) >= 8 && (immhb_of(word) < 64 || q_bit(word));
}
/// The size is that of the narrow element.
inline bool narrow_size(u32 word) {
  return immhb_of(word) >= 8 && immhb_of(word) < 64;
}
inline bool fp_size(u32 word) {
  return immhb_of(word) >= 32 && (immhb_of(word) < 64 || q_bit(word));
}

template <Opcode O>
bool shift_right(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, arrangement(size_of(immhb), q), {t.v(n)}, right(immhb)));
  return t.next();
}
template <Opcode O>
bool shift_right_accumulate(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  const Arr a = arrangement(size_of(immhb), q);
  t.set_v(d, t.ir.vec(Opcode::VAdd, a, {t.v(d), t.ir.vec(O, a, {t.v(n)}, right(immhb))}));
  return t.next();
}

bool shl(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Opcode::VShlI, arrangement(size_of(immhb), q), {t.v(n)}, left(immhb)));
  return t.next();
}

// SRI, SLI keep the bits of Vd that the shifted value does not reach.
bool sri(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  const u32 size = size_of(immhb);
  const Arr a = arrangement(size, q);
  const u64 kept = ~(low_mask(8u << size) >> (right(immhb) - 1) >> 1);
  const Value old = t.ir.vec(Opcode::VAnd, a, {t.v(d), t.ir.vconst(splat(size, kept))});
  t.set_v(d, t.ir.vec(Opcode::VOr, a, {old, t.ir.vec(Opcode::VShrUI, a, {t.v(n)}, right(immhb))}));
  return t.next();
}
bool sli(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  const u32 size = size_of(immhb);
  const Arr a = arrangement(size, q);
  const Value old = t.ir.vec(Opcode::VAnd, a, {t.v(d), t.ir.vconst(splat(size, low_mask(left(immhb))))});
  t.set_v(d, t.ir.vec(Opcode::VOr, a, {old, t.ir.vec(Opcode::VShlI, a, {t.v(n)}, left(immhb))}));
  return t.next();
}

// SQSHL, UQSHL, SQSHLU: the register forms with equal counts in all lanes.
template <Opcode O>
bool saturating_shl(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  const u32 size = size_of(immhb);
  t.set_v(d, saturating(t, O, arrangement(size, q), {t.v(n), t.ir.vconst(splat(size, left(immhb)))}));
  return t.next();
}

// Shift in the wide lanes, then narrow.
template <Opcode Shift>
bool shrn(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  const u32 size = size_of(immhb);
  const Value shifted = t.ir.vec(Shift, wide_arrangement(size), {t.v(n)}, right(immhb));
  set_narrow(t, q, d, t.ir.vec(Opcode::VNarrow, arrangement(size, false), {shifted}));
  return t.next();
}
template <Opcode Shift, Opcode Narrow>
bool saturating_shrn(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  const u32 size = size_of(immhb);
  const Value shifted = t.ir.vec(Shift, wide_arrangement(size), {t.v(n)}, right(immhb));
  set_narrow(t, q, d, saturating(t, Narrow, arrangement(size, false), {shifted}));
  return t.next();
}

// SXTL and UXTL are the aliases with shift 0.
template <Opcode Extend>
bool shll(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size_of(immhb));
  Value v = t.ir.vec(Extend, wide, {long_operand(t, q, n)});
  if (left(immhb) != 0) v = t.ir.vec(Opcode::VShlI, wide, {v}, left(immhb));
  t.set_v(d, v);
  return t.next();
}

template <Opcode O, Round R, bool Unsigned>
bool fixed_point(Translate& t, bool q, u32 immhb, VReg n, VReg d) {
  t.set_v(d,
          t.ir.fp(O, Type::V128, arrangement(size_of(immhb), q), {t.v(n)}, unsigned_round(R, Unsigned, right(immhb))));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 011110 immhb:7 00000 1 Rn:5 Rd:5", shift_right<VShrSI>, any_size>("sshr {Rd:T}, {Rn:T}, #{@right}",
                                                                                  "SSHR"),
    simd<"0 Q 0 011110 immhb:7 00010 1 Rn:5 Rd:5", shift_right_accumulate<VShrSI>, any_size>(
        "ssra {Rd:T}, {Rn:T}, #{@right}", "SSRA"),
    simd<"0 Q 0 011110 immhb:7 00100 1 Rn:5 Rd:5", shift_right<VRShrSI>, any_size>("srshr {Rd:T}, {Rn:T}, #{@right}",
                                                                                   "SRSHR"),
    simd<"0 Q 0 011110 immhb:7 00110 1 Rn:5 Rd:5", shift_right_accumulate<VRShrSI>, any_size>(
        "srsra {Rd:T}, {Rn:T}, #{@right}", "SRSRA"),
    simd<"0 Q 1 011110 immhb:7 00000 1 Rn:5 Rd:5", shift_right<VShrUI>, any_size>("ushr {Rd:T}, {Rn:T}, #{@right}",
                                                                                  "USHR"),
    simd<"0 Q 1 011110 immhb:7 00010 1 Rn:5 Rd:5", shift_right_accumulate<VShrUI>, any_size>(
        "usra {Rd:T}, {Rn:T}, #{@right}", "USRA"),
    simd<"0 Q 1 011110 immhb:7 00100 1 Rn:5 Rd:5", shift_right<VRShrUI>, any_size>("urshr {Rd:T}, {Rn:T}, #{@right}",
                                                                                   "URSHR"),
    simd<"0 Q 1 011110 immhb:7 00110 1 Rn:5 Rd:5", shift_right_accumulate<VRShrUI>, any_size>(
        "ursra {Rd:T}, {Rn:T}, #{@right}", "URSRA"),
    simd<"0 Q 1 011110 immhb:7 01000 1 Rn:5 Rd:5", sri, any_size>("sri {Rd:T}, {Rn:T}, #{@right}", "SRI"),
    simd<"0 Q 0 011110 immhb:7 01010 1 Rn:5 Rd:5", shl, any_size>("shl {Rd:T}, {Rn:T}, #{@left}", "SHL"),
    simd<"0 Q 1 011110 immhb:7 01010 1 Rn:5 Rd:5", sli, any_size>("sli {Rd:T}, {Rn:T}, #{@left}", "SLI"),
    simd<"0 Q 1 011110 immhb:7 01100 1 Rn:5 Rd:5", saturating_shl<VQShlSU>, any_size>("sqshlu {Rd:T}, {Rn:T}, #{@left}",
                                                                                      "SQSHLU"),
    simd<"0 Q 0 011110 immhb:7 01110 1 Rn:5 Rd:5", saturating_shl<VQShlS>, any_size>("sqshl {Rd:T}, {Rn:T}, #{@left}",
                                                                                     "SQSHL (immediate)"),
    simd<"0 Q 1 011110 immhb:7 01110 1 Rn:5 Rd:5", saturating_shl<VQShlU>, any_size>("uqshl {Rd:T}, {Rn:T}, #{@left}",
                                                                                     "UQSHL (immediate)"),
    simd<"0 Q 0 011110 immhb:7 10000 1 Rn:5 Rd:5", shrn<VShrUI>, narrow_size>("shrn{@2} {Rd:T}, {Rn:Tw}, #{@right}",
                                                                              "SHRN, SHRN2"),
    simd<"0 Q 0 011110 immhb:7 10001 1 Rn:5 Rd:5", shrn<VRShrUI>, narrow_size>("rshrn{@2} {Rd:T}, {Rn:Tw}, #{@right}",
                                                                               "RSHRN, RSHRN2"),
    simd<"0 Q 1 011110 immhb:7 10000 1 Rn:5 Rd:5", saturating_shrn<VShrSI, VQNarrowSU>, narrow_size>(
        "sqshrun{@2} {Rd:T}, {Rn:Tw}, #{@right}", "SQSHRUN, SQSHRUN2"),
    simd<"0 Q 1 011110 immhb:7 10001 1 Rn:5 Rd:5", saturating_shrn<VRShrSI, VQNarrowSU>, narrow_size>(
        "sqrshrun{@2} {Rd:T}, {Rn:Tw}, #{@right}", "SQRSHRUN, SQRSHRUN2"),
    simd<"0 Q 0 011110 immhb:7 10010 1 Rn:5 Rd:5", saturating_shrn<VShrSI, VQNarrowS>, narrow_size>(
        "sqshrn{@2} {Rd:T}, {Rn:Tw}, #{@right}", "SQSHRN, SQSHRN2"),
    simd<"0 Q 0 011110 immhb:7 10011 1 Rn:5 Rd:5", saturating_shrn<VRShrSI, VQNarrowS>, narrow_size>(
        "sqrshrn{@2} {Rd:T}, {Rn:Tw}, #{@right}", "SQRSHRN, SQRSHRN2"),
    simd<"0 Q 1 011110 immhb:7 10010 1 Rn:5 Rd:5", saturating_shrn<VShrUI, VQNarrowU>, narrow_size>(
        "uqshrn{@2} {Rd:T}, {Rn:Tw}, #{@right}", "UQSHRN, UQSHRN2"),
    simd<"0 Q 1 011110 immhb:7 10011 1 Rn:5 Rd:5", saturating_shrn<VRShrUI, VQNarrowU>, narrow_size>(
        "uqrshrn{@2} {Rd:T}, {Rn:Tw}, #{@right}", "UQRSHRN, UQRSHRN2"),
    simd<"0 Q 0 011110 immhb:7 10100 1 Rn:5 Rd:5", shll<VExtS>, narrow_size>("sshll{@2} {Rd:Tw}, {Rn:T}, #{@left}",
                                                                             "SSHLL, SSHLL2"),
    simd<"0 Q 1 011110 immhb:7 10100 1 Rn:5 Rd:5", shll<VExtU>, narrow_size>("ushll{@2} {Rd:Tw}, {Rn:T}, #{@left}",
                                                                             "USHLL, USHLL2"),
    simd<"0 Q 0 011110 immhb:7 11100 1 Rn:5 Rd:5", fixed_point<IntToF, Round::Current, false>, fp_size>(
        "scvtf {Rd:T}, {Rn:T}, #{@right}", "SCVTF (vector, fixed-point)"),
    simd<"0 Q 0 011110 immhb:7 11111 1 Rn:5 Rd:5", fixed_point<FToInt, Round::Zero, false>, fp_size>(
        "fcvtzs {Rd:T}, {Rn:T}, #{@right}", "FCVTZS (vector, fixed-point)"),
    simd<"0 Q 1 011110 immhb:7 11100 1 Rn:5 Rd:5", fixed_point<IntToF, Round::Current, true>, fp_size>(
        "ucvtf {Rd:T}, {Rn:T}, #{@right}", "UCVTF (vector, fixed-point)"),
    simd<"0 Q 1 011110 immhb:7 11111 1 Rn:5 Rd:5", fixed_point<FToInt, Round::Zero, true>, fp_size>(
        "fcvtzu {Rd:T}, {Rn:T}, #{@right}", "FCVTZU (vector, fixed-point)"),
});

}  // namespace

std::span<const Row> simd_shift_immediate_rows() {
  return kRows;
}

}  // namespace tiercel::arm
