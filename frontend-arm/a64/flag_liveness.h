// Are the condition flags dead at a place in the guest's code?
#pragma once

#include "guest/frontend.h"

namespace tiercel::arm {

class A64Table;

struct FlagLiveness {
  bool dead = false;
  u64 looked_until = 0;  // end of the last insn that the answer depends on
};

/// Looks at the insns at `pc`, which is `bytes.data() + (pc - start)`: dead means that NZCV is overwritten before
/// anything reads it, and before anything that may fault, branch away or leave, so that nobody can ever tell whether
/// the flags in the state block were right. A few insns at most; does not look outside `bytes`.
FlagLiveness flag_liveness(const A64Table& table, std::span<const u8> bytes, u64 start, u64 pc);

}  // namespace tiercel::arm
