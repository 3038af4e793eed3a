// Passes and the ordered list each tier runs.
#pragma once

#include <span>
#include <string_view>

#include "ir/function.h"

namespace tiercel::ir {

struct PassContext {
  std::span<const SlotInfo> slots;
};

/// A named transformation of one Function: linear time, keeps the verifier happy, keeps meaning. Removed insts become
/// Nop, so Values stay valid.
struct Pass {
  std::string_view name;
  void (*run)(Function& f, const PassContext& context);
};

/// The fast tier's passes, in the order it runs them.
std::span<const Pass> fast_tier_passes();
/// Every pass of passes.def.
std::span<const Pass> all_passes();
/// nullptr if there is none of that name.
const Pass* find_pass(std::string_view name);

}  // namespace tiercel::ir
