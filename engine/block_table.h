// Open-addressing hash tables of the code cache: a lookup touches one cache line in the common case.
#pragma once

#include <vector>

#include "base/bits.h"
#include "base/types.h"
#include "guest/frontend.h"

namespace tiercel::engine {

struct CachedBlock;

/// Key -> block. Pointers are not owned.
class BlockTable {
 public:
  BlockTable() { clear(); }
  CachedBlock* find(const guest::BlockKey& key) const;
  /// The key must not be present.
  void insert(const guest::BlockKey& key, CachedBlock* block);
  /// The key must be present.
  void replace(const guest::BlockKey& key, CachedBlock* block);
  void erase(const guest::BlockKey& key);
  void clear();

 private:
  /// A block and some bits of its key's hash, so that blocks with other keys are mostly not looked at.
  class Entry {
   public:
    Entry() = default;
    Entry(CachedBlock* block, u64 hash) : bits_(reinterpret_cast<u64>(block) | tag(hash)) {}
    bool free() const { return bits_ == 0; }
    bool may_be(u64 hash) const { return (bits_ & ~kPointer) == tag(hash); }
    CachedBlock* block() const { return reinterpret_cast<CachedBlock*>(bits_ & kPointer); }

   private:
    static constexpr u64 kPointer = low_mask(48);  // of a Linux process
    static constexpr u64 tag(u64 hash) { return hash & ~kPointer; }
    u64 bits_ = 0;
  };
  std::size_t locate(const guest::BlockKey& key) const;
  u64 hash_of(const Entry& entry) const;
  void grow();

  std::vector<Entry> entries_;
  std::size_t mask_ = 0;
  std::size_t used_ = 0;
};

}  // namespace tiercel::engine
