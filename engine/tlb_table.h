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
  }
  void drop(u32 index) { put(index, backend::empty_tlb_entry(index)); }
  void clear();
  /// Drops the entries that `match` says, of a page's address.
  template <typename Match>
  void drop_if(Match&& match);

 private:
  static constexpr u32 kGroup = 32;  // entries with a bit in used_
  static constexpr u32 kWords = backend::kTlbSize / kGroup / 64;

  void put(u32 index, const backend::TlbEntry& entry) {
    arrays_->page[index] = entry.page;
    arrays_->distance[index] = entry.distance;
  }
  template <typename Visit>
  void for_each_group(Visit&& visit);

  backend::TlbArrays* arrays_;
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
      if (match(arrays_->page[i])) drop(i);
  });
}

}  // namespace tiercel::engine
