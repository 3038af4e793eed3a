// Guest pc -> host entry for indirect branches: two tables in one piece of memory that generated code probes.
//
// The first is direct-mapped and probed in line. What collides there is not rare: among some hundred hot targets a few
// pairs always share an entry, and would miss each time they alternate. So an entry that is replaced moves on to the
// second table, which an out-of-line stub probes under another hash before it leaves generated code.
#pragma once

#include <atomic>
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

inline constexpr u32 kJumpCacheBits = 13;
inline constexpr u32 kJumpCacheSize = 1u << kJumpCacheBits;
constexpr u32 jump_cache_index(u64 pc) {
  return static_cast<u32>((pc >> 2) ^ (pc >> 14)) & (kJumpCacheSize - 1);
}

/// The second table follows the first. Indices are counted from its start.
inline constexpr u32 kVictimBits = 12;
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
    if (first.pc != empty_pc(index) && first.pc != pc) victims()[victim_index(first.pc)] = first;
    first = {pc, host};
  }

  /// Any thread, while nobody inserts.
  void forget(u64 pc) {
    empty(entries_[jump_cache_index(pc)], pc, jump_cache_index(pc));
    empty(victims()[victim_index(pc)], pc, victim_index(pc));
  }

  void clear() {
    std::memset(static_cast<void*>(entries_.get()), 0, kEntries * sizeof(JumpCacheEntry));
    mark_empty();
  }

 private:
  static constexpr std::size_t kEntries = kJumpCacheSize + kVictimSize;
  struct Free {
    void operator()(JumpCacheEntry* p) const { std::free(p); }
  };

  JumpCacheEntry* victims() const { return entries_.get() + kJumpCacheSize; }
  void mark_empty() { entries_[0].pc = victims()[0].pc = empty_pc(0); }
  static void empty(JumpCacheEntry& entry, u64 pc, u32 index) {
    if (entry.pc == pc) std::atomic_ref(entry.pc).store(empty_pc(index), std::memory_order_relaxed);
  }

  std::unique_ptr<JumpCacheEntry[], Free> entries_;
};

}  // namespace tiercel::backend
