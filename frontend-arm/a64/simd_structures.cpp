// Arm ARM (DDI 0487), encoding classes "Advanced SIMD load/store multiple structures", "... single structure" and their
// post-indexed forms.
//
// Memory is read and written in full vectors that cover exactly the structure; the elements are dealt out with
// shuffles. All loads come before the first register is written, the base register is written last: an insn that faults
// has changed nothing.

#include <array>
#include <vector>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

constexpr MemAttr kFull = {.size_log2 = 4}, kHalf = {.size_log2 = 3};

bool write_back(Translate& t, Reg n, Reg m, unsigned bytes) {
  const Value base = t.x_or_sp(Type::I64, n);
  const Value step = m.n == 31 ? t.imm(Type::I64, bytes) : t.x(Type::I64, m);
  t.set_x_or_sp(n, t.ir.add(base, step));
  return t.next();
}

/// The vector whose byte i, for i < bytes, is byte from(i) of the concatenation of two or three vectors.
template <typename From>
Value gather(Translate& t, std::span<const Value> sources, unsigned bytes, From from) {
  const Value low = t.ir.vshuffle(sources[0], sources[1],
                                  byte_mask(bytes, [&](unsigned i) { return from(i) < 32 ? from(i) : kZeroByte; }));
  if (sources.size() == 2) return low;
  return t.ir.vshuffle(low, sources[2], byte_mask(bytes, [&](unsigned i) {
                         return from(i) < 32 || from(i) == kZeroByte ? i : from(i) - 16;
                       }));
}

/// `bytes` bytes of memory as vectors; the last may be half full.
std::vector<Value> load_chunks(Translate& t, Value base, unsigned bytes) {
  std::vector<Value> chunks;
  unsigned at = 0;
  for (; at + 16 <= bytes; at += 16) chunks.push_back(t.ir.load(Type::V128, base, at, kFull));
  if (at < bytes) chunks.push_back(t.ir.load(Type::F64, base, at, kHalf));
  return chunks;
}
void store_chunks(Translate& t, Value base, std::span<const Value> chunks, unsigned bytes) {
  for (unsigned i = 0; i < chunks.size(); ++i) {
    if ((i + 1) * 16 <= bytes)
      t.ir.store(base, i * 16, chunks[i], kFull);
    else
      t.ir.store(base, i * 16, t.ir.vextract(Type::F64, chunks[i], Arr::D2, 0), kHalf);
  }
}

// -- several registers, elements in order: LD1, ST1
// ----------------------------------------------------------------------

template <unsigned Registers>
void load_plain(Translate& t, bool q, u32, Reg n, VReg d) {
  const Value base = t.x_or_sp(Type::I64, n);
  Value loaded[4];
  for (unsigned i = 0; i < Registers; ++i)
    loaded[i] = q ? t.ir.load(Type::V128, base, 16 * i, kFull) : t.ir.load(Type::F64, base, 8 * i, kHalf);
  for (unsigned i = 0; i < Registers; ++i) t.set_v(nth(d, i), loaded[i]);
}

template <unsigned Registers>
void store_plain(Translate& t, bool q, u32, Reg n, VReg d) {
  const Value base = t.x_or_sp(Type::I64, n);
  for (unsigned i = 0; i < Registers; ++i) {
    if (q)
      t.ir.store(base, 16 * i, t.v(nth(d, i)), kFull);
    else
      t.ir.store(base, 8 * i, t.v_scalar(Type::F64, nth(d, i)), kHalf);
  }
}

// -- structures of two, three and four elements
// ------------------------------------------------------------------------

/// Registers from memory: element e of memory is lane e / Elements of register e % Elements.
template <unsigned Elements>
void load_interleaved(Translate& t, bool q, u32 size, Reg n, VReg d) {
  const unsigned bytes = q ? 16 : 8, lane = 1u << size;
  const std::vector<Value> memory = load_chunks(t, t.x_or_sp(Type::I64, n), bytes * Elements);
  if (Elements == 4 && q) {
    const auto deal = [&](unsigned i, bool odd) { return unzip(t, memory[i], memory[i + 1], size, 16, odd); };
    const Value even_low = deal(0, false), odd_low = deal(0, true), even_high = deal(2, false),
                odd_high = deal(2, true);
    t.set_v(d, unzip(t, even_low, even_high, size, 16, false));
    t.set_v(nth(d, 1), unzip(t, odd_low, odd_high, size, 16, false));
    t.set_v(nth(d, 2), unzip(t, even_low, even_high, size, 16, true));
    t.set_v(nth(d, 3), unzip(t, odd_low, odd_high, size, 16, true));
    return;
  }
  std::vector<Value> sources = memory;
  if (sources.size() == 1) sources.push_back(sources[0]);
  if (t.ir.type(sources.back()) == Type::F64) sources.back() = t.ir.vzext(sources.back());
  for (unsigned r = 0; r < Elements; ++r)
    t.set_v(nth(d, r),
            gather(t, sources, bytes, [&](unsigned i) { return ((i / lane) * Elements + r) * lane + i % lane; }));
}

template <unsigned Elements>
void store_interleaved(Translate& t, bool q, u32 size, Reg n, VReg d) {
  const unsigned bytes = (q ? 16 : 8) * Elements, lane = 1u << size;
  Value v[Elements];
  for (unsigned r = 0; r < Elements; ++r) v[r] = t.v(nth(d, r));
  std::vector<Value> chunks;
  if constexpr (Elements == 3) {
    for (unsigned at = 0; at < bytes; at += 16)
      chunks.push_back(gather(t, v, 16, [&](unsigned i) {
        const unsigned element = (at + i) / lane;
        return at + i < bytes ? element % 3 * 16 + element / 3 * lane + i % lane : kZeroByte;
      }));
  } else if constexpr (Elements == 2) {
    for (const bool high : {false, true})
      if (q || !high) chunks.push_back(zip(t, v[0], v[1], size, 16, high));
  } else {
    for (const bool high : {false, true}) {
      if (!q && high) break;
      const Value ab = zip(t, v[0], v[1], size, 16, high), cd = zip(t, v[2], v[3], size, 16, high);
      chunks.push_back(size == 3 ? ab : zip(t, ab, cd, size + 1, 16, false));
      chunks.push_back(size == 3 ? cd : zip(t, ab, cd, size + 1, 16, true));
    }
  }
  store_chunks(t, t.x_or_sp(Type::I64, n), chunks, bytes);
}

using Transfer = void (*)(Translate&, bool q, u32 size, Reg n, VReg d);

template <Transfer Move>
bool multiple(Translate& t, bool q, u32 size, Reg n, VReg d) {
  Move(t, q, size, n, d);
  return t.next();
}
template <Transfer Move, unsigned Registers>
bool multiple_post(Translate& t, bool q, Reg m, u32 size, Reg n, VReg d) {
  Move(t, q, size, n, d);
  return write_back(t, n, m, Registers * (q ? 16 : 8));
}

// -- one structure
// ---------------------------------------------------------------------------------------------------------

/// Which lane: opcode<2:1>, S and size of the manual. Scale is log2 of the element's bytes.
struct Lane {
  u32 scale, index;
};
Lane lane_of(u32 group, bool q, bool s, u32 size) {
  const u32 all = u32{q} << 3 | u32{s} << 2 | size;
  if (group == 0) return {0, all};
  if (group == 1) return {1, all >> 1};
  return size == 0 ? Lane{2, all >> 2} : Lane{3, all >> 3};
}
inline bool half_lane(u32 word) {
  return (word >> 10 & 1) == 0;
}
inline bool single_or_double_lane(u32 word) {
  return (word >> 10 & 3) == 0 || (word >> 10 & 7) == 1;
}

/// Singles and doubles travel as FP values, which keeps them in vector registers.
constexpr Type element_type(u32 scale) {
  return scale == 3 ? Type::F64 : scale == 2 ? Type::F32 : Type::I32;
}
constexpr MemAttr element_access(u32 scale) {
  return {.size_log2 = static_cast<u8>(scale)};
}

template <unsigned Elements>
void load_lanes(Translate& t, Lane at, Reg n, VReg d) {
  const Value base = t.x_or_sp(Type::I64, n);
  Value loaded[4];
  for (unsigned i = 0; i < Elements; ++i)
    loaded[i] = t.ir.load(element_type(at.scale), base, i << at.scale, element_access(at.scale));
  for (unsigned i = 0; i < Elements; ++i)
    t.set_v(nth(d, i), t.ir.vinsert(t.v(nth(d, i)), loaded[i], arrangement(at.scale, true), at.index));
}

template <unsigned Elements>
void store_lanes(Translate& t, Lane at, Reg n, VReg d) {
  const Value base = t.x_or_sp(Type::I64, n);
  for (unsigned i = 0; i < Elements; ++i) {
    const Value element = t.ir.vextract(element_type(at.scale), t.v(nth(d, i)), arrangement(at.scale, true), at.index);
    t.ir.store(base, i << at.scale, element, element_access(at.scale));
  }
}

template <bool Load, unsigned Elements>
void move_lanes(Translate& t, Lane at, Reg n, VReg d) {
  if constexpr (Load)
    load_lanes<Elements>(t, at, n, d);
  else
    store_lanes<Elements>(t, at, n, d);
}

template <bool Load, unsigned Elements, u32 Group>
bool single(Translate& t, bool q, bool s, u32 size, Reg n, VReg d) {
  move_lanes<Load, Elements>(t, lane_of(Group, q, s, size), n, d);
  return t.next();
}
template <bool Load, unsigned Elements, u32 Group>
bool single_post(Translate& t, bool q, Reg m, bool s, u32 size, Reg n, VReg d) {
  const Lane at = lane_of(Group, q, s, size);
  move_lanes<Load, Elements>(t, at, n, d);
  return write_back(t, n, m, Elements << at.scale);
}

// LD1R..LD4R: every lane.
template <unsigned Elements>
bool replicate(Translate& t, bool q, u32 size, Reg n, VReg d) {
  const Value base = t.x_or_sp(Type::I64, n);
  Value loaded[4];
  for (unsigned i = 0; i < Elements; ++i)
    loaded[i] = t.ir.load(element_type(size), base, i << size, element_access(size));
  for (unsigned i = 0; i < Elements; ++i) t.set_v(nth(d, i), t.ir.vdup(arrangement(size, q), loaded[i]));
  return t.next();
}
template <unsigned Elements>
bool replicate_post(Translate& t, bool q, Reg m, u32 size, Reg n, VReg d) {
  replicate<Elements>(t, q, size, n, d);
  return write_back(t, n, m, Elements << size);
}

/// 64-bit elements of structures need full vectors.
inline bool whole_structure(u32 word) {
  return (word >> 10 & 3) != 3 || q_bit(word);
}

constexpr auto kRows = std::to_array<Row>({
    simd<"0 Q 001100 0 0 000000 0111 size:2 Rn:5 Rt:5", multiple<store_plain<1>>>("st1 {@list1}, [{Rn:xs}]",
                                                                                  "ST1 (multiple structures)"),
    simd<"0 Q 001100 1 0 0 Rm:5 0111 size:2 Rn:5 Rt:5", multiple_post<store_plain<1>, 1>>(
        "st1 {@list1}, [{Rn:xs}], {@step}", "ST1 (multiple structures)"),
    simd<"0 Q 001100 0 0 000000 1010 size:2 Rn:5 Rt:5", multiple<store_plain<2>>>("st1 {@list2}, [{Rn:xs}]",
                                                                                  "ST1 (multiple structures)"),
    simd<"0 Q 001100 1 0 0 Rm:5 1010 size:2 Rn:5 Rt:5", multiple_post<store_plain<2>, 2>>(
        "st1 {@list2}, [{Rn:xs}], {@step}", "ST1 (multiple structures)"),
    simd<"0 Q 001100 0 0 000000 0110 size:2 Rn:5 Rt:5", multiple<store_plain<3>>>("st1 {@list3}, [{Rn:xs}]",
                                                                                  "ST1 (multiple structures)"),
    simd<"0 Q 001100 1 0 0 Rm:5 0110 size:2 Rn:5 Rt:5", multiple_post<store_plain<3>, 3>>(
        "st1 {@list3}, [{Rn:xs}], {@step}", "ST1 (multiple structures)"),
    simd<"0 Q 001100 0 0 000000 0010 size:2 Rn:5 Rt:5", multiple<store_plain<4>>>("st1 {@list4}, [{Rn:xs}]",
                                                                                  "ST1 (multiple structures)"),
    simd<"0 Q 001100 1 0 0 Rm:5 0010 size:2 Rn:5 Rt:5", multiple_post<store_plain<4>, 4>>(
        "st1 {@list4}, [{Rn:xs}], {@step}", "ST1 (multiple structures)"),
    simd<"0 Q 001100 0 0 000000 1000 size:2 Rn:5 Rt:5", multiple<store_interleaved<2>>, whole_structure>(
        "st2 {@list2}, [{Rn:xs}]", "ST2 (multiple structures)"),
    simd<"0 Q 001100 1 0 0 Rm:5 1000 size:2 Rn:5 Rt:5", multiple_post<store_interleaved<2>, 2>, whole_structure>(
        "st2 {@list2}, [{Rn:xs}], {@step}", "ST2 (multiple structures)"),
    simd<"0 Q 001100 0 0 000000 0100 size:2 Rn:5 Rt:5", multiple<store_interleaved<3>>, whole_structure>(
        "st3 {@list3}, [{Rn:xs}]", "ST3 (multiple structures)"),
    simd<"0 Q 001100 1 0 0 Rm:5 0100 size:2 Rn:5 Rt:5", multiple_post<store_interleaved<3>, 3>, whole_structure>(
        "st3 {@list3}, [{Rn:xs}], {@step}", "ST3 (multiple structures)"),
    simd<"0 Q 001100 0 0 000000 0000 size:2 Rn:5 Rt:5", multiple<store_interleaved<4>>, whole_structure>(
        "st4 {@list4}, [{Rn:xs}]", "ST4 (multiple structures)"),
    simd<"0 Q 001100 1 0 0 Rm:5 0000 size:2 Rn:5 Rt:5", multiple_post<store_interleaved<4>, 4>, whole_structure>(
        "st4 {@list4}, [{Rn:xs}], {@step}", "ST4 (multiple structures)"),
    simd<"0 Q 001100 0 1 000000 0111 size:2 Rn:5 Rt:5", multiple<load_plain<1>>>("ld1 {@list1}, [{Rn:xs}]",
                                                                                 "LD1 (multiple structures)"),
    simd<"0 Q 001100 1 1 0 Rm:5 0111 size:2 Rn:5 Rt:5", multiple_post<load_plain<1>, 1>>(
        "ld1 {@list1}, [{Rn:xs}], {@step}", "LD1 (multiple structures)"),
    simd<"0 Q 001100 0 1 000000 1010 size:2 Rn:5 Rt:5", multiple<load_plain<2>>>("ld1 {@list2}, [{Rn:xs}]",
                                                                                 "LD1 (multiple structures)"),
    simd<"0 Q 001100 1 1 0 Rm:5 1010 size:2 Rn:5 Rt:5", multiple_post<load_plain<2>, 2>>(
        "ld1 {@list2}, [{Rn:xs}], {@step}", "LD1 (multiple structures)"),
    simd<"0 Q 001100 0 1 000000 0110 size:2 Rn:5 Rt:5", multiple<load_plain<3>>>("ld1 {@list3}, [{Rn:xs}]",
                                                                                 "LD1 (multiple structures)"),
    simd<"0 Q 001100 1 1 0 Rm:5 0110 size:2 Rn:5 Rt:5", multiple_post<load_plain<3>, 3>>(
        "ld1 {@list3}, [{Rn:xs}], {@step}", "LD1 (multiple structures)"),
    simd<"0 Q 001100 0 1 000000 0010 size:2 Rn:5 Rt:5", multiple<load_plain<4>>>("ld1 {@list4}, [{Rn:xs}]",
                                                                                 "LD1 (multiple structures)"),
    simd<"0 Q 001100 1 1 0 Rm:5 0010 size:2 Rn:5 Rt:5", multiple_post<load_plain<4>, 4>>(
        "ld1 {@list4}, [{Rn:xs}], {@step}", "LD1 (multiple structures)"),
    simd<"0 Q 001100 0 1 000000 1000 size:2 Rn:5 Rt:5", multiple<load_interleaved<2>>, whole_structure>(
        "ld2 {@list2}, [{Rn:xs}]", "LD2 (multiple structures)"),
    simd<"0 Q 001100 1 1 0 Rm:5 1000 size:2 Rn:5 Rt:5", multiple_post<load_interleaved<2>, 2>, whole_structure>(
        "ld2 {@list2}, [{Rn:xs}], {@step}", "LD2 (multiple structures)"),
    simd<"0 Q 001100 0 1 000000 0100 size:2 Rn:5 Rt:5", multiple<load_interleaved<3>>, whole_structure>(
        "ld3 {@list3}, [{Rn:xs}]", "LD3 (multiple structures)"),
    simd<"0 Q 001100 1 1 0 Rm:5 0100 size:2 Rn:5 Rt:5", multiple_post<load_interleaved<3>, 3>, whole_structure>(
        "ld3 {@list3}, [{Rn:xs}], {@step}", "LD3 (multiple structures)"),
    simd<"0 Q 001100 0 1 000000 0000 size:2 Rn:5 Rt:5", multiple<load_interleaved<4>>, whole_structure>(
        "ld4 {@list4}, [{Rn:xs}]", "LD4 (multiple structures)"),
    simd<"0 Q 001100 1 1 0 Rm:5 0000 size:2 Rn:5 Rt:5", multiple_post<load_interleaved<4>, 4>, whole_structure>(
        "ld4 {@list4}, [{Rn:xs}], {@step}", "LD4 (multiple structures)"),

    simd<"0 Q 001101 0 0 0 00000 000 S size:2 Rn:5 Rt:5", single<false, 1, 0>>("st1 {@lanes1}, [{Rn:xs}]",
                                                                               "ST1 (single structure)"),
    simd<"0 Q 001101 1 0 0 Rm:5 000 S size:2 Rn:5 Rt:5", single_post<false, 1, 0>>("st1 {@lanes1}, [{Rn:xs}], {@step}",
                                                                                   "ST1 (single structure)"),
    simd<"0 Q 001101 0 0 0 00000 010 S size:2 Rn:5 Rt:5", single<false, 1, 1>, half_lane>("st1 {@lanes1}, [{Rn:xs}]",
                                                                                          "ST1 (single structure)"),
    simd<"0 Q 001101 1 0 0 Rm:5 010 S size:2 Rn:5 Rt:5", single_post<false, 1, 1>, half_lane>(
        "st1 {@lanes1}, [{Rn:xs}], {@step}", "ST1 (single structure)"),
    simd<"0 Q 001101 0 0 0 00000 100 S size:2 Rn:5 Rt:5", single<false, 1, 2>, single_or_double_lane>(
        "st1 {@lanes1}, [{Rn:xs}]", "ST1 (single structure)"),
    simd<"0 Q 001101 1 0 0 Rm:5 100 S size:2 Rn:5 Rt:5", single_post<false, 1, 2>, single_or_double_lane>(
        "st1 {@lanes1}, [{Rn:xs}], {@step}", "ST1 (single structure)"),
    simd<"0 Q 001101 0 0 1 00000 000 S size:2 Rn:5 Rt:5", single<false, 2, 0>>("st2 {@lanes2}, [{Rn:xs}]",
                                                                               "ST2 (single structure)"),
    simd<"0 Q 001101 1 0 1 Rm:5 000 S size:2 Rn:5 Rt:5", single_post<false, 2, 0>>("st2 {@lanes2}, [{Rn:xs}], {@step}",
                                                                                   "ST2 (single structure)"),
    simd<"0 Q 001101 0 0 1 00000 010 S size:2 Rn:5 Rt:5", single<false, 2, 1>, half_lane>("st2 {@lanes2}, [{Rn:xs}]",
                                                                                          "ST2 (single structure)"),
    simd<"0 Q 001101 1 0 1 Rm:5 010 S size:2 Rn:5 Rt:5", single_post<false, 2, 1>, half_lane>(
        "st2 {@lanes2}, [{Rn:xs}], {@step}", "ST2 (single structure)"),
    simd<"0 Q 001101 0 0 1 00000 100 S size:2 Rn:5 Rt:5", single<false, 2, 2>, single_or_double_lane>(
        "st2 {@lanes2}, [{Rn:xs}]", "ST2 (single structure)"),
    simd<"0 Q 001101 1 0 1 Rm:5 100 S size:2 Rn:5 Rt:5", single_post<false, 2, 2>, single_or_double_lane>(
        "st2 {@lanes2}, [{Rn:xs}], {@step}", "ST2 (single structure)"),
    simd<"0 Q 001101 0 0 0 00000 001 S size:2 Rn:5 Rt:5", single<false, 3, 0>>("st3 {@lanes3}, [{Rn:xs}]",
                                                                               "ST3 (single structure)"),
    simd<"0 Q 001101 1 0 0 Rm:5 001 S size:2 Rn:5 Rt:5", single_post<false, 3, 0>>("st3 {@lanes3}, [{Rn:xs}], {@step}",
                                                                                   "ST3 (single structure)"),
    simd<"0 Q 001101 0 0 0 00000 011 S size:2 Rn:5 Rt:5", single<false, 3, 1>, half_lane>("st3 {@lanes3}, [{Rn:xs}]",
                                                                                          "ST3 (single structure)"),
    simd<"0 Q 001101 1 0 0 Rm:5 011 S size:2 Rn:5 Rt:5", single_post<false, 3, 1>, half_lane>(
        "st3 {@lanes3}, [{Rn:xs}], {@step}", "ST3 (single structure)"),
    simd<"0 Q 001101 0 0 0 00000 101 S size:2 Rn:5 Rt:5", single<false, 3, 2>, single_or_double_lane>(
        "st3 {@lanes3}, [{Rn:xs}]", "ST3 (single structure)"),
    simd<"0 Q 001101 1 0 0 Rm:5 101 S size:2 Rn:5 Rt:5", single_post<false, 3, 2>, single_or_double_lane>(
        "st3 {@lanes3}, [{Rn:xs}], {@step}", "ST3 (single structure)"),
    simd<"0 Q 001101 0 0 1 00000 001 S size:2 Rn:5 Rt:5", single<false, 4, 0>>("st4 {@lanes4}, [{Rn:xs}]",
                                                                               "ST4 (single structure)"),
    simd<"0 Q 001101 1 0 1 Rm:5 001 S size:2 Rn:5 Rt:5", single_post<false, 4, 0>>("st4 {@lanes4}, [{Rn:xs}], {@step}",
                                                                                   "ST4 (single structure)"),
    simd<"0 Q 001101 0 0 1 00000 011 S size:2 Rn:5 Rt:5", single<false, 4, 1>, half_lane>("st4 {@lanes4}, [{Rn:xs}]",
                                                                                          "ST4 (single structure)"),
    simd<"0 Q 001101 1 0 1 Rm:5 011 S size:2 Rn:5 Rt:5", single_post<false, 4, 1>, half_lane>(
        "st4 {@lanes4}, [{Rn:xs}], {@step}", "ST4 (single structure)"),
    simd<"0 Q 001101 0 0 1 00000 101 S size:2 Rn:5 Rt:5", single<false, 4, 2>, single_or_double_lane>(
        "st4 {@lanes4}, [{Rn:xs}]", "ST4 (single structure)"),
    simd<"0 Q 001101 1 0 1 Rm:5 101 S size:2 Rn:5 Rt:5", single_post<false, 4, 2>, single_or_double_lane>(
        "st4 {@lanes4}, [{Rn:xs}], {@step}", "ST4 (single structure)"),
    simd<"0 Q 001101 0 1 0 00000 000 S size:2 Rn:5 Rt:5", single<true, 1, 0>>("ld1 {@lanes1}, [{Rn:xs}]",
                                                                              "LD1 (single structure)"),
    simd<"0 Q 001101 1 1 0 Rm:5 000 S size:2 Rn:5 Rt:5", single_post<true, 1, 0>>("ld1 {@lanes1}, [{Rn:xs}], {@step}",
                                                                                  "LD1 (single structure)"),
    simd<"0 Q 001101 0 1 0 00000 010 S size:2 Rn:5 Rt:5", single<true, 1, 1>, half_lane>("ld1 {@lanes1}, [{Rn:xs}]",
                                                                                         "LD1 (single structure)"),
    simd<"0 Q 001101 1 1 0 Rm:5 010 S size:2 Rn:5 Rt:5", single_post<true, 1, 1>, half_lane>(
        "ld1 {@lanes1}, [{Rn:xs}], {@step}", "LD1 (single structure)"),
    simd<"0 Q 001101 0 1 0 00000 100 S size:2 Rn:5 Rt:5", single<true, 1, 2>, single_or_double_lane>(
        "ld1 {@lanes1}, [{Rn:xs}]", "LD1 (single structure)"),
    simd<"0 Q 001101 1 1 0 Rm:5 100 S size:2 Rn:5 Rt:5", single_post<true, 1, 2>, single_or_double_lane>(
        "ld1 {@lanes1}, [{Rn:xs}], {@step}", "LD1 (single structure)"),
    simd<"0 Q 001101 0 1 1 00000 000 S size:2 Rn:5 Rt:5", single<true, 2, 0>>("ld2 {@lanes2}, [{Rn:xs}]",
                                                                              "LD2 (single structure)"),
    simd<"0 Q 001101 1 1 1 Rm:5 000 S size:2 Rn:5 Rt:5", single_post<true, 2, 0>>("ld2 {@lanes2}, [{Rn:xs}], {@step}",
                                                                                  "LD2 (single structure)"),
    simd<"0 Q 001101 0 1 1 00000 010 S size:2 Rn:5 Rt:5", single<true, 2, 1>, half_lane>("ld2 {@lanes2}, [{Rn:xs}]",
                                                                                         "LD2 (single structure)"),
    simd<"0 Q 001101 1 1 1 Rm:5 010 S size:2 Rn:5 Rt:5", single_post<true, 2, 1>, half_lane>(
        "ld2 {@lanes2}, [{Rn:xs}], {@step}", "LD2 (single structure)"),
    simd<"0 Q 001101 0 1 1 00000 100 S size:2 Rn:5 Rt:5", single<true, 2, 2>, single_or_double_lane>(
        "ld2 {@lanes2}, [{Rn:xs}]", "LD2 (single structure)"),
    simd<"0 Q 001101 1 1 1 Rm:5 100 S size:2 Rn:5 Rt:5", single_post<true, 2, 2>, single_or_double_lane>(
        "ld2 {@lanes2}, [{Rn:xs}], {@step}", "LD2 (single structure)"),
    simd<"0 Q 001101 0 1 0 00000 001 S size:2 Rn:5 Rt:5", single<true, 3, 0>>("ld3 {@lanes3}, [{Rn:xs}]",
                                                                              "LD3 (single structure)"),
    simd<"0 Q 001101 1 1 0 Rm:5 001 S size:2 Rn:5 Rt:5", single_post<true, 3, 0>>("ld3 {@lanes3}, [{Rn:xs}], {@step}",
                                                                                  "LD3 (single structure)"),
    simd<"0 Q 001101 0 1 0 00000 011 S size:2 Rn:5 Rt:5", single<true, 3, 1>, half_lane>("ld3 {@lanes3}, [{Rn:xs}]",
                                                                                         "LD3 (single structure)"),
    simd<"0 Q 001101 1 1 0 Rm:5 011 S size:2 Rn:5 Rt:5", single_post<true, 3, 1>, half_lane>(
        "ld3 {@lanes3}, [{Rn:xs}], {@step}", "LD3 (single structure)"),
    simd<"0 Q 001101 0 1 0 00000 101 S size:2 Rn:5 Rt:5", single<true, 3, 2>, single_or_double_lane>(
        "ld3 {@lanes3}, [{Rn:xs}]", "LD3 (single structure)"),
    simd<"0 Q 001101 1 1 0 Rm:5 101 S size:2 Rn:5 Rt:5", single_post<true, 3, 2>, single_or_double_lane>(
        "ld3 {@lanes3}, [{Rn:xs}], {@step}", "LD3 (single structure)"),
    simd<"0 Q 001101 0 1 1 00000 001 S size:2 Rn:5 Rt:5", single<true, 4, 0>>("ld4 {@lanes4}, [{Rn:xs}]",
                                                                              "LD4 (single structure)"),
    simd<"0 Q 001101 1 1 1 Rm:5 001 S size:2 Rn:5 Rt:5", single_post<true, 4, 0>>("ld4 {@lanes4}, [{Rn:xs}], {@step}",
                                                                                  "LD4 (single structure)"),
    simd<"0 Q 001101 0 1 1 00000 011 S size:2 Rn:5 Rt:5", single<true, 4, 1>, half_lane>("ld4 {@lanes4}, [{Rn:xs}]",
                                                                                         "LD4 (single structure)"),
    simd<"0 Q 001101 1 1 1 Rm:5 011 S size:2 Rn:5 Rt:5", single_post<true, 4, 1>, half_lane>(
        "ld4 {@lanes4}, [{Rn:xs}], {@step}", "LD4 (single structure)"),
    simd<"0 Q 001101 0 1 1 00000 101 S size:2 Rn:5 Rt:5", single<true, 4, 2>, single_or_double_lane>(
        "ld4 {@lanes4}, [{Rn:xs}]", "LD4 (single structure)"),
    simd<"0 Q 001101 1 1 1 Rm:5 101 S size:2 Rn:5 Rt:5", single_post<true, 4, 2>, single_or_double_lane>(
        "ld4 {@lanes4}, [{Rn:xs}], {@step}", "LD4 (single structure)"),

    simd<"0 Q 001101 0 1 0 00000 110 0 size:2 Rn:5 Rt:5", replicate<1>>("ld1r {@list1}, [{Rn:xs}]", "LD1R"),
    simd<"0 Q 001101 1 1 0 Rm:5 110 0 size:2 Rn:5 Rt:5", replicate_post<1>>("ld1r {@list1}, [{Rn:xs}], {@step}",
                                                                            "LD1R"),
    simd<"0 Q 001101 0 1 1 00000 110 0 size:2 Rn:5 Rt:5", replicate<2>>("ld2r {@list2}, [{Rn:xs}]", "LD2R"),
    simd<"0 Q 001101 1 1 1 Rm:5 110 0 size:2 Rn:5 Rt:5", replicate_post<2>>("ld2r {@list2}, [{Rn:xs}], {@step}",
                                                                            "LD2R"),
    simd<"0 Q 001101 0 1 0 00000 111 0 size:2 Rn:5 Rt:5", replicate<3>>("ld3r {@list3}, [{Rn:xs}]", "LD3R"),
    simd<"0 Q 001101 1 1 0 Rm:5 111 0 size:2 Rn:5 Rt:5", replicate_post<3>>("ld3r {@list3}, [{Rn:xs}], {@step}",
                                                                            "LD3R"),
    simd<"0 Q 001101 0 1 1 00000 111 0 size:2 Rn:5 Rt:5", replicate<4>>("ld4r {@list4}, [{Rn:xs}]", "LD4R"),
    simd<"0 Q 001101 1 1 1 Rm:5 111 0 size:2 Rn:5 Rt:5", replicate_post<4>>("ld4r {@list4}, [{Rn:xs}], {@step}",
                                                                            "LD4R"),
});

}  // namespace

std::span<const Row> simd_structures_rows() {
  return kRows;
}

}  // namespace tiercel::arm
