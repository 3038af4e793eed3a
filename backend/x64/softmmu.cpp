// A machine's guest memory. Each access probes a table of the vCPU's TLB in line; what is not there is looked up out of
// line and goes on with the host address, or leaves before the insn did anything.
//
// Accesses of a block from one base, constants apart, make a group. Its first access probes for all the bytes from the
// lowest to the highest and keeps in the frame how far guest and host memory are apart; the others need no probe. Zero,
// where the bytes are not in one page or the page has no entry, sends each of them its own way. That the distance stays
// good is what docs/fast-tier.md explains.
#include <algorithm>

#include "backend/x64/emitter.h"
#include "ir/fold.h"

namespace tiercel::backend::x64 {
namespace {

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
    if (!is_plain(inst.op) || inst.args[1]) continue;
    const bool pair = pairs_with_next(i);
    const auto [root, distance] = ir::rooted(*f_, inst.args[0]);
    const s64 low = distance + static_cast<s64>(inst.imm), high = low + inst.mem().bytes() * (pair ? 2 : 1);
    const bool user = inst.mem().user;
    const auto fits = [&, root = root](const PageGroup& g) {
      return g.root == root && g.user == user && std::max(g.high, high) - std::min(g.low, low) <= kMostBytes;
    };
    auto g = std::find_if(groups_.rbegin(), groups_.rend(), fits);
    if (g == groups_.rend()) {
      if (low != static_cast<s32>(low) || distance != static_cast<s32>(distance)) continue;
      groups_.push_back({.root = root, .low = low, .high = high, .user = user});
      g = groups_.rbegin();
    }
    g->low = std::min(g->low, low);
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

/// The guest address in a register of its own.
Gp Emitter::guest_address(const Inst& inst) {
  const bool plain = inst.op == Opcode::Load || inst.op == Opcode::Store;
  const Gp base = use_gp(inst.args[inst.op == Opcode::CasIf ? 1 : 0]);
  const bool indexed = plain && inst.args[1];
  const Gp index = indexed ? use_gp(inst.args[1]) : Gp();
  const s64 disp = plain ? static_cast<s64>(inst.imm) : 0;
  const bool small = disp == static_cast<s32>(disp);
  const s32 near = small ? static_cast<s32>(disp) : 0;
  const Gp t = address_register(base);
  if (indexed && inst.mem().index_shift > 3) {
    a.lea(t, x86::ptr(index, index));
    a.lea(t, x86::ptr(base, t, inst.mem().index_shift - 1, near));
  } else if (indexed) {
    a.lea(t, x86::ptr(base, index, inst.mem().index_shift, near));
  } else if (near != 0) {
    a.lea(t, x86::ptr(base, near));
  } else {
    a.mov(t, base);
  }
  release_operand(inst, inst.args[inst.op == Opcode::CasIf ? 1 : 0]);
  if (indexed) release_operand(inst, inst.args[1]);
  if (small) return t;
  // Added in two steps: a third register may not be there.
  s64 rest = disp;
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

/// Cold: asks about guest address `t`, which becomes what `stub` answers.
void Emitter::ask(Stub stub, Gp t, u32 access, Label refused) {
  a.mov(x86::qword_ptr(x86::rsp, frame::kAddress), t);
  a.mov(x86::dword_ptr(x86::rsp, frame::kSelector), asmjit::Imm(access));
  a.call(stub_field(stub));
  a.mov(t, x86::qword_ptr(x86::rsp, frame::kAddress));
  a.jz(refused);
}

/// Cold: as `ask`, and goes on; for a pair, each half by itself.
void Emitter::fill(Stub stub, Gp t, u32 access, bool pair, u64 pc, Label back) {
  const Label refused = a.newLabel();
  const Mem kept = x86::qword_ptr(x86::rsp, frame::kPair), first = x86::qword_ptr(x86::rsp, frame::kFirst);
  const s32 size = static_cast<s32>(access & 0xff);
  if (pair) a.mov(kept, t);
  ask(stub, t, access, refused);
  if (pair) {
    a.mov(first, t);
    a.mov(t, kept);
    a.add(t, size);
    ask(stub, t, access | kTlbFillSecond, refused);
    if (stub == Stub::TlbFill) a.sub(t, size);
    a.mov(kept, t);
    a.mov(t, first);
  }
  a.jmp(back);
  a.bind(refused);
  mov_pc(x86::rcx, pc);
  a.jmp(stub_field(Stub::SlowAccess));
}

/// Probes the TLB with the guest address in `t`. A hit leaves the offset within the page there and the entry in the
/// register that this gives; all others survive. The caller calls end_probe; what jumps to `miss` does so as well.
Emitter::Probe Emitter::begin_probe(Gp t, bool write, bool user, s64 bytes) {
  const unsigned free = find_free(false);
  const bool borrowed = free == kNoRegister;
  const Gp u = gp(borrowed ? x86::r14.id() : free);
  if (borrowed) a.mov(x86::qword_ptr(x86::rsp, frame::kBorrowed), u);
  static_assert(sizeof(TlbEntry) == 16);
  if (cpu_.bmi2) {
    a.rorx(u, t, 12 - 4);
  } else {
    a.mov(u, t);
    a.shr(u, 12 - 4);
  }
  a.and_(u.r32(), asmjit::Imm((kTlbSize - 1) << 4));
  if (user)
    a.add(u, write ? TIERCEL_CONTEXT(tlb_user_write) : TIERCEL_CONTEXT(tlb_user_read));
  else
    a.add(u, write ? TIERCEL_CONTEXT(tlb_write) : TIERCEL_CONTEXT(tlb_read));
  a.xor_(t, x86::qword_ptr(u, offsetof(TlbEntry, page)));
  a.cmp(t, asmjit::Imm(static_cast<s64>(kPageSize) - bytes));
  return {u, borrowed};
}

void Emitter::end_probe(const Probe& p) {
  if (p.borrowed) a.mov(p.entry, x86::qword_ptr(x86::rsp, frame::kBorrowed));
}

/// A hit leaves the offset within the page in the address's register, which the page's host address is added to.
Mem Emitter::translated_address(const Inst& inst, u32 size) {
  if (PageGroup* g = group()) return grouped_address(inst, size, *g);
  if (paired_ == index_) {
    const Gp t = temp_gp();
    a.mov(t, x86::qword_ptr(x86::rsp, frame::kPair));
    return x86::ptr(t, static_cast<s32>(size), size);
  }
  const bool pair = pairs_with_next(index_);
  const Gp t = guest_address(inst);
  const Probe p = begin_probe(t, inst.op != Opcode::Load, inst.mem().user, pair ? 2 * size : size);
  const Label back = a.newLabel();
  a.ja(cold([t, p, access = access_of(inst, size), back, pair, pc = guest_pc_](Emitter& e) {
    e.a.xor_(t, x86::qword_ptr(p.entry, offsetof(TlbEntry, page)));
    e.end_probe(p);
    e.fill(Stub::TlbFill, t, access, pair, pc, back);
  }));
  a.add(t, x86::qword_ptr(p.entry, offsetof(TlbEntry, host)));
  end_probe(p);
  if (pair) {
    a.mov(x86::qword_ptr(x86::rsp, frame::kPair), t);
    paired_ = index_ + 1;
  }
  a.bind(back);
  return x86::ptr(t, 0, size);
}

/// Cold: one access of a group by itself, or a pair of them.
void Emitter::alone(const GroupAccess& g) {
  a.lea(g.t, x86::ptr(g.base, g.displacement));
  fill(Stub::TlbDistance, g.t, g.access, g.pair, g.pc, g.back);
}

Mem Emitter::grouped_address(const Inst& inst, u32 size, PageGroup& g) {
  const Gp base = use_gp(inst.args[0]), t = temp_gp();
  const s32 displacement = static_cast<s32>(inst.imm);
  const bool second = paired_ == index_, pair = !second && pairs_with_next(index_);
  if (pair) paired_ = index_ + 1;
  const GroupAccess access = {t, base, displacement, access_of(inst, size), pair, a.newLabel(), guest_pc_};
  if (g.slot < 0) {
    probe_group(g, access, ir::rooted(*f_, inst.args[0]).distance);
  } else {
    a.mov(t, spill_mem(g.slot, 8));
    a.test(t, t);
    a.jz(cold([access, second](Emitter& e) {
      if (!second) return e.alone(access);
      e.a.mov(access.t, x86::qword_ptr(x86::rsp, frame::kPair));
      e.a.jmp(access.back);
    }));
  }
  a.bind(access.back);
  if (index_ == g.last) free_spills_.push_back(g.slot);
  return x86::ptr(t, base, 0, displacement, size);
}

/// By the first access, whose base is `distance` from the group's.
void Emitter::probe_group(PageGroup& g, const GroupAccess& access, s64 distance) {
  const Gp t = access.t;
  g.slot = take_spill();
  a.lea(t, x86::ptr(access.base, static_cast<s32>(g.low - distance)));
  const Probe p = begin_probe(t, g.write, g.user, g.high - g.low);
  a.ja(cold([p, slot = g.slot, access](Emitter& e) {
    e.end_probe(p);
    e.a.mov(e.spill_mem(slot, 8), asmjit::Imm(0));
    e.alone(access);
  }));
  a.mov(t, x86::qword_ptr(p.entry, offsetof(TlbEntry, host)));
  a.sub(t, x86::qword_ptr(p.entry, offsetof(TlbEntry, page)));
  end_probe(p);
  a.mov(spill_mem(g.slot, 8), t);
}

}  // namespace tiercel::backend::x64
