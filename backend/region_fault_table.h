// What the host fault handler reads about a region that faults or stops.
#pragma once

#include "base/types.h"

namespace tiercel::backend {

/// Where a region's accesses fault and how control goes on then (RegionFault), sorted by `access`. Offsets are counted
/// in bytes from the table itself, which lies in front of the region's code.
struct RegionFaultTable {
  u32 count;
  u32 frame;                     // RegionCode::frame
  s32 shared;                    // the region's shared way out
  s32 places, constants, flags;  // arrays of ValuePlace, u64 and RegionFlags
  struct Entry {
    s32 access, landing;  // landing 0: a stop
    u32 exit, first;
    u16 count, flags;
  } entries[];
};

}  // namespace tiercel::backend
