// Several straight runs of insts that are compiled as one: loops, loop nests, small call trees.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "ir/function.h"

namespace tiercel::ir {

/// The indirect terminal of blocks[from] may go to the block at `to`: it was seen to, or it returns from a call inside.
/// `weight` says how often, compared with the block's other targets and kOtherTargets for all that are none of these.
struct IndirectEdge {
  u32 from = 0;
  u32 weight = 1;
  u64 to = 0;
};
inline constexpr u32 kOtherTargets = 16;

/// How often the Branch at a block's end was taken and not taken; other terminals: both 0.
struct BranchWeights {
  u32 taken = 0, other = 0;
};

/// In a machine: of `seen` executions of a Load or Store but the first, how often its page, and how far that is from
/// the host's memory, was another one than the time before.
struct AccessNotes {
  u64 page = 0;  // the last one
  u32 block = 0, inst = 0;
  u32 seen = 0;
  u16 page_changes = 0, distance_changes = 0;
};

/// Control enters at blocks[0].pc. Where a terminal of one block names the pc of another (Jump, Branch, Call) control
/// stays inside; an indirect terminal (JumpInd, CallInd, Ret) stays inside along one of its `edges`. Everything else
/// leaves the region.
///
/// The pcs of the blocks are distinct. Terminals are Jump, Branch, Call, JumpInd, CallInd and Ret: a block that ends in
/// an Exit is never part of a region, and neither is one with a CallHelper.
struct Region {
  std::vector<Function> blocks;
  std::vector<IndirectEdge> edges;      // each names two blocks of the region
  std::vector<BranchWeights> branches;  // per block, or empty: not known
  std::vector<AccessNotes> accesses;    // those that something is known of
};

/// Counts all pcs of a relative function from another place: adds `distance` to them.
void move_pcs(Function& f, u64 distance);

/// Edges, as block and pc of the block they lead to, without which the region would have no cycle. Along these it looks
/// whether somebody wants the vCPU.
std::set<std::pair<u32, u64>> closing_edges(const Region& region);

}  // namespace tiercel::ir
