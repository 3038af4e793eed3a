// Arm ARM (DDI 0487), encoding class "Advanced SIMD three different": long, wide and narrowing operations. The forms
// called "2" (Q = 1) take their narrow operands from, or leave their narrow result in, the upper half.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

// Vd = op(extend(Vn), extend(Vm)).
template <Opcode O, Opcode Extend>
bool long_(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size);
  const Value a = t.ir.vec(Extend, wide, {long_operand(t, q, n)}), b = t.ir.vec(Extend, wide, {long_operand(t, q, m)});
  t.set_v(d, t.ir.vec(O, wide, {a, b}));
  return t.next();
}

// Vd = op(Vn, extend(Vm)).
template <Opcode O, Opcode Extend>
bool wide(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size);
  t.set_v(d, t.ir.vec(O, wide, {t.v(n), t.ir.vec(Extend, wide, {long_operand(t, q, m)})}));
  return t.next();
}

// The upper halves of the lanes of Vn op Vm, which are the odd lanes of the narrow size.
template <Opcode O, bool Rounded>
bool narrow_high(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size);
  Value sum = t.ir.vec(O, wide, {t.v(n), t.v(m)});
  if (Rounded) {
    const u64 half = u64{1} << ((8u << size) - 1);
    sum = t.ir.vec(Opcode::VAdd, wide, {sum, t.ir.vconst(splat(size + 1, half))});
  }
  const unsigned lane = 1u << size;
  const auto odd = [&](unsigned i) { return (i / lane * 2 + 1) * lane + i % lane; };
  if (q)
    t.set_v(d, t.ir.vshuffle(t.v(d), sum, byte_mask(16, [&](unsigned i) { return i < 8 ? i : odd(i - 8) + 16; })));
  else
    t.set_v(d, t.ir.vshuffle(sum, sum, byte_mask(8, odd)));
  return t.next();
}

template <Opcode Difference>
Value absolute_difference(Translate& t, bool q, u32 size, VReg m, VReg n) {
  const Value narrow = t.ir.vec(Difference, arrangement(size, false), {long_operand(t, q, n), long_operand(t, q, m)});
  return t.ir.vec(Opcode::VExtU, wide_arrangement(size), {narrow});
}
template <Opcode Difference>
bool abdl(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, absolute_difference<Difference>(t, q, size, m, n));
  return t.next();
}
template <Opcode Difference>
bool abal(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const Value difference = absolute_difference<Difference>(t, q, size, m, n);
  t.set_v(d, t.ir.vec(Opcode::VAdd, wide_arrangement(size), {t.v(d), difference}));
  return t.next();
}

template <Opcode Multiply>
bool mull(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Multiply, wide_arrangement(size), {long_operand(t, q, n), long_operand(t, q, m)}));
  return t.next();
}
template <Opcode Accumulate, Opcode Multiply>
bool mlal(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size);
  const Value product = t.ir.vec(Multiply, wide, {long_operand(t, q, n), long_operand(t, q, m)});
  t.set_v(d, t.ir.vec(Accumulate, wide, {t.v(d), product}));
  return t.next();
}

// The product and the sum saturate separately.
bool sqdmull(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, saturating(t, Opcode::VQDMull, wide_arrangement(size), {long_operand(t, q, n), long_operand(t, q, m)}));
  return t.next();
}
template <Opcode Accumulate>
bool sqdmlal(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const Arr wide = wide_arrangement(size);
  const Value product = saturating(t, Opcode::VQDMull, wide, {long_operand(t, q, n), long_operand(t, q, m)});
  t.set_v(d, saturating(t, Accumulate, wide, {t.v(d), product}));
  return t.next();
}

template <Arr Wide>
bool pmull(Translate& t, bool q, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.vec(Opcode::VPMull, Wide, {long_operand(t, q, n), long_operand(t, q, m)}));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 0000 00 Rn:5 Rd:5", long_<VAdd, VExtS>>("saddl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                               "SADDL, SADDL2"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 0001 00 Rn:5 Rd:5", wide<VAdd, VExtS>>("saddw{@2} {Rd:Tw}, {Rn:Tw}, {Rm:T}",
                                                                              "SADDW, SADDW2"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 0010 00 Rn:5 Rd:5", long_<VSub, VExtS>>("ssubl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                               "SSUBL, SSUBL2"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 0011 00 Rn:5 Rd:5", wide<VSub, VExtS>>("ssubw{@2} {Rd:Tw}, {Rn:Tw}, {Rm:T}",
                                                                              "SSUBW, SSUBW2"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 0100 00 Rn:5 Rd:5", narrow_high<VAdd, false>>(
        "addhn{@2} {Rd:T}, {Rn:Tw}, {Rm:Tw}", "ADDHN, ADDHN2"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 0110 00 Rn:5 Rd:5", narrow_high<VSub, false>>(
        "subhn{@2} {Rd:T}, {Rn:Tw}, {Rm:Tw}", "SUBHN, SUBHN2"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 0101 00 Rn:5 Rd:5", abal<VAbdS>>("sabal{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                        "SABAL, SABAL2"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 0111 00 Rn:5 Rd:5", abdl<VAbdS>>("sabdl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                        "SABDL, SABDL2"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 1000 00 Rn:5 Rd:5", mlal<VAdd, VMullS>>("smlal{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                               "SMLAL, SMLAL2 (vector)"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 1010 00 Rn:5 Rd:5", mlal<VSub, VMullS>>("smlsl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                               "SMLSL, SMLSL2 (vector)"),
    simd<"0 Q 0 01110 size:2!=3 1 Rm:5 1100 00 Rn:5 Rd:5", mull<VMullS>>("smull{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                         "SMULL, SMULL2 (vector)"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 0000 00 Rn:5 Rd:5", long_<VAdd, VExtU>>("uaddl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                               "UADDL, UADDL2"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 0001 00 Rn:5 Rd:5", wide<VAdd, VExtU>>("uaddw{@2} {Rd:Tw}, {Rn:Tw}, {Rm:T}",
                                                                              "UADDW, UADDW2"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 0010 00 Rn:5 Rd:5", long_<VSub, VExtU>>("usubl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                               "USUBL, USUBL2"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 0011 00 Rn:5 Rd:5", wide<VSub, VExtU>>("usubw{@2} {Rd:Tw}, {Rn:Tw}, {Rm:T}",
                                                                              "USUBW, USUBW2"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 0100 00 Rn:5 Rd:5", narrow_high<VAdd, true>>(
        "raddhn{@2} {Rd:T}, {Rn:Tw}, {Rm:Tw}", "RADDHN, RADDHN2"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 0110 00 Rn:5 Rd:5", narrow_high<VSub, true>>(
        "rsubhn{@2} {Rd:T}, {Rn:Tw}, {Rm:Tw}", "RSUBHN, RSUBHN2"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 0101 00 Rn:5 Rd:5", abal<VAbdU>>("uabal{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                        "UABAL, UABAL2"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 0111 00 Rn:5 Rd:5", abdl<VAbdU>>("uabdl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                        "UABDL, UABDL2"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 1000 00 Rn:5 Rd:5", mlal<VAdd, VMullU>>("umlal{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                               "UMLAL, UMLAL2 (vector)"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 1010 00 Rn:5 Rd:5", mlal<VSub, VMullU>>("umlsl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                               "UMLSL, UMLSL2 (vector)"),
    simd<"0 Q 1 01110 size:2!=3 1 Rm:5 1100 00 Rn:5 Rd:5", mull<VMullU>>("umull{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                         "UMULL, UMULL2 (vector)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 1001 00 Rn:5 Rd:5", sqdmlal<VQAddS>, halves_or_singles>(
        "sqdmlal{@2} {Rd:Tw}, {Rn:T}, {Rm:T}", "SQDMLAL, SQDMLAL2 (vector)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 1011 00 Rn:5 Rd:5", sqdmlal<VQSubS>, halves_or_singles>(
        "sqdmlsl{@2} {Rd:Tw}, {Rn:T}, {Rm:T}", "SQDMLSL, SQDMLSL2 (vector)"),
    simd<"0 Q 0 01110 size:2 1 Rm:5 1101 00 Rn:5 Rd:5", sqdmull, halves_or_singles>(
        "sqdmull{@2} {Rd:Tw}, {Rn:T}, {Rm:T}", "SQDMULL, SQDMULL2 (vector)"),
    simd<"0 Q 0 01110 00 1 Rm:5 1110 00 Rn:5 Rd:5", pmull<Arr::H8>>("pmull{@2} {Rd:Tw}, {Rn:T}, {Rm:T}",
                                                                    "PMULL, PMULL2"),
    row<"0 Q 0 01110 11 1 Rm:5 1110 00 Rn:5 Rd:5", pmull<Arr::D2>>("pmull{@2} {Rd:.1q}, {Rn:Td}, {Rm:Td}",
                                                                   Feature::PMULL, "PMULL, PMULL2"),
});

}  // namespace

std::span<const Row> simd_three_different_rows() {
  return kRows;
}

}  // namespace tiercel::arm
