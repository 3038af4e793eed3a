// The A64 table: all slices in one list, and the way from a word to its row.
#pragma once

#include <span>
#include <vector>

#include "frontend-arm/isa_row.h"

namespace tiercel::arm {

/// What an instruction does to NZCV.
enum class FlagEffect : u8 {
  None,        // neither reads nor writes it, cannot fault, goes on to the next insn
  Overwrites,  // replaces all four flags without reading them and cannot fault
  Unknown,     // anything else
};

class A64Table {
 public:
  A64Table();

  /// All rows; the index is what ExitKind::Unimplemented carries. Order: from most to least specific.
  std::span<const Row> rows() const { return rows_; }

  /// The most specific row that matches, or null: unallocated. Undefined rows are found too.
  const Row* find(u32 word) const {
    for (const u16* i = &candidates_[first_[hot_bits(word)]];; ++i) {
      if (*i == kNone) return nullptr;
      const Key k = keys_[*i];
      if ((word & k.mask) == k.value && (!k.has_predicate || rows_[*i].valid(word))) return &rows_[*i];
    }
  }
  /// The same, but null for Undefined rows: is the word an instruction?
  const Row* decode(u32 word) const {
    const Row* r = find(word);
    return r && r->kind != RowKind::Undefined ? r : nullptr;
  }
  FlagEffect flag_effect(const Row* r) const { return flag_effects_[index_of(r)]; }
  u32 index_of(const Row* r) const { return static_cast<u32>(r - rows_.data()); }

 private:
  // Bits 29..21 name the encoding class, 13..10 part most of what the SIMD classes pack together.
  static constexpr unsigned kHotBits = 13;
  static constexpr u32 hot_bits(u32 word) { return (word >> 21 & 0x1ff) << 4 | (word >> 10 & 0xf); }
  static constexpr u16 kNone = 0xffff;

  struct Key {
    u32 mask, value;
    u32 has_predicate;
  };
  std::vector<Row> rows_;
  std::vector<Key> keys_;
  std::vector<FlagEffect> flag_effects_;
  std::vector<u16> candidates_;  // runs of row indices, each ended by kNone
  std::vector<u32> first_;       // per value of the hot bits: where its run starts
};

/// Built on first use; immutable.
const A64Table& a64_table();

}  // namespace tiercel::arm
