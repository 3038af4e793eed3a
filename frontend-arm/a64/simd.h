// What the SIMD and FP slices share: row forms, reserved combinations, byte masks for shuffles, saturation.
#pragma once

#include <initializer_list>
#include <span>

#include "base/bits.h"
#include "frontend-arm/a64/translate.h"
#include "frontend-arm/isa_row.h"

namespace tiercel::arm {

using ir::arrangement;
using ir::Round;

/// A row of Advanced SIMD, and one of scalar floating point.
template <Pattern P, auto Fn, auto Valid = nullptr>
constexpr Row simd(std::string_view text, std::string_view manual) {
  return row<P, Fn, Valid>(text, Feature::ASIMD, manual);
}
template <Pattern P, auto Fn, auto Valid = nullptr>
constexpr Row fp(std::string_view text, std::string_view manual) {
  return row<P, Fn, Valid>(text, Feature::FP, manual);
}

// -- which words are allocated: Q is bit 30, size is 23..22, sz is bit 22
// ----------------------------------------------

constexpr bool q_bit(u32 word) {
  return word >> 30 & 1;
}
constexpr u32 size_bits(u32 word) {
  return word >> 22 & 3;
}
/// Lanes of 64 bits exist in full vectors only.
inline bool any_lanes(u32 word) {
  return size_bits(word) != 3 || q_bit(word);
}
inline bool halves_or_singles(u32 word) {
  return size_bits(word) == 1 || size_bits(word) == 2;
}
/// FP lanes: sz = 1 (doubles) needs Q.
inline bool fp_lanes(u32 word) {
  return (word >> 22 & 1) == 0 || q_bit(word);
}

constexpr Arr fp_arrangement(bool q, bool sz) {
  return arrangement(sz ? 3 : 2, q);
}
constexpr Type fp_type(bool sz) {
  return sz ? Type::F64 : Type::F32;
}
/// The integer type as wide as a scalar of fp_type(sz).
constexpr Type int_type(bool sz) {
  return sz ? Type::I64 : Type::I32;
}
/// The arrangement whose lanes are twice as wide over 128 bits: what a long operation makes of 64 bits of `size` lanes.
constexpr Arr wide_arrangement(u32 size) {
  return arrangement(size + 1, true);
}
constexpr VReg nth(VReg first, unsigned i) {
  return {static_cast<u8>((first.n + i) % 32)};
}

// -- constants
// ---------------------------------------------------------------------------------------------------------

inline constexpr unsigned kZeroByte = 0x80;  // of a shuffle mask

/// The shuffle mask whose byte i is from(i), for the low `bytes` bytes; zero above.
template <typename From>
constexpr U128 byte_mask(unsigned bytes, From from) {
  const auto half = [&](unsigned first) {
    u64 word = 0;
    for (unsigned i = first; i < first + 8; ++i) word |= u64{i < bytes ? from(i) : kZeroByte} << (i % 8 * 8);
    return word;
  };
  return {half(0), half(8)};
}
/// `value` in every lane of 8 << size bits.
constexpr U128 splat(u32 size, u64 value) {
  const unsigned width = 8u << size;
  u64 all = 0;
  for (unsigned at = 0; at < 64; at += width) all |= (value & low_mask(width)) << at;
  return {all, all};
}
/// VFPExpandImm of the manual.
constexpr u64 expand_fp_immediate(bool sz, u32 imm8) {
  const u64 sign = imm8 >> 7 & 1, b6 = imm8 >> 6 & 1, low = imm8 & 0x3f;
  if (sz) return sign << 63 | (b6 ^ 1) << 62 | (b6 ? u64{0xff} << 54 : 0) | low << 48;
  return sign << 31 | (b6 ^ 1) << 30 | (b6 ? u64{0x1f} << 25 : 0) | low << 19;
}
constexpr u32 unsigned_round(Round r, bool is_unsigned, unsigned fraction_bits = 0) {  // aux of FToInt and IntToF
  return static_cast<u32>(r) | u32{is_unsigned} << 3 | fraction_bits << 8;
}

// -- pieces of semantics
// -----------------------------------------------------------------------------------------------

/// Even or odd lanes of the concatenation b:a (UZP1, UZP2), interleaved low or high halves (ZIP1, ZIP2). `bytes` is the
/// length of the vectors, `size` the log2 of a lane's bytes.
Value unzip(Translate& t, Value a, Value b, u32 size, unsigned bytes, bool odd);
Value zip(Translate& t, Value a, Value b, u32 size, unsigned bytes, bool high);

/// Lane `index` of `v` in every lane.
Value duplicate_lane(Translate& t, Value v, u32 size, bool q, unsigned index);

/// The operand of a long operation: the upper 64 bits for the forms called "2" (Q = 1), else the lower.
Value long_operand(Translate& t, bool q, VReg r);

/// Writes the result of a narrowing operation, which is in the low half of `v`: to the upper half of Vd for the forms
/// called "2" (Q = 1), else to the lower with a zero upper half.
void set_narrow(Translate& t, bool q, VReg d, Value v);

/// Everything but the lowest lane cleared.
Value low_lane(Translate& t, Value v, u32 size);

/// A saturating operation: its result; FPSR.QC is set if a lane saturated.
Value saturating(Translate& t, Opcode o, Arr a, std::initializer_list<Value> args);
/// The same on scalars of 8 << size bits: only the lowest lane counts, the others of the result are zero.
Value saturating_scalar(Translate& t, Opcode o, u32 size, std::initializer_list<Value> args);

/// SQDMULL on scalars of 8 << size bits; the result is twice as wide.
Value saturating_double_long_scalar(Translate& t, u32 size, Value a, Value b);

/// Sums of neighbouring lanes of 8 << size bits, twice as wide (SADDLP, UADDLP).
Value add_long_pairs(Translate& t, Value v, u32 size, bool q, bool is_unsigned);

}  // namespace tiercel::arm
