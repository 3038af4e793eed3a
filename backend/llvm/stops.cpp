// Where a region stops and what it tells of the guest's values there.
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Intrinsics.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

/// A block that stops: with an insn that faults, where a stackmap says what the state block does not have. What it
/// would take to move that there, for each access, would be most of the region's code and of the time to compile it.
BasicBlock* Lowering::cold_exit(RegionExit exit) {
  BasicBlock* block = new_block("stop");
  Builder b(block);
  RegionStop stop{.exit = exit_index(exit)};
  llvm::SmallVector<llvm::Value*, 40> operands{b.getInt64(stops_.size()), b.getInt32(0)};
  add_places(b, stop, operands);
  stops_.push_back(std::move(stop));
  b.CreateCall(llvm::Intrinsic::getDeclaration(&module_, llvm::Intrinsic::experimental_stackmap), operands);
  auto* fn = llvm::FunctionType::get(b.getVoidTy(), false);
  b.CreateCall(fn, llvm::InlineAsm::get(fn, "hlt", "", true));
  b.CreateUnreachable();
  return block;
}

void Lowering::add_places(Builder& b, RegionStop& stop, llvm::SmallVectorImpl<llvm::Value*>& operands) {
  const auto add = [&](u8 what, llvm::Value* v) {
    stop.what.push_back(what);
    operands.push_back(v);
  };
  llvm::BitVector slots = block_->written;
  for (const unsigned s : block_->set.set_bits())
    if (current_[s].set) slots.set(s);
  for (const unsigned s : slots.set_bits()) {
    const auto slot = static_cast<ir::SlotId>(s);
    const Current& c = current_[s];
    if (layout_.slots[s].type == Type::Flags) {
      const Flags flags = c.known ? c.flags : load_flags(b, slot, block_->flags_in);
      stop.flags = static_cast<u32>(flags.kind);
      add_flags(flags, add);
      continue;
    }
    if (cells_[s].scalar) {
      llvm::Value* written = c.set || block_->always.test(s) ? static_cast<llvm::Value*>(b.getTrue())
                                                             : b.CreateLoad(b.getInt1Ty(), cells_[s].written);
      add(cells_[s].bits == 64 ? ValuePlace::kIfWritten64 : ValuePlace::kIfWritten32, written);
    }
    add(static_cast<u8>(s), c.known ? c.value : load_cell(b, slot));
  }
}

void Lowering::add_flags(const Flags& f, llvm::function_ref<void(u8, llvm::Value*)> add) const {
  if (f.kind == Flags::kRaw) return add(ValuePlace::kFlagsRaw, f.operands[0]);
  if (f.is_raw != nullptr) {
    add(ValuePlace::kFlagsIsRaw, f.is_raw);
    add(ValuePlace::kFlagsRaw, f.raw);
  }
  for (u8 k = 0; k < 3; ++k)
    if (f.operands[k] != nullptr) add(static_cast<u8>(ValuePlace::kFlagsOperand + k), f.operands[k]);
}

}  // namespace tiercel::backend::region
