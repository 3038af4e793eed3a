// Emptying a segment of the code cache: its blocks have links, names and regions in common with those of others.
#include <algorithm>
#include <utility>

#include "engine/code_cache.h"

namespace tiercel::engine {
namespace {

void sort_and_unify(auto& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

}  // namespace

bool CodeCache::open_next() {
  if (!index_->segments[next_segment()].empty()) return false;
  index_->current = next_segment();
  return true;
}

void CodeCache::evict() {
  const u8 number = static_cast<u8>(next_segment());
  CodeSegment& segment = index_->segments[number];
  const std::span<CachedBlock* const> blocks = segment.blocks();
  for (CachedBlock* b : blocks) evict_names(*b, number);
  evict_links(blocks, number);
  evict_from_pages(blocks, number);
  segment.clear();
  index_->current = number;
}

/// No stand-in of it is left, nor is any that it stands in for in another segment's lists.
void CodeCache::evict_names(CachedBlock& b, u8 segment) {
  while (const RegionUse* use = b.details().uses) {
    drop_region(*use->region);
    disband(*use->region);
  }
  if (b.plain()) {
    drop_region(b);
    disband(b);
  } else if (CachedBlock* named = find(b.key)) {
    if (named == &b)
      index_->by_key.erase(b.key);
    else if (BlockDetails* details = plain_of(*named).own_details; details && details->gate == &b)
      details->gate = nullptr;
  }
  if (CachedBlock* gate = b.details().gate; gate && gate->segment != segment) drop_links_to(*gate);
}

/// Takes a stand-in, which is dead, out of its members' lists.
void CodeCache::disband(CachedBlock& stand_in) {
  BlockDetails& details = details_of(stand_in);
  for (CachedBlock* member : std::exchange(details.members, {})) {
    RegionUse** place = &details_of(*member).uses;
    while (*place && (*place)->region != &stand_in) place = &(*place)->next;
    if (*place) *place = (*place)->next;
  }
}

/// No link leads into the segment, and no list of predecessors has one that leads out of it.
void CodeCache::evict_links(std::span<CachedBlock* const> blocks, u8 segment) {
  std::vector<CachedBlock*> targets;
  for (CachedBlock* b : blocks) {
    for (CachedExit* exit = std::exchange(b->incoming, nullptr); exit;) {
      CachedExit& one = *std::exchange(exit, exit->next_incoming);
      if (one.from().segment != segment) unlink(one);
    }
    for (const CachedExit& exit : b->exits())
      if (exit.target && exit.target->segment != segment) targets.push_back(exit.target);
  }
  sort_and_unify(targets);
  for (CachedBlock* target : targets) {
    CachedExit* rest = std::exchange(target->incoming, nullptr);
    while (rest) {
      CachedExit& exit = *std::exchange(rest, rest->next_incoming);
      if (exit.from().segment != segment) exit.next_incoming = std::exchange(target->incoming, &exit);
    }
  }
}

void CodeCache::evict_from_pages(std::span<CachedBlock* const> blocks, u8 segment) {
  std::vector<u64> pages;
  for (const CachedBlock* b : blocks) pages.push_back(b->key.location() / kPageSize);
  sort_and_unify(pages);
  for (const u64 page : pages) {
    const auto it = index_->by_page.find(page);
    if (it == index_->by_page.end()) continue;
    for (CachedBlock** place = &it->second; *place;) {
      if ((*place)->segment == segment)
        *place = (*place)->next_in_page;
      else
        place = &(*place)->next_in_page;
    }
    if (!it->second) index_->by_page.erase(it);
  }
}

}  // namespace tiercel::engine
