// Checks what every pass and backend relies on.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/function.h"

namespace tiercel::ir {

/// One message per broken rule; empty when `f` is well formed.
std::vector<std::string> verify(const Function& f, std::span<const SlotInfo> slots);

/// Prints the messages and the function and aborts when there are any. `when` names the step before.
void verify_or_die(const Function& f, std::span<const SlotInfo> slots, const char* when);

}  // namespace tiercel::ir
