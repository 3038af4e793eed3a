// Local simplification of one instruction, shared by the Builder and the fold pass.
#pragma once

#include "ir/function.h"

namespace tiercel::ir {

struct Folded {
  enum class Kind : u8 { Keep, Copy, Constant } kind = Kind::Keep;
  Value copy;        // Copy: the result is this value
  u64 constant = 0;  // Constant: a scalar of the inst's type
};

/// What `inst`, whose operands are values of `f`, is equal to: an operand, a scalar constant, or itself. Looks at
/// constants and simple identities only; constant time. May rewrite `inst` into a cheaper equal form when it says Keep.
Folded fold(const Function& f, Inst& inst);

/// The value of a Const (never VConst), if `v` is one.
inline bool is_constant(const Function& f, Value v, u64& out) {
  if (!v || f[v].op != Opcode::Const) return false;
  out = f[v].imm;
  return true;
}

/// A value as another one plus a constant.
struct Rooted {
  Value root;
  s64 distance;
};
Rooted rooted(const Function& f, Value v);

/// An address: root + (index << shift) + distance.
struct Place {
  Value root, index;  // index: perhaps none
  u8 shift;
  s64 distance;
};
/// Where a Load or Store accesses memory. A base that was made by adding an index counts as that base with that index.
Place place_of(const Function& f, const Inst& inst);

}  // namespace tiercel::ir
