// The slots of one guest: what its state block contains and what each slot is called.
#pragma once

#include <span>

#include "ir/function.h"

namespace tiercel::guest {

struct Layout {
  const char* name;                     // "a64"
  u32 state_size;                       // bytes, a multiple of 16
  u32 pc_offset;                        // where the state block keeps the guest pc (u64); not a slot
  std::span<const ir::SlotInfo> slots;  // index = ir::SlotId
};

}  // namespace tiercel::guest
