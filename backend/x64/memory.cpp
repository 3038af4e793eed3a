// Guest memory. The host is TSO: plain accesses and load-acquire are moves. A store-release is an XCHG, because Arm's
// load-acquire must not pass an earlier store-release (RCsc) while an x86 load may pass an earlier plain store.
#include "backend/x64/emitter.h"

namespace tiercel::backend::x64 {
namespace {

using ir::MemAttr;
using ir::RmwOp;

}  // namespace

/// The next host instruction accesses guest memory. In a machine it accesses what was found, which does not fault.
void Emitter::fault_here() {
  if (layout_.translated) return;
  out_->faults.push_back({static_cast<u32>(a.offset()), guest_pc_});
}

/// Keeps EFLAGS, but not in a machine.
Mem Emitter::address(const Inst& inst, u32 size) {
  if (layout_.translated) return translated_address(inst, size);
  const Value base = inst.op == Opcode::CasIf ? inst.args[1] : inst.args[0];
  const bool indexed = (inst.op == Opcode::Load || inst.op == Opcode::Store) && inst.args[1];
  s64 disp = indexed || inst.op == Opcode::Load || inst.op == Opcode::Store ? static_cast<s64>(inst.imm) : 0;
  Gp b = use_gp(base);
  if (!layout_.base_is_zero) {
    const Gp t = temp_gp();
    a.mov(t, TIERCEL_CONTEXT(memory_base));
    a.lea(t, x86::ptr(t, b));
    locked_ &= ~reg_bit(b.id());
    b = t;
  }
  if (disp != static_cast<s32>(disp)) {
    const Gp t = temp_gp();
    a.mov(t, asmjit::Imm(disp));
    a.lea(t, x86::ptr(t, b));
    b = t;
    disp = 0;
  }
  if (!indexed) return x86::ptr(b, static_cast<s32>(disp), size);
  Gp index = use_gp(inst.args[1]);
  unsigned shift = inst.mem().index_shift;
  if (shift > 3) {
    const Gp t = temp_gp();
    a.lea(t, x86::ptr(index, index));
    locked_ &= ~reg_bit(index.id());
    index = t;
    shift -= 1;
    CHECK(shift <= 3);
  }
  return x86::ptr(b, index, shift, static_cast<s32>(disp), size);
}

/// Leaves if the address is one that MemAttr::aligned forbids. Like at a host fault, every earlier Set is in its home.
/// A CasIf whose condition is false accesses nothing; that is looked at only where an address is misaligned.
void Emitter::check_alignment(const Inst& inst) {
  const MemAttr attr = inst.mem();
  if (!attr.aligned || attr.bytes() == 1) return;
  const bool conditional = inst.op == Opcode::CasIf;
  const bool plain = inst.op == Opcode::Load || inst.op == Opcode::Store;
  const bool indexed = plain && inst.args[1];
  const Gp condition = conditional ? use_gp(inst.args[0]) : Gp();
  clobber_flags();
  Gp at = use_gp(inst.args[conditional ? 1 : 0]);
  if (plain && (indexed || inst.imm != 0)) {
    const Gp t = temp_gp();
    a.mov(t, asmjit::Imm(inst.imm));
    a.add(t, at);
    if (indexed) {
      const Gp index = temp_gp();
      fetch(index, inst.args[1]);
      a.shl(index, attr.index_shift);
      a.add(t, index);
    }
    at = t;
  }
  a.test(at.r8(), asmjit::Imm(attr.bytes() - 1));
  const Label back = a.newLabel();
  const bool is_write = inst.op == Opcode::Store || conditional;
  a.jnz(cold([at, condition, conditional, back, is_write, pc = guest_pc_](Emitter& e) {
    if (conditional) {
      e.a.test(condition.r32(), condition.r32());
      e.a.jz(back);
    }
    if (at.id() != x86::rax.id()) e.a.mov(x86::rax, at.r64());
    e.a.mov(TIERCEL_CONTEXT(exit_payload), asmjit::Imm(is_write ? 1 : 0));
    e.mov_pc(x86::rcx, pc);
    e.a.jmp(stub_field(Stub::Misaligned));
  }));
  a.bind(back);
  locked_ = 0;  // nothing of the access itself has begun
}

void Emitter::emit_memory(const Inst& inst, u32 i) {
  if (inst.op == Opcode::Prefetch) return prefetch(inst);
  if (inst.op != Opcode::Fence) check_alignment(inst);
  const bool probed = layout_.translated && (inst.op == Opcode::Load || inst.op == Opcode::Store);
  if (probed) clobber_flags();
  switch (inst.op) {
    case Opcode::Load:
      return emit_load(inst, i);
    case Opcode::Store:
      return emit_store(inst);
    case Opcode::AtomicRmw:
      return emit_rmw(inst, i);
    case Opcode::AtomicCas:
      return inst.mem().size_log2 == 4 ? emit_cas_wide(inst, i) : emit_cas(inst, i);
    case Opcode::CasIf:
      return inst.mem().size_log2 == 4 ? emit_cas_wide(inst, i) : emit_cas_if(inst, i);
    default:
      if (static_cast<ir::FenceKind>(inst.imm) == ir::FenceKind::Full) full_fence();
      return;
  }
}

/// In a machine the address would have to be looked up first, which costs more than it gains.
void Emitter::prefetch(const Inst& inst) {
  if (layout_.translated) return;
  const Mem at = address(inst, 1);
  switch (static_cast<ir::PrefetchKind>(inst.imm)) {
    case ir::PrefetchKind::L2:
      a.prefetcht1(at);
      return;
    case ir::PrefetchKind::L3:
      a.prefetcht2(at);
      return;
    case ir::PrefetchKind::Once:
      a.prefetchnta(at);
      return;
    default:
      a.prefetcht0(at);
      return;
  }
}

/// A locked operation on our own stack is a full barrier and cheaper than MFENCE.
void Emitter::full_fence() {
  clobber_flags();
  a.lock().or_(x86::dword_ptr(x86::rsp, frame::kSelector), 0);
}

void Emitter::emit_load(const Inst& inst, u32 i) {
  const MemAttr attr = inst.mem();
  const Mem m = address(inst, attr.bytes());
  if (wants_xmm(i)) {
    const Xmm d = def_xmm(i);
    fault_here();
    load(d, m, ir::type_bits(inst.type));
    if (inst.type != Type::V128) set_high_zero(i);
    return;
  }
  u64 dying = reusable(inst.args[0]);
  if (inst.args[1]) dying |= reusable(inst.args[1]);
  const Gp d = gp(define(i, false, dying));
  fault_here();
  load_integer(d, m, inst.type, attr);
  const bool sign_above = attr.sign && ir::type_bits(inst.type) < 32;
  if (inst.type != Type::I64 && !sign_above) set_high_zero(i);
}

void Emitter::load_integer(Gp d, const Mem& m, Type type, MemAttr attr) {
  const Gp wide = type == Type::I64 ? Gp(d.r64()) : Gp(d.r32());
  if (attr.size_log2 == 3)
    a.mov(d.r64(), m);
  else if (attr.size_log2 == 2)
    attr.sign&& type == Type::I64 ? a.movsxd(d.r64(), m) : a.mov(d.r32(), m);
  else
    attr.sign ? a.movsx(wide, m) : a.movzx(d.r32(), m);
}

void Emitter::emit_store(const Inst& inst) {
  const MemAttr attr = inst.mem();
  const Value v = inst.args[2];
  if (wants_xmm(v.index)) {
    const Xmm x = use_xmm(v);
    const Mem m = address(inst, attr.bytes());
    fault_here();
    store(m, x, attr.bytes() * 8);
    if (attr.release) full_fence();
    return;
  }
  if (attr.release) {
    const Gp t = temp_gp();
    fetch(t, v);
    unlock(v);
    const Mem m = address(inst, attr.bytes());
    fault_here();
    a.xchg(m, of_size(t, attr.bytes()));
    return;
  }
  if (u64 c; is_const(v, c) && state_[v.index].place == kNowhere && (attr.bytes() < 8 || fits_s32(c))) {
    const Mem m = address(inst, attr.bytes());
    fault_here();
    const s64 imm = attr.bytes() == 8   ? static_cast<s64>(c)
                    : attr.bytes() == 4 ? static_cast<s32>(c)
                    : attr.bytes() == 2 ? static_cast<s16>(c)
                                        : static_cast<s8>(c);
    a.mov(m, asmjit::Imm(imm));
    return;
  }
  const Gp r = use_gp(v);
  const Mem m = address(inst, attr.bytes());
  fault_here();
  a.mov(m, of_size(r, attr.bytes()));
}

Gp Emitter::of_size(Gp r, u32 bytes) {
  switch (bytes) {
    case 1:
      return r.r8();
    case 2:
      return r.r16();
    case 4:
      return r.r32();
    default:
      return r.r64();
  }
}

/// The accessed size of `r`, zero-extended in place.
void Emitter::zero_extend(Gp r, u32 bytes) {
  if (bytes == 1) a.movzx(r.r32(), r.r8());
  if (bytes == 2) a.movzx(r.r32(), r.r16());
}

void Emitter::emit_rmw(const Inst& inst, u32 i) {
  clobber_flags();
  const RmwOp op = static_cast<RmwOp>(inst.imm);
  const u32 bytes = inst.mem().bytes();
  const bool wanted = state_[i].uses != 0;
  if (op == RmwOp::Add || op == RmwOp::Swap) {
    const Gp t = temp_gp();
    fetch(t, inst.args[1]);
    const Mem m = address(inst, bytes);
    fault_here();
    op == RmwOp::Swap ? a.xchg(m, of_size(t, bytes)) : a.lock().xadd(m, of_size(t, bytes));
    if (wanted) zero_extend(t, bytes);
    def_in(i, t);
    set_high_zero(i);
    return;
  }
  if (!wanted && op <= RmwOp::Set) {
    const Gp t = temp_gp();
    fetch(t, inst.args[1]);
    if (op == RmwOp::Clear) a.not_(t);
    const Mem m = address(inst, bytes);
    fault_here();
    a.lock();
    a.emit(op == RmwOp::Clear ? x86::Inst::kIdAnd
           : op == RmwOp::Set ? x86::Inst::kIdOr
                              : x86::Inst::kIdXor,
           m, of_size(t, bytes));
    def_in(i, t);
    return;
  }
  rmw_loop(inst, i, op, bytes);
}

void Emitter::rmw_loop(const Inst& inst, u32 i, RmwOp op, u32 bytes) {
  reserve(x86::rax);
  const Gp v = use_gp(inst.args[1]);
  const Mem m = address(inst, bytes);
  const Gp t = temp_gp();
  fault_here();
  load_integer(x86::rax, m, Type::I64, inst.mem());
  const Label again = a.newLabel();
  a.bind(again);
  a.mov(t, v);
  switch (op) {
    case RmwOp::Clear:
      a.not_(t);
      a.and_(t, x86::rax);
      break;
    case RmwOp::Set:
      a.or_(t, x86::rax);
      break;
    case RmwOp::Xor:
      a.xor_(t, x86::rax);
      break;
    default: {
      const Gp old = of_size(x86::rax, bytes), other = of_size(t, bytes);
      const x86::CondCode cc = op == RmwOp::SMax   ? x86::CondCode::kG
                               : op == RmwOp::SMin ? x86::CondCode::kL
                               : op == RmwOp::UMax ? x86::CondCode::kA
                                                   : x86::CondCode::kB;
      a.cmp(old, other);
      a.cmov(cc, t, x86::rax);
      break;
    }
  }
  fault_here();
  a.lock().cmpxchg(m, of_size(t, bytes), of_size(x86::rax, bytes));
  a.jne(again);
  zero_extend(x86::rax, bytes);
  def_in(i, x86::rax);
  set_high_zero(i);
}

void Emitter::emit_cas(const Inst& inst, u32 i) {
  clobber_flags();
  const u32 bytes = inst.mem().bytes();
  reserve(x86::rax);
  fetch(x86::rax, inst.args[1]);
  unlock(inst.args[1]);
  const Gp desired = use_gp(inst.args[2]);
  const Mem m = address(inst, bytes);
  fault_here();
  a.lock().cmpxchg(m, of_size(desired, bytes), of_size(x86::rax, bytes));
  zero_extend(x86::rax, bytes);
  if (bytes == 4) a.mov(x86::eax, x86::eax);
  def_in(i, x86::rax);
  set_high_zero(i);
}

/// A value that was copied does not need its register any more.
void Emitter::unlock(Value v) {
  const u8 place = state_[v.index].place;
  if (place < kRegisterCount) locked_ &= ~reg_bit(place);
}

void Emitter::emit_cas_if(const Inst& inst, u32 i) {
  const u32 bytes = inst.mem().bytes();
  // The result starts as the condition: when that is false, it is the result.
  const Gp c = use_gp(inst.args[0]);
  clobber_flags();
  const bool in_rax = c.id() == x86::rax.id();
  if (!in_rax) reserve(x86::rax);
  Gp d = c;
  if (in_rax || plan_.pinned(c.id()) || !reusable(inst.args[0])) {
    d = temp_gp();
    a.mov(d.r32(), c.r32());
    unlock(inst.args[0]);
  }
  lock(d.id());
  if (in_rax) reserve(x86::rax);
  fetch(x86::rax, inst.args[2]);
  unlock(inst.args[2]);
  lock(x86::rax.id());
  const Gp desired = use_gp(inst.args[3]);
  const Mem m = address(inst, bytes);
  const Label done = a.newLabel();
  a.test(d.r32(), d.r32());
  a.jz(done);
  fault_here();
  a.lock().cmpxchg(m, of_size(desired, bytes), of_size(x86::rax, bytes));
  a.sete(d.r8());
  a.bind(done);
  def_in(i, d);
  set_high_zero(i);
}

/// CMPXCHG16B wants rax, rdx, rcx and rbx, which are all our scratch registers. The address goes to rdi, whose guest
/// value waits in the frame; X64Backend::save_pinned knows this when it meets the instruction.
void Emitter::emit_cas_wide(const Inst& inst, u32 i) {
  const bool conditional = inst.op == Opcode::CasIf;
  const Value old = inst.args[conditional ? 2 : 1], desired = inst.args[conditional ? 3 : 2];
  clobber_flags();
  const Mem old_mem = x86::qword_ptr(x86::rsp, frame::kArgs), new_mem = x86::qword_ptr(x86::rsp, frame::kArgs + 16);
  store(with_size(old_mem, 16), use_xmm(old), 128);
  store(with_size(new_mem, 16), use_xmm(desired), 128);
  if (conditional) {
    const Gp c = use_gp_zero_extended(inst.args[0]);
    a.mov(x86::qword_ptr(x86::rsp, frame::kResult), c);
  }
  const Mem m = address(inst, 16);
  a.mov(x86::qword_ptr(x86::rsp, frame::kBorrowed), x86::rdi);
  const Gp addr = m.baseReg().as<Gp>();
  if (addr.id() != x86::rdi.id()) a.mov(x86::rdi, addr.r64());
  locked_ = 0;
  for (const u8 reg : kGpScratch) reserve(gp(reg));
  const Label done = a.newLabel();
  if (conditional) {
    a.cmp(x86::dword_ptr(x86::rsp, frame::kResult), 0);
    a.je(done);
  }
  a.mov(x86::rax, old_mem);
  a.mov(x86::rdx, old_mem.cloneAdjusted(8));
  a.mov(x86::rbx, new_mem);
  a.mov(x86::rcx, new_mem.cloneAdjusted(8));
  fault_here();
  a.lock().cmpxchg16b(x86::ptr(x86::rdi, 0, 16));
  if (conditional) {
    a.mov(x86::ecx, asmjit::Imm(0));
    a.sete(x86::cl);
    a.mov(x86::dword_ptr(x86::rsp, frame::kResult), x86::ecx);
    a.bind(done);
    a.mov(x86::rdi, x86::qword_ptr(x86::rsp, frame::kBorrowed));
    a.mov(x86::ecx, x86::dword_ptr(x86::rsp, frame::kResult));
    def_in(i, x86::rcx);
    return set_high_zero(i);
  }
  a.mov(x86::rdi, x86::qword_ptr(x86::rsp, frame::kBorrowed));
  a.mov(x86::qword_ptr(x86::rsp, frame::kResult), x86::rax);
  a.mov(x86::qword_ptr(x86::rsp, frame::kResult + 8), x86::rdx);
  load(def_xmm(i), x86::ptr(x86::rsp, frame::kResult, 16), 128);
}

}  // namespace tiercel::backend::x64
