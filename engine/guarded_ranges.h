// Where a fault inside a guarded access continues. For the host fault handler only.
#pragma once

#include "base/types.h"

namespace tiercel::engine {

/// The host pc to continue at when the guarded access at `host_pc` faulted, or 0 when host_pc is not in one.
/// Async-signal-safe.
u64 guarded_fixup(u64 host_pc);

}  // namespace tiercel::engine
