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

  const backend::TlbArrays* data() const { return arrays_; }
  backend::TlbEntry operator[](u32 index) const { return {arrays_->page[index], arrays_->distance[index]}; }
  void set(u32 index, const backend::TlbEntry& entry) {
    put(index, entry);
    used_[index / kGroup / 64] |= u64{1} << index / kGroup % 64;
    note_touched(index);
  }
  void drop(u32 index) {
    put(index, backend::empty_tlb_entry(index));
    note_touched(index);
  }
  void clear();
  /// The same, and the host has its memory back.
  void release();
  /// Bytes that it takes now.
  u64 memory() const;
  /// Drops the entries that `match` says, of a page's address.
  template <typename Match>
  void drop_if(Match&& match);

 private:
  static constexpr u32 kGroup = 32;  // entries with a bit in used_
  static constexpr u32 kWords = backend::kTlbSize / kGroup / 64;

  static constexpr u32 kPageEntries = kPageSize / sizeof(u64);  // of the host's pages, in each of the two arrays
  static constexpr u32 kPages = backend::kTlbSize / kPageEntries;

  void put(u32 index, const backend::TlbEntry& entry) {
    arrays_->page[index] = entry.page;
    arrays_->distance[index] = entry.distance;
  }
  template <typename Visit>
  void for_each_group(Visit&& visit);
  void note_touched(u32 index) { touched_[index / kPageEntries / 64] |= u64{1} << index / kPageEntries % 64; }

  backend::TlbArrays* arrays_;
  std::array<u64, kWords> used_{};
  std::array<u64, kPages / 64> touched_{};  // pages since the host had them back
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
      if (match(arrays_->page[i])) drop(i);
  });
}

}  // namespace tiercel::engine
