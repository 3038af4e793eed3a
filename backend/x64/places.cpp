// Where values live: allocation, eviction, spilling. See the head of emitter.h.
#include <bit>

#include "backend/x64/emitter.h"
#include "base/bits.h"

namespace tiercel::backend::x64 {
namespace {

constexpr u64 kXmmScratchMask = u64{low_mask(kXmmScratchCount)} << kXmm0;

}  // namespace

bool Emitter::is_const(Value v, u64& out) const {
  if (inst(v).op != Opcode::Const) return false;
  out = inst(v).imm;
  return true;
}

void Emitter::put(u32 index, unsigned reg) {
  ValueState& s = state_[index];
  DCHECK(s.place == kNowhere);
  s.place = static_cast<u8>(reg);
  s.next = first_[reg];
  first_[reg] = index;
}

void Emitter::put_in_slot(u32 index, u16 slot) {
  ValueState& s = state_[index];
  DCHECK(s.place == kNowhere);
  s.place = kSlotMemory;
  s.slot = slot;
  s.slot_version = slot_version_[slot];
  s.next = slot_first_[slot];
  slot_first_[slot] = index;
}

void Emitter::remove(u32 index) {
  ValueState& s = state_[index];
  if (s.place == kNowhere) return;
  u32* link = s.place == kSlotMemory ? &slot_first_[s.slot] : &first_[s.place];
  while (*link != index) link = &state_[*link].next;
  *link = s.next;
  s.place = kNowhere;
}

/// Forgets v if this was its last use.
void Emitter::release(Value v) {
  ValueState& s = state_[v.index];
  if (s.last_use > index_) return;
  remove(v.index);
  if (s.spill >= 0) {
    free_spills_.push_back(s.spill);
    s.spill = -1;
  }
  if (eflags_.owner == v.index) eflags_.owner = kNoOwner;
  if (inst(v).op == Opcode::FlagsCond) release(inst(v).args[0]);
}

s16 Emitter::take_spill() {
  if (!free_spills_.empty()) {
    const s16 s = free_spills_.back();
    free_spills_.pop_back();
    return s;
  }
  CHECK_MSG(next_spill_ < static_cast<s16>(frame::kSpillSlots), "too many live values in one block");
  return next_spill_++;
}

unsigned Emitter::pick_victim(u64 candidates) const {
  unsigned best = kNoRegister;
  u32 best_use = 0;
  for (; candidates; candidates &= candidates - 1) {
    const unsigned reg = static_cast<unsigned>(std::countr_zero(candidates));
    u32 use = 0;
    for (u32 v = first_[reg]; v != kNoOwner; v = state_[v].next) use = std::max(use, state_[v].last_use);
    if (best == kNoRegister || use > best_use) {
      best = reg;
      best_use = use;
    }
  }
  return best;
}

/// A free scratch register, or kNoRegister.
unsigned Emitter::find_free(bool vector) {
  if (chaos_ != 0 && !calm_ && (next_chaos() & 3) == 0) return kNoRegister;
  if (!vector) {
    for (const u8 reg : kGpScratch)
      if (first_[reg] == kNoOwner && !(locked_ & reg_bit(reg))) return reg;
    return kNoRegister;
  }
  const u64 order = kXmmScratchMask & ~locked_;
  for (u64 m = order; m; m &= m - 1) {
    const unsigned reg = static_cast<unsigned>(std::countr_zero(m));
    if (first_[reg] == kNoOwner) return reg;
  }
  return kNoRegister;
}

/// Makes `wanted` scratch registers free, if that many can be, and keeps what follows in this inst from spilling while
/// there are any: once a way out of line is open, a spill after it would be missing on that way. For the same reason
/// only the first way out of an inst does this. The call for vector registers comes last.
void Emitter::keep_free(unsigned wanted, bool vector) {
  if (calm_) return;
  calm_ = vector;
  u64 owned = 0;
  unsigned have = 0;
  for (u64 m = (vector ? kXmmScratchMask : kGpScratchMask) & ~locked_; m; m &= m - 1) {
    const unsigned reg = static_cast<unsigned>(std::countr_zero(m));
    first_[reg] == kNoOwner ? static_cast<void>(++have) : static_cast<void>(owned |= reg_bit(reg));
  }
  for (; have < wanted && owned != 0; ++have) {
    const unsigned reg = pick_victim(owned);
    owned &= ~reg_bit(reg);
    while (first_[reg] != kNoOwner) spill(first_[reg], reg);
  }
}

/// A scratch register for the current inst, spilling somebody if need be.
unsigned Emitter::take(bool vector) {
  unsigned reg = find_free(vector);
  if (reg == kNoRegister) {
    const u64 candidates = (vector ? kXmmScratchMask : kGpScratchMask) & ~locked_;
    CHECK_MSG(candidates != 0, "out of scratch registers");
    reg = pick_victim(candidates);
    while (first_[reg] != kNoOwner) spill(first_[reg], reg);
  }
  lock(reg);
  return reg;
}

/// Takes a value out of `reg`, keeping it elsewhere if it is still needed. Keeps EFLAGS.
void Emitter::spill(u32 index, unsigned reg) {
  ValueState& s = state_[index];
  remove(index);
  if (s.last_use < index_ || inst(Value{index}).op == Opcode::Const || inst(Value{index}).op == Opcode::VConst) return;
  if (s.spill >= 0) return;
  if (in_slot_memory(s)) return put_in_slot(index, s.slot);
  s.spill = take_spill();
  if (is_xmm_reg(reg))
    store(spill_mem(s.spill, 16), xmm(reg), 128);
  else
    a.mov(spill_mem(s.spill, 8), gp(reg));
}

/// Empties `reg`; values needed after (or in) this inst move to a free register or are spilled. Keeps EFLAGS.
void Emitter::evict(unsigned reg) {
  bool wanted = false;
  for (u32 v = first_[reg]; v != kNoOwner; v = state_[v].next)
    wanted |= state_[v].last_use >= index_ && inst(Value{v}).op != Opcode::Const && state_[v].spill < 0;
  const unsigned to = wanted ? find_free(is_xmm_reg(reg)) : kNoRegister;
  if (to == kNoRegister) {
    while (first_[reg] != kNoOwner) spill(first_[reg], reg);
    return;
  }
  if (is_xmm_reg(reg))
    mov(xmm(to), xmm(reg));
  else
    a.mov(gp(to), gp(reg));
  while (first_[reg] != kNoOwner) {
    const u32 v = first_[reg];
    remove(v);
    put(v, to);
  }
}

/// The home `reg` is about to change: values needed later leave it, the rest is forgotten.
void Emitter::overwrite_home(unsigned reg) {
  for (u32 v = first_[reg]; v != kNoOwner;) {
    const u32 next = state_[v].next;
    if (state_[v].last_use <= index_) remove(v);
    v = next;
  }
  if (first_[reg] != kNoOwner) evict(reg);
}

/// The memory of `slot` is about to change.
void Emitter::rescue_slot(u16 slot) {
  ++slot_version_[slot];  // first: what is loaded here must not be taken for a copy of the memory
  while (slot_first_[slot] != kNoOwner) {
    const u32 v = slot_first_[slot];
    if (state_[v].last_use <= index_ || state_[v].spill >= 0) {
      remove(v);
      continue;
    }
    const u64 locked = locked_;
    load_value(v, wants_xmm(v));
    locked_ = locked;
  }
}

bool Emitter::occupied_later(unsigned reg) const {
  for (u32 v = first_[reg]; v != kNoOwner; v = state_[v].next)
    if (state_[v].last_use > index_) return true;
  return false;
}

u64 Emitter::reusable(Value v) const {
  const u8 place = state_[v.index].place;
  if (place >= kRegisterCount || occupied_later(place)) return 0;
  return reg_bit(place);
}

/// Chooses the register of result `index` and makes it its owner. Registers in `reusable` may be operands' that die
/// here.
unsigned Emitter::define(u32 index, bool vector, u64 reusable) {
  const unsigned hint = state_[index].hint;
  unsigned reg = kNoRegister;
  if (hint != kNoRegister && !is_flags(index) && is_xmm_reg(hint) == vector && !occupied_later(hint) &&
      (!(locked_ & reg_bit(hint)) || (reusable & reg_bit(hint))))
    reg = hint;
  if (reg == kNoRegister) {
    const u64 scratch = reusable & (vector ? kXmmScratchMask : kGpScratchMask);
    reg = scratch ? static_cast<unsigned>(std::countr_zero(scratch)) : take(vector);
  }
  own(index, reg);
  return reg;
}

void Emitter::own(u32 index, unsigned reg) {
  while (first_[reg] != kNoOwner) {
    const u32 v = first_[reg];
    remove(v);
    // Values that die here may still be asked for by a careless caller: then load_value finds no place and says so.
    DCHECK(state_[v].last_use <= index_ || state_[v].spill >= 0);
  }
  put(index, reg);
  lock(reg);
}

void Emitter::def_alias(u32 index, Value v) {
  const bool vector = wants_xmm(index);
  if (state_[v.index].place == kSlotMemory && in_slot_memory(state_[v.index])) {
    put_in_slot(index, state_[v.index].slot);
    return;
  }
  put(index, load_value(v.index, vector));
}

void Emitter::reserve(Gp reg) {
  DCHECK(!(locked_ & reg_bit(reg.id())));
  lock(reg.id());
  evict(reg.id());
}

bool Emitter::memory_of(u32 index, u32 size, Mem& out) const {
  const ValueState& s = state_[index];
  if (s.spill >= 0)
    out = spill_mem(s.spill, size);
  else if (s.place == kSlotMemory)
    out = state_field(layout_.slots[s.slot].offset, size);
  else
    return false;
  return true;
}

/// Copies value `index`, which is in memory or constant, into `reg`. Integers and floats come zero-extended unless
/// spilled. Keeps EFLAGS.
void Emitter::load_into(unsigned reg, u32 index) {
  const Inst& inst = f_->insts[index];
  const unsigned bits = ir::type_bits(inst.type);
  if (inst.op == Opcode::Const && !is_xmm_reg(reg)) return mov_imm(gp(reg), inst.imm);
  if (inst.op == Opcode::Const || inst.op == Opcode::VConst) {
    const U128 c = inst.op == Opcode::Const ? U128{inst.imm, 0} : f_->constant(inst.aux);
    return load_constant(xmm(reg), c);
  }
  Mem m;
  CHECK_MSG(memory_of(index, 8, m), "use of a value that is nowhere");
  if (is_xmm_reg(reg)) {
    m.setSize(16);
    return load(xmm(reg), m, state_[index].spill >= 0 ? 128 : bits);
  }
  m.setSize(bits == 1 ? 1 : bits / 8);
  if (bits == 64)
    a.mov(gp(reg), m);
  else if (bits == 32)
    a.mov(gp(reg).r32(), m);
  else
    a.movzx(gp(reg).r32(), m);
}

unsigned Emitter::load_value(u32 index, bool vector) {
  ValueState& s = state_[index];
  if (s.place < kRegisterCount) {
    CHECK(is_xmm_reg(s.place) == vector);
    lock(s.place);
    return s.place;
  }
  const Opcode op = f_->insts[index].op;
  if (s.place == kNowhere && s.spill < 0 && op != Opcode::Const && op != Opcode::VConst) {
    materialise(index);
    lock(s.place);
    return s.place;
  }
  const unsigned reg = take(vector);
  load_into(reg, index);
  if (!vector) {
    s.high_zero = true;
  } else if (s.spill < 0) {
    const U128 c = op == Opcode::VConst ? f_->constant(f_->insts[index].aux) : U128{};
    s.high_zero = f_->insts[index].type != Type::V128 || (op == Opcode::VConst && c.hi == 0);
  }
  remove(index);
  put(index, reg);
  return reg;
}

Gp Emitter::use_gp(Value v) {
  return gp(load_value(v.index, false));
}
Xmm Emitter::use_xmm(Value v) {
  return xmm(load_value(v.index, true));
}

Xmm Emitter::use_xmm_low(Value v) {
  const Xmm x = use_xmm(v);
  if (x.id() < 16) return x;
  const Xmm t = temp_xmm();
  mov(t, x);
  return t;
}

Gp Emitter::use_gp_zero_extended(Value v) {
  const Gp r = use_gp(v);
  const unsigned bits = bits_of(v);
  if (bits == 64 || high_zero(v)) return r;
  const Gp t = temp_gp();
  if (bits == 32)
    a.mov(t.r32(), r.r32());
  else if (bits == 16)
    a.movzx(t.r32(), r.r16());
  else
    a.movzx(t.r32(), r.r8());
  return t;
}

Operand_ Emitter::use_any(Value v) {
  const Type type = inst(v).type;
  u64 c;
  if (is_const(v, c) && state_[v.index].place == kNowhere) {
    if (type == Type::I32) return asmjit::Imm(static_cast<s32>(c));
    if (fits_s32(c)) return asmjit::Imm(static_cast<s64>(c));
  }
  const bool wide = type == Type::I64;
  Mem m;
  if (state_[v.index].place >= kRegisterCount && dies_here(v) && (wide || type == Type::I32) &&
      memory_of(v.index, wide ? 8 : 4, m))
    return m;
  return sized(use_gp(v), type);
}

void Emitter::fetch(Gp dst, Value v) {
  const ValueState& s = state_[v.index];
  if (s.place < kRegisterCount || !is_in_memory_or_const(v.index)) {
    const Gp src = use_gp(v);
    if (src.id() != dst.id())
      a.mov(sized(dst, bits_of(v) == 64 ? Type::I64 : Type::I32), sized(src, bits_of(v) == 64 ? Type::I64 : Type::I32));
    return;
  }
  load_into(dst.id(), v.index);
}

void Emitter::fetch(Xmm dst, Value v) {
  if (state_[v.index].place < kRegisterCount) return mov(dst, use_xmm(v));
  load_into(kXmm0 + dst.id(), v.index);
}

bool Emitter::is_in_memory_or_const(u32 index) const {
  const ValueState& s = state_[index];
  const Opcode op = f_->insts[index].op;
  return s.place == kSlotMemory || s.spill >= 0 || op == Opcode::Const || op == Opcode::VConst;
}

// -- moves ------------------------------------------------------------------------------------------------------------

void Emitter::mov_imm(Gp dst, u64 value) {
  if (value == 0 && eflags_.owner == kNoOwner && !eflags_busy_)
    a.xor_(dst.r32(), dst.r32());
  else if (value <= 0xffffffff)
    a.mov(dst.r32(), asmjit::Imm(static_cast<u32>(value)));
  else
    a.mov(dst.r64(), asmjit::Imm(value));
}

void Emitter::mov(Xmm dst, Xmm src) {
  if (dst.id() == src.id()) return;
  if (dst.id() >= 16 || src.id() >= 16)
    a.vmovdqa64(dst, src);
  else if (cpu_.avx)
    a.vmovaps(dst, src);
  else
    a.movaps(dst, src);
}

void Emitter::mov_zero_extended(Xmm dst, Xmm src, unsigned bits) {
  if (bits == 128) return mov(dst, src);
  if (bits == 64) {
    cpu_.avx ? a.vmovq(dst, src) : a.movq(dst, src);
    return;
  }
  if (cpu_.avx512vl) {  // all lanes but the lowest masked to zero
    a.vinsertps(dst, src, src, 0x0e);
  } else if (cpu_.avx) {
    a.vinsertps(dst, src, src, 0x0e);
  } else {
    mov(dst, src);
    a.insertps(dst, dst, 0x0e);
  }
}

void Emitter::load(Xmm dst, const Mem& m, unsigned bits) {
  if (bits == 128)
    dst.id() >= 16 ? a.vmovdqu64(dst, m) : cpu_.avx ? a.vmovups(dst, m) : a.movups(dst, m);
  else if (bits == 64)
    cpu_.avx ? a.vmovsd(dst, with_size(m, 8)) : a.movsd(dst, with_size(m, 8));
  else
    cpu_.avx ? a.vmovss(dst, with_size(m, 4)) : a.movss(dst, with_size(m, 4));
}

void Emitter::store(const Mem& m, Xmm src, unsigned bits) {
  if (bits == 128)
    src.id() >= 16 ? a.vmovdqu64(m, src) : cpu_.avx ? a.vmovups(m, src) : a.movups(m, src);
  else if (bits == 64)
    cpu_.avx ? a.vmovsd(with_size(m, 8), src) : a.movsd(with_size(m, 8), src);
  else
    cpu_.avx ? a.vmovss(with_size(m, 4), src) : a.movss(with_size(m, 4), src);
}

void Emitter::load_constant(Xmm dst, const U128& c) {
  if (c == U128{}) {
    if (dst.id() >= 16)
      a.vpxord(dst, dst, dst);
    else if (cpu_.avx)
      a.vpxor(dst, dst, dst);
    else
      a.pxor(dst, dst);
    return;
  }
  load(dst, constant(c), 128);
}

Mem Emitter::with_size(Mem m, u32 size) {
  m.setSize(size);
  return m;
}

}  // namespace tiercel::backend::x64
