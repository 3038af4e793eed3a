// Arm ARM (DDI 0487), encoding class "Advanced SIMD scalar shift by immediate". immh:immb as in the vector class.

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
  return immhb_of(word) >= 8;
}
inline bool narrow_size(u32 word) {
  return immhb_of(word) >= 8 && immhb_of(word) < 64;
}
inline bool fp_size(u32 word) {
  return immhb_of(word) >= 32;
}

// The plain shifts exist for doublewords only: immh<3> = 1, and shift is what remains of immh:immb.
constexpr unsigned right_d(u32 shift) {
  return 64 - shift;
}

template <Opcode O>
bool shift_right(Translate& t, u32 shift, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(O, Arr::D1, {t.v(n)}, right_d(shift)));
  return t.next();
}
template <Opcode O>
bool shift_right_accumulate(Translate& t, u32 shift, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Opcode::VAdd, Arr::D1, {t.v(d), t.ir.vec(O, Arr::D1, {t.v(n)}, right_d(shift))}));
  return t.next();
}
bool shl(Translate& t, u32 shift, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Opcode::VShlI, Arr::D1, {t.v(n)}, shift));
  return t.next();
}
bool sri(Translate& t, u32 shift, VReg n, VReg d) {
  const u64 kept = ~(~u64{0} >> (right_d(shift) - 1) >> 1);
  const Value old = t.ir.vec(Opcode::VAnd, Arr::D1, {t.v(d), t.ir.vconst({kept, 0})});
  t.set_v(d, t.ir.vec(Opcode::VOr, Arr::D1, {old, t.ir.vec(Opcode::VShrUI, Arr::D1, {t.v(n)}, right_d(shift))}));
  return t.next();
}
bool sli(Translate& t, u32 shift, VReg n, VReg d) {
  const Value old = t.ir.vec(Opcode::VAnd, Arr::D1, {t.v(d), t.ir.vconst({low_mask(shift), 0})});
  t.set_v(d, t.ir.vec(Opcode::VOr, Arr::D1, {old, t.ir.vec(Opcode::VShlI, Arr::D1, {t.v(n)}, shift)}));
  return t.next();
}

template <Opcode O>
bool saturating_shl(Translate& t, u32 immhb, VReg n, VReg d) {
  const u32 size = size_of(immhb);
  t.set_v(d, saturating_scalar(t, O, size, {t.v(n), t.ir.vconst(splat(size, left(immhb)))}));
  return t.next();
}
template <Opcode Shift, Opcode Narrow>
bool saturating_shrn(Translate& t, u32 immhb, VReg n, VReg d) {
  const u32 size = size_of(immhb);
  const Value shifted = t.ir.vec(Shift, wide_arrangement(size), {t.v(n)}, right(immhb));
  t.set_v(d, saturating_scalar(t, Narrow, size, {shifted}));
  return t.next();
}

template <bool Unsigned>
bool from_fixed(Translate& t, u32 immhb, VReg n, VReg d) {
  const bool sz = size_of(immhb) == 3;
  t.set_v(d, t.ir.op(Opcode::IntToF, fp_type(sz), {t.v_scalar(int_type(sz), n)}, Arr::None,
                     unsigned_round(Round::Current, Unsigned, right(immhb))));
  return t.next();
}
template <bool Unsigned>
bool to_fixed(Translate& t, u32 immhb, VReg n, VReg d) {
  const bool sz = size_of(immhb) == 3;
  t.set_v(d, t.ir.op(Opcode::FToInt, int_type(sz), {t.v_scalar(fp_type(sz), n)}, Arr::None,
                     unsigned_round(Round::Zero, Unsigned, right(immhb))));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"01 0 111110 1 shift:6 00000 1 Rn:5 Rd:5", shift_right<VShrSI>>("sshr {Rd:d}, {Rn:d}, #{@right_d}", "SSHR"),
    simd<"01 0 111110 1 shift:6 00010 1 Rn:5 Rd:5", shift_right_accumulate<VShrSI>>("ssra {Rd:d}, {Rn:d}, #{@right_d}",
                                                                                    "SSRA"),
    simd<"01 0 111110 1 shift:6 00100 1 Rn:5 Rd:5", shift_right<VRShrSI>>("srshr {Rd:d}, {Rn:d}, #{@right_d}", "SRSHR"),
    simd<"01 0 111110 1 shift:6 00110 1 Rn:5 Rd:5", shift_right_accumulate<VRShrSI>>(
        "srsra {Rd:d}, {Rn:d}, #{@right_d}", "SRSRA"),
    simd<"01 1 111110 1 shift:6 00000 1 Rn:5 Rd:5", shift_right<VShrUI>>("ushr {Rd:d}, {Rn:d}, #{@right_d}", "USHR"),
    simd<"01 1 111110 1 shift:6 00010 1 Rn:5 Rd:5", shift_right_accumulate<VShrUI>>("usra {Rd:d}, {Rn:d}, #{@right_d}",
                                                                                    "USRA"),
    simd<"01 1 111110 1 shift:6 00100 1 Rn:5 Rd:5", shift_right<VRShrUI>>("urshr {Rd:d}, {Rn:d}, #{@right_d}", "URSHR"),
    simd<"01 1 111110 1 shift:6 00110 1 Rn:5 Rd:5", shift_right_accumulate<VRShrUI>>(
        "ursra {Rd:d}, {Rn:d}, #{@right_d}", "URSRA"),
    simd<"01 1 111110 1 shift:6 01000 1 Rn:5 Rd:5", sri>("sri {Rd:d}, {Rn:d}, #{@right_d}", "SRI"),
    simd<"01 0 111110 1 shift:6 01010 1 Rn:5 Rd:5", shl>("shl {Rd:d}, {Rn:d}, #{shift}", "SHL"),
    simd<"01 1 111110 1 shift:6 01010 1 Rn:5 Rd:5", sli>("sli {Rd:d}, {Rn:d}, #{shift}", "SLI"),
    simd<"01 1 111110 immhb:7 01100 1 Rn:5 Rd:5", saturating_shl<VQShlSU>, any_size>("sqshlu {Rd:Z}, {Rn:Z}, #{@left}",
                                                                                     "SQSHLU"),
    simd<"01 0 111110 immhb:7 01110 1 Rn:5 Rd:5", saturating_shl<VQShlS>, any_size>("sqshl {Rd:Z}, {Rn:Z}, #{@left}",
                                                                                    "SQSHL (immediate)"),
    simd<"01 1 111110 immhb:7 01110 1 Rn:5 Rd:5", saturating_shl<VQShlU>, any_size>("uqshl {Rd:Z}, {Rn:Z}, #{@left}",
                                                                                    "UQSHL (immediate)"),
    simd<"01 1 111110 immhb:7 10000 1 Rn:5 Rd:5", saturating_shrn<VShrSI, VQNarrowSU>, narrow_size>(
        "sqshrun {Rd:Z}, {Rn:Zw}, #{@right}", "SQSHRUN, SQSHRUN2"),
    simd<"01 1 111110 immhb:7 10001 1 Rn:5 Rd:5", saturating_shrn<VRShrSI, VQNarrowSU>, narrow_size>(
        "sqrshrun {Rd:Z}, {Rn:Zw}, #{@right}", "SQRSHRUN, SQRSHRUN2"),
    simd<"01 0 111110 immhb:7 10010 1 Rn:5 Rd:5", saturating_shrn<VShrSI, VQNarrowS>, narrow_size>(
        "sqshrn {Rd:Z}, {Rn:Zw}, #{@right}", "SQSHRN, SQSHRN2"),
    simd<"01 0 111110 immhb:7 10011 1 Rn:5 Rd:5", saturating_shrn<VRShrSI, VQNarrowS>, narrow_size>(
        "sqrshrn {Rd:Z}, {Rn:Zw}, #{@right}", "SQRSHRN, SQRSHRN2"),
    simd<"01 1 111110 immhb:7 10010 1 Rn:5 Rd:5", saturating_shrn<VShrUI, VQNarrowU>, narrow_size>(
        "uqshrn {Rd:Z}, {Rn:Zw}, #{@right}", "UQSHRN, UQSHRN2"),
    simd<"01 1 111110 immhb:7 10011 1 Rn:5 Rd:5", saturating_shrn<VRShrUI, VQNarrowU>, narrow_size>(
        "uqrshrn {Rd:Z}, {Rn:Zw}, #{@right}", "UQRSHRN, UQRSHRN2"),
    simd<"01 0 111110 immhb:7 11100 1 Rn:5 Rd:5", from_fixed<false>, fp_size>("scvtf {Rd:Z}, {Rn:Z}, #{@right}",
                                                                              "SCVTF (vector, fixed-point)"),
    simd<"01 0 111110 immhb:7 11111 1 Rn:5 Rd:5", to_fixed<false>, fp_size>("fcvtzs {Rd:Z}, {Rn:Z}, #{@right}",
                                                                            "FCVTZS (vector, fixed-point)"),
    simd<"01 1 111110 immhb:7 11100 1 Rn:5 Rd:5", from_fixed<true>, fp_size>("ucvtf {Rd:Z}, {Rn:Z}, #{@right}",
                                                                             "UCVTF (vector, fixed-point)"),
    simd<"01 1 111110 immhb:7 11111 1 Rn:5 Rd:5", to_fixed<true>, fp_size>("fcvtzu {Rd:Z}, {Rn:Z}, #{@right}",
                                                                           "FCVTZU (vector, fixed-point)"),
});

}  // namespace

std::span<const Row> simd_scalar_shift_immediate_rows() {
  return kRows;
}

}  // namespace tiercel::arm
