// Chooses the blocks that are compiled together out of what a survey found around a hot head.
#pragma once

#include <optional>
#include <vector>

#include "backend/region_code.h"
#include "engine/survey.h"
#include "ir/region.h"

namespace tiercel::engine {

struct RegionLimits {
  u32 blocks = 96;
  u32 insns = 1500;
  u32 pages = 8;                // each costs a check on the way in, in a machine
  bool worthwhile_only = true;  // false: anything, however short; and of a loop also what does not come back to it
};

/// members[i] is the block that region.blocks[i] was translated from.
struct FormedRegion {
  ir::Region region;
  std::vector<CachedBlock*> members;
  backend::RegionPlace place;
};

/// Why there is no region.
enum class Refusal : u8 { None, UnfitHead, TooShort, LeftTooSoon, ServiceBusy, NotCompiled, kCount };
/// In plain words.
const char* describe(Refusal why);

/// A region that begins at `head`, a block of the survey: the most frequent of the blocks that lead back to it, or,
/// where no way comes back to it, of what follows. Nothing: see `why`.
std::optional<FormedRegion> form_region(const Survey& survey, const Survey::Block& head, const RegionLimits& limits,
                                        Refusal& why);

}  // namespace tiercel::engine
