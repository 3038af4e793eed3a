// Chooses the blocks that are compiled together: the loops around a hot block, with the functions they call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/code_cache.h"
#include "engine/translator.h"
#include "ir/region.h"

namespace tiercel::engine {

struct RegionLimits {
  u32 blocks = 96;
  u32 insns = 1500;
  bool loops_only = true;  // false: also blocks from which control does not come back to the head
};

/// members[i] is the block that region.blocks[i] was translated from.
struct FormedRegion {
  ir::Region region;
  std::vector<CachedBlock*> members;
};

/// A region whose head is `head`, a plain block. Only blocks that were translated before, hence executed or about to
/// be, take part. Nothing: `why` says in plain words why not.
std::optional<FormedRegion> form_region(CachedBlock& head, const CodeCache& cache, Translator& translator,
                                        const RegionLimits& limits, std::string& why);

}  // namespace tiercel::engine
