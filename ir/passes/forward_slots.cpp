// forward-slots: a Get of a slot whose value is known becomes that value, as the Builder does while it appends, and a
// Set of what the slot already holds goes away. One sweep; what a slot holds is forgotten where anything else may write
// it.
#include "ir/passes/passes.h"

namespace tiercel::ir::passes {
namespace {

Arr low_lane_of(unsigned bits) {
  return bits == 64 ? Arr::D2 : bits == 32 ? Arr::S4 : bits == 16 ? Arr::H8 : Arr::B16;
}

/// Turns `get`, of a slot that holds `v` zero-extended, into one inst that takes it from `v`. False: needs more than
/// one.
bool take_from(const Function& f, Inst& get, Value v) {
  const Type have = f[v].type, want = get.type;
  Inst inst{.op = Opcode::Nop, .type = want};
  inst.args[0] = v;
  if (is_int(have) && is_int(want)) {
    inst.op = type_bits(want) < type_bits(have) ? Opcode::Trunc : Opcode::ZExt;
  } else if (type_bits(have) == type_bits(want) && have != Type::Flags && want != Type::Flags) {
    inst.op = Opcode::Bitcast;
  } else if (have == Type::V128 && want != Type::Flags && want != Type::I1) {
    inst.op = Opcode::VExtract;
    inst.arr = low_lane_of(type_bits(want));
  } else if (want == Type::V128 && type_bits(have) >= 32) {
    inst.op = Opcode::VZext;
  } else {
    return false;
  }
  get = inst;
  return true;
}

}  // namespace

void forward_slots(Function& f, const PassContext& context) {
  Replacements replacements(f);
  std::vector<Value> current(context.slots.size());
  for (u32 i = 0; i < f.insts.size(); ++i) {
    Inst& inst = f.insts[i];
    replacements.apply(inst);
    if (inst.op == Opcode::Set) {
      Value& held = current[inst.slot()];
      if (held == inst.args[0]) {
        inst = kNop;
      } else {
        held = inst.args[0];
      }
    } else if (inst.op == Opcode::Get) {
      Value& held = current[inst.slot()];
      if (held && f[held].type == inst.type) {
        replacements.replace(i, held);
        inst = kNop;
      } else if (held) {
        take_from(f, inst, held);
      } else if (inst.type == context.slots[inst.slot()].type) {
        held = Value{i};
      }
    } else if (effects(inst.op) & effect::kWritesState) {
      current.assign(current.size(), kNoValue);
    }
  }
}

}  // namespace tiercel::ir::passes
