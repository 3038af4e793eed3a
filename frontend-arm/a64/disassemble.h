// Text of an instruction from its row.
#pragma once

#include <string>

#include "frontend-arm/isa_row.h"

namespace tiercel::arm {

/// `row` must match `word`; null gives the word as data. Without an operand template in the row's text: the mnemonic
/// and all fields by name.
std::string disassemble(const Row* row, u32 word, u64 pc);

}  // namespace tiercel::arm
