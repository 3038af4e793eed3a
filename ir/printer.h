// The text form of a Function. docs/ir.md describes it; ir/parser.h reads it back.
#pragma once

#include <span>
#include <string>

#include "ir/function.h"

namespace tiercel::ir {

/// Whole text. Values are numbered in order; constants appear where they are used and Nops not at all, so
/// print(parse(print(f))) == print(f). Never fails: what is out of range prints as `?`.
std::string print(const Function& f, std::span<const SlotInfo> slots);

}  // namespace tiercel::ir
