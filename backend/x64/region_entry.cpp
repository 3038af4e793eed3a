// What stands around the code of a region: the way in from blocks, and a way out per exit. In the order of the code:
//
//   entry        loads the addresses of the three parts below and jumps to Stub::Region, which calls the region
//   ways out     one per exit; Stub::Region comes back here with the guest's registers in their homes
//   exit table   per exit: where its way out is, counted from the table
//   fault table  RegionFaultTable
//   region       RegionCode::code
#include "backend/region_code.h"
#include "backend/x64/emitter.h"
#include "base/bits.h"

namespace tiercel::backend::x64 {
namespace {

constexpr u32 kRegionAlignment = 64;

}  // namespace

void Emitter::wrap_region(const RegionCode& region, CompiledCode& out) {
  static const ir::Function kNothing;
  out.clear();
  out_ = &out;
  begin(kNothing, false);
  out.alignment = kRegionAlignment;
  const Label exits = a.newLabel(), faults = a.newLabel(), code = a.newLabel();
  a.lea(x86::rax, x86::ptr(faults));
  a.lea(x86::rcx, x86::ptr(exits));
  a.lea(x86::rdx, x86::ptr(code, static_cast<s32>(region.entry)));
  a.jmp(stub_field(Stub::Region));

  std::vector<Label> ways;
  for (const RegionExit& e : region.exits) {
    ways.push_back(a.newLabel());
    a.bind(ways.back());
    region_way_out(e);
  }
  emit_cold();
  emit_exit_stubs();

  a.align(asmjit::AlignMode::kZero, 4);
  a.bind(exits);
  const u64 base = code_.labelOffset(exits);
  for (const Label& way : ways) {
    const u32 distance = static_cast<u32>(code_.labelOffset(way) - base);
    a.embed(&distance, sizeof distance);
  }
  a.bind(faults);
  embed_fault_table(region);
  a.align(asmjit::AlignMode::kZero, kRegionAlignment);
  a.bind(code);
  a.embed(region.code.data(), region.code.size());
  finish(out);
}

void Emitter::region_way_out(const RegionExit& e) {
  switch (e.kind) {
    case RegionExit::Kind::Direct:
      return patchable_jump(e.pc);
    case RegionExit::Kind::Interrupt:
      mov_pc(x86::rcx, e.pc);
      a.jmp(stub_field(Stub::Interrupt));
      return;
    case RegionExit::Kind::Indirect:
      a.mov(x86::rcx, TIERCEL_CONTEXT(exit_pc));
      return probe_jump_cache();
    case RegionExit::Kind::Fault:
      mov_pc(x86::rcx, e.pc);
      a.mov(TIERCEL_CONTEXT(exit_pc), x86::rcx);
      a.mov(TIERCEL_CONTEXT(reason), asmjit::Imm(static_cast<u32>(Reason::RegionFault)));
      a.jmp(TIERCEL_CONTEXT(common_exit));
      return;
  }
}

void Emitter::embed_fault_table(const RegionCode& region) {
  const u32 count = static_cast<u32>(region.faults.size());
  const u64 table = a.offset();
  const u64 code = align_up(table + sizeof(RegionFaultTable) + count * sizeof(RegionFaultTable::Entry),
                            static_cast<u64>(kRegionAlignment));
  const s32 distance = static_cast<s32>(code - table);
  a.embed(&count, sizeof count);
  for (const RegionFault& f : region.faults) {
    const RegionFaultTable::Entry entry{distance + static_cast<s32>(f.host_offset),
                                        distance + static_cast<s32>(f.landing_offset)};
    a.embed(&entry, sizeof entry);
  }
}

}  // namespace tiercel::backend::x64
