// Reads the text form that ir/printer.h writes. docs/ir.md describes it.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "ir/function.h"

namespace tiercel::ir {

/// One block. Errors say "line:column: what". The result is well formed but unverified: run ir::verify before using it.
/// Safe on any input; refuses more than kMaxParsedInsts insts.
Result<Function> parse(std::string_view text, std::span<const SlotInfo> slots);

inline constexpr std::size_t kMaxParsedInsts = 1u << 16;

}  // namespace tiercel::ir
