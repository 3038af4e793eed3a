#include "engine/block_table.h"

#include "base/check.h"
#include "engine/code_cache.h"

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
  const u64 hash = guest::BlockKeyHash{}(key);
  std::size_t i = hash & mask_;
  while (!entries_[i].free() && !(entries_[i].may_be(hash) && entries_[i].block()->key == key)) i = (i + 1) & mask_;
  return i;
}

CachedBlock* BlockTable::find(const guest::BlockKey& key) const {
  return entries_[locate(key)].block();
}

void BlockTable::insert(const guest::BlockKey& key, CachedBlock* block) {
  if (4 * ++used_ > 3 * mask_) grow();
  Entry& entry = entries_[locate(key)];
  DCHECK(entry.free());
  entry = Entry(block, guest::BlockKeyHash{}(key));
}

void BlockTable::replace(const guest::BlockKey& key, CachedBlock* block) {
  Entry& entry = entries_[locate(key)];
  DCHECK(!entry.free());
  entry = Entry(block, guest::BlockKeyHash{}(key));
}

u64 BlockTable::hash_of(const Entry& entry) const {
  return guest::BlockKeyHash{}(entry.block()->key);
}

void BlockTable::grow() {
  std::vector<Entry> old(2 * entries_.size());
  old.swap(entries_);
  mask_ = entries_.size() - 1;
  for (const Entry& e : old) {
    if (e.free()) continue;
    std::size_t i = hash_of(e) & mask_;
    while (!entries_[i].free()) i = (i + 1) & mask_;
    entries_[i] = e;
  }
}

void BlockTable::erase(const guest::BlockKey& key) {
  std::size_t hole = locate(key);
  if (entries_[hole].free()) return;
  --used_;
  // Linear probing without tombstones: pull back every later entry of the run that may move.
  for (std::size_t i = (hole + 1) & mask_; !entries_[i].free(); i = (i + 1) & mask_) {
    const std::size_t wanted = hash_of(entries_[i]) & mask_;
    if (((i - wanted) & mask_) < ((i - hole) & mask_)) continue;
    entries_[hole] = entries_[i];
    hole = i;
  }
  entries_[hole] = {};
}

}  // namespace tiercel::engine
