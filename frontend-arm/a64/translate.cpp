#include "frontend-arm/a64/translate.h"

namespace tiercel::arm {

Value Translate::condition(u32 cond) {
  if (cond >= 14) return ir.imm(Type::I1, 1);
  return ir.cond(flags(), static_cast<Cond>(cond));
}

bool Translate::undefined() {
  ir.exit(ir::ExitKind::Undefined, pc);
  return false;
}

bool Translate::system() {
  ir.exit(ir::ExitKind::System, pc, word);
  return false;
}

bool Translate::unimplemented() {
  ir.exit(ir::ExitKind::Unimplemented, pc, row_index);
  return false;
}

bool Translate::exit_after(ir::ExitKind kind, u64 payload, Value operand) {
  ir.exit(kind, pc + 4, payload, operand);
  return false;
}

}  // namespace tiercel::arm
