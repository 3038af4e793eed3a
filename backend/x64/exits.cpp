// How blocks end: patchable direct exits, indirect branches through the jump cache, exits to the engine.
#include "backend/x64/emitter.h"
#include "base/bits.h"

namespace tiercel::backend::x64 {
namespace {

// At a block's end no value lives in scratch registers but the operand of the terminal.
const Gp kPc = x86::rcx;
const Gp kAux = x86::rdx;

}  // namespace

void Emitter::emit_terminal(const Inst& inst) {
  switch (inst.op) {
    case Opcode::Jump:
      return jump_exit(inst.imm);
    case Opcode::Call:
      return call_exit(inst.imm);
    case Opcode::Branch:
      return emit_branch(inst);
    case Opcode::JumpInd:
    case Opcode::CallInd:
    case Opcode::Ret:
      return indirect_exit(inst.args[0]);
    default:
      return inst.exit_kind() == ir::ExitKind::Unmask ? unmask(inst) : leave(inst);
  }
}

void Emitter::emit_branch(const Inst& inst) {
  const u64 taken = inst.imm, other = f_->constant(inst.aux).lo;
  const x86::CondCode cc = condition(inst.args[0]);
  // Exits that check for interrupts come last, so that the other one is a single jump.
  if (is_backward(taken)) {
    branch_exit(x86::negateCond(cc), other);
    return jump_exit(taken);
  }
  branch_exit(cc, taken);
  jump_exit(other);
}

/// The field that holds the displacement must not cross an 8-byte boundary.
void Emitter::align_patch(u32 opcode_bytes) {
  const u32 at = (static_cast<u32>(a.offset()) + opcode_bytes) & 7;
  static constexpr u8 kNops[3][3] = {{0x90}, {0x66, 0x90}, {0x0f, 0x1f, 0x00}};
  if (at > 4) a.embed(kNops[8 - at - 1], 8 - at);
}

void Emitter::jump_exit(u64 pc) {
  is_backward(pc) ? checked_exit(pc) : go_on_at(pc);
}

void Emitter::call_exit(u64 pc) {
  is_backward(pc) || layout_.profile_calls ? checked_exit(pc) : go_on_at(pc);
}

/// For an edge that may close a loop. A gate counts it where it is linked, for as long as somebody wants to know.
void Emitter::checked_exit(u64 pc) {
  check_edge(pc);
  if (!leaves_page(pc)) return patchable_jump(pc, layout_.profile);
  if (layout_.profile) count_edge(pc);
  go_on_at(pc);
}

/// Links to another page would outlive its mapping.
void Emitter::go_on_at(u64 pc) {
  if (!leaves_page(pc)) return patchable_jump(pc, false);
  mov_pc(kPc, pc);
  probe_jump_cache();
}

void Emitter::patchable_jump(u64 pc, bool counted) {
  align_patch(1);
  static constexpr u8 kJump[5] = {0xe9};
  a.embed(kJump, sizeof kJump);
  add_exit(pc, counted);
}

void Emitter::branch_exit(x86::CondCode cc, u64 pc) {
  if (leaves_page(pc)) {
    a.j(cc, cold([pc](Emitter& e) {
          e.mov_pc(kPc, pc);
          e.probe_jump_cache();
        }));
    return;
  }
  align_patch(2);
  const u8 jump[6] = {0x0f, static_cast<u8>(0x80 | static_cast<u8>(cc))};
  a.embed(jump, sizeof jump);
  add_exit(pc, false);
}

void Emitter::add_exit(u64 pc, bool counted) {
  exits_.push_back({pc, a.newLabel(), static_cast<u32>(a.offset()) - 4, counted});
}

void Emitter::check_edge(u64 pc) {
  a.cmp(TIERCEL_CONTEXT(exit_request), 0);
  a.jne(cold([pc](Emitter& e) {
    e.mov_pc(kPc, pc);
    e.a.jmp(stub_field(Stub::Interrupt));
  }));
}

void Emitter::count_edge(u64 pc) {
  const u32 counter = hot_counter_index(f_->origin + pc);
  a.sub(x86::dword_ptr(x86::r15, hot_counter_offset(counter) - kContextBias), 1);
  a.js(cold([pc, counter](Emitter& e) {
    e.mov_pc(kPc, pc);
    e.a.mov(x86::eax, asmjit::Imm(counter));
    e.a.jmp(stub_field(Stub::Hot));
  }));
}

void Emitter::emit_budget() {
  a.cmp(TIERCEL_CONTEXT(budget), 0);
  a.jle(cold([pc = f_->pc](Emitter& e) {
    e.mov_pc(kPc, pc);
    e.a.jmp(stub_field(Stub::Interrupt));
  }));
  a.sub(TIERCEL_CONTEXT(budget), static_cast<s32>(f_->insn_count));
}

/// May change EFLAGS.
void Emitter::mov_pc(Gp reg, u64 pc) {
  if (f_->relative) return mov_relative(reg, pc);
  if (pc <= 0xffffffff)
    a.mov(reg.r32(), asmjit::Imm(static_cast<u32>(pc)));
  else
    a.mov(reg, asmjit::Imm(pc));
}

/// Changes EFLAGS if `pc` is far away.
void Emitter::mov_relative(Gp reg, u64 pc) {
  if (!fits_s32(pc)) {
    a.mov(reg, asmjit::Imm(pc));
    a.add(reg, TIERCEL_CONTEXT(code_page));
    return;
  }
  a.mov(reg, TIERCEL_CONTEXT(code_page));
  if (pc != 0) a.lea(reg, x86::ptr(reg, static_cast<s32>(pc)));
}

void Emitter::emit_exit_stubs() {
  for (const Exit& e : exits_) {
    a.bind(e.stub);
    mov_pc(kPc, e.pc);
    // lea rax, [rip + patch field]
    const s32 here = static_cast<s32>(a.offset()) + 7;
    u8 lea[7] = {0x48, 0x8d, 0x05};
    const s32 distance = static_cast<s32>(e.patch_offset) - here;
    std::memcpy(lea + 3, &distance, 4);
    a.embed(lea, sizeof lea);
    a.jmp(stub_field(Stub::LinkMiss));
  }
}

void Emitter::indirect_exit(Value target) {
  fetch(kPc, target);
  if (f_->watch != 0) note_target();
  probe_jump_cache();
}

void Emitter::note_target() {
  const s32 notes = static_cast<s32>(f_->watch * sizeof(WatchNotes));
  a.mov(kAux, TIERCEL_CONTEXT(watches));
  a.mov(x86::eax, x86::dword_ptr(kAux, notes + static_cast<s32>(offsetof(WatchNotes, count))));
  a.and_(x86::eax, WatchNotes::kTargets - 1);
  Gp pc = kPc;
  if (f_->relative) {
    pc = x86::rbx;
    a.mov(pc, kPc);
    a.sub(pc, TIERCEL_CONTEXT(code_page));
  }
  a.mov(x86::qword_ptr(kAux, x86::rax, 3, notes + static_cast<s32>(offsetof(WatchNotes, targets))), pc);
}

/// Goes on at the guest pc in kPc. jump_cache_index in host terms: entries are 16 bytes, so the index, kept shifted
/// left by two, scales by four.
void Emitter::probe_jump_cache() {
  static_assert(sizeof(JumpCacheEntry) == 16);
  if (cpu_.bmi2) {
    a.rorx(x86::eax, kPc.r32(), 12);
  } else {
    a.mov(x86::eax, kPc.r32());
    a.shr(x86::eax, 12);
  }
  a.mov(kAux, TIERCEL_CONTEXT(jump_cache));
  a.xor_(x86::eax, kPc.r32());
  a.and_(x86::eax, asmjit::Imm((kJumpCacheSize - 1) << 2));
  a.cmp(x86::qword_ptr(kAux, x86::rax, 2), kPc);
  a.jne(cold([](Emitter& e) { e.a.jmp(stub_field(Stub::IndirectMiss)); }));
  if (f_->relative) {
    a.and_(kPc, asmjit::Imm(-static_cast<s32>(kPageSize)));
    a.mov(TIERCEL_CONTEXT(code_page), kPc);
  }
  a.jmp(x86::qword_ptr(kAux, x86::rax, 2, 8));
}

/// Leaves only if an interrupt waits.
void Emitter::unmask(const Inst& inst) {
  const u64 pc = f_->constant(inst.aux >> 8).lo;
  a.cmp(TIERCEL_CONTEXT(masked_request), 0);
  a.jne(cold([&inst](Emitter& e) { e.leave(inst); }));
  jump_exit(pc);
}

void Emitter::leave(const Inst& inst) {
  if (inst.args[0]) {
    fetch(kPc, inst.args[0]);
    a.mov(TIERCEL_CONTEXT(exit_arg), kPc);
  }
  if (fits_s32(inst.imm)) {
    a.mov(TIERCEL_CONTEXT(exit_payload), asmjit::Imm(static_cast<s32>(inst.imm)));
  } else {
    a.mov(kPc, asmjit::Imm(inst.imm));
    a.mov(TIERCEL_CONTEXT(exit_payload), kPc);
  }
  mov_pc(kPc, f_->constant(inst.aux >> 8).lo);
  a.mov(TIERCEL_CONTEXT(exit_pc), kPc);
  a.mov(TIERCEL_CONTEXT(reason), asmjit::Imm(static_cast<u32>(reason_for(inst.exit_kind()))));
  a.jmp(TIERCEL_CONTEXT(common_exit));
}

}  // namespace tiercel::backend::x64
