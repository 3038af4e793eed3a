// The forms an opcode may take: types, arrangement and numbers, everything but its operands. They follow from
// opcodes.def and the verifier, so a new opcode has forms without anybody listing them.
#pragma once

#include <functional>
#include <random>
#include <span>
#include <vector>

#include "ir/function.h"

namespace tiercel::test {

/// One choice for everything an opcode leaves open.
struct OpForm {
  ir::Opcode op = ir::Opcode::Nop;
  ir::Type type = ir::Type::None;   // T, I, F and results
  ir::Type other = ir::Type::None;  // U and S
  ir::Arr arr = ir::Arr::None;
  u32 aux = 0;
  u64 imm = 0;
  U128 constant;  // of the pool
};

/// The type that a letter of opcodes.def stands for in `form`.
ir::Type operand_type(char letter, const OpForm& form);

/// Calls `use` with every combination of types, arrangement and numbers, sound or not: the verifier knows. Fields and
/// shuffle masks are sampled; constants, pcs and displacements are left at zero.
void for_each_candidate(ir::Opcode op, std::span<const ir::SlotInfo> slots, std::mt19937_64& random,
                        const std::function<void(const OpForm&)>& use);

/// The candidates the verifier accepts.
std::vector<OpForm> legal_forms(ir::Opcode op, std::span<const ir::SlotInfo> slots, std::mt19937_64& random);

/// A mask for VShuffle: broadcasts, slices, unzips, reversals or arbitrary bytes, by `kind` modulo 6.
U128 shuffle_mask(unsigned kind, std::mt19937_64& random);

}  // namespace tiercel::test
