// A machine's guest memory: each access probes the vCPU's TLB in line, in the tables that the fast tier uses
// (backend/x64/softmmu.cpp). What is not there goes through a stub that keeps all registers, so that the cold way costs
// the hot one nothing; what the stub refuses leaves by the landing of the insn. Behind the probe nothing can fault: the
// access itself is a plain volatile one.
//
// A mapping that was found stays good for as long as control is in the region: it ends with something that this vCPU
// does outside, be it that another one asked it to. So there are two ways to probe less:
// - Groups. Accesses of a block that are a constant apart are probed by the first of them, for all the bytes from the
//   lowest to the highest, and for writing if one of them writes. Where these are in two pages, or the page can only be
//   read so far, a flag sends each of the others through the stub.
// - Cells. A page where accesses stay, and how far it is from the host's memory. To compare with it takes no load that
//   depends on the address. ir::AccessNotes say which accesses stay; where there are none, page_cells.cpp guesses which
//   bases do, each of which has a cell. Half the page's address is what is compared, because no address is twice ~0:
//   the cell that knows nothing.
// Where the pages change but not their distance from the host's memory, the distance is foreseen: the access does not
// wait for the probe.
#include <fmt/format.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/IntrinsicsX86.h>

#include "backend/llvm/lowering.h"
#include "ir/fold.h"

namespace tiercel::backend::region {
namespace {

constexpr s64 kMostBytes = 256;  // of a group
constexpr u32 kNoGroup = ~u32{0};
constexpr u64 kOwnPage = ~u64{0};
constexpr u32 kTelling = 7;  // executions that say something of an access
// One in so many may be wrong: a page costs a call then, a distance a mispredicted branch.
constexpr u32 kPageRight = 16, kDistanceRight = 6;

bool is_plain(const Inst& inst) {
  return (inst.op == Opcode::Load || inst.op == Opcode::Store) && !inst.mem().user;
}

u32 access_of(const Inst& inst, bool write) {
  const ir::MemAttr m = inst.mem();
  const bool atomic = inst.op != Opcode::Load && inst.op != Opcode::Store;
  return m.bytes() | (write ? kTlbFillWrite : 0) | (m.user ? kTlbFillUser : 0) | (atomic ? kTlbFillAtomic : 0);
}

}  // namespace

bool Lowering::stays_in_page(const PageGroup& g) {
  return g.notes != nullptr && g.notes->page_changes * kPageRight <= g.notes->seen;
}

bool Lowering::stays_at_distance(const PageGroup& g) {
  return g.notes != nullptr && g.notes->distance_changes * kDistanceRight <= g.notes->seen;
}

/// Block::notes, of accesses that were seen often enough.
void Lowering::find_notes() {
  for (Block& b : blocks_) b.notes.assign(b.f->insts.size(), nullptr);
  for (const ir::AccessNotes& n : region_.accesses)
    if (n.seen >= kTelling) blocks_[n.block].notes[n.inst] = &n;
}

/// Which accesses of `block` are probed together. If any of them is a store, the page has to be one that can be
/// written: they are all executed, or the block is left.
void Lowering::find_groups(Block& block) {
  const ir::Function& f = *block.f;
  block.group_of.assign(f.insts.size(), kNoGroup);
  block.accesses.write.resize(static_cast<unsigned>(f.insts.size()));
  block.accesses.apart.resize(static_cast<unsigned>(f.insts.size()));
  for (u32 i = 0; i < f.insts.size(); ++i) {
    const Inst& inst = f.insts[i];
    if (!is_plain(inst)) continue;
    const ir::Place at = ir::place_of(f, inst);
    const s64 low = at.distance, high = low + inst.mem().bytes();
    const auto fits = [&](const PageGroup& g) {
      return g.at.root == at.root && g.at.index == at.index && g.at.shift == at.shift &&
             std::max(g.high, high) - std::min(g.at.distance, low) <= kMostBytes;
    };
    auto it = std::find_if(block.groups.rbegin(), block.groups.rend(), fits);
    if (it != block.groups.rend()) {
      ++it->count;
    } else {
      block.groups.push_back({.at = at, .high = high, .first = &inst, .notes = block.notes[i]});
      it = block.groups.rbegin();
    }
    it->at.distance = std::min(it->at.distance, low);
    it->high = std::max(it->high, high);
    it->write |= inst.op == Opcode::Store;
    block.group_of[i] = static_cast<u32>(&*it - block.groups.data());
  }
  for (u32 i = 0; i < f.insts.size(); ++i) {
    if (block.group_of[i] == kNoGroup) continue;
    const PageGroup& g = block.groups[block.group_of[i]];
    if (g.write) block.accesses.write.set(i);
    if (stays_in_page(g)) block.accesses.apart.set(i);
  }
}

/// The cell for the first access of `g`, or null: that of its base, or if it is known to stay in a page, one that it
/// shares with those that have the same base and page.
Lowering::PageCell* Lowering::cell_of(const PageGroup& g) {
  if (!is_plain(*g.first)) return nullptr;
  const std::optional<ir::SlotId> slot = guess_.owner(g.first->args[0]);
  std::pair<u64, u64> key;
  if (stays_in_page(g))
    key = {PageGuess::bit(slot.value_or(0xffff), g.write), g.notes->page};
  else if (slot && !g.first->args[1])
    key = {PageGuess::bit(*slot, g.write), kOwnPage};
  else
    return nullptr;
  PageCell& cell = page_cells_[key];
  if (cell.page != nullptr) return &cell;
  Builder b(function_->getEntryBlock().getTerminator());
  cell.page = b.CreateAlloca(b.getInt64Ty());
  cell.distance = b.CreateAlloca(b.getInt64Ty());
  b.CreateStore(b.getInt64(~u64{0}), cell.page);
  b.CreateStore(b.getInt64(0), cell.distance);
  return &cell;
}

void Lowering::fill_cell(Builder& b, const PageCell& cell, const FoundPage& found) {
  b.CreateStore(found.half_page, cell.page);
  b.CreateStore(found.distance, cell.distance);
}

/// Whether the first access of `g`, which has a cell, probably is in the page in there.
bool Lowering::guesses_page(const PageGroup& g) const {
  if (stays_in_page(g)) return true;
  const std::optional<ir::SlotId> slot = guess_.owner(g.first->args[0]);
  if (!slot || g.first->args[1]) return false;
  return guess_.known.test(PageGuess::bit(*slot, g.write)) || (g.notes == nullptr && steady_.test(*slot));
}

/// A value that will be `distance`: what it was the last time. Only the comparison waits for `distance` itself.
llvm::Value* Lowering::foreseen(llvm::Value* distance) {
  llvm::Type* word = b_.getInt64Ty();
  Builder entry(function_->getEntryBlock().getTerminator());
  llvm::AllocaInst* last = entry.CreateAlloca(word);
  entry.CreateStore(entry.getInt64(0), last);
  llvm::Value* guess = b_.CreateLoad(word, last);
  BasicBlock *before = b_.GetInsertBlock(), *other = new_block("other"), *go_on = new_block("c");
  b_.CreateCondBr(b_.CreateICmpNE(distance, guess), other, go_on, unlikely_taken());
  // LLVM must not see that it is the same value on both ways.
  Builder cold(other);
  auto* copy = llvm::InlineAsm::get(llvm::FunctionType::get(word, {word}, false), "", "=r,0", true);
  llvm::Value* found = cold.CreateCall(copy, {distance});
  cold.CreateStore(found, last);
  cold.CreateBr(go_on);
  b_.SetInsertPoint(go_on);
  llvm::PHINode* joined = b_.CreatePHI(word, 2);
  joined->addIncoming(guess, before);
  joined->addIncoming(found, other);
  return joined;
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

/// tlb_index, with BMI1 in one instruction.
llvm::Value* Lowering::tlb_index_of(llvm::Value* at) {
  if (!features_.bmi1) return b_.CreateAnd(b_.CreateLShr(at, 12), b_.getInt64(kTlbSize - 1));
  return b_.CreateIntrinsic(llvm::Intrinsic::x86_bmi_bextr_64, {}, {at, b_.getInt64(12 | kTlbBits << 8)});
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
  const s64 bytes = g.high - g.at.distance;
  const bool writes = inst.op != Opcode::Load;
  PageCell* cell = g.cell = cell_of(g);
  BasicBlock *hit = new_block("hit"), *miss = new_block("miss"), *go_on = new_block("c");
  llvm::Type* word = b_.getInt64Ty();
  llvm::Value* distance;
  if (cell != nullptr && guesses_page(g)) {
    b_.CreateCondBr(outside(b_, low, bytes, b_.CreateLoad(word, cell->page)), miss, hit, unlikely_taken());
    b_.SetInsertPoint(hit);
    distance = b_.CreateLoad(word, cell->distance);
  } else {
    llvm::Value* entry = b_.CreateGEP(word, tlb_table(g.write, inst.mem().user), tlb_index_of(low));
    llvm::Value* page = b_.CreateLoad(word, entry);
    llvm::Value* above =
        b_.CreateICmpUGT(b_.CreateXor(low, page), b_.getInt64(static_cast<u64>(s64{kPageSize} - bytes)));
    b_.CreateCondBr(above, miss, hit, unlikely_taken());
    b_.SetInsertPoint(hit);
    distance = b_.CreateLoad(word, b_.CreateConstGEP1_64(b_.getInt8Ty(), entry, offsetof(TlbArrays, distance)));
    if (cell != nullptr) {
      fill_cell(b_, *cell, {distance, b_.CreateLShr(page, 1)});
    }
    if (stays_at_distance(g)) distance = foreseen(distance);
  }
  hit = b_.GetInsertBlock();
  b_.CreateBr(go_on);

  // That this one may be done says nothing of the group's stores if it is a load: each asks for itself.
  Builder cold(miss);
  const FoundPage found = ask_for_page(cold, at, access_of(inst, writes));
  const bool serves = writes || !g.write;
  if (cell != nullptr && serves) fill_cell(cold, *cell, found);
  llvm::Value* split = nullptr;
  if (g.count > 1) split = serves ? outside(cold, low, bytes, found.half_page) : cold.getTrue();
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
  const bool writes = inst.op != Opcode::Load;
  const FoundPage found = ask_for_page(cold, at, access_of(inst, writes));
  if (g.cell != nullptr && writes) fill_cell(cold, *g.cell, found);
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
  if (block_->group_of[index] == kNoGroup) {
    PageGroup alone{.high = inst.mem().bytes(), .write = inst.op != Opcode::Load, .first = &inst};
    probe(alone, inst, at, at);
    return b_.CreateAdd(at, alone.distance);
  }
  PageGroup& g = block_->groups[block_->group_of[index]];
  if (&inst == g.first) {
    g.sum = value(g.at.root);
    if (g.at.index) g.sum = b_.CreateAdd(g.sum, b_.CreateShl(value(g.at.index), g.at.shift));
    probe(g, inst, at, b_.CreateAdd(g.sum, b_.getInt64(static_cast<u64>(g.at.distance))));
  } else {
    probe_again(g, inst, at);
  }
  const s64 away = ir::place_of(*block_->f, inst).distance;
  return b_.CreateAdd(b_.CreateAdd(g.sum, g.distance), b_.getInt64(static_cast<u64>(away)));
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
