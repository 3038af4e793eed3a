// Where generated code counts: edges that may be hot, blocks that are watched, and executions for statistics.
#pragma once

#include "base/types.h"

namespace tiercel::backend {

/// Counters of edges that go back (VmLayout::profile): one counts down to below zero, then the edge leaves with
/// Reason::Hot. Several targets may share one. They end where the VmContext starts, and so are reached like its fields.
inline constexpr u32 kHotCounters = 4096;
/// `target`: the pc, ir::Function::origin added.
constexpr u32 hot_counter_index(u64 target) {
  return static_cast<u32>((target >> 2) ^ (target >> 14)) & (kHotCounters - 1);
}
/// Counted from the VmContext.
constexpr s32 hot_counter_offset(u32 index) {
  return static_cast<s32>(index * sizeof(s32)) - static_cast<s32>(kHotCounters * sizeof(s32));
}

/// What a block that is watched (ir::Function::watch) notes, all vCPUs in the same place: a count here and there may
/// get lost. Number 0 is nobody's.
struct WatchNotes {
  static constexpr u32 kTargets = 64, kAccesses = 16, kAddresses = 8;
  static constexpr u64 kNone = ~u64{0};
  u32 count = 0;          // of executions
  u64 targets[kTargets];  // a ring by `count`: where its indirect terminal went, as the block's pcs are counted; or
                          // kNone
  // In a machine, per Load or Store in the order of the block, a ring by `count`: where it was, unless it is no group's
  // first; or 0.
  u64 addresses[kAccesses][kAddresses];
};
inline constexpr u32 kWatches = 1024;

/// One more than the highest ir::Function::counter.
inline constexpr u32 kCounters = 1 << 20;

}  // namespace tiercel::backend
