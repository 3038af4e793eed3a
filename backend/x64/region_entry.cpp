// What stands around the code of a region: the way in from blocks, and a way out per exit. In the order of the code:
//
//   entry        in a machine, checks that the region's code is where it was; moves guest registers to where the region
//                expects them and jumps to it
//   ways out     one per exit; those of kind Interrupt and Fault begin where the shared way ends
//   shared way   for stops, with the exit's index in eax: fetches guest registers from the state block
//   exit table   per exit: where its way out is, counted from the table
//   fault table  RegionFaultTable and its arrays
//   region       RegionCode::code, its jumps bound to the ways out
//
// Guest registers: an integer slot's home and its argument register are mostly the same. Vector slots go through the
// state block, but only those the region uses, and those whose home it changes.
#include <cstring>

#include "backend/region_code.h"
#include "backend/x64/emitter.h"
#include "base/bits.h"

namespace tiercel::backend::x64 {
namespace {

constexpr u32 kRegionAlignment = 64;
/// The homes of the first and the sixth integer slot are not argument registers.
const Gp kArgument0 = x86::rdx, kArgument5 = x86::rcx;
const Gp kHome0 = x86::rbp, kHome5 = x86::r10;

}  // namespace

void Emitter::wrap_region(const RegionCode& region, const RegionPlace& place, CompiledCode& out) {
  ir::Function head;
  head.pc = place.pc;
  head.relative = place.relative;
  head.origin = place.origin;
  out.clear();
  out_ = &out;
  begin(head, false);
  out.alignment = kRegionAlignment;
  const Label exits = a.newLabel(), faults = a.newLabel(), shared = a.newLabel(), entry = a.newLabel();
  check_pages(place);
  move_vectors(region.vectors_read, region.xmm_changed, true);
  a.lea(x86::rax, x86::ptr(faults));
  a.mov(TIERCEL_CONTEXT(region_faults), x86::rax);
  a.mov(kArgument0, kHome0);
  a.mov(kArgument5, kHome5);
  a.sub(x86::rsp, 8);
  a.jmp(entry);

  std::vector<Label> ways;
  for (const RegionExit& e : region.exits) {
    ways.push_back(a.newLabel());
    a.bind(ways.back());
    region_way_out(e, region);
  }
  a.bind(shared);
  shared_way_out(region, exits);
  emit_cold();
  emit_exit_stubs();

  a.align(asmjit::AlignMode::kZero, 4);
  a.bind(exits);
  const u64 base = code_.labelOffset(exits);
  for (const Label& way : ways) {
    const u32 distance = static_cast<u32>(code_.labelOffset(way) - base);
    a.embed(&distance, sizeof distance);
  }
  a.align(asmjit::AlignMode::kZero, 8);
  a.bind(faults);
  embed_fault_table(region, shared);
  a.align(asmjit::AlignMode::kZero, kRegionAlignment);
  embed_region(region, ways, entry);
  finish(out);
  f_ = nullptr;
}

void Emitter::check_pages(const RegionPlace& place) {
  if (place.others.empty()) return;
  const Label moved = cold([pc = place.pc](Emitter& e) { e.leave_region_at(pc, Reason::RegionMoved); });
  a.mov(x86::rax, TIERCEL_CONTEXT(tlb_code));
  for (const TlbCodePage& p : place.others) {
    mov_pc(x86::rcx, p.page);
    const auto field = [&](std::size_t offset) {
      const s32 at = static_cast<s32>(offset);
      if (place.relative) return x86::ptr(x86::rax, x86::rdx, 0, at);
      return x86::ptr(x86::rax, at + static_cast<s32>(tlb_code_index(p.page) * sizeof(TlbCodePage)));
    };
    if (place.relative) code_page_index(x86::edx, x86::ecx);
    a.cmp(with_size(field(offsetof(TlbCodePage, page)), 8), x86::rcx);
    a.jne(moved);
    a.cmp(with_size(field(offsetof(TlbCodePage, space)), 4), asmjit::Imm(p.space));
    a.jne(moved);
  }
}

/// tlb_code_index of the page in `page`, times the size of an entry.
void Emitter::code_page_index(Gp index, Gp page) {
  static_assert(sizeof(TlbCodePage) == 1 << 4);
  a.mov(index, page);
  a.shr(index, 12);
  a.and_(index, asmjit::Imm(kTlbCodeSize - 1));
  a.shl(index, 4);
}

void Emitter::leave_region_at(u64 pc, Reason reason) {
  mov_pc(x86::rcx, pc);
  a.mov(TIERCEL_CONTEXT(exit_pc), x86::rcx);
  a.mov(TIERCEL_CONTEXT(reason), asmjit::Imm(static_cast<u32>(reason)));
  a.jmp(TIERCEL_CONTEXT(common_exit));
}

/// Stores or loads the homes of the vector slots in `slots`, and those of the registers in `changed`.
void Emitter::move_vectors(u32 slots, u32 changed, bool to_state) {
  for (unsigned n = 0; kXmm0 + kXmmScratchCount + n < kRegisterCount; ++n) {
    const unsigned xmm = kXmmScratchCount + n, reg = kXmm0 + xmm;
    if (!plan_.pinned(reg) || !((slots >> n | changed >> xmm) & 1)) continue;
    const Mem m = state_field(layout_.slots[plan_.slot_of[reg]].offset, 16);
    to_state ? store(m, x86::xmm(xmm), 128) : load(x86::xmm(xmm), m, 128);
  }
}

void Emitter::region_way_out(const RegionExit& e, const RegionCode& region) {
  switch (e.kind) {
    case RegionExit::Kind::Direct:
      leave_region(region);
      return go_on_at(e.pc);
    case RegionExit::Kind::Back:
      leave_region(region);
      return checked_exit(e.pc);
    case RegionExit::Kind::Indirect:
      leave_region(region);
      a.mov(x86::rcx, x86::rax);
      return probe_jump_cache();
    case RegionExit::Kind::Interrupt:
      mov_pc(x86::rcx, e.pc);
      a.jmp(stub_field(Stub::Interrupt));
      return;
    case RegionExit::Kind::Fault:
      return leave_region_at(e.pc, Reason::RegionFault);
  }
}

void Emitter::leave_region(const RegionCode& region) {
  a.add(x86::rsp, 8);
  a.mov(kHome0, kArgument0);
  a.mov(kHome5, kArgument5);
  move_vectors(region.vectors_written, region.xmm_changed, false);
}

/// eax: the exit's index.
void Emitter::shared_way_out(const RegionCode& region, Label exits) {
  a.add(x86::rsp, 8);
  for (const u8 reg : kGpPinned)
    if (plan_.pinned(reg)) a.mov(x86::gpq(reg), state_field(layout_.slots[plan_.slot_of[reg]].offset, 8));
  move_vectors(region.vectors_written, region.xmm_changed, false);
  a.lea(x86::rcx, x86::ptr(exits));
  a.mov(x86::eax, x86::eax);
  a.movsxd(x86::rax, x86::dword_ptr(x86::rcx, x86::rax, 2));
  a.add(x86::rax, x86::rcx);
  a.jmp(x86::rax);
}

/// The table, its arrays, and then the region's code.
void Emitter::embed_fault_table(const RegionCode& region, Label shared) {
  const u64 table = a.offset();
  u64 end = table + sizeof(RegionFaultTable) + region.faults.size() * sizeof(RegionFaultTable::Entry);
  const auto place = [&](u64 bytes) {
    const u64 at = align_up(end, u64{8});
    end = at + bytes;
    return static_cast<s32>(at - table);
  };
  const auto bytes_of = [](const auto& items) { return items.size() * sizeof items[0]; };
  RegionFaultTable head{};
  head.count = static_cast<u32>(region.faults.size());
  head.frame = region.frame;
  head.shared = static_cast<s32>(code_.labelOffset(shared) - table);
  head.places = place(bytes_of(region.places));
  head.constants = place(bytes_of(region.constants));
  head.flags = place(bytes_of(region.flags));
  a.embed(&head, sizeof head);
  const s32 code = static_cast<s32>(align_up(end, u64{kRegionAlignment}) - table);
  for (const RegionFault& f : region.faults) {
    const bool lands = f.landing_offset != RegionFault::kNoLanding;
    const RegionFaultTable::Entry entry{code + static_cast<s32>(f.host_offset),
                                        lands ? code + static_cast<s32>(f.landing_offset) : 0,
                                        f.exit,
                                        f.first,
                                        f.count,
                                        f.flags};
    a.embed(&entry, sizeof entry);
  }
  const auto embed = [&](const auto& items) {
    a.align(asmjit::AlignMode::kZero, 8);
    a.embed(items.data(), bytes_of(items));
  };
  embed(region.places), embed(region.constants), embed(region.flags);
}

void Emitter::embed_region(const RegionCode& region, std::span<const Label> ways, Label entry) {
  const u32 base = static_cast<u32>(a.offset());
  std::vector<u8> code = region.code;
  for (const RegionJump& j : region.jumps) {
    const u32 distance = static_cast<u32>(code_.labelOffset(ways[j.exit])) - (base + j.offset + 4);
    std::memcpy(code.data() + j.offset, &distance, sizeof distance);
  }
  a.embed(code.data(), region.entry);
  a.bind(entry);
  a.embed(code.data() + region.entry, code.size() - region.entry);
}

}  // namespace tiercel::backend::x64
