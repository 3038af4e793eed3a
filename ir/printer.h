// IR as text. The format is docs/ir.md's; ir/parser.h reads it back.
#pragma once

#include <span>
#include <string>

#include "ir/function.h"

namespace tiercel::ir {

/// The whole function, one inst a line, ending in a newline. Slots print by their names in `slots`.
std::string print(const Function& f, std::span<const SlotInfo> slots);

}  // namespace tiercel::ir
