#include "ir/builder.h"

#include <algorithm>

#include "base/bits.h"
#include "base/check.h"
#include "ir/fold.h"

namespace tiercel::ir {
namespace {

#ifdef TIERCEL_VERIFY
constexpr bool kCheckOperands = true;
#else
constexpr bool kCheckOperands = false;
#endif

}  // namespace

Builder::Builder(std::span<const SlotInfo> slots) : slots_(slots), current_(slots.size()) {}

void Builder::begin(Function& f, u64 pc, FpRules fp, bool relative) {
  f.clear();
  f.relative = relative;
  f.pc = f.end_pc = pc;
  f.fp = fp;
  f_ = &f;
  terminated_ = false;
  forget_slots();
}

void Builder::forget_slots() {
  std::fill(current_.begin(), current_.end(), kNoValue);
}

bool Builder::is_const(Value v, u64& out) const {
  return is_constant(*f_, v, out);
}

Value Builder::append(const Inst& inst) {
  DCHECK(!terminated_);
  f_->insts.push_back(inst);
  return Value{static_cast<u32>(f_->insts.size() - 1)};
}

void Builder::finish(const Inst& inst) {
  append(inst);
  terminated_ = true;
}

void Builder::insn(u64 pc) {
  Inst inst{.op = Opcode::Insn};
  inst.imm = pc;
  append(inst);
  ++f_->insn_count;
}

Value Builder::imm(Type t, u64 c) {
  Inst inst{.op = Opcode::Const, .type = t};
  inst.imm = t == Type::I1 ? (c & 1) : (c & low_mask(type_bits(t)));
  return append(inst);
}

Value Builder::code_address(u64 pc) {
  if (!f_->relative) return i64(pc);
  Inst inst{.op = Opcode::CodeAddress, .type = Type::I64};
  inst.imm = pc;
  return append(inst);
}

Value Builder::vconst(U128 c) {
  Inst inst{.op = Opcode::VConst, .type = Type::V128};
  inst.aux = f_->add_constant(c);
  return append(inst);
}

/// The low bits of `v` as `t`; `v` came from or went into a slot.
Value Builder::narrow(Type t, Value v) {
  const Type have = type(v);
  if (have == t) return v;
  if (is_int(have) && is_int(t)) return op(type_bits(t) < type_bits(have) ? Opcode::Trunc : Opcode::ZExt, t, {v});
  if (type_bits(have) == type_bits(t)) return bitcast(t, v);
  if (have == Type::V128) {
    const Arr lanes = type_bits(t) == 32   ? Arr::S4
                      : type_bits(t) == 64 ? Arr::D2
                      : type_bits(t) == 16 ? Arr::H8
                                           : Arr::B16;
    return vextract(t, v, lanes, 0);
  }
  if (t == Type::V128) return vzext(v);
  // F32 in the slot read as F64 or the reverse: through the integer image.
  if (is_float(have)) return narrow(t, bitcast(have == Type::F32 ? Type::I32 : Type::I64, v));
  return bitcast(t, narrow(t == Type::F32 ? Type::I32 : Type::I64, v));
}

Value Builder::get(Type t, SlotId slot) {
  DCHECK(slot < slots_.size());
  if (current_[slot]) {
    const Value v = narrow(t, current_[slot]);
    return v;
  }
  Inst inst{.op = Opcode::Get, .type = t};
  inst.aux = slot;
  const Value v = append(inst);
  if (t == slots_[slot].type) current_[slot] = v;
  return v;
}

void Builder::set(SlotId slot, Value v) {
  DCHECK(slot < slots_.size());
  Inst inst{.op = Opcode::Set, .type = type(v)};
  inst.aux = slot;
  inst.args[0] = v;
  append(inst);
  current_[slot] = v;
}

Value Builder::op(Opcode o, Type t, std::initializer_list<Value> args, Arr arr, u32 aux, u64 imm_value) {
  Inst inst{.op = o, .type = t, .arr = arr};
  inst.aux = aux;
  std::copy(args.begin(), args.end(), inst.args);
  inst.imm = imm_value;
  if (kCheckOperands) {
    CHECK(args.size() <= 4);
    for (const Value v : args) CHECK(!v || v.index < f_->insts.size());
  }
  const Folded r = fold(*f_, inst);
  if (r.kind == Folded::Kind::Copy) return r.copy;
  if (r.kind == Folded::Kind::Constant) return imm(t, r.constant);
  return append(inst);
}

Value Builder::load(Type t, Value base, s64 disp, MemAttr m, Value index) {
  Inst inst{.op = Opcode::Load, .type = t};
  inst.aux = m.pack();
  inst.args[0] = base;
  inst.args[1] = index;
  inst.imm = static_cast<u64>(disp);
  return append(inst);
}

void Builder::store(Value base, s64 disp, Value v, MemAttr m, Value index) {
  Inst inst{.op = Opcode::Store, .type = type(v)};
  inst.aux = m.pack();
  inst.args[0] = base;
  inst.args[1] = index;
  inst.args[2] = v;
  inst.imm = static_cast<u64>(disp);
  append(inst);
}

Value Builder::rmw(RmwOp o, Value addr, Value v, MemAttr m) {
  Inst inst{.op = Opcode::AtomicRmw, .type = type(v)};
  inst.aux = m.pack();
  inst.args[0] = addr;
  inst.args[1] = v;
  inst.imm = static_cast<u64>(o);
  return append(inst);
}

Value Builder::cas(Value addr, Value expected, Value desired, MemAttr m) {
  Inst inst{.op = Opcode::AtomicCas, .type = type(expected)};
  inst.aux = m.pack();
  inst.args[0] = addr;
  inst.args[1] = expected;
  inst.args[2] = desired;
  return append(inst);
}

Value Builder::cas_if(Value c, Value addr, Value expected, Value desired, MemAttr m) {
  Inst inst{.op = Opcode::CasIf, .type = Type::I1};
  inst.aux = m.pack();
  inst.args[0] = c;
  inst.args[1] = addr;
  inst.args[2] = expected;
  inst.args[3] = desired;
  return append(inst);
}

void Builder::fence(FenceKind k) {
  Inst inst{.op = Opcode::Fence};
  inst.imm = static_cast<u64>(k);
  append(inst);
}

void Builder::prefetch(Value address, PrefetchKind k) {
  Inst inst{.op = Opcode::Prefetch};
  inst.args[0] = address;
  inst.imm = static_cast<u64>(k);
  append(inst);
}

Value Builder::vshuffle(Value a, Value b, U128 mask) {
  Inst inst{.op = Opcode::VShuffle, .type = Type::V128};
  inst.aux = f_->add_constant(mask);
  inst.args[0] = a;
  inst.args[1] = b;
  return append(inst);
}

void Builder::jump(u64 pc) {
  Inst inst{.op = Opcode::Jump};
  inst.imm = pc;
  finish(inst);
}

void Builder::branch(Value c, u64 taken, u64 not_taken) {
  u64 known;
  if (is_const(c, known)) return jump(known ? taken : not_taken);
  Inst inst{.op = Opcode::Branch};
  inst.args[0] = c;
  inst.imm = taken;
  inst.aux = f_->add_constant({not_taken, 0});
  finish(inst);
}

void Builder::call(u64 pc, u64 return_pc) {
  Inst inst{.op = Opcode::Call};
  inst.imm = pc;
  inst.aux = f_->add_constant({return_pc, 0});
  finish(inst);
}

void Builder::jump_indirect(Value pc) {
  Inst inst{.op = Opcode::JumpInd};
  inst.args[0] = pc;
  finish(inst);
}

void Builder::call_indirect(Value pc, u64 return_pc) {
  Inst inst{.op = Opcode::CallInd};
  inst.args[0] = pc;
  inst.aux = f_->add_constant({return_pc, 0});
  finish(inst);
}

void Builder::ret(Value pc) {
  Inst inst{.op = Opcode::Ret};
  inst.args[0] = pc;
  finish(inst);
}

void Builder::exit(ExitKind k, u64 pc, u64 payload, Value operand) {
  Inst inst{.op = Opcode::Exit};
  inst.aux = static_cast<u32>(k) | f_->add_constant({pc, 0}) << 8;
  inst.args[0] = operand;
  inst.imm = payload;
  finish(inst);
}

Value Builder::call_helper(unsigned index, Type t, std::initializer_list<Value> args) {
  Inst inst{.op = Opcode::CallHelper, .type = t};
  std::copy(args.begin(), args.end(), inst.args);
  inst.imm = index;
  const Value v = append(inst);
  forget_slots();  // a helper may write any slot
  return v;
}

}  // namespace tiercel::ir
