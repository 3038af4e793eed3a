// A machine's guest memory. Each access probes a table of the vCPU's TLB in line; what is not there is looked up out of
// line and goes on with the host address, or leaves before the insn did anything.
//
// Accesses of a block that are constants apart make a group. Its first one probes for all the bytes from the lowest to
// the highest and keeps the host address of the lowest in the frame; the others need no probe. Zero, where the bytes
// are not in one page or the page has no entry, sends each of them its own way. That the address stays good is what
// docs/fast-tier.md explains.
#include <algorithm>

#include "backend/x64/emitter.h"

namespace tiercel::backend::x64 {
namespace {

constexpr s64 kFar = s64{1} << 30;
constexpr s64 kMostBytes = 256;  // of a group: the more, the likelier it is that they are in two pages

bool is_plain(Opcode op) {
  return op == Opcode::Load || op == Opcode::Store;
}

u32 access_of(const Inst& inst, u32 size) {
  const u32 kind = inst.op == Opcode::Load ? 0 : kTlbFillWrite;
  return size | kind | (inst.mem().user ? kTlbFillUser : 0) | (is_plain(inst.op) ? 0 : kTlbFillAtomic);
}

}  // namespace

/// Which accesses of the block are probed together. If any of them is a store, the page has to be one that can be
/// written: they are all executed, or the block is left.
void Emitter::find_groups() {
  groups_.clear();
  group_of_.assign(f_->insts.size(), kNoGroup);
  for (u32 i = 0; i < f_->insts.size(); ++i) {
    const Inst& inst = f_->insts[i];
    const s64 displacement = static_cast<s64>(inst.imm);
    if (!is_plain(inst.op) || displacement < -kFar || displacement > kFar) continue;
    const bool pair = pairs_with_next(i);
    const ir::Place at = ir::place_of(*f_, inst);
    if (at.shift > 3) continue;
    const s64 high = at.distance + inst.mem().bytes() * (pair ? 2 : 1);
    const bool user = inst.mem().user;
    const auto fits = [&](const PageGroup& g) {
      return g.at.root == at.root && g.at.index == at.index && g.at.shift == at.shift && g.user == user &&
             std::max(g.high, high) - std::min(g.at.distance, at.distance) <= kMostBytes;
    };
    auto g = std::find_if(groups_.rbegin(), groups_.rend(), fits);
    if (g == groups_.rend()) {
      groups_.push_back({.at = at, .high = high, .user = user});
      g = groups_.rbegin();
    }
    g->at.distance = std::min(g->at.distance, at.distance);
    g->high = std::max(g->high, high);
    g->write |= inst.op == Opcode::Store;
    ++g->lookups;
    group_of_[i] = static_cast<u32>(&*g - groups_.data());
    if (pair) group_of_[i + 1] = group_of_[i];
    if (pair) ++i;
    g->last = i;
  }
}

/// The group of the inst being emitted, if there is more than one lookup in it.
Emitter::PageGroup* Emitter::group() {
  if (group_of_[index_] == kNoGroup) return nullptr;
  PageGroup& g = groups_[group_of_[index_]];
  return g.lookups > 1 ? &g : nullptr;
}

/// A register for the address: the base's own if no other can be had.
Gp Emitter::address_register(Gp base) {
  if ((kGpScratchMask & ~locked_) != 0) return temp_gp();
  while (first_[base.id()] != kNoOwner) spill(first_[base.id()], base.id());
  return base;
}

/// `v` has served; its register may serve something else unless another operand is there too.
void Emitter::release_operand(const Inst& inst, Value v) {
  const u8 place = state_[v.index].place;
  if (place >= kRegisterCount) return;
  for (const Value other : inst.args)
    if (other && other != v && state_[other.index].place == place) return;
  locked_ &= ~reg_bit(place);
}

/// The operands of the address `more` behind that of `inst`, in registers.
Emitter::GuestAddress Emitter::guest_address(const Inst& inst, s64 more) {
  const bool plain = is_plain(inst.op);
  GuestAddress at{.base = inst.args[inst.op == Opcode::CasIf ? 1 : 0]};
  if (plain) at.index = inst.args[1];
  if (at.index) at.shift = inst.mem().index_shift;
  at.displacement = (plain ? static_cast<s64>(inst.imm) : 0) + more;
  at.can_stay_apart = plain && at.is_near() && at.shift <= 3;
  at.base_reg = use_gp(at.base);
  if (at.index) at.index_reg = use_gp(at.index);
  return at;
}

/// Their sum, in a register of its own. They may have given it theirs.
Gp Emitter::sum_of(const GuestAddress& at) {
  const Gp t = address_register(at.base_reg);
  const s32 near = at.is_near() ? static_cast<s32>(at.displacement) : 0;
  if (at.index && at.shift > 3) {
    a.lea(t, x86::ptr(at.index_reg, at.index_reg));
    a.lea(t, x86::ptr(at.base_reg, t, at.shift - 1, near));
  } else if (at.index) {
    a.lea(t, x86::ptr(at.base_reg, at.index_reg, at.shift, near));
  } else if (near != 0) {
    a.lea(t, x86::ptr(at.base_reg, near));
  } else {
    a.mov(t, at.base_reg);
  }
  if (at.is_near()) return t;
  // Added in two steps: a third register may not be there.
  s64 rest = at.displacement;
  while (rest != 0) {
    const s64 step = std::clamp<s64>(rest, -0x7fff'ffff, 0x7fff'ffff);
    a.add(t, asmjit::Imm(step));
    rest -= step;
  }
  return t;
}

/// Whether the inst after this one accesses what follows, as the second half of the same guest insn: they are looked up
/// together.
bool Emitter::pairs_with_next(u32 index) const {
  if (index + 1 >= f_->insts.size()) return false;
  const Inst &one = f_->insts[index], &two = f_->insts[index + 1];
  if (!is_plain(one.op) || one.op != two.op || one.aux != two.aux) return false;
  if (one.args[0] != two.args[0] || one.args[1] || two.args[1]) return false;
  return !one.mem().aligned && !one.mem().release && two.imm == one.imm + one.mem().bytes();
}

/// Cold: asks about guest address `t`, which becomes the host's less `less`.
void Emitter::ask(Gp t, u32 access, s32 less, Label refused) {
  a.mov(x86::qword_ptr(x86::rsp, frame::kAddress), t);
  a.mov(x86::dword_ptr(x86::rsp, frame::kSelector), asmjit::Imm(access));
  a.call(stub_field(Stub::TlbFill));
  a.mov(t, x86::qword_ptr(x86::rsp, frame::kAddress));
  a.jz(refused);
  if (less != 0) a.sub(t, less);
}

/// Cold: as `ask`, and goes on. The second half of a pair is looked up by itself.
void Emitter::fill(const Lookup& l) {
  const Label refused = a.newLabel();
  const Mem kept = x86::qword_ptr(x86::rsp, frame::kPair), first = x86::qword_ptr(x86::rsp, frame::kFirst);
  if (l.apart()) a.mov(gp(l.distance), l.t);
  if (l.pair) a.mov(kept, l.t);
  ask(l.t, l.access, l.less, refused);
  if (l.pair) {
    const s32 size = static_cast<s32>(l.access & 0xff);
    a.mov(first, l.t);
    a.mov(l.t, kept);
    a.add(l.t, size);
    ask(l.t, l.access | kTlbFillSecond, l.less + size, refused);
    a.mov(kept, l.t);
    a.mov(l.t, first);
  }
  if (l.apart()) {  // t: the host address, distance: the guest's, both of the first byte
    if (l.less != 0) a.sub(gp(l.distance), l.less);
    a.sub(l.t, gp(l.distance));
    a.xchg(l.t, gp(l.distance));
    if (l.base != kNoRegister) a.add(gp(l.distance), gp(l.base));
  }
  a.jmp(l.back);
  a.bind(refused);
  mov_pc(x86::rcx, l.pc);
  a.jmp(stub_field(Stub::SlowAccess));
}

Emitter::Lookup Emitter::lookup(const Inst& inst, Gp t, u32 size, s32 less) {
  const bool pair = paired_ != index_ && pairs_with_next(index_);
  if (pair) paired_ = index_ + 1;
  return {.t = t, .access = access_of(inst, size), .less = less, .pair = pair, .back = a.newLabel(), .pc = guest_pc_};
}

/// A scratch register of an operand that nobody needs once its sum is there, or kNoRegister.
u8 Emitter::served_operand(const Inst& inst, const GuestAddress& at) const {
  for (const Value v : {at.index, at.base}) {
    const u64 free = reusable(v) & kGpScratchMask;
    const auto keeps = [&](Value other) {
      return other && other != at.base && other != at.index && (reusable(other) & free) != 0;
    };
    if (free != 0 && std::none_of(std::begin(inst.args), std::end(inst.args), keeps)) return state_[v.index].place;
  }
  return kNoRegister;
}

/// Chooses the registers of a probe for guest address `l.t`, the sum of `at`.
Emitter::Probe Emitter::plan_probe(const Inst& inst, Lookup& l, const GuestAddress& at) {
  const u64 locked = locked_;
  const auto another = [this] {
    const unsigned reg = find_free(false);
    if (reg != kNoRegister) lock(reg);
    return static_cast<u8>(reg);
  };
  const u8 entry = another();
  Probe p{.entry = gp(entry), .compared = l.t, .borrowed = entry == kNoRegister};
  if (p.borrowed) {
    p.entry = x86::r14;
    a.mov(x86::qword_ptr(x86::rsp, frame::kBorrowed), p.entry);
  } else {
    p.table = another();
  }
  if (cpu_.bmi1 && p.table != kNoRegister) p.scale = 3;
  const bool apart = !p.borrowed && at.can_stay_apart && at.base_reg.id() != l.t.id();
  u8 copy = apart && !at.index ? kNoRegister : another();
  if (apart && at.index && copy == kNoRegister) copy = served_operand(inst, at);
  if (copy != kNoRegister) p.compared = gp(copy);
  locked_ = locked;
  if (!apart) return p;
  lock(entry);
  l.distance = entry;
  if (at.index && copy == kNoRegister) l.base = static_cast<u8>(at.base_reg.id());
  return p;
}

/// Compares: above, if not all of the bytes are in a page that is known.
void Emitter::compare_page(const Probe& p, Gp t, const Wanted& w) {
  const Mem table = w.user    ? w.write ? TIERCEL_CONTEXT(tlb_user_write) : TIERCEL_CONTEXT(tlb_user_read)
                       : w.write ? TIERCEL_CONTEXT(tlb_write)
                              : TIERCEL_CONTEXT(tlb_read);
  constexpr u32 kScale = 3;
  static_assert(sizeof(TlbArrays::page[0]) == 1 << kScale);
  if (p.scale != 0) {
    a.mov(gp(p.table).r32(), asmjit::Imm(12 | kTlbBits << 8));
    a.bextr(p.entry, t, gp(p.table));
  } else {
    if (cpu_.bmi2) {
      a.rorx(p.entry, t, 12 - kScale);
    } else {
      a.mov(p.entry, t);
      a.shr(p.entry, 12 - kScale);
    }
    a.and_(p.entry.r32(), asmjit::Imm((kTlbSize - 1) << kScale));
  }
  p.table != kNoRegister ? a.mov(gp(p.table), table) : a.add(p.entry, table);
  if (p.compared.id() != t.id()) a.mov(p.compared, t);
  a.xor_(p.compared, entry_field(p, offsetof(TlbArrays, page)));
  a.cmp(p.compared, asmjit::Imm(static_cast<s64>(kPageSize) - w.bytes));
}

/// One step less than to add the table's address, where there is a register for it.
Mem Emitter::entry_field(const Probe& p, std::size_t offset) {
  const s32 at = static_cast<s32>(offset);
  return p.table != kNoRegister ? x86::qword_ptr(gp(p.table), p.entry, p.scale, at) : x86::qword_ptr(p.entry, at);
}

void Emitter::end_probe(const Probe& p) {
  if (p.borrowed) a.mov(p.entry, x86::qword_ptr(x86::rsp, frame::kBorrowed));
}

/// The host memory `more` behind what was probed for.
Mem Emitter::found(const Lookup& l, const GuestAddress& at, s32 more) {
  const Gp distance = l.apart() ? gp(l.distance) : Gp();
  if (!l.apart()) return x86::ptr(l.t, more);
  if (at.index && l.base == kNoRegister) return x86::ptr(l.t, distance, 0, more);
  const s32 displacement = static_cast<s32>(at.displacement) + more;
  if (at.index) return x86::ptr(distance, at.index_reg, at.shift, displacement);
  return x86::ptr(at.base_reg, distance, 0, displacement);
}

/// In a block that is watched: notes guest address `t`. Changes EFLAGS.
void Emitter::note_address(Gp t) {
  const auto is_access = [](const Inst& inst) { return is_plain(inst.op); };
  const auto before = std::count_if(f_->insts.begin(), f_->insts.begin() + index_, is_access);
  if (!is_plain(f_->insts[index_].op) || before >= WatchNotes::kAccesses) return;
  const Gp notes = t.id() == x86::r14.id() ? x86::r13 : x86::r14, ring = t.id() == x86::r12.id() ? x86::r11 : x86::r12;
  const Mem kept = x86::qword_ptr(x86::rsp, frame::kBorrowed), kept_too = x86::qword_ptr(x86::rsp, frame::kAddress);
  const s32 at = static_cast<s32>(f_->watch * sizeof(WatchNotes));
  const s32 row = at + static_cast<s32>(offsetof(WatchNotes, addresses) + before * sizeof(WatchNotes::addresses[0]));
  a.mov(kept, notes);
  a.mov(kept_too, ring);
  a.mov(notes, TIERCEL_CONTEXT(watches));
  a.mov(ring.r32(), x86::dword_ptr(notes, at + static_cast<s32>(offsetof(WatchNotes, count))));
  a.and_(ring.r32(), WatchNotes::kAddresses - 1);
  a.mov(x86::qword_ptr(notes, ring, 3, row), t);
  a.mov(notes, kept);
  a.mov(ring, kept_too);
}

/// Probes for guest address `l.t`, the sum of `at`, and gives the host memory `l.less` behind it. What can be found of
/// it before the page's distance is there stays apart from that: its load is the last thing an access waits for.
Mem Emitter::probe(const Inst& inst, Lookup& l, const GuestAddress& at, const Wanted& w) {
  if (f_->watch != 0) note_address(l.t);
  const Probe p = plan_probe(inst, l, at);
  const bool copied = p.compared.id() != l.t.id();
  compare_page(p, l.t, w);
  a.ja(cold([p, l, copied, slot = w.slot](Emitter& e) {
    if (!copied) e.a.xor_(l.t, entry_field(p, offsetof(TlbArrays, page)));
    e.end_probe(p);
    if (slot >= 0) e.a.mov(e.spill_mem(slot, 8), asmjit::Imm(0));
    if (l.less != 0) e.a.add(l.t, l.less);
    e.fill(l);
  }));
  if (l.apart()) {
    a.mov(p.entry, entry_field(p, offsetof(TlbArrays, distance)));
    if (l.base != kNoRegister) a.add(p.entry, at.base_reg);
  } else {
    if (!copied) a.xor_(l.t, entry_field(p, offsetof(TlbArrays, page)));
    a.add(l.t, entry_field(p, offsetof(TlbArrays, distance)));
    end_probe(p);
  }
  if (w.slot >= 0 || l.pair) {
    const Gp whole = l.apart() ? p.compared : l.t;
    if (l.apart()) a.lea(whole, found(l, at, 0));
    a.mov(w.slot >= 0 ? spill_mem(w.slot, 8) : x86::qword_ptr(x86::rsp, frame::kPair), whole);
  }
  a.bind(l.back);
  const bool sum_serves = !l.apart() || (at.index && l.base == kNoRegister);
  if (!sum_serves) locked_ &= ~reg_bit(l.t.id());
  if (sum_serves) release_operand(inst, at.base);
  if (sum_serves && at.index) release_operand(inst, at.index);
  return with_size(found(l, at, l.less), l.access & 0xff);
}

Mem Emitter::translated_address(const Inst& inst, u32 size) {
  if (PageGroup* g = group()) return grouped_address(inst, size, *g);
  if (paired_ == index_) {
    const Gp t = temp_gp();
    a.mov(t, x86::qword_ptr(x86::rsp, frame::kPair));
    return x86::ptr(t, static_cast<s32>(size), size);
  }
  const GuestAddress at = guest_address(inst, 0);
  Lookup l = lookup(inst, sum_of(at), size, 0);
  return probe(inst, l, at, {inst.op != Opcode::Load, inst.mem().user, l.pair ? 2 * size : size, -1});
}

/// Where a value can be read out of line from here, before the inst ends.
Operand_ Emitter::where(Value v) {
  if (const u8 place = state_[v.index].place; place < kRegisterCount) {
    lock(place);
    return gp(place);
  }
  Mem m;
  return memory_of(v.index, 8, m) ? Operand_(m) : Operand_(use_gp(v));
}

Mem Emitter::grouped_address(const Inst& inst, u32 size, PageGroup& g) {
  const s32 offset = static_cast<s32>(ir::place_of(*f_, inst).distance - g.at.distance);
  if (g.slot < 0) {
    g.slot = take_spill();
    const GuestAddress at = guest_address(inst, -offset);
    Lookup l = lookup(inst, sum_of(at), size, offset);
    return probe(inst, l, at, {g.write, g.user, g.high - g.at.distance, g.slot});
  }
  const bool second = paired_ == index_;
  const Gp t = temp_gp();
  const Operand_ base = where(inst.args[0]), index = inst.args[1] ? where(inst.args[1]) : Operand_();
  const Lookup l = lookup(inst, t, size, offset);
  a.mov(t, spill_mem(g.slot, 8));
  a.test(t, t);
  if (second) {
    a.jz(cold([l](Emitter& e) {
      e.a.mov(l.t, x86::qword_ptr(x86::rsp, frame::kPair));
      e.a.jmp(l.back);
    }));
  } else {
    const s32 displacement = static_cast<s32>(inst.imm);
    a.jz(cold([l, base, index, shift = inst.mem().index_shift, displacement](Emitter& e) {
      if (!index.isNone()) {
        e.a.emit(x86::Inst::kIdMov, l.t, index);
        if (shift != 0) e.a.shl(l.t, shift);
      }
      e.a.emit(index.isNone() ? x86::Inst::kIdMov : x86::Inst::kIdAdd, l.t, base);
      if (displacement != 0) e.a.add(l.t, displacement);
      e.fill(l);
    }));
  }
  a.bind(l.back);
  if (index_ == g.last) free_spills_.push_back(g.slot);
  return x86::ptr(t, offset, size);
}

}  // namespace tiercel::backend::x64
