// Guest registers: cells between blocks, the builder's table inside one, the state block outside the region.
#include <algorithm>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

llvm::Value* Lowering::context_field(Builder& b, std::size_t offset) {
  return b.CreateConstGEP1_64(b.getInt8Ty(), ctx_, offset - static_cast<u64>(s64{kContextBias}));
}

/// What a relative region's pcs are counted from: the same all the time that control is inside.
llvm::Value* Lowering::code_page() {
  llvm::LoadInst* page = b_.CreateLoad(b_.getInt64Ty(), context_field(b_, offsetof(VmContext, code_page)));
  page->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context_, {}));
  return page;
}

llvm::Value* Lowering::state_pointer(Builder& b, ir::SlotId s) {
  return context_field(b, kStateOffset + layout_.slots[s].offset);
}

llvm::Type* Lowering::cell_type(ir::SlotId s) {
  if (!cells_[s].scalar) return type(layout_.slots[s].type);
  return cells_[s].bits == 64 ? b_.getDoubleTy() : b_.getFloatTy();
}

void Lowering::store_state(Builder& b, ir::SlotId s, llvm::Value* v) {
  const Type t = layout_.slots[s].type;
  if (t == Type::Flags)
    v = b.CreateTrunc(v, b.getInt16Ty());
  else
    v = convert(b, v, type(t));
  b.CreateAlignedStore(v, state_pointer(b, s), llvm::Align(ir::type_bits(t) / 8));
}

/// What the state block is to get for a slot that holds `v` and that this block has not set.
llvm::Value* Lowering::inherited(Builder& b, ir::SlotId s, llvm::Value* v) {
  if (!cells_[s].scalar || block_->always.test(s)) return v;
  v = convert(b, v, type(Type::V128));
  llvm::Value* before = b.CreateAlignedLoad(v->getType(), state_pointer(b, s), llvm::Align(16));
  return b.CreateSelect(b.CreateLoad(b.getInt1Ty(), cells_[s].written), v, before);
}

/// The value in another type: low bits of a wider one, zero-extension of a narrower one, floats and vectors by their
/// bits.
llvm::Value* Lowering::convert(Builder& b, llvm::Value* v, llvm::Type* to) {
  llvm::Type* from = v->getType();
  if (from == to) return v;
  const auto bits = [](llvm::Type* t) { return static_cast<unsigned>(t->getPrimitiveSizeInBits()); };
  if (from->isVectorTy()) {
    llvm::Type* lane = to->isIntegerTy() ? b.getInt64Ty() : to;
    auto* lanes = llvm::FixedVectorType::get(lane, 128 / bits(lane));
    v = b.CreateExtractElement(b.CreateBitCast(v, lanes), u64{0});
    return to->isIntegerTy() ? b.CreateTrunc(v, to) : v;
  }
  if (to->isVectorTy()) {
    if (from->isIntegerTy() && bits(from) < 64) v = b.CreateZExt(v, from = b.getInt64Ty());
    auto* lanes = llvm::FixedVectorType::get(from, 128 / bits(from));
    llvm::Value* zero = llvm::Constant::getNullValue(lanes);
    return b.CreateBitCast(b.CreateInsertElement(zero, v, u64{0}), to);
  }
  if (from->isFloatingPointTy()) v = b.CreateBitCast(v, b.getIntNTy(bits(from)));
  if (to->isFloatingPointTy()) return b.CreateBitCast(b.CreateZExtOrTrunc(v, b.getIntNTy(bits(to))), to);
  return b.CreateZExtOrTrunc(v, to);
}

llvm::Value* Lowering::load_cell(Builder& b, ir::SlotId s) {
  llvm::AllocaInst* cell = cells_[s].value;
  return b.CreateLoad(cell->getAllocatedType(), cell);
}

Lowering::Current& Lowering::current(ir::SlotId s) {
  Current& c = current_[s];
  if (c.known) return c;
  if (layout_.slots[s].type == Type::Flags)
    c.flags = load_flags(b_, s, block_->flags_in);
  else
    c.value = load_cell(b_, s);
  c.known = true;
  return c;
}

llvm::Value* Lowering::get_slot(const Inst& inst) {
  llvm::Value* v = current(inst.slot()).value;
  if (inst.type == Type::V128 && cells_[inst.slot()].scalar) return widened(b_, v);
  return convert(b_, v, type(inst.type));
}

void Lowering::set_slot(const Inst& inst) {
  Current& c = current_[inst.slot()];
  const Type t = layout_.slots[inst.slot()].type;
  if (t == Type::Flags)
    c.flags = flags(inst.args[0]);
  else
    c.value = convert(b_, value(inst.args[0]), cell_type(inst.slot()));
  c.known = c.set = true;
  c.source = inst.args[0];
  landing_ = nullptr;
}

Flags Lowering::load_flags(Builder& b, ir::SlotId s, int form) {
  const Cells& c = cells_[s];
  Flags f;
  if (form == kMany) form = Flags::kRaw;
  f.kind = form & ~kMixed;
  if (f.kind == Flags::kRaw) {
    f.operands[0] = b.CreateLoad(b.getInt32Ty(), c.raw);
    return f;
  }
  const std::string_view letters = ir::info(kinds_[static_cast<unsigned>(f.kind)].op).operands;
  llvm::Type* wide = type(kinds_[static_cast<unsigned>(f.kind)].type);
  for (unsigned k = 0; k < letters.size(); ++k)
    f.operands[k] = convert(b, b.CreateLoad(b.getInt64Ty(), c.operands[k]), letters[k] == 'b' ? b.getInt1Ty() : wide);
  if (form & kMixed) {
    f.raw = b.CreateLoad(b.getInt32Ty(), c.raw);
    f.is_raw = b.CreateLoad(b.getInt1Ty(), c.is_raw);
  }
  return f;
}

/// At the end of a block: what it set is what its successors find.
void Lowering::store_cells() {
  for (const unsigned s : block_->set.set_bits())
    if (cells_[s].value != nullptr) {
      b_.CreateStore(current_[s].value, cells_[s].value);
      if (cells_[s].scalar) b_.CreateStore(b_.getTrue(), cells_[s].written);
    }
  if (flags_slot_ == 0xffff) return;
  const Current& now = current_[flags_slot_];
  store_flags(now.known ? now.flags : load_flags(b_, flags_slot_, block_->flags_in),
              block_->flags_out != kUnvisited ? block_->flags_out : block_->flags_in);
}

/// In the forms that successors expect; `form` is what the dataflow takes them for.
void Lowering::store_flags(const Flags& f, int form) {
  const Cells& c = cells_[flags_slot_];
  if (form == Flags::kRaw || form == kMany) {
    b_.CreateStore(stored_form(b_, f), c.raw);
    b_.CreateStore(b_.getTrue(), c.is_raw);
    return;
  }
  const bool raw_wanted = std::any_of(block_->successors.begin(), block_->successors.end(),
                                      [&](u32 to) { return (blocks_[to].flags_in & ~kMixed) != f.kind; });
  if (raw_wanted) b_.CreateStore(stored_form(b_, f), c.raw);
  b_.CreateStore(f.is_raw != nullptr ? f.is_raw : b_.getFalse(), c.is_raw);
  for (unsigned k = 0; k < 3; ++k)
    if (f.operands[k] != nullptr) b_.CreateStore(convert(b_, f.operands[k], b_.getInt64Ty()), c.operands[k]);
}

}  // namespace tiercel::backend::region
