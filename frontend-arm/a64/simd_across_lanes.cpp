// Arm ARM (DDI 0487), encoding class "Advanced SIMD across lanes". The lanes are combined in log2(count) steps: pairs,
// pairs of pairs, ...; the result is the lowest lane and everything above it is zero.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

// 2S and the 64-bit lanes are reserved.
inline bool across(u32 word) {
  return size_bits(word) < 2 || (size_bits(word) == 2 && q_bit(word));
}

/// The lowest `bytes` of `v` folded onto one lane.
Value reduce(Translate& t, Opcode o, u32 size, unsigned bytes, Value v) {
  const Arr a = arrangement(size, true);
  for (unsigned half = bytes / 2; half >= 1u << size; half /= 2) {
    const Value upper = t.ir.vshuffle(v, v, byte_mask(16, [&](unsigned i) { return (i + half) % 16; }));
    v = t.ir.vec(o, a, {v, upper});
  }
  return low_lane(t, v, size);
}

template <Opcode O>
bool integer(Translate& t, bool q, u32 size, VReg n, VReg d) {
  t.set_v(d, reduce(t, O, size, q ? 16 : 8, t.v(n)));
  return t.next();
}

// SADDLV, UADDLV: the first step widens, the others cannot overflow.
template <bool Unsigned>
bool addlv(Translate& t, bool q, u32 size, VReg n, VReg d) {
  const Value pairs = add_long_pairs(t, t.v(n), size, q, Unsigned);
  if (size == 2)
    t.set_v(d, t.ir.vec(Opcode::VAdd, Arr::D1,
                        {pairs, t.ir.vshuffle(pairs, pairs, byte_mask(8, [](unsigned i) { return i + 8; }))}));
  else
    t.set_v(d, reduce(t, Opcode::VAdd, size + 1, q ? 16 : 8, pairs));
  return t.next();
}

// Reduce() of the manual halves the vector: op(op(lane 0, lane 1), op(lane 2, lane 3)).
template <Opcode O>
bool floating(Translate& t, VReg n, VReg d) {
  const Value v = t.v(n);
  const Value even = unzip(t, v, v, 2, 16, false), odd = unzip(t, v, v, 2, 16, true);
  const Value pairs = t.ir.fp(O, Type::V128, Arr::S2, {even, odd});
  const Value low = t.ir.vextract(Type::F32, pairs, Arr::S4, 0), high = t.ir.vextract(Type::F32, pairs, Arr::S4, 1);
  t.set_v(d, t.ir.fp(O, Type::F32, Arr::None, {low, high}));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 0 01110 size:2 11000 00011 10 Rn:5 Rd:5", addlv<false>, across>("saddlv {Rd:Zw}, {Rn:T}", "SADDLV"),
    simd<"0 Q 1 01110 size:2 11000 00011 10 Rn:5 Rd:5", addlv<true>, across>("uaddlv {Rd:Zw}, {Rn:T}", "UADDLV"),
    simd<"0 Q 0 01110 size:2 11000 01010 10 Rn:5 Rd:5", integer<VMaxS>, across>("smaxv {Rd:Z}, {Rn:T}", "SMAXV"),
    simd<"0 Q 1 01110 size:2 11000 01010 10 Rn:5 Rd:5", integer<VMaxU>, across>("umaxv {Rd:Z}, {Rn:T}", "UMAXV"),
    simd<"0 Q 0 01110 size:2 11000 11010 10 Rn:5 Rd:5", integer<VMinS>, across>("sminv {Rd:Z}, {Rn:T}", "SMINV"),
    simd<"0 Q 1 01110 size:2 11000 11010 10 Rn:5 Rd:5", integer<VMinU>, across>("uminv {Rd:Z}, {Rn:T}", "UMINV"),
    simd<"0 Q 0 01110 size:2 11000 11011 10 Rn:5 Rd:5", integer<VAdd>, across>("addv {Rd:Z}, {Rn:T}", "ADDV"),
    simd<"0 1 1 01110 00 11000 01100 10 Rn:5 Rd:5", floating<FMaxNm>>("fmaxnmv {Rd:S}, {Rn:.4s}", "FMAXNMV"),
    simd<"0 1 1 01110 00 11000 01111 10 Rn:5 Rd:5", floating<FMax>>("fmaxv {Rd:S}, {Rn:.4s}", "FMAXV"),
    simd<"0 1 1 01110 10 11000 01100 10 Rn:5 Rd:5", floating<FMinNm>>("fminnmv {Rd:S}, {Rn:.4s}", "FMINNMV"),
    simd<"0 1 1 01110 10 11000 01111 10 Rn:5 Rd:5", floating<FMin>>("fminv {Rd:S}, {Rn:.4s}", "FMINV"),
});

}  // namespace

std::span<const Row> simd_across_lanes_rows() {
  return kRows;
}

}  // namespace tiercel::arm
