#include "engine/block_table.h"

#include "base/check.h"

namespace tiercel::engine {
namespace {

constexpr std::size_t kInitialEntries = 4096;

}  // namespace

void BlockTable::clear() {
  entries_.assign(kInitialEntries, {});
  mask_ = kInitialEntries - 1;
  used_ = 0;
}

/// Where `key` is, or the free entry where its search ends.
std::size_t BlockTable::locate(const guest::BlockKey& key) const {
  std::size_t i = home(key);
  while (entries_[i].block && !(entries_[i].key == key)) i = (i + 1) & mask_;
  return i;
}

CachedBlock* BlockTable::find(const guest::BlockKey& key) const {
  return entries_[locate(key)].block;
}

void BlockTable::insert(const guest::BlockKey& key, CachedBlock* block) {
  if (2 * ++used_ > mask_) grow();
  Entry& entry = entries_[locate(key)];
  DCHECK(!entry.block);
  entry = {key, block};
}

void BlockTable::replace(const guest::BlockKey& key, CachedBlock* block) {
  Entry& entry = entries_[locate(key)];
  DCHECK(entry.block);
  entry.block = block;
}

void BlockTable::grow() {
  std::vector<Entry> old(2 * entries_.size());
  old.swap(entries_);
  mask_ = entries_.size() - 1;
  for (const Entry& e : old)
    if (e.block) entries_[locate(e.key)] = e;
}

void BlockTable::erase(const guest::BlockKey& key) {
  std::size_t hole = locate(key);
  if (!entries_[hole].block) return;
  --used_;
  // Linear probing without tombstones: pull back every later entry of the run that may move.
  for (std::size_t i = (hole + 1) & mask_; entries_[i].block; i = (i + 1) & mask_) {
    const std::size_t wanted = home(entries_[i].key);
    if (((i - wanted) & mask_) < ((i - hole) & mask_)) continue;
    entries_[hole] = entries_[i];
    hole = i;
  }
  entries_[hole] = {};
}

}  // namespace tiercel::engine
