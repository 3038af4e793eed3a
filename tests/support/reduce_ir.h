// Cuts a Function that shows a bug down to what is needed to show it.
#pragma once

#include <functional>
#include <span>

#include "ir/function.h"

namespace tiercel::test {

/// Empty if `f`, which begins with an Insn, does not fail. `fails` is asked in a child process each time; it counts as
/// true if the child dies.
ir::Function reduce(const ir::Function& f, std::span<const ir::SlotInfo> slots,
                    const std::function<bool(const ir::Function&)>& fails);

}  // namespace tiercel::test
