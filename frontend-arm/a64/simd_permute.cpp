// Arm ARM (DDI 0487), encoding classes "Advanced SIMD permute", "Advanced SIMD extract" and "Advanced SIMD table
// lookup".

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

template <bool Odd>
bool uzp(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, unzip(t, t.v(n), t.v(m), size, q ? 16 : 8, Odd));
  return t.next();
}
template <bool High>
bool zip_rows(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  t.set_v(d, zip(t, t.v(n), t.v(m), size, q ? 16 : 8, High));
  return t.next();
}
// Even (odd) lanes of Vn where the result's lane is even, of Vm where it is odd.
template <bool Odd>
bool trn(Translate& t, bool q, u32 size, VReg m, VReg n, VReg d) {
  const unsigned lane = 1u << size;
  const U128 mask = byte_mask(q ? 16 : 8, [&](unsigned i) {
    const unsigned pair = i / lane / 2 * 2 + Odd;
    return pair * lane + i % lane + (i / lane % 2 ? 16 : 0);
  });
  t.set_v(d, t.ir.vshuffle(t.v(n), t.v(m), mask));
  return t.next();
}

// imm4<3> = 1 reaches past a 64-bit vector.
bool in_vector(bool q, u32, u32 imm4, u32, u32) {
  return q || imm4 < 8;
}
bool ext(Translate& t, bool q, VReg m, u32 imm4, VReg n, VReg d) {
  const unsigned bytes = q ? 16 : 8;
  const U128 mask = byte_mask(bytes, [&](unsigned i) {
    const unsigned at = i + imm4;
    return at < bytes ? at : at - bytes + 16;
  });
  t.set_v(d, t.ir.vshuffle(t.v(n), t.v(m), mask));
  return t.next();
}

/// The bytes of a table of `registers` vectors from Vn on; indices past its end give zero.
Value lookup(Translate& t, unsigned registers, VReg n, Value indices) {
  Value result = t.ir.op(Opcode::VTbl, Type::V128, {t.v(n), indices});
  for (unsigned i = 1; i < registers; ++i) {
    // Indices below this register wrap to large ones.
    const Value here = t.ir.vec(Opcode::VSub, Arr::B16, {indices, t.ir.vconst(splat(0, 16 * i))});
    const Value part = t.ir.op(Opcode::VTbl, Type::V128, {t.v(nth(n, i)), here});
    result = t.ir.vec(Opcode::VOr, Arr::B16, {result, part});
  }
  return result;
}

bool tbl(Translate& t, bool q, VReg m, u32 len, VReg n, VReg d) {
  const Value result = lookup(t, len + 1, n, t.v(m));
  t.set_v(d, q ? result : t.ir.vextract(Type::F64, result, Arr::D2, 0));
  return t.next();
}

// TBX leaves the bytes of Vd whose index is past the table's end.
bool tbx(Translate& t, bool q, VReg m, u32 len, VReg n, VReg d) {
  const Arr a = arrangement(0, q);
  const Value indices = t.v(m);
  const Value result = lookup(t, len + 1, n, indices);
  const Value end = t.ir.vconst(splat(0, 16 * (len + 1)));
  const Value inside = t.ir.vec(Opcode::VCmpGtU, a, {end, indices});
  t.set_v(d, t.ir.vec(Opcode::VBsl, a, {inside, result, t.v(d)}));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 01110 size:2 0 Rm:5 0 001 10 Rn:5 Rd:5", uzp<false>, any_lanes>("uzp1 {Rd:T}, {Rn:T}, {Rm:T}", "UZP1"),
    simd<"0 Q 0 01110 size:2 0 Rm:5 0 101 10 Rn:5 Rd:5", uzp<true>, any_lanes>("uzp2 {Rd:T}, {Rn:T}, {Rm:T}", "UZP2"),
    simd<"0 Q 0 01110 size:2 0 Rm:5 0 010 10 Rn:5 Rd:5", trn<false>, any_lanes>("trn1 {Rd:T}, {Rn:T}, {Rm:T}", "TRN1"),
    simd<"0 Q 0 01110 size:2 0 Rm:5 0 110 10 Rn:5 Rd:5", trn<true>, any_lanes>("trn2 {Rd:T}, {Rn:T}, {Rm:T}", "TRN2"),
    simd<"0 Q 0 01110 size:2 0 Rm:5 0 011 10 Rn:5 Rd:5", zip_rows<false>, any_lanes>("zip1 {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                     "ZIP1"),
    simd<"0 Q 0 01110 size:2 0 Rm:5 0 111 10 Rn:5 Rd:5", zip_rows<true>, any_lanes>("zip2 {Rd:T}, {Rn:T}, {Rm:T}",
                                                                                    "ZIP2"),
    simd<"0 Q 1 01110 00 0 Rm:5 0 imm4:4 0 Rn:5 Rd:5", ext, in_vector>("ext {Rd:T}, {Rn:T}, {Rm:T}, #{imm4}", "EXT"),
    simd<"0 Q 0 01110 00 0 Rm:5 0 len:2 0 00 Rn:5 Rd:5", tbl>("tbl {Rd:T}, {@table}, {Rm:T}", "TBL"),
    simd<"0 Q 0 01110 00 0 Rm:5 0 len:2 1 00 Rn:5 Rd:5", tbx>("tbx {Rd:T}, {@table}, {Rm:T}", "TBX"),
});

}  // namespace

std::span<const Row> simd_permute_rows() {
  return kRows;
}

}  // namespace tiercel::arm
