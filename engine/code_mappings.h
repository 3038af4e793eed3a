// Where relative code was executed, and where jumps led to in it.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/types.h"
#include "engine/cached_block.h"

namespace tiercel::engine {

/// Per physical page, named by BlockKey::space. Needs the engine's lock. Knows nothing that is older than the last time
/// that all predictions, or all that lead into the page, were forgotten.
class CodeMappings {
 public:
  /// The page was found at this address.
  void note(u32 space, u64 address) {
    Page& p = pages_[space];
    const std::span<const u64> known = p.known();
    if (std::find(known.begin(), known.end(), address) == known.end()) p.addresses[p.noted++ % kKept] = address;
  }

  /// The addresses of the guest pages that lead to a page: the last few.
  struct Addresses {
    std::span<const u64> last;
    bool all;  // false: there were others before
  };
  Addresses addresses(u32 space) const {
    const auto it = pages_.find(space);
    if (it == pages_.end()) return {{}, true};
    return {it->second.known(), it->second.noted <= kKept};
  }

  /// A jump cache leads to `plain`, in a page that was noted.
  void note_jump(CachedBlock& plain) {
    std::vector<CachedBlock*>& targets = pages_[plain.key.space].targets;
    if (std::find(targets.begin(), targets.end(), &plain) != targets.end()) return;
    std::erase_if(targets, [](const CachedBlock* b) { return b->dead; });
    targets.push_back(&plain);
  }
  /// What jump caches lead or led to in a page; blocks may be dead.
  std::span<CachedBlock* const> targets(u32 space) const {
    const auto it = pages_.find(space);
    return it == pages_.end() ? std::span<CachedBlock* const>() : it->second.targets;
  }

  void forget(u32 space) { pages_.erase(space); }
  void clear() { pages_.clear(); }

 private:
  static constexpr u64 kKept = 8;
  struct Page {
    std::array<u64, kKept> addresses;
    u64 noted = 0;
    std::vector<CachedBlock*> targets;
    std::span<const u64> known() const { return std::span(addresses).first(std::min(noted, kKept)); }
  };
  std::unordered_map<u32, Page> pages_;
};

}  // namespace tiercel::engine
