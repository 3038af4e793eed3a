// Calls from generated code: the evaluator, guest helpers, FP status.
#include "backend/x64/emitter.h"

namespace tiercel::backend::x64 {

/// Operand k to the frame. Its register is free then: it may be the next one's or the result's.
void Emitter::store_arg(unsigned k, Value v) {
  const s32 at = frame::kArgs + 16 * static_cast<s32>(k);
  if (u64 c; is_const(v, c) && c <= 0x7fffffff) {
    a.mov(x86::qword_ptr(x86::rsp, at), asmjit::Imm(c));
  } else if (wants_xmm(v.index)) {
    const Xmm x = use_xmm(v);
    const bool clean = inst(v).type == Type::V128 || high_zero(v);
    if (!clean) a.mov(x86::qword_ptr(x86::rsp, at), asmjit::Imm(0));
    store(x86::ptr(x86::rsp, at, 16), x, clean ? 128 : bits_of(v));
  } else {
    a.mov(x86::qword_ptr(x86::rsp, at), use_gp_zero_extended(v));
  }
  locked_ = 0;
}

void Emitter::call_eval(u32 index) {
  Label op;
  for (const auto& [known, label] : pure_ops_)
    if (known == index) op = label;
  if (!op.isValid()) {
    op = a.newLabel();
    pure_ops_.emplace_back(index, op);
  }
  a.mov(x86::dword_ptr(x86::rsp, frame::kSelector), asmjit::Imm(0));
  const u32 imm = static_cast<u32>(a.offset()) - 4;
  a.call(stub_field(Stub::Eval));
  fixups_.push_back({imm, static_cast<u32>(a.offset()), op});
}

void Emitter::eval_call(const Inst& inst, u32 index) {
  clobber_flags();
  for (unsigned k = 0; k < ir::info(inst.op).operands.size(); ++k)
    if (inst.args[k]) store_arg(k, inst.args[k]);
  call_eval(index);
  if (wants_xmm(index)) {
    load(def_xmm(index), x86::ptr(x86::rsp, frame::kResult, 16), ir::type_bits(inst.type));
  } else {
    const Gp d = def_gp(index);
    a.mov(d, x86::qword_ptr(x86::rsp, frame::kResult));
  }
  if (inst.type != Type::V128) set_high_zero(index);
}

Label Emitter::cold_eval(u32 index, std::initializer_list<Operand_> args, const asmjit::BaseReg& result, Label back) {
  struct Request {
    u32 index;
    u32 count;
    Operand_ args[3];
    asmjit::BaseReg result;
    Label back;
  } request{index, static_cast<u32>(args.size()), {}, result, back};
  CHECK(args.size() <= 3);
  std::copy(args.begin(), args.end(), request.args);
  return cold([request](Emitter& e) {
    const Inst& inst = e.f_->insts[request.index];
    for (u32 k = 0; k < request.count; ++k) {
      const Mem m = x86::ptr(x86::rsp, frame::kArgs + 16 * static_cast<s32>(k), 16);
      const unsigned bits = e.bits_of(inst.args[k]);
      if (!x86::Reg::isXmm(request.args[k])) {
        const Gp r = request.args[k].as<Gp>();
        if (bits == 32) e.a.mov(r.r32(), r.r32());
        e.a.mov(with_size(m, 8), r.r64());
        continue;
      }
      if (bits == 32) e.a.mov(with_size(m, 8), asmjit::Imm(0));
      e.store(m, request.args[k].as<Xmm>(), bits);
    }
    e.call_eval(request.index);
    const Mem m = x86::ptr(x86::rsp, frame::kResult, 16);
    if (x86::Reg::isXmm(request.result))
      e.load(request.result.as<Xmm>(), m, 128);
    else
      e.a.mov(request.result.as<Gp>().r64(), with_size(m, 8));
    e.a.jmp(request.back);
  });
}

void Emitter::emit_environment(const Inst& inst, u32 i) {
  clobber_flags();
  if (inst.op == Opcode::CallHelper)
    emit_helper(inst, i);
  else if (inst.op == Opcode::GetFpStatus)
    emit_get_fpstatus(i);
  else
    emit_set_fpstatus(inst);
}

/// Helpers may read and write every slot, so nothing may be cached in a slot's home or memory across the call.
void Emitter::emit_helper(const Inst& inst, u32 i) {
  for (unsigned k = 0; k < 4; ++k)
    if (inst.args[k]) store_arg(k, inst.args[k]);
  for (unsigned reg = 0; reg < kRegisterCount; ++reg)
    if (plan_.pinned(reg)) overwrite_home(reg);
  for (u16 slot = 0; slot < slot_first_.size(); ++slot) rescue_slot(slot);
  a.mov(x86::dword_ptr(x86::rsp, frame::kSelector), asmjit::Imm(inst.imm));
  a.call(stub_field(Stub::Helper));
  if (inst.type != Type::None) a.mov(def_gp(i), x86::qword_ptr(x86::rsp, frame::kResult));
}

/// MXCSR bits 0..5 are IE DE ZE OE UE PE; fpstatus has no DE among its first five, and keeps input denormals aside.
void Emitter::emit_get_fpstatus(u32 i) {
  const Mem word = x86::dword_ptr(x86::rsp, frame::kSelector);
  cpu_.avx ? a.vstmxcsr(word) : a.stmxcsr(word);
  const Gp t = temp_gp();
  const Gp d = def_gp(i);
  a.mov(d.r32(), word);
  a.mov(t.r32(), d.r32());
  a.and_(d.r32(), 1);
  a.shr(t.r32(), 1);
  a.and_(t.r32(), 0x1e);
  a.or_(d.r32(), t.r32());
  a.mov(t.r32(), TIERCEL_CONTEXT(fp_extra));
  a.and_(t.r32(), asmjit::Imm(ir::fpstatus::kInputDenormal));
  a.or_(d.r32(), t.r32());
  set_high_zero(i);
}

void Emitter::emit_set_fpstatus(const Inst& inst) {
  const Mem word = x86::dword_ptr(x86::rsp, frame::kSelector);
  const Gp v = use_gp(inst.args[0]);
  const Gp t = temp_gp();
  a.mov(t.r32(), v.r32());
  a.and_(t.r32(), asmjit::Imm(ir::fpstatus::kInputDenormal));
  a.mov(TIERCEL_CONTEXT(fp_extra), t.r32());
  cpu_.avx ? a.vstmxcsr(word) : a.stmxcsr(word);
  a.and_(word, asmjit::Imm(~0x3f));
  a.mov(t.r32(), v.r32());
  a.and_(t.r32(), 1);
  a.or_(word, t.r32());
  a.mov(t.r32(), v.r32());
  a.and_(t.r32(), 0x1e);
  a.add(t.r32(), t.r32());
  a.or_(word, t.r32());
  cpu_.avx ? a.vldmxcsr(word) : a.ldmxcsr(word);
}

}  // namespace tiercel::backend::x64
