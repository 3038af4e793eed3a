// A machine's guest memory: each access probes the vCPU's TLB in line, in the tables that the fast tier uses
// (backend/x64/memory.cpp). What the table does not have goes through a stub that keeps all registers, so that the cold
// way costs the hot one nothing; what the stub refuses leaves by the landing of the insn. Behind the probe nothing can
// fault: the access itself is a plain volatile one.
//
// A mapping that was found stays good for as long as control is in the region: it ends with something that this vCPU
// does outside, be it that another one asked it to.
#include <fmt/format.h>
#include <llvm/IR/InlineAsm.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

/// Whether the next inst accesses what follows, as the second half of the same guest insn: they are probed together.
bool Lowering::pairs_with_next(const Inst& inst) const {
  const Inst* const next = &inst + 1;
  if ((inst.op != Opcode::Load && inst.op != Opcode::Store) || inst.op != next->op || inst.aux != next->aux)
    return false;
  if (inst.args[0] != next->args[0] || inst.args[1] || next->args[1]) return false;
  return !inst.mem().aligned && !inst.mem().release && next->imm == inst.imm + inst.mem().bytes();
}

/// The pointer to a table, loaded once.
llvm::Value* Lowering::tlb_table(bool write, bool user) {
  llvm::Value*& table = tlb_tables_[(write ? 1 : 0) + (user ? 2 : 0)];
  if (table != nullptr) return table;
  constexpr std::size_t kFields[] = {offsetof(VmContext, tlb_read), offsetof(VmContext, tlb_write),
                                     offsetof(VmContext, tlb_user_read), offsetof(VmContext, tlb_user_write)};
  Builder b(function_->getEntryBlock().getTerminator());
  table = b.CreateLoad(b.getPtrTy(), context_field(b, kFields[(write ? 1 : 0) + (user ? 2 : 0)]));
  return table;
}

/// The host address for guest address `at`, by the stub.
llvm::Value* Lowering::ask_for_page(Builder& b, llvm::Value* at, u32 access, BasicBlock* refused) {
  llvm::Type* word = b.getInt64Ty();
  auto* fn = llvm::FunctionType::get(llvm::StructType::get(word, word), {word, b.getPtrTy()}, false);
  const s64 stub = static_cast<s64>(offsetof(VmContext, stubs) + 8 * kRegionProbeStub) - kContextBias;
  auto* code = llvm::InlineAsm::get(fn, fmt::format("movl $${}, %ecx; callq *{}(%r15)", access, stub),
                                    "={ax},={cx},0,{r15},~{memory},~{flags}", true);
  llvm::Value* host = b.CreateExtractValue(b.CreateCall(code, {at, ctx_}), 0);
  BasicBlock* found = new_block("found");
  b.CreateCondBr(b.CreateICmpEQ(host, b.getInt64(0)), refused, found, unlikely_taken());
  b.SetInsertPoint(found);
  return host;
}

/// The host address of an access to guest address `at`.
llvm::Value* Lowering::translated(const Inst& inst, llvm::Value* at) {
  if (&inst == second_half_) return second_address_;
  const ir::MemAttr m = inst.mem();
  const bool write = inst.op != Opcode::Load, pair = pairs_with_next(inst);
  const bool atomic = inst.op != Opcode::Load && inst.op != Opcode::Store;
  const u32 bytes = m.bytes(), all = pair ? 2 * bytes : bytes;
  const u32 access = bytes | (write ? kTlbFillWrite : 0) | (m.user ? kTlbFillUser : 0) | (atomic ? kTlbFillAtomic : 0);
  llvm::Value* index = b_.CreateAnd(b_.CreateLShr(at, 12 - 4), b_.getInt64(u64{kTlbSize - 1} << 4));
  llvm::Value* entry = b_.CreateGEP(b_.getInt8Ty(), tlb_table(write, m.user), index);
  llvm::Value* offset = b_.CreateXor(at, b_.CreateLoad(b_.getInt64Ty(), entry));
  BasicBlock *hit = new_block("hit"), *miss = new_block("miss"), *go_on = new_block("c");
  b_.CreateCondBr(b_.CreateICmpUGT(offset, b_.getInt64(kPageSize - all)), miss, hit, unlikely_taken());

  b_.SetInsertPoint(hit);
  llvm::Value* host = b_.CreateLoad(b_.getInt64Ty(), b_.CreateConstGEP1_64(b_.getInt8Ty(), entry, 8));
  host = b_.CreateAdd(host, offset);
  llvm::Value* second = pair ? b_.CreateAdd(host, b_.getInt64(bytes)) : nullptr;
  b_.CreateBr(go_on);

  Builder cold(miss);
  llvm::Value* filled = ask_for_page(cold, at, access, landing());
  llvm::Value* other = nullptr;
  if (pair) other = ask_for_page(cold, cold.CreateAdd(at, cold.getInt64(bytes)), access | kTlbFillSecond, landing());
  cold.CreateBr(go_on);

  b_.SetInsertPoint(go_on);
  const auto join = [&](llvm::Value* a, llvm::Value* b) {
    llvm::PHINode* phi = b_.CreatePHI(b_.getInt64Ty(), 2);
    phi->addIncoming(a, hit);
    phi->addIncoming(b, cold.GetInsertBlock());
    return phi;
  };
  host = join(host, filled);
  if (pair) {
    second_half_ = &inst + 1;
    second_address_ = join(second, other);
  }
  return host;
}

/// What nothing but this access may do in its place, and it exactly once.
llvm::Value* Lowering::plain_load(const Inst& inst, llvm::Value* at) {
  llvm::Value* pointer = b_.CreateIntToPtr(at, b_.getPtrTy());
  if (!ir::is_int(inst.type)) return b_.CreateAlignedLoad(type(inst.type), pointer, llvm::Align(1), true);
  llvm::Type* to = type(inst.type);
  llvm::Value* v = b_.CreateAlignedLoad(b_.getIntNTy(8 * inst.mem().bytes()), pointer, llvm::Align(1), true);
  return inst.mem().sign ? b_.CreateSExtOrTrunc(v, to) : b_.CreateZExtOrTrunc(v, to);
}

void Lowering::plain_store(llvm::Value* v, llvm::Value* at, llvm::Type* as) {
  b_.CreateAlignedStore(convert(b_, v, as), b_.CreateIntToPtr(at, b_.getPtrTy()), llvm::Align(1), true);
}

}  // namespace tiercel::backend::region
