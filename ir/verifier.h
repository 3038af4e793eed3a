// What every Function must satisfy, after translation and after each pass.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/function.h"

namespace tiercel::ir {

/// Every rule that `f` breaks, as "inst 7 (add): operand 1 is i32, not i64"; empty: sound. Safe on any content.
std::vector<std::string> verify(const Function& f, std::span<const SlotInfo> slots);

/// Prints the messages and the function, then aborts, if there are any. `when` says after what.
void verify_or_die(const Function& f, std::span<const SlotInfo> slots, const char* when);

}  // namespace tiercel::ir
