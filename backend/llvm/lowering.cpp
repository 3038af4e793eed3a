// The region as a whole: what each block sets, what flags look like between blocks, and the order of emission.
#include "backend/llvm/lowering.h"

#include <fmt/format.h>
#include <llvm/IR/MDBuilder.h>

#include "backend/hot_slots.h"
#include "base/check.h"

namespace tiercel::backend::region {

Lowering::Lowering(llvm::Module& module, const VmLayout& layout, const HostFeatures& features, const ir::Region& region,
                   RegionCode& out)
    : module_(module),
      context_(module.getContext()),
      layout_(layout),
      features_(features),
      region_(region),
      out_(out),
      b_(context_),
      cells_(layout.slots.size()),
      used_(static_cast<unsigned>(layout.slots.size())),
      in_registers_(hottest_slots(layout.slots, Type::I64, kRegionSlots.size())),
      register_slots_(static_cast<unsigned>(layout.slots.size())) {
  kinds_.push_back({});  // Flags::kRaw
  for (const ir::SlotId s : in_registers_) register_slots_.set(s);
  used_ |= register_slots_;
}

bool Lowering::run(std::string& why) {
  if (analyse()) {
    closing_ = ir::closing_edges(region_);
    find_written();
    find_always();
    if (layout_.translated) find_pages();
    report_vectors();
    find_scalars();
    find_flags_kinds();
    make_function();
    for (u32 i = 0; i < blocks_.size() && why_.empty(); ++i) emit_block(i);
    keep_fp_from_folding();
    for (const FlagsKind& k : kinds_) out_.flags.push_back({k.op, k.type, k.imm});
    if (why_.empty() && out_.exits.size() > kMaxRegionExits) refuse("the region has too many exits");
  }
  why = why_;
  return why_.empty();
}

bool Lowering::refuse(std::string why) {
  if (why_.empty()) why_ = std::move(why);
  return false;
}

bool Lowering::analyse() {
  if (region_.blocks.empty()) return refuse("the region has no blocks");
  if (layout_.slots.size() > ValuePlace::kFlagsRaw) return refuse("there are too many slots");
  blocks_.resize(region_.blocks.size());
  for (u32 i = 0; i < blocks_.size(); ++i) {
    blocks_[i].f = &region_.blocks[i];
    if (!block_at_.emplace(region_.blocks[i].pc, i).second)
      return refuse(fmt::format("two blocks begin at {:#x}", region_.blocks[i].pc));
  }
  for (const ir::IndirectEdge& e : region_.edges) {
    const auto to = block_at_.find(e.to);
    if (e.from >= blocks_.size() || to == block_at_.end()) return refuse("an indirect edge leaves the region");
    blocks_[e.from].targets.push_back({to->second, e.weight});
  }
  for (u32 i = 0; i < blocks_.size(); ++i)
    if (!analyse_block(i)) return false;
  return true;
}

std::vector<u64> Lowering::direct_targets(const ir::Function& f) const {
  const Inst& t = f.insts.back();
  if (t.op == Opcode::Jump || t.op == Opcode::Call) return {t.imm};
  if (t.op == Opcode::Branch) return {t.imm, f.constant(t.aux).lo};
  return {};
}

bool Lowering::analyse_block(u32 index) {
  Block& b = blocks_[index];
  const ir::Function& f = *b.f;
  b.set.resize(used_.size());
  b.written = register_slots_;  // the state block does not have them
  if (f.insts.empty() || !ir::is_terminal(f.insts.back().op)) return refuse("a block has no terminal");
  for (const Inst& inst : f.insts) {
    if (inst.op == Opcode::Exit || inst.op == Opcode::CallHelper)
      return refuse(fmt::format("{} at block {:#x} is never part of a region", ir::info(inst.op).text, f.pc));
    sets_fp_status_ |= inst.op == Opcode::SetFpStatus;
    if (inst.op != Opcode::Get && inst.op != Opcode::Set) continue;
    if (inst.slot() >= used_.size()) return refuse("there is no such slot");
    used_.set(inst.slot());
    if (inst.op == Opcode::Set) b.set.set(inst.slot());
    if (layout_.slots[inst.slot()].type != Type::Flags) continue;
    if (flags_slot_ != 0xffff && flags_slot_ != inst.slot()) return refuse("the region uses two flags slots");
    flags_slot_ = inst.slot();
  }
  const auto add = [&](u32 to) {
    if (std::find(b.successors.begin(), b.successors.end(), to) == b.successors.end()) b.successors.push_back(to);
  };
  for (const u64 pc : direct_targets(f))
    if (const auto it = block_at_.find(pc); it != block_at_.end()) add(it->second);
  const Opcode o = f.insts.back().op;
  if (o == Opcode::JumpInd || o == Opcode::CallInd || o == Opcode::Ret)
    for (const Target& t : b.targets) add(t.block);
  return true;
}

void Lowering::find_written() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Block& b : blocks_) {
      llvm::BitVector out = b.written;
      out |= b.set;
      for (const u32 s : b.successors) {
        llvm::BitVector& in = blocks_[s].written;
        if (!out.test(in)) continue;  // nothing that `in` does not have
        in |= out;
        changed = true;
      }
    }
  }
}

void Lowering::report_vectors() {
  llvm::BitVector written(used_.size());
  for (const Block& b : blocks_) written |= b.set;
  out_.vectors_read = out_.vectors_written = 0;
  u32 bit = 1;
  for (const ir::SlotId s : hottest_slots(layout_.slots, Type::V128, 32)) {
    if (used_.test(s)) out_.vectors_read |= bit;
    if (written.test(s)) out_.vectors_written |= bit;
    bit <<= 1;
  }
}

void Lowering::find_always() {
  for (std::size_t i = 1; i < blocks_.size(); ++i) blocks_[i].always.resize(used_.size(), true);
  blocks_[0].always.resize(used_.size());
  for (bool changed = true; changed;) {
    changed = false;
    for (const Block& b : blocks_) {
      llvm::BitVector out = b.always;
      out |= b.set;
      for (const u32 s : b.successors) {
        llvm::BitVector& in = blocks_[s].always;
        if (!in.test(out)) continue;  // nothing that `out` does not have
        in &= out;
        changed = true;
      }
    }
  }
}

int Lowering::kind_index(const FlagsKind& kind) {
  const auto it = std::find(kinds_.begin(), kinds_.end(), kind);
  if (it != kinds_.end()) return static_cast<int>(it - kinds_.begin());
  kinds_.push_back(kind);
  return static_cast<int>(kinds_.size()) - 1;
}

void Lowering::find_flags_kinds() {
  if (flags_slot_ == 0xffff) return;
  for (Block& b : blocks_) {
    // The last Set decides; one that copies the slot's own value on entry does not.
    const auto& insts = b.f->insts;
    for (auto it = insts.rbegin(); it != insts.rend(); ++it) {
      if (it->op != Opcode::Set || it->slot() != flags_slot_) continue;
      const Inst& v = (*b.f)[it->args[0]];
      b.flags_out = stays_lazy(*b.f, v) ? kind_index(lazy_kind(*b.f, v)) : Flags::kRaw;
      break;
    }
  }
  blocks_[0].flags_in = Flags::kRaw;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Block& b : blocks_) {
      const int out = b.flags_out != kUnvisited ? b.flags_out : b.flags_in;
      if (out == kUnvisited) continue;
      for (const u32 s : b.successors) {
        int& in = blocks_[s].flags_in;
        const int merged = merged_forms(in, out);
        changed |= in != merged;
        in = merged;
      }
    }
  }
}

/// Comparisons of floats do not mix with raw flags: where they are not meant, they would raise exceptions.
int Lowering::merged_forms(int a, int b) const {
  if (a == kUnvisited || a == b) return b;
  const int x = a & ~kMixed, y = b & ~kMixed;
  if (x == kMany || y == kMany || (x != Flags::kRaw && y != Flags::kRaw && x != y)) return kMany;
  const int lazy = std::max(x, y);
  return kinds_[static_cast<unsigned>(lazy)].op == Opcode::FlagsFcmp ? kMany : kMixed + lazy;
}

/// Flags that are kept as their operands until somebody asks.
bool Lowering::stays_lazy(const ir::Function& f, const Inst& inst) const {
  switch (inst.op) {
    case Opcode::FlagsFcmp:  // comparing again raises the exceptions again, which only nobody sees who does not clear
                             // them
      return (!f.fp.flush || f.fp.host_flush) && !sets_fp_status_;
    case Opcode::FlagsAdd:
    case Opcode::FlagsSub:
    case Opcode::FlagsAdc:
    case Opcode::FlagsSbc:
    case Opcode::FlagsLogic:
    case Opcode::FlagsCcmpSub:
    case Opcode::FlagsCcmpAdd:
      return true;
    default:
      return false;
  }
}

FlagsKind Lowering::lazy_kind(const ir::Function& f, const Inst& inst) {
  const unsigned typed = inst.op == Opcode::FlagsCcmpSub || inst.op == Opcode::FlagsCcmpAdd ? 1 : 0;
  const bool flushes = inst.op == Opcode::FlagsFcmp && f.fp.flush;
  return {inst.op, f[inst.args[typed]].type, static_cast<u8>(inst.imm | (flushes ? RegionFlags::kFlushes : 0))};
}

llvm::Type* Lowering::type(Type t) {
  switch (t) {
    case Type::I1:
      return b_.getInt1Ty();
    case Type::I8:
      return b_.getInt8Ty();
    case Type::I16:
      return b_.getInt16Ty();
    case Type::I32:
      return b_.getInt32Ty();
    case Type::I64:
      return b_.getInt64Ty();
    case Type::F32:
      return b_.getFloatTy();
    case Type::F64:
      return b_.getDoubleTy();
    case Type::V128:
      return llvm::FixedVectorType::get(b_.getInt64Ty(), 2);
    case Type::Flags:
      return b_.getInt32Ty();  // the stored form in the low half
    case Type::None:
      return b_.getVoidTy();
  }
  UNREACHABLE();
}

llvm::Value* Lowering::value(ir::Value v) {
  llvm::Value* found = values_[v.index];
  CHECK(found);
  return found;
}

BasicBlock* Lowering::new_block(const char* name) {
  return BasicBlock::Create(context_, name, function_);
}

llvm::MDNode* Lowering::unlikely_taken() {
  return llvm::MDBuilder(context_).createBranchWeights(1, 1 << 20);
}

void Lowering::make_function() {
  llvm::SmallVector<llvm::Type*, kRegionArguments> arguments(kRegionArguments, b_.getInt64Ty());
  arguments[kRegionContext] = b_.getPtrTy();
  auto* fn_type = llvm::FunctionType::get(b_.getVoidTy(), arguments, false);
  function_ = llvm::Function::Create(fn_type, llvm::GlobalValue::ExternalLinkage, "region", module_);
  function_->setCallingConv(llvm::CallingConv::PreserveNone);
  function_->addFnAttr(llvm::Attribute::NoUnwind);
  function_->addFnAttr(llvm::Attribute::NoRedZone);
  function_->addFnAttr("frame-pointer", "none");
  function_->addFnAttr("no-stack-arg-probe");
  ctx_ = function_->getArg(kRegionContext);
  make_fp_strict();
  BasicBlock* entry = new_block("entry");
  for (Block& b : blocks_) b.entry = new_block("b");
  b_.SetInsertPoint(entry);
  make_cells();
  if (!layout_.base_is_zero)
    memory_base_ = b_.CreateLoad(b_.getInt64Ty(), context_field(b_, offsetof(VmContext, memory_base)));
  b_.CreateBr(blocks_[0].entry);
}

void Lowering::make_cells() {
  for (const unsigned s : used_.set_bits()) {
    Cells& c = cells_[s];
    const auto slot = static_cast<ir::SlotId>(s);
    const Type t = layout_.slots[s].type;
    llvm::Value* loaded;
    if (t == Type::Flags) {
      for (auto& operand : c.operands) operand = b_.CreateAlloca(b_.getInt64Ty());
      c.raw = b_.CreateAlloca(b_.getInt32Ty());
      c.is_raw = b_.CreateAlloca(b_.getInt1Ty());
      b_.CreateStore(b_.getTrue(), c.is_raw);
      loaded = b_.CreateZExt(b_.CreateLoad(b_.getInt16Ty(), state_pointer(b_, slot)), b_.getInt32Ty());
      b_.CreateStore(loaded, c.raw);
      continue;
    }
    c.value = b_.CreateAlloca(cell_type(slot));
    if (register_slots_.test(s)) continue;
    loaded = b_.CreateAlignedLoad(cell_type(slot), state_pointer(b_, slot), llvm::Align(ir::type_bits(t) / 8));
    b_.CreateStore(loaded, c.value);
    if (!c.scalar) continue;
    c.written = b_.CreateAlloca(b_.getInt1Ty());
    b_.CreateStore(b_.getFalse(), c.written);
  }
  for (std::size_t n = 0; n < in_registers_.size(); ++n)
    b_.CreateStore(function_->getArg(kRegionSlots[n]), cells_[in_registers_[n]].value);
}

void Lowering::emit_block(u32 index) {
  block_ = &blocks_[index];
  const ir::Function& f = *block_->f;
  values_.assign(f.insts.size(), nullptr);
  flags_values_.clear();
  current_.assign(layout_.slots.size(), {});
  landing_ = nullptr;
  insn_pc_ = f.pc;
  if (layout_.translated) guess_.begin(f, block_->accesses, block_->pages_known);
  b_.SetInsertPoint(block_->entry);
  // No way leads here: a block that only indirect terminals reach that have no edge to it.
  if (block_->flags_in == kUnvisited) block_->flags_in = Flags::kRaw;
  if (f.counter != 0) emit_count(b_, kCounters + f.counter);
  for (u32 i = 0; i < f.insts.size() && why_.empty(); ++i) emit_inst(f.insts[i], i);
}

/// Adds one to VmContext::counters[index].
void Lowering::emit_count(Builder& b, u32 index) {
  llvm::Value* counters = b.CreateLoad(b.getPtrTy(), context_field(b, offsetof(VmContext, counters)));
  llvm::Value* at = b.CreateConstGEP1_64(b.getInt64Ty(), counters, index);
  b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt64Ty(), at), b.getInt64(1)), at);
}

void Lowering::emit_inst(const Inst& inst, u32 index) {
  if (!unchecked_.empty() && !can_wait(inst)) settle();
  switch (inst.op) {
    case Opcode::Nop:
      return;
    case Opcode::Insn:
      if (insn_pc_ != inst.imm) landing_ = nullptr;
      insn_pc_ = inst.imm;
      return;
    case Opcode::Get:
      if (inst.type == Type::Flags)
        flags_values_[index] = current(inst.slot()).flags;
      else
        values_[index] = get_slot(inst);
      return;
    case Opcode::Set:
      return set_slot(inst);
    case Opcode::GetFpStatus:
      values_[index] = get_fp_status();
      return;
    case Opcode::SetFpStatus:
      return set_fp_status(value(inst.args[0]));
    default:
      break;
  }
  const u16 effects = ir::effects(inst.op);
  if (effects & ir::effect::kTerminal) return emit_terminal(inst);
  if (effects & (ir::effect::kMayFault | ir::effect::kBarrier)) return emit_memory(inst, index);
  if (inst.type == Type::Flags) {
    flags_values_[index] = make_flags(inst);
    return;
  }
  llvm::Value* v = emit_integer(inst);
  if (v == nullptr) v = emit_vector(inst);
  if (v == nullptr) v = emit_crypto(inst);
  if (v == nullptr) v = emit_fp(inst);
  values_[index] = v != nullptr ? v : emit_without_form(inst);
}

}  // namespace tiercel::backend::region
