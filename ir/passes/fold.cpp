// fold: replaces insts by a constant or by one of their operands, as ir/fold.h decides. One sweep; operands come first,
// so each inst sees folded operands. Leaves the replaced insts for dead-code, except copies, which become Nop.
#include "ir/fold.h"

#include "ir/passes/passes.h"

namespace tiercel::ir::passes {
namespace {

void make_constant(Inst& inst, u64 c) {
  Inst constant{.op = Opcode::Const, .type = inst.type};
  constant.imm = c;
  inst = constant;
}

/// A Branch on a known condition is a Jump.
void fold_branch(const Function& f, Inst& inst) {
  u64 c;
  if (!is_constant(f, inst.args[0], c)) return;
  Inst jump{.op = Opcode::Jump};
  jump.imm = c ? inst.imm : f.constant(inst.aux).lo;
  inst = jump;
}

}  // namespace

void fold_constants(Function& f, const PassContext&) {
  Replacements replacements(f);
  for (u32 i = 0; i < f.insts.size(); ++i) {
    Inst& inst = f.insts[i];
    replacements.apply(inst);
    if (inst.op == Opcode::Branch) {
      fold_branch(f, inst);
      continue;
    }
    const Folded r = fold(f, inst);
    if (r.kind == Folded::Kind::Constant) make_constant(inst, r.constant);
    if (r.kind != Folded::Kind::Copy) continue;
    replacements.replace(i, r.copy);
    inst = kNop;
  }
}

}  // namespace tiercel::ir::passes
