#include "ir/fold.h"

#include <algorithm>

#include "base/bits.h"
#include "ir/eval.h"

namespace tiercel::ir {
namespace {

constexpr Folded copy_of(Value v) {
  return {Folded::Kind::Copy, v, 0};
}
constexpr Folded constant_of(u64 c) {
  return {Folded::Kind::Constant, {}, c};
}

bool all_constant(const Function& f, const Inst& inst) {
  const auto n = info(inst.op).operands.size();
  for (std::size_t i = 0; i < n; ++i)
    if (!inst.args[i] || f[inst.args[i]].op != Opcode::Const) return false;
  return n != 0;
}

Folded evaluate(const Function& f, const Inst& inst) {
  U128 args[4];
  for (std::size_t i = 0; i < info(inst.op).operands.size(); ++i) args[i].lo = f[inst.args[i]].imm;
  FpEnv env;
  return constant_of(eval(pure_op(f, inst), args, env).lo);
}

bool commutes(Opcode op) {
  switch (op) {
    case Opcode::Add:
    case Opcode::Mul:
    case Opcode::And:
    case Opcode::Or:
    case Opcode::Xor:
      return true;
    default:
      return false;
  }
}

/// Identities with the constant `c` on the right.
Folded fold_right_constant(const Inst& inst, u64 c) {
  const u64 ones = low_mask(type_bits(inst.type));
  switch (inst.op) {
    case Opcode::Add:
    case Opcode::Sub:
    case Opcode::Or:
    case Opcode::Xor:
    case Opcode::AndNot:
    case Opcode::Shl:
    case Opcode::Shr:
    case Opcode::Sar:
    case Opcode::Ror:
      if (c == 0) return copy_of(inst.args[0]);
      break;
    case Opcode::And:
      if (c == 0) return constant_of(0);
      if (c == ones) return copy_of(inst.args[0]);
      break;
    case Opcode::Mul:
      if (c == 0) return constant_of(0);
      if (c == 1) return copy_of(inst.args[0]);
      break;
    default:
      break;
  }
  return {};
}

}  // namespace

Folded fold(const Function& f, Inst& inst) {
  const OpInfo& op = info(inst.op);
  if (op.effects != 0 || inst.type == Type::V128 || inst.type == Type::Flags || op.operands.empty()) return {};
  if (op.operands.find('f') != std::string_view::npos || op.operands.find('v') != std::string_view::npos) return {};
  if (all_constant(f, inst)) return evaluate(f, inst);
  if (commutes(inst.op) && f[inst.args[0]].op == Opcode::Const) std::swap(inst.args[0], inst.args[1]);
  if (inst.op == Opcode::Select) {
    u64 c;
    if (inst.args[1] == inst.args[2]) return copy_of(inst.args[1]);
    if (is_constant(f, inst.args[0], c)) return copy_of(inst.args[c ? 1 : 2]);
    return {};
  }
  u64 c;
  if (op.operands.size() == 2 && is_int(inst.type) && is_constant(f, inst.args[1], c))
    if (const Folded r = fold_right_constant(inst, c); r.kind != Folded::Kind::Keep) return r;
  if (is_int(inst.type) && (inst.op == Opcode::Add || inst.op == Opcode::Sub) && is_constant(f, inst.args[1], c) &&
      f[inst.args[0]].op == Opcode::CodeAddress) {
    Inst sum = f[inst.args[0]];
    sum.imm += inst.op == Opcode::Add ? c : 0 - c;
    inst = sum;
    return {};
  }
  if ((inst.op == Opcode::Xor || inst.op == Opcode::Sub) && inst.args[0] == inst.args[1]) return constant_of(0);
  if ((inst.op == Opcode::And || inst.op == Opcode::Or) && inst.args[0] == inst.args[1]) return copy_of(inst.args[0]);
  return {};
}

Rooted rooted(const Function& f, Value v) {
  s64 distance = 0;
  for (u64 c = 0;;) {
    const Inst& inst = f[v];
    if (inst.type != Type::I64 || (inst.op != Opcode::Add && inst.op != Opcode::Sub) ||
        !is_constant(f, inst.args[1], c))
      return {v, distance};
    distance += static_cast<s64>(inst.op == Opcode::Add ? c : 0 - c);
    v = inst.args[0];
  }
}

namespace {

/// The same one for the sum of the same two values.
Place ordered(Place at) {
  if (at.shift == 0 && at.index.index < at.root.index) std::swap(at.root, at.index);
  return at;
}

}  // namespace

Place place_of(const Function& f, const Inst& inst) {
  Rooted base = rooted(f, inst.args[0]);
  base.distance += static_cast<s64>(inst.imm);
  if (inst.args[1]) return ordered({base.root, inst.args[1], inst.mem().index_shift, base.distance});
  const Inst& sum = f[base.root];
  if (sum.op != Opcode::Add || sum.type != Type::I64) return {base.root, {}, 0, base.distance};
  const Rooted first = rooted(f, sum.args[0]);
  const Inst& index = f[sum.args[1]];
  u64 shift = 0;
  if (index.op == Opcode::Shl && is_constant(f, index.args[1], shift) && shift <= 3)
    return {first.root, index.args[0], static_cast<u8>(shift), base.distance + first.distance};
  return ordered({first.root, sum.args[1], 0, base.distance + first.distance});
}

}  // namespace tiercel::ir
