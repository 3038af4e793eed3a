// One backward pass over the Function before emission: last uses, use counts, which register each result should be made
// in, and which flags come for free with an arithmetic instruction.
#include <algorithm>

#include "backend/x64/emitter.h"

namespace tiercel::backend::x64 {
namespace {

constexpr u32 kNever = ~u32{0};
constexpr u32 kTwinDistance = 8;  // insts searched for the arithmetic that belongs to a flags inst

/// The opcode whose host instruction also makes the flags of `op`, or Nop.
constexpr Opcode arithmetic_of(Opcode op) {
  switch (op) {
    case Opcode::FlagsAdd:
      return Opcode::Add;
    case Opcode::FlagsSub:
      return Opcode::Sub;
    case Opcode::FlagsAdc:
      return Opcode::Adc;
    case Opcode::FlagsSbc:
      return Opcode::Sbc;
    default:
      return Opcode::Nop;
  }
}

constexpr bool sets_logic_flags(Opcode op) {
  return op == Opcode::And || op == Opcode::Or || op == Opcode::Xor || op == Opcode::AndNot;
}

}  // namespace

void Emitter::analyse() {
  constexpr ValueState kFresh = {.last_use = 0,
                                 .next = kNoOwner,
                                 .hint_set = 0,
                                 .slot_version = 0,
                                 .twin = kNoOwner,
                                 .uses = 0,
                                 .slot = kNoSlot,
                                 .spill = -1,
                                 .place = kNowhere,
                                 .hint = kNoRegister,
                                 .high_zero = false,
                                 .fused = false,
                                 .alias = false};
  state_.assign(f_->insts.size(), kFresh);
  std::fill(slot_access_.begin(), slot_access_.end(), kNever);
  next_fault_ = kNever;
  last_insn_pc_ = f_->pc;
  for (u32 i = static_cast<u32>(f_->insts.size()); i-- > 0;) analyse_inst(i);
}

void Emitter::count_use(Value v, u32 at) {
  ValueState& s = state_[v.index];
  if (s.last_use < at) s.last_use = at;
  ++s.uses;
}

bool Emitter::is_dead(u32 i) const {
  const ValueState& s = state_[i];
  return s.uses == 0 && s.twin == kNoOwner && ir::can_drop(f_->insts[i].op);
}

void Emitter::analyse_inst(u32 i) {
  const Inst& inst = f_->insts[i];
  if (inst.op == Opcode::Nop || is_dead(i)) return;
  if (inst.op == Opcode::Insn) {
    last_insn_pc_ = std::max(last_insn_pc_, inst.imm);
    return;
  }
  if (state_[i].hint != kNoRegister && !is_flags(i)) settle_hint(i);
  if (find_twin(i)) return;
  // A flags condition is not computed where it stands but where it is used, so the flags live as long as it does.
  const u32 at = inst.op == Opcode::FlagsCond ? std::max(i, state_[i].last_use) : i;
  for (std::size_t k = 0; k < ir::info(inst.op).operands.size(); ++k)
    if (inst.args[k]) count_use(inst.args[k], at);
  switch (inst.op) {
    case Opcode::FlagsCond:  // what an FP compare should be made for
      state_[inst.args[0].index].hint = static_cast<u8>(inst.imm);
      break;
    case Opcode::Set:
      if (const u8 home = plan_.home_of[inst.slot()]; home != kNoRegister && !is_flags(inst.args[0].index)) {
        state_[inst.args[0].index].hint = home;
        state_[inst.args[0].index].hint_set = i;
      }
      slot_access_[inst.slot()] = i;
      break;
    case Opcode::Get:
      slot_access_[inst.slot()] = i;
      break;
    default:
      break;
  }
  if (ir::may_fault(inst.op)) next_fault_ = i;
}

/// The result may be made in its home if, until the Set, nobody looks at the slot and nothing can fault.
void Emitter::settle_hint(u32 i) {
  ValueState& s = state_[i];
  if (slot_access_[plan_.slot_of[s.hint]] != s.hint_set || next_fault_ <= s.hint_set) s.hint = kNoRegister;
}

bool Emitter::find_twin(u32 i) {
  const Inst& inst = f_->insts[i];
  if (inst.op == Opcode::FlagsLogic) {
    const u32 k = inst.args[0].index;
    if (i - k > kTwinDistance || !sets_logic_flags(f_->insts[k].op) || state_[k].twin != kNoOwner) return false;
    state_[k].twin = i;
    state_[i].fused = true;
    return true;
  }
  const Opcode wanted = arithmetic_of(inst.op);
  if (wanted == Opcode::Nop) return false;
  for (u32 k = i; k-- > 0 && i - k <= kTwinDistance;) {
    const Inst& other = f_->insts[k];
    if (other.op != wanted || !std::equal(inst.args, inst.args + 3, other.args)) continue;
    if (state_[k].twin != kNoOwner) return false;
    state_[k].twin = i;
    state_[i].fused = true;
    return true;
  }
  return false;
}

}  // namespace tiercel::backend::x64
