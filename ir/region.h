// Several straight runs of insts that are compiled as one: loops, loop nests, small call trees.
#pragma once

#include <vector>

#include "ir/function.h"

namespace tiercel::ir {

/// Control enters at blocks[0].pc. Where a terminal of one block names the pc of another (Jump, Branch, Call) control
/// stays inside; an indirect terminal (JumpInd, CallInd, Ret) stays inside when its target is one of `targets`.
/// Everything else leaves the region.
///
/// The pcs of the blocks are distinct. Terminals are Jump, Branch, Call, JumpInd, CallInd and Ret: a block that ends in
/// an Exit is never part of a region, and neither is one with a CallHelper.
struct Region {
  std::vector<Function> blocks;
  /// pcs of blocks of this region that indirect terminals were seen to go to, or are the returns of its calls.
  std::vector<u64> targets;
};

}  // namespace tiercel::ir
