// Every pure opcode in every form the verifier allows, as one-op functions.
#pragma once

#include <functional>
#include <random>
#include <span>
#include <string>

#include "guest/layout.h"
#include "ir/function.h"

namespace tiercel::test {

/// Where a one-op function finds its operands and leaves its result.
namespace ops {
inline constexpr unsigned kOperands = 3;
inline constexpr u16 kIntSlot = 1, kIntResult = 5;        // x1.. and x5
inline constexpr u16 kVectorSlot = 0, kVectorResult = 5;  // v0.. and v5
}  // namespace ops

/// How the operation sits in its function; the backend allocates registers differently for each.
enum class Shape : u8 {
  Plain,          // operands die at the op
  OperandsLive,   // operands are used again after it
  SameOperand,    // all operands of one type are the same value
  LastConstant,   // the last integer operand is a constant
  FirstConstant,  // the first one is
  ResultTwice,    // the result is used twice
};
inline constexpr unsigned kShapes = 6;

/// Calls `use` with a function for each opcode, type, arrangement, attribute and set of FP rules worth telling apart,
/// in the given shape. Constants come from `random`.
void for_each_op(std::span<const ir::SlotInfo> slots, Shape shape, std::mt19937_64& random,
                 const std::function<void(ir::Opcode, const ir::Function&)>& use);

}  // namespace tiercel::test
