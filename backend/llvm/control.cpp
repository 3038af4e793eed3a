// Terminals, ways out, landings.
#include <fmt/format.h>
#include <llvm/IR/MDBuilder.h>

#include "backend/llvm/lowering.h"
#include "backend/llvm/object.h"

namespace tiercel::backend::region {

u32 Lowering::exit_index(RegionExit exit) {
  const auto [it, added] = exit_indices_.try_emplace({static_cast<u32>(exit.kind), exit.pc}, out_.exits.size());
  if (added) out_.exits.push_back(exit);
  return it->second;
}

/// Leaves the function for `to`.
void Lowering::jump_out(Builder& b, llvm::StringRef to, llvm::Value* extra) {
  llvm::SmallVector<llvm::Value*, kRegionArguments> args(kRegionArguments, llvm::PoisonValue::get(b.getInt64Ty()));
  args[kRegionContext] = ctx_;
  if (extra != nullptr) args[kRegionExtra] = extra;
  for (std::size_t n = 0; n < in_registers_.size(); ++n) {
    const Current& c = current_[in_registers_[n]];
    args[kRegionSlots[n]] = c.known ? c.value : load_cell(b, in_registers_[n]);
  }
  const llvm::FunctionCallee target = module_.getOrInsertFunction(to, function_->getFunctionType());
  llvm::CallInst* call = b.CreateCall(target, args);
  call->setCallingConv(llvm::CallingConv::PreserveNone);
  call->setTailCallKind(llvm::CallInst::TCK_MustTail);
  b.CreateRetVoid();
}

/// What the state block is to get for a slot at this point of the block.
llvm::Value* Lowering::stored_value(Builder& b, ir::SlotId s) {
  const Current& c = current_[s];
  if (layout_.slots[s].type == Type::Flags)
    return stored_form(b, c.known ? c.flags : load_flags(b, s, block_->flags_in));
  llvm::Value* v = c.known ? c.value : load_cell(b, s);
  return c.set ? v : inherited(b, s, v);
}

/// A way out with the state as it is now, of kind Direct, Back or Indirect.
BasicBlock* Lowering::exit_block(RegionExit exit, llvm::Value* indirect_pc) {
  BasicBlock* block = new_block("exit");
  Builder b(block);
  if (block_->f->counter != 0) emit_count(b, 2 * kCounters + block_->f->counter);
  llvm::BitVector dirty = block_->written;
  for (const unsigned s : block_->set.set_bits())
    if (current_[s].set) dirty.set(s);
  dirty.reset(register_slots_);
  for (const unsigned s : dirty.set_bits())
    store_state(b, static_cast<ir::SlotId>(s), stored_value(b, static_cast<ir::SlotId>(s)));
  jump_out(b, fmt::format("{}{}", std::string_view(kExitPrefix), exit_index(exit)), indirect_pc);
  return block;
}

/// Where the accesses of the present insn go on when they fault.
BasicBlock* Lowering::landing() {
  if (landing_ == nullptr) landing_ = cold_exit({RegionExit::Kind::Fault, insn_pc_});
  return landing_;
}

/// A block that goes to `go_on` unless somebody wants the vCPU.
BasicBlock* Lowering::interrupt_check(u64 pc, BasicBlock* go_on) {
  BasicBlock* block = new_block("check");
  Builder b(block);
  llvm::Value* request =
      b.CreateLoad(b.getInt32Ty(), context_field(b, offsetof(VmContext, exit_request)), /*isVolatile=*/true);
  b.CreateCondBr(b.CreateICmpNE(request, b.getInt32(0)), cold_exit({RegionExit::Kind::Interrupt, pc}), go_on,
                 unlikely_taken());
  return block;
}

/// Pcs of a relative region may lie before its page.
bool Lowering::goes_back(u64 pc) const {
  return static_cast<s64>(pc - block_->f->pc) <= 0;
}

/// Where control goes for `pc`. Every cycle checks for interrupts.
BasicBlock* Lowering::edge_to(u64 pc) {
  const auto it = block_at_.find(pc);
  if (it == block_at_.end()) return exit_block({goes_back(pc) ? RegionExit::Kind::Back : RegionExit::Kind::Direct, pc});
  BasicBlock* to = blocks_[it->second].entry;
  const auto index = static_cast<u32>(block_ - blocks_.data());
  return closing_.contains({index, pc}) ? interrupt_check(pc, to) : to;
}

/// How often the present block's Branch was taken, if that is known.
llvm::MDNode* Lowering::branch_weights() {
  if (region_.branches.empty()) return nullptr;
  const ir::BranchWeights& w = region_.branches[static_cast<std::size_t>(block_ - blocks_.data())];
  if (w.taken == 0 && w.other == 0) return nullptr;
  return llvm::MDBuilder(context_).createBranchWeights(w.taken, w.other);
}

void Lowering::emit_terminal(const Inst& inst) {
  switch (inst.op) {
    case Opcode::Jump:
    case Opcode::Call: {
      BasicBlock* to = edge_to(inst.imm);
      store_cells();
      b_.CreateBr(to);
      return;
    }
    case Opcode::Branch: {
      llvm::Value* c = value(inst.args[0]);
      BasicBlock* taken = edge_to(inst.imm);
      BasicBlock* other = edge_to(block_->f->constant(inst.aux).lo);
      store_cells();
      b_.CreateCondBr(c, taken, other, branch_weights());
      return;
    }
    default:
      return emit_indirect(value(inst.args[0]));
  }
}

void Lowering::emit_indirect(llvm::Value* target) {
  BasicBlock* other = exit_block({RegionExit::Kind::Indirect, block_->f->pc}, target);
  std::map<u64, std::pair<BasicBlock*, u32>> edges;
  for (const Target& t : block_->targets) {
    const u64 pc = blocks_[t.block].f->pc;
    edges.try_emplace(pc, edge_to(pc), t.weight);
  }
  store_cells();
  // pcs are multiples of four in most guests: without the zeros many of them make a jump table.
  const u64 base = edges.empty() ? 0 : edges.begin()->first;
  const bool by_four =
      std::all_of(edges.begin(), edges.end(), [base](const auto& e) { return (e.first - base) % 4 == 0; });
  if (block_->f->relative && !edges.empty()) target = b_.CreateSub(target, code_page());
  llvm::Value* selector = b_.CreateSub(target, b_.getInt64(base));
  if (by_four)
    selector = b_.CreateIntrinsic(llvm::Intrinsic::fshr, {b_.getInt64Ty()}, {selector, selector, b_.getInt64(2)});
  auto* choice = b_.CreateSwitch(selector, other, static_cast<unsigned>(edges.size()));
  llvm::SmallVector<u32, 8> weights{ir::kOtherTargets};
  for (const auto& [pc, edge] : edges) {
    choice->addCase(b_.getInt64((pc - base) >> (by_four ? 2 : 0)), edge.first);
    weights.push_back(edge.second);
  }
  if (!edges.empty())
    choice->setMetadata(llvm::LLVMContext::MD_prof, llvm::MDBuilder(context_).createBranchWeights(weights));
}

}  // namespace tiercel::backend::region
