// Chooses the blocks that are compiled together: the loops around a hot block, or the function that starts there, with
// the functions they call.
#pragma once

#include <optional>
#include <vector>

#include "engine/code_cache.h"
#include "engine/target_profile.h"
#include "engine/translator.h"
#include "ir/region.h"

namespace tiercel::engine {

struct RegionLimits {
  u32 blocks = 96;
  u32 insns = 1500;
  bool worthwhile_only = true;  // false: anything, however short; and of a loop also what does not come back to it
};

/// members[i] is the block that region.blocks[i] was translated from.
struct FormedRegion {
  ir::Region region;
  std::vector<CachedBlock*> members;
};

/// Why there is no region.
enum class Refusal : u8 { None, UnfitHead, TooShort, ServiceBusy, NotCompiled, kCount };
/// In plain words.
const char* describe(Refusal why);

/// A region whose head is `head`, a plain block: the loops around it, or, where no way comes back to it, what follows.
/// Only blocks that were translated before, hence executed or about to be, take part. Nothing: see `why`.
std::optional<FormedRegion> form_region(CachedBlock& head, const CodeCache& cache, Translator& translator,
                                        const TargetProfile& targets, const RegionLimits& limits, Refusal& why);

}  // namespace tiercel::engine
