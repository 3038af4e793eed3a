// Arm ARM (DDI 0487), encoding classes "Advanced SIMD copy" and "Advanced SIMD scalar copy". The lowest set bit of imm5
// gives the size of the element, the bits above it the lane.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

constexpr u32 size_of(u32 imm5) {
  return static_cast<u32>(std::countr_zero(imm5));
}
constexpr u32 lane_of(u32 imm5) {
  return imm5 >> (size_of(imm5) + 1);
}
constexpr u32 imm5_of(u32 word) {
  return word >> 16 & 0x1f;
}

inline bool any_element(u32 word) {
  return (imm5_of(word) & 15) != 0;
}
/// 64-bit lanes only in full vectors.
inline bool vector_element(u32 word) {
  return (imm5_of(word) & (q_bit(word) ? 15 : 7)) != 0;
}
/// SMOV to W takes bytes and halfwords, to X words too.
inline bool smov_element(u32 word) {
  return (imm5_of(word) & (q_bit(word) ? 7 : 3)) != 0;
}
/// UMOV to W takes up to words, to X doublewords only.
inline bool umov_element(u32 word) {
  return q_bit(word) ? (imm5_of(word) & 15) == 8 : (imm5_of(word) & 7) != 0;
}

bool dup_element(Translate& t, bool q, u32 imm5, VReg n, VReg d) {
  t.set_v(d, duplicate_lane(t, t.v(n), size_of(imm5), q, lane_of(imm5)));
  return t.next();
}

bool dup_scalar(Translate& t, u32 imm5, VReg n, VReg d) {
  const u32 size = size_of(imm5);
  const Type type = size == 3 ? Type::F64 : size == 2 ? Type::F32 : Type::I32;
  t.set_v(d, t.ir.vextract(type, t.v(n), arrangement(size, true), lane_of(imm5)));
  return t.next();
}

bool dup_general(Translate& t, bool q, u32 imm5, Reg n, VReg d) {
  const u32 size = size_of(imm5);
  t.set_v(d, t.ir.vdup(arrangement(size, q), t.x(width(size == 3), n)));
  return t.next();
}

bool ins_general(Translate& t, u32 imm5, Reg n, VReg d) {
  const u32 size = size_of(imm5);
  t.set_v(d, t.ir.vinsert(t.v(d), t.x(width(size == 3), n), arrangement(size, true), lane_of(imm5)));
  return t.next();
}

bool ins_element(Translate& t, u32 imm5, u32 imm4, VReg n, VReg d) {
  const u32 size = size_of(imm5), lane = 1u << size;
  const u32 to = lane_of(imm5), from = imm4 >> size;
  const U128 mask = byte_mask(16, [&](unsigned i) { return i / lane == to ? 16 + from * lane + i % lane : i; });
  t.set_v(d, t.ir.vshuffle(t.v(d), t.v(n), mask));
  return t.next();
}

bool smov(Translate& t, bool q, u32 imm5, VReg n, Reg d) {
  const u32 size = size_of(imm5);
  const Type w = width(q);
  const Value element = t.ir.vextract(w, t.v(n), arrangement(size, true), lane_of(imm5));
  t.set_x(d, t.ir.sbfx(element, 0, 8u << size));
  return t.next();
}

bool umov(Translate& t, bool q, u32 imm5, VReg n, Reg d) {
  t.set_x(d, t.ir.vextract(width(q), t.v(n), arrangement(size_of(imm5), true), lane_of(imm5)));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 01110000 imm5:5 0 0000 1 Rn:5 Rd:5", dup_element, vector_element>("dup {Rd:T}, {Rn:L}",
                                                                                  "DUP (element)"),
    simd<"0 Q 0 01110000 imm5:5 0 0001 1 Rn:5 Rd:5", dup_general, vector_element>("dup {Rd:T}, {Rn:g}",
                                                                                  "DUP (general)"),
    simd<"0 Q 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5", smov, smov_element>("smov {Rd:gq}, {Rn:L}", "SMOV"),
    simd<"0 Q 0 01110000 imm5:5 0 0111 1 Rn:5 Rd:5", umov, umov_element>("umov {Rd:gq}, {Rn:L}", "UMOV"),
    simd<"0 1 0 01110000 imm5:5 0 0011 1 Rn:5 Rd:5", ins_general, any_element>("ins {Rd:L}, {Rn:g}", "INS (general)"),
    simd<"0 1 1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5", ins_element, any_element>("ins {Rd:L}, {@source_lane}",
                                                                                 "INS (element)"),
    simd<"01 0 11110000 imm5:5 0 0000 1 Rn:5 Rd:5", dup_scalar, any_element>("mov {Rd:Z}, {Rn:L}", "DUP (element)"),
});

}  // namespace

std::span<const Row> simd_copy_rows() {
  return kRows;
}

}  // namespace tiercel::arm
