// Open-addressing hash tables of the code cache: a lookup touches one cache line in the common case.
#pragma once

#include <vector>

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
  struct Entry {
    guest::BlockKey key;
    CachedBlock* block = nullptr;  // null: free
  };
  std::size_t home(const guest::BlockKey& key) const { return guest::BlockKeyHash{}(key)&mask_; }
  std::size_t locate(const guest::BlockKey& key) const;
  void grow();

  std::vector<Entry> entries_;
  std::size_t mask_ = 0;
  std::size_t used_ = 0;
};

}  // namespace tiercel::engine
