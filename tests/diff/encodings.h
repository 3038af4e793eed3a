// What the generators need to know about single A64 words.
#pragma once

#include "base/bits.h"
#include "base/types.h"

namespace tiercel::test {

inline constexpr u32 kNop = 0xd503'201f, kBrk = 0xd420'0000, kClrex = 0xd503'3f5f;

inline void put(u32& word, unsigned lsb, unsigned width, u64 value) {
  const u32 mask = static_cast<u32>(low_mask(width)) << lsb;
  word = (word & ~mask) | (static_cast<u32>(value << lsb) & mask);
}

/// How a load or store forms its address.
struct Access {
  enum class Kind { None, Literal, Base, Register } kind = Kind::None;
  s64 offset = 0;
  u32 bytes = 1;
  unsigned index_shift = 0;
};
Access access_of(u32 w);

inline bool is_load_store(u32 w) {
  return (w & 0x0a00'0000) == 0x0800'0000;
}

inline bool must_be_aligned(u32 w) {
  return (w & 0x3f00'0000) == 0x0800'0000 || (w & 0x3f20'0c00) == 0x3820'0000;
}

inline bool is_store_exclusive(u32 w) {
  return (w & 0x3fc0'0000) == 0x0800'0000 && !((w >> 31) == 0 && (w >> 21 & 1));
}

/// The load that lets a store exclusive succeed.
inline u32 matching_load(u32 store) {
  const u32 load = (store | 0x0040'0000 | 0x001f'0000) & ~u32{0x1f};
  const bool same = (store >> 21 & 1) && (store >> 10 & 31) == 0;  // both registers of a pair
  return same ? load | 1 : load;
}

/// LDAR, STLR and the like, whose misaligned addresses the reference accepts.
inline bool is_ordered(u32 w) {
  return (w & 0x3fa0'0000) == 0x0880'0000;
}

}  // namespace tiercel::test
