// Under which addresses relative code was found lately, so that predictions that lead to it can be forgotten.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <unordered_map>

#include "base/types.h"

namespace tiercel::engine {

/// Per physical page, the addresses of the guest pages that lead to it: the last few. Needs the engine's lock.
class CodeMappings {
 public:
  /// `space`: guest::BlockKey::space. `page`: its address.
  void note(u32 space, u64 page) {
    Pages& p = pages_[space];
    const std::span<const u64> known = p.known();
    if (std::find(known.begin(), known.end(), page) != known.end()) return;
    p.addresses[p.noted++ % kKept] = page;
  }

  struct Found {
    std::span<const u64> pages;
    bool all;  // false: there were others before
  };
  Found find(u32 space) const {
    const auto it = pages_.find(space);
    if (it == pages_.end()) return {{}, true};
    return {it->second.known(), it->second.noted <= kKept};
  }

  void clear() { pages_.clear(); }

 private:
  static constexpr u64 kKept = 8;
  struct Pages {
    std::array<u64, kKept> addresses;
    u64 noted = 0;
    std::span<const u64> known() const { return std::span(addresses).first(std::min(noted, kKept)); }
  };
  std::unordered_map<u32, Pages> pages_;
};

}  // namespace tiercel::engine
