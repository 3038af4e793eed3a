// Guest pc -> host entry for indirect branches: two tables in one piece of memory that generated code probes.
//
// The first is direct-mapped and probed in line. What collides there is not rare: among some hundred hot targets a few
// pairs always share an entry, and would miss each time they alternate. So an entry that is replaced moves on to the
// second table, which an out-of-line stub probes under another hash before it leaves generated code.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/types.h"

namespace tiercel::backend {

/// The pc compares in full. Entries are filled by the owning thread only; invalidation makes them empty.
struct JumpCacheEntry {
  u64 pc = 0;
  const void* host = nullptr;
};

inline constexpr u32 kJumpCacheBits = 15;
inline constexpr u32 kJumpCacheSize = 1u << kJumpCacheBits;
constexpr u32 jump_cache_index(u64 pc) {
  return static_cast<u32>((pc >> 2) ^ (pc >> 14)) & (kJumpCacheSize - 1);
}

/// The second table follows the first. Indices are counted from its start.
inline constexpr u32 kVictimBits = 13;
inline constexpr u32 kVictimSize = 1u << kVictimBits;
inline constexpr u32 kVictimFactor = 0x9e3779b1;
constexpr u32 victim_index(u64 pc) {
  return (static_cast<u32>(pc) * kVictimFactor) >> (32 - kVictimBits);
}

/// An empty entry holds a pc whose place is another one, so that no pc at all can hit it: 0, but 4 where 0 belongs.
constexpr u64 empty_pc(u32 index) {
  return index == 0 ? 4 : 0;
}
static_assert(jump_cache_index(0) == 0 && jump_cache_index(4) != 0 && victim_index(0) == 0 && victim_index(4) != 0);

/// One vCPU's cache, or one that always misses. Memory is touched where entries are used.
class JumpCache {
 public:
  JumpCache() : entries_(static_cast<JumpCacheEntry*>(std::calloc(kEntries, sizeof(JumpCacheEntry)))) {
    CHECK(entries_);
    mark_empty();
  }

  JumpCacheEntry* data() { return entries_.get(); }

  /// The host entry for `pc`, or null.
  const void* find(u64 pc) const {
    const JumpCacheEntry& first = entries_[jump_cache_index(pc)];
    if (first.pc == pc) return first.host;
    const JumpCacheEntry& second = victims()[victim_index(pc)];
    return second.pc == pc ? second.host : nullptr;
  }

  /// Owning thread only.
  void insert(u64 pc, const void* host) {
    const u32 index = jump_cache_index(pc);
    JumpCacheEntry& first = entries_[index];
    if (first.pc == empty_pc(index)) {
      note_filled(index);
    } else if (first.pc != pc) {
      const u32 victim = victim_index(first.pc);
      victims()[victim] = first;
      note_filled(kJumpCacheSize + victim);
    }
    first = {pc, host};
  }

  /// Any thread, while nobody inserts.
  void forget(u64 pc) {
    empty(entries_[jump_cache_index(pc)], pc, jump_cache_index(pc));
    empty(victims()[victim_index(pc)], pc, victim_index(pc));
  }

  /// The same for all pcs at these places in their pages.
  void forget_at(const std::bitset<kPageSize>& places) {
    const u32 count = filled_;
    for (u32 i = 0; i < (count <= places_.size() ? count : kEntries); ++i) {
      const u32 place = count <= places_.size() ? places_[i] : i;
      const u64 pc = std::atomic_ref(entries_[place].pc).load(std::memory_order_relaxed);
      if (places[pc % kPageSize]) empty(entries_[place], pc, place < kJumpCacheSize ? place : place - kJumpCacheSize);
    }
  }

  /// What `other` leads to. Owning thread only.
  void copy(const JumpCache& other) {
    clear();
    if (other.filled_ <= places_.size()) {
      for (u32 i = 0; i < other.filled_; ++i) entries_[other.places_[i]] = other.entries_[other.places_[i]];
    } else {
      std::memcpy(static_cast<void*>(entries_.get()), other.entries_.get(), kEntries * sizeof(JumpCacheEntry));
    }
    places_ = other.places_;
    filled_ = other.filled_;
  }

  /// Bytes that it takes at most.
  std::size_t memory() const {
    return std::max(touched_, std::min(filled_ * std::size_t{kPageSize}, kEntries * sizeof(JumpCacheEntry)));
  }
  /// As clear, and the host has the memory back. Owning thread only.
  void release();

  /// Forgets the entries whose pc does not satisfy `wanted`. Owning thread only.
  template <typename Wanted>
  void keep_if(Wanted&& wanted) {
    const bool listed = filled_ <= places_.size();
    const u32 count = listed ? filled_ : static_cast<u32>(kEntries);
    for (u32 i = 0; i < count; ++i) {
      const u32 place = listed ? places_[i] : i;
      const u32 index = place < kJumpCacheSize ? place : place - kJumpCacheSize;
      JumpCacheEntry& entry = entries_[place];
      if (entry.pc != empty_pc(index) && !wanted(entry.pc)) entry = {empty_pc(index), nullptr};
    }
  }

  /// Takes as long as there were insertions since the last time: a machine does it at each change of a code mapping.
  void clear() {
    touched_ = memory();
    if (filled_ <= places_.size()) {
      for (u32 i = 0; i < filled_; ++i) entries_[places_[i]] = {};
    } else {
      std::memset(static_cast<void*>(entries_.get()), 0, kEntries * sizeof(JumpCacheEntry));
    }
    filled_ = 0;
    mark_empty();
  }

 private:
  static constexpr std::size_t kEntries = kJumpCacheSize + kVictimSize;
  struct Free {
    void operator()(JumpCacheEntry* p) const { std::free(p); }
  };

  JumpCacheEntry* victims() const { return entries_.get() + kJumpCacheSize; }
  void note_filled(u32 place) {
    if (filled_ < places_.size()) places_[filled_] = static_cast<u16>(place);
    if (filled_ <= places_.size()) ++filled_;
  }
  void mark_empty() { entries_[0].pc = victims()[0].pc = empty_pc(0); }
  static void empty(JumpCacheEntry& entry, u64 pc, u32 index) {
    if (entry.pc == pc) std::atomic_ref(entry.pc).store(empty_pc(index), std::memory_order_relaxed);
  }

  std::unique_ptr<JumpCacheEntry[], Free> entries_;
  std::size_t touched_ = 0;       // bytes, by what was cleared since it was released
  std::array<u16, 4096> places_;  // indices of entries that are not empty, unless there were more
  u32 filled_ = 0;                // how many; more than fit: anywhere
  static_assert(kEntries - 1 <= 0xffff);
};

}  // namespace tiercel::backend
