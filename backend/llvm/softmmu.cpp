// A machine's guest memory: each access probes the vCPU's TLB in line, in the tables that the fast tier uses
// (backend/x64/softmmu.cpp). What is not there goes through a stub that keeps all registers, so that the cold way costs
// the hot one nothing; what the stub refuses leaves by the landing of the insn. Behind the probe nothing can fault: the
// access itself is a plain volatile one.
//
// A mapping that was found stays good for as long as control is in the region: it ends with something that this vCPU
// does outside, be it that another one asked it to. So there are two ways to probe less:
// - Groups. Accesses of a block that are a constant apart are probed by the first of them, for all the bytes from the
//   lowest to the highest. Where these are in two pages a flag sends each of the others through the stub.
// - Cells. A guest register that serves as base has a cell with the page where it was last and how far that is from the
//   host's memory. To compare with it takes no load that depends on the address; page_cells.cpp guesses where. Half the
//   page's address is what is compared, because no address is twice ~0: the cell that knows nothing.
#include <fmt/format.h>
#include <llvm/IR/InlineAsm.h>

#include "backend/llvm/lowering.h"
#include "ir/fold.h"

namespace tiercel::backend::region {
namespace {

constexpr s64 kMostBytes = 256;  // of a group
constexpr u32 kNoGroup = ~u32{0};

bool is_plain(const Inst& inst) {
  return (inst.op == Opcode::Load || inst.op == Opcode::Store) && !inst.mem().user;
}

u32 access_of(const Inst& inst, bool write) {
  const ir::MemAttr m = inst.mem();
  const bool atomic = inst.op != Opcode::Load && inst.op != Opcode::Store;
  return m.bytes() | (write ? kTlbFillWrite : 0) | (m.user ? kTlbFillUser : 0) | (atomic ? kTlbFillAtomic : 0);
}

}  // namespace

/// Which accesses of the block are probed together. A load before the first store is not: it must not look for a page
/// that can be written.
void Lowering::find_groups() {
  const ir::Function& f = *block_->f;
  groups_.clear();
  group_of_.assign(f.insts.size(), kNoGroup);
  guess_.begin(f, block_->pages_known);
  for (u32 i = 0; i < f.insts.size(); ++i) {
    const Inst& inst = f.insts[i];
    if (!is_plain(inst) || inst.args[1]) continue;
    const auto [root, distance] = ir::rooted(f, inst.args[0]);
    const s64 low = distance + static_cast<s64>(inst.imm), high = low + inst.mem().bytes();
    const bool write = inst.op == Opcode::Store;
    const auto fits = [&, root = root](const PageGroup& g) {
      return g.root == root && (g.write || !write) && std::max(g.high, high) - std::min(g.low, low) <= kMostBytes;
    };
    auto it = std::find_if(groups_.rbegin(), groups_.rend(), fits);
    if (it == groups_.rend()) {
      groups_.push_back({.root = root, .write = write, .low = low, .high = high, .first = &inst});
      it = groups_.rbegin();
    }
    it->low = std::min(it->low, low);
    it->high = std::max(it->high, high);
    ++it->count;
    group_of_[i] = static_cast<u32>(&*it - groups_.data());
  }
}

/// The cell of the base of `inst`, or null.
Lowering::PageCell* Lowering::cell_of(const Inst& inst, bool write) {
  if (!is_plain(inst)) return nullptr;
  const std::optional<ir::SlotId> slot = guess_.owner(inst.args[0]);
  if (!slot) return nullptr;
  PageCell& cell = page_cells_[PageGuess::bit(*slot, write)];
  if (cell.page != nullptr) return &cell;
  Builder b(function_->getEntryBlock().getTerminator());
  cell.page = b.CreateAlloca(b.getInt64Ty());
  cell.distance = b.CreateAlloca(b.getInt64Ty());
  b.CreateStore(b.getInt64(~u64{0}), cell.page);
  b.CreateStore(b.getInt64(0), cell.distance);
  return &cell;
}

/// Whether `inst`, which has a cell, probably accesses the page in there.
bool Lowering::guesses_page(const Inst& inst, bool write) const {
  const std::optional<ir::SlotId> slot = guess_.owner(inst.args[0]);
  if (!inst.args[1]) return steady_.test(*slot) || guess_.known.test(PageGuess::bit(*slot, write));
  const std::optional<ir::SlotId> index = guess_.owner(inst.args[1]);
  return steady_.test(*slot) && index && steady_.test(*index);
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

/// Asks the stub about guest address `at`.
Lowering::FoundPage Lowering::ask_for_page(Builder& b, llvm::Value* at, u32 access) {
  llvm::Type* word = b.getInt64Ty();
  auto* fn = llvm::FunctionType::get(llvm::StructType::get(word, word), {word, b.getPtrTy()}, false);
  const s64 stub = static_cast<s64>(offsetof(VmContext, stubs) + 8 * kRegionProbeStub) - kContextBias;
  auto* code = llvm::InlineAsm::get(fn, fmt::format("movl $${}, %ecx; callq *{}(%r15)", access, stub),
                                    "={ax},={cx},0,{r15},~{memory},~{flags}", true);
  llvm::Value* answer = b.CreateCall(code, {at, ctx_});
  llvm::Value* host = b.CreateExtractValue(answer, 0);
  BasicBlock* found = new_block("found");
  b.CreateCondBr(b.CreateICmpEQ(host, b.getInt64(0)), landing(), found, unlikely_taken());
  b.SetInsertPoint(found);
  return {b.CreateSub(host, at), b.CreateExtractValue(answer, 1)};
}

/// Whether `bytes` from `low` on are not all in the page half of whose address is given. The last bytes of a page count
/// as none of it.
llvm::Value* Lowering::outside(Builder& b, llvm::Value* low, s64 bytes, llvm::Value* half_page) {
  llvm::Value* offset = b.CreateXor(b.CreateLShr(low, 1), half_page);
  return b.CreateICmpUGT(offset, b.getInt64(static_cast<u64>((s64{kPageSize} - 1 - bytes) / 2)));
}

/// Probes for `g`, whose first access is that of `inst` to guest address `at`.
void Lowering::probe(PageGroup& g, const Inst& inst, llvm::Value* at, llvm::Value* low) {
  const s64 bytes = g.high - g.low;
  PageCell* cell = cell_of(inst, g.write);
  BasicBlock *hit = new_block("hit"), *miss = new_block("miss"), *go_on = new_block("c");
  llvm::Type* word = b_.getInt64Ty();
  llvm::Value* distance;
  if (cell != nullptr && guesses_page(inst, g.write)) {
    b_.CreateCondBr(outside(b_, low, bytes, b_.CreateLoad(word, cell->page)), miss, hit, unlikely_taken());
    b_.SetInsertPoint(hit);
    distance = b_.CreateLoad(word, cell->distance);
  } else {
    llvm::Value* index = b_.CreateAnd(b_.CreateLShr(low, 12), b_.getInt64(kTlbSize - 1));
    llvm::Value* entry = b_.CreateGEP(word, tlb_table(g.write, inst.mem().user), index);
    llvm::Value* page = b_.CreateLoad(word, entry);
    llvm::Value* above =
        b_.CreateICmpUGT(b_.CreateXor(low, page), b_.getInt64(static_cast<u64>(s64{kPageSize} - bytes)));
    b_.CreateCondBr(above, miss, hit, unlikely_taken());
    b_.SetInsertPoint(hit);
    distance = b_.CreateLoad(word, b_.CreateConstGEP1_64(b_.getInt8Ty(), entry, offsetof(TlbArrays, distance)));
    if (cell != nullptr) {
      b_.CreateStore(b_.CreateLShr(page, 1), cell->page);
      b_.CreateStore(distance, cell->distance);
    }
  }
  b_.CreateBr(go_on);

  Builder cold(miss);
  const FoundPage found = ask_for_page(cold, at, access_of(inst, g.write));
  if (cell != nullptr) {
    cold.CreateStore(found.half_page, cell->page);
    cold.CreateStore(found.distance, cell->distance);
  }
  llvm::Value* split = g.count > 1 ? outside(cold, low, bytes, found.half_page) : nullptr;
  cold.CreateBr(go_on);

  b_.SetInsertPoint(go_on);
  llvm::PHINode* joined = b_.CreatePHI(word, 2);
  joined->addIncoming(distance, hit);
  joined->addIncoming(found.distance, cold.GetInsertBlock());
  g.distance = joined;
  if (split == nullptr) return;
  llvm::PHINode* flag = b_.CreatePHI(b_.getInt1Ty(), 2);
  flag->addIncoming(b_.getFalse(), hit);
  flag->addIncoming(split, cold.GetInsertBlock());
  g.split = flag;
}

/// An access of `g` after the first. The distance it finds replaces the group's: the next one that needs another asks.
void Lowering::probe_again(PageGroup& g, const Inst& inst, llvm::Value* at) {
  BasicBlock *before = b_.GetInsertBlock(), *other = new_block("other"), *go_on = new_block("c");
  b_.CreateCondBr(g.split, other, go_on, unlikely_taken());
  Builder cold(other);
  const FoundPage found = ask_for_page(cold, at, access_of(inst, inst.op != Opcode::Load));
  cold.CreateBr(go_on);
  b_.SetInsertPoint(go_on);
  llvm::PHINode* joined = b_.CreatePHI(b_.getInt64Ty(), 2);
  joined->addIncoming(g.distance, before);
  joined->addIncoming(found.distance, cold.GetInsertBlock());
  g.distance = joined;
}

/// The host address of an access to guest address `at`.
llvm::Value* Lowering::translated(const Inst& inst, llvm::Value* at) {
  const auto index = static_cast<std::size_t>(&inst - block_->f->insts.data());
  guess_.advance(static_cast<u32>(index));
  if (group_of_[index] == kNoGroup) {
    const bool write = inst.op != Opcode::Load;
    PageGroup alone{.write = write, .high = inst.mem().bytes(), .first = &inst, .count = 1};
    probe(alone, inst, at, at);
    return b_.CreateAdd(at, alone.distance);
  }
  PageGroup& g = groups_[group_of_[index]];
  llvm::Value* root = value(g.root);
  if (&inst == g.first)
    probe(g, inst, at, b_.CreateAdd(root, b_.getInt64(static_cast<u64>(g.low))));
  else
    probe_again(g, inst, at);
  const s64 away = ir::rooted(*block_->f, inst.args[0]).distance + static_cast<s64>(inst.imm);
  return b_.CreateAdd(b_.CreateAdd(root, g.distance), b_.getInt64(static_cast<u64>(away)));
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
