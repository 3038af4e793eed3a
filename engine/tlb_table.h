// One direct-mapped table of a TLB, and which parts of it hold something: it is large, so that guests with much memory
// do not miss all the time, but costs host memory and time to clear only where it is used.
#pragma once

#include <array>
#include <bit>

#include "backend/jump_cache.h"
#include "backend/softmmu_tables.h"

namespace tiercel::engine {

class TlbTable {
 public:
  TlbTable();
  ~TlbTable();
  TlbTable(const TlbTable&) = delete;
  TlbTable& operator=(const TlbTable&) = delete;

  const backend::TlbEntry* data() const { return entries_; }
  const backend::TlbEntry& operator[](u32 index) const { return entries_[index]; }
  void set(u32 index, const backend::TlbEntry& entry) {
    entries_[index] = entry;
    used_[index / kGroup / 64] |= u64{1} << index / kGroup % 64;
  }
  void drop(u32 index) { entries_[index] = backend::empty_tlb_entry(index); }
  void clear();
  /// Drops the entries that `match` says, of a page's address.
  template <typename Match>
  void drop_if(Match&& match);

 private:
  static constexpr u32 kGroup = 32;  // entries with a bit in used_
  static constexpr u32 kWords = backend::kTlbSize / kGroup / 64;

  template <typename Visit>
  void for_each_group(Visit&& visit);

  backend::TlbEntry* entries_;
  std::array<u64, kWords> used_{};
};

template <typename Visit>
void TlbTable::for_each_group(Visit&& visit) {
  for (u32 w = 0; w < kWords; ++w)
    for (u64 left = used_[w]; left != 0; left &= left - 1)
      visit((w * 64 + static_cast<u32>(std::countr_zero(left))) * kGroup);
}

template <typename Match>
void TlbTable::drop_if(Match&& match) {
  for_each_group([&](u32 first) {
    for (u32 i = first; i < first + kGroup; ++i)
      if (match(entries_[i].page)) drop(i);
  });
}

}  // namespace tiercel::engine
