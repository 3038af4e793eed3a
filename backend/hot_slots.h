// Which slots live in registers, as all tiers that make host code agree on.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "ir/function.h"

namespace tiercel::backend {

/// The slots of type `type` with any heat at all, hottest first, at most `limit`.
inline std::vector<ir::SlotId> hottest_slots(std::span<const ir::SlotInfo> slots, ir::Type type, std::size_t limit) {
  std::vector<ir::SlotId> found;
  for (std::size_t s = 0; s < slots.size(); ++s)
    if (slots[s].type == type && slots[s].heat != 0) found.push_back(static_cast<ir::SlotId>(s));
  std::stable_sort(found.begin(), found.end(),
                   [&](ir::SlotId a, ir::SlotId b) { return slots[a].heat > slots[b].heat; });
  if (found.size() > limit) found.resize(limit);
  return found;
}

}  // namespace tiercel::backend
