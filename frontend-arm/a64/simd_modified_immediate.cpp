// Arm ARM (DDI 0487), encoding class "Advanced SIMD modified immediate": an 8-bit immediate abc:defgh, placed as cmode
// says (AdvSIMDExpandImm), is moved, moved inverted, or-ed or cleared.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

enum class Use { Move, MoveNot, Or, Clear };

/// `value` is the 64-bit pattern that fills the vector.
template <Use U>
bool apply(Translate& t, bool q, VReg d, u64 value) {
  if (U == Use::MoveNot || U == Use::Clear) value = ~value;
  const Value constant = t.ir.vconst({value, q ? value : 0});
  const Arr a = arrangement(3, q);
  if constexpr (U == Use::Or)
    t.set_v(d, t.ir.vec(Opcode::VOr, a, {t.v(d), constant}));
  else if constexpr (U == Use::Clear)
    t.set_v(d, t.ir.vec(Opcode::VAnd, a, {t.v(d), constant}));
  else
    t.set_v(d, constant);
  return t.next();
}

template <Use U>
bool words(Translate& t, bool q, u32 abc, u32 byte, u32 defgh, VReg d) {
  return apply<U>(t, q, d, splat(2, u64{abc << 5 | defgh} << 8 * byte).lo);
}
template <Use U>
bool halfwords(Translate& t, bool q, u32 abc, u32 byte, u32 defgh, VReg d) {
  return apply<U>(t, q, d, splat(1, u64{abc << 5 | defgh} << 8 * byte).lo);
}
// "Shifting ones": the bits below the immediate are ones.
template <Use U>
bool ones(Translate& t, bool q, u32 abc, bool two, u32 defgh, VReg d) {
  const u64 imm8 = abc << 5 | defgh;
  return apply<U>(t, q, d, splat(2, two ? imm8 << 16 | 0xffff : imm8 << 8 | 0xff).lo);
}
bool bytes(Translate& t, bool q, u32 abc, u32 defgh, VReg d) {
  return apply<Use::Move>(t, q, d, splat(0, abc << 5 | defgh).lo);
}
// Each bit of the immediate fills a byte.
bool byte_mask_immediate(Translate& t, bool q, u32 abc, u32 defgh, VReg d) {
  const u32 imm8 = abc << 5 | defgh;
  u64 value = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (imm8 >> i & 1) value |= u64{0xff} << 8 * i;
  return apply<Use::Move>(t, q, d, value);
}
bool fmov_singles(Translate& t, bool q, u32 abc, u32 defgh, VReg d) {
  return apply<Use::Move>(t, q, d, splat(2, expand_fp_immediate(false, abc << 5 | defgh)).lo);
}
bool fmov_doubles(Translate& t, u32 abc, u32 defgh, VReg d) {
  return apply<Use::Move>(t, true, d, expand_fp_immediate(true, abc << 5 | defgh));
}

constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 0111100000 abc:3 0 byte:2 0 01 defgh:5 Rd:5", words<Use::Move>>("movi {Rd:Ts}, #{@imm8}{@byte_shift}",
                                                                                "MOVI"),
    simd<"0 Q 1 0111100000 abc:3 0 byte:2 0 01 defgh:5 Rd:5", words<Use::MoveNot>>(
        "mvni {Rd:Ts}, #{@imm8}{@byte_shift}", "MVNI"),
    simd<"0 Q 0 0111100000 abc:3 0 byte:2 1 01 defgh:5 Rd:5", words<Use::Or>>("orr {Rd:Ts}, #{@imm8}{@byte_shift}",
                                                                              "ORR (vector, immediate)"),
    simd<"0 Q 1 0111100000 abc:3 0 byte:2 1 01 defgh:5 Rd:5", words<Use::Clear>>("bic {Rd:Ts}, #{@imm8}{@byte_shift}",
                                                                                 "BIC (vector, immediate)"),
    simd<"0 Q 0 0111100000 abc:3 10 byte 0 01 defgh:5 Rd:5", halfwords<Use::Move>>(
        "movi {Rd:Th}, #{@imm8}{@byte_shift}", "MOVI"),
    simd<"0 Q 1 0111100000 abc:3 10 byte 0 01 defgh:5 Rd:5", halfwords<Use::MoveNot>>(
        "mvni {Rd:Th}, #{@imm8}{@byte_shift}", "MVNI"),
    simd<"0 Q 0 0111100000 abc:3 10 byte 1 01 defgh:5 Rd:5", halfwords<Use::Or>>("orr {Rd:Th}, #{@imm8}{@byte_shift}",
                                                                                 "ORR (vector, immediate)"),
    simd<"0 Q 1 0111100000 abc:3 10 byte 1 01 defgh:5 Rd:5", halfwords<Use::Clear>>(
        "bic {Rd:Th}, #{@imm8}{@byte_shift}", "BIC (vector, immediate)"),
    simd<"0 Q 0 0111100000 abc:3 110 two 01 defgh:5 Rd:5", ones<Use::Move>>(
        "movi {Rd:Ts}, #{@imm8}, msl #{@ones_shift}", "MOVI"),
    simd<"0 Q 1 0111100000 abc:3 110 two 01 defgh:5 Rd:5", ones<Use::MoveNot>>(
        "mvni {Rd:Ts}, #{@imm8}, msl #{@ones_shift}", "MVNI"),
    simd<"0 Q 0 0111100000 abc:3 1110 01 defgh:5 Rd:5", bytes>("movi {Rd:T}, #{@imm8}", "MOVI"),
    simd<"0 Q 1 0111100000 abc:3 1110 01 defgh:5 Rd:5", byte_mask_immediate>("movi {@byte_mask}", "MOVI"),
    simd<"0 Q 0 0111100000 abc:3 1111 01 defgh:5 Rd:5", fmov_singles>("fmov {Rd:Ts}, #{@fp_immediate}",
                                                                      "FMOV (vector, immediate)"),
    simd<"0 1 1 0111100000 abc:3 1111 01 defgh:5 Rd:5", fmov_doubles>("fmov {Rd:.2d}, #{@fp_immediate}",
                                                                      "FMOV (vector, immediate)"),
});

}  // namespace

std::span<const Row> simd_modified_immediate_rows() {
  return kRows;
}

}  // namespace tiercel::arm
