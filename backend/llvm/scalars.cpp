// Which vector registers a region uses as if they were narrower.
#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {
namespace {

/// Do the high halves of the operands not matter?
bool ignores_high_halves(const Inst& inst) {
  switch (inst.op) {
    case Opcode::VNarrow:
    case Opcode::VQNarrowS:
    case Opcode::VQNarrowU:
    case Opcode::VQNarrowSU:
    case Opcode::VFCvtDown:
      return false;  // from whole vectors to half ones
    case Opcode::VExtS:
    case Opcode::VExtU:
    case Opcode::VMullS:
    case Opcode::VMullU:
    case Opcode::VPMull:
    case Opcode::VQDMull:
    case Opcode::VFCvtUp:
      return true;  // from half vectors to whole ones
    case Opcode::VExtract:
      return (inst.imm + 1) * ir::lane_bits(inst.arr) <= 64;
    default:
      return inst.type == Type::V128 && inst.arr != Arr::None && !ir::is_full(inst.arr);
  }
}

bool only_low_half_used(const ir::Function& f, const Inst& value) {
  const auto index = static_cast<u32>(&value - f.insts.data());
  for (const Inst& user : f.insts)
    for (const ir::Value v : user.args)
      if (v && v.index == index && !ignores_high_halves(user)) return false;
  return true;
}

}  // namespace

/// How many low bits hold all of what is read or set here; 0: it takes the whole vector.
unsigned Lowering::scalar_bits(const ir::Function& f, const Inst& inst) const {
  if (inst.op == Opcode::Get && inst.type == Type::V128) return only_low_half_used(f, inst) ? 64 : 0;
  if (inst.op == Opcode::Get) return ir::type_bits(inst.type);
  const Inst& v = f[inst.args[0]];
  if (v.type != Type::V128) return ir::type_bits(v.type);
  if (v.op == Opcode::VZext) return ir::type_bits(f[v.args[0]].type);
  if (v.op == Opcode::VConst) {
    const U128& c = f.constant(v.aux);
    return c.hi != 0 ? 0 : c.lo >> 32 != 0 ? 64 : 32;
  }
  return v.arr != Arr::None && !ir::is_full(v.arr) ? 64 : 0;
}

/// Vector registers that only hold floats, or vectors of 64 bits, in this region live as floats: moves in and out of
/// vectors, and clearing high halves, cost more than the arithmetic. What is above the float is zero once the region
/// has set it, and the state block's until then.
void Lowering::find_scalars() {
  llvm::BitVector whole(used_.size());
  for (const Block& b : blocks_)
    for (const Inst& inst : b.f->insts) {
      if (inst.op != Opcode::Get && inst.op != Opcode::Set) continue;
      if (layout_.slots[inst.slot()].type != Type::V128) continue;
      Cells& c = cells_[inst.slot()];
      const unsigned bits = scalar_bits(*b.f, inst);
      if (bits == 0) whole.set(inst.slot());
      c.bits = std::max(c.bits, bits > 32 ? 64u : 32u);
    }
  for (const unsigned s : used_.set_bits()) cells_[s].scalar = layout_.slots[s].type == Type::V128 && !whole.test(s);
}

/// A whole vector of a register that lives as a float; nobody looks at its high half.
llvm::Value* Lowering::widened(Builder& b, llvm::Value* v) {
  auto* lanes =
      llvm::FixedVectorType::get(v->getType(), static_cast<unsigned>(128 / v->getType()->getPrimitiveSizeInBits()));
  return b.CreateBitCast(b.CreateInsertElement(llvm::PoisonValue::get(lanes), v, u64{0}), type(Type::V128));
}

}  // namespace tiercel::backend::region
