// The only way to append IR. Checks types at the call, folds constants, and remembers what each slot holds so that a
// Get after a Set or Get of the same slot costs nothing.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "ir/function.h"

namespace tiercel::ir {

class Builder {
 public:
  /// `slots` outlives the builder.
  explicit Builder(std::span<const SlotInfo> slots);

  /// Starts over with an empty function at `pc`. `relative`: Function::relative.
  void begin(Function& f, u64 pc, FpRules fp, bool relative = false);
  Function& function() { return *f_; }
  Type type(Value v) const { return (*f_)[v].type; }
  bool is_const(Value v, u64& out) const;
  bool terminated() const { return terminated_; }

  /// Marks the start of the guest insn at `pc`.
  void insn(u64 pc);

  // Constants and state.
  Value imm(Type t, u64 c);
  Value i32(u64 c) { return imm(Type::I32, c); }
  Value i64(u64 c) { return imm(Type::I64, c); }
  /// The guest address `pc`, which is counted as the function's pcs are.
  Value code_address(u64 pc);
  Value vconst(U128 c);
  Value get(Type t, SlotId slot);
  void set(SlotId slot, Value v);  // zero-extends a value narrower than the slot
  /// Forgets what slots hold: after anything that may have changed the state block behind the IR's back.
  void forget_slots();

  // Generic forms: any opcode of opcodes.def by its operands. `t` is the result type.
  Value op(Opcode o, Type t, std::initializer_list<Value> args, Arr arr = Arr::None, u32 aux = 0, u64 imm = 0);
  /// Vector (V128) operation in arrangement `a`.
  Value vec(Opcode o, Arr a, std::initializer_list<Value> args, u64 imm = 0, u32 aux = 0) {
    return op(o, Type::V128, args, a, aux, imm);
  }
  /// FP operation: V128 with an arrangement, or a scalar F32/F64 with Arr::None.
  Value fp(Opcode o, Type t, Arr a, std::initializer_list<Value> args, u32 aux = 0) { return op(o, t, args, a, aux); }

  // Integers: operands of one type, which is the result's.
  Value add(Value a, Value b) { return bin(Opcode::Add, a, b); }
  Value sub(Value a, Value b) { return bin(Opcode::Sub, a, b); }
  Value adc(Value a, Value b, Value c) { return op(Opcode::Adc, type(a), {a, b, c}); }
  Value sbc(Value a, Value b, Value c) { return op(Opcode::Sbc, type(a), {a, b, c}); }
  Value mul(Value a, Value b) { return bin(Opcode::Mul, a, b); }
  Value and_(Value a, Value b) { return bin(Opcode::And, a, b); }
  Value or_(Value a, Value b) { return bin(Opcode::Or, a, b); }
  Value xor_(Value a, Value b) { return bin(Opcode::Xor, a, b); }
  Value and_not(Value a, Value b) { return bin(Opcode::AndNot, a, b); }
  Value or_not(Value a, Value b) { return bin(Opcode::OrNot, a, b); }
  Value xor_not(Value a, Value b) { return bin(Opcode::XorNot, a, b); }
  Value not_(Value a) { return un(Opcode::Not, a); }
  Value neg(Value a) { return un(Opcode::Neg, a); }
  Value shl(Value a, Value n) { return bin(Opcode::Shl, a, n); }
  Value shr(Value a, Value n) { return bin(Opcode::Shr, a, n); }
  Value sar(Value a, Value n) { return bin(Opcode::Sar, a, n); }
  Value ror(Value a, Value n) { return bin(Opcode::Ror, a, n); }
  Value shl(Value a, unsigned n) { return shl(a, imm(type(a), n)); }
  Value shr(Value a, unsigned n) { return shr(a, imm(type(a), n)); }
  Value sar(Value a, unsigned n) { return sar(a, imm(type(a), n)); }
  Value ror(Value a, unsigned n) { return ror(a, imm(type(a), n)); }
  Value extr(Value hi, Value lo, unsigned lsb) { return op(Opcode::Extr, type(hi), {hi, lo}, Arr::None, 0, lsb); }
  Value ubfx(Value a, unsigned lsb, unsigned width) { return field(Opcode::UBfx, {a}, lsb, width); }
  Value sbfx(Value a, unsigned lsb, unsigned width) { return field(Opcode::SBfx, {a}, lsb, width); }
  Value bfi(Value a, Value b, unsigned lsb, unsigned width) { return field(Opcode::Bfi, {a, b}, lsb, width); }
  Value zext(Type t, Value a) { return type(a) == t ? a : op(Opcode::ZExt, t, {a}); }
  Value sext(Type t, Value a) { return type(a) == t ? a : op(Opcode::SExt, t, {a}); }
  Value trunc(Type t, Value a) { return type(a) == t ? a : op(Opcode::Trunc, t, {a}); }
  Value select(Value c, Value a, Value b) { return op(Opcode::Select, type(a), {c, a, b}); }
  Value cmp(Opcode o, Value a, Value b) { return op(o, Type::I1, {a, b}); }
  Value test_bit(Value a, unsigned bit) { return op(Opcode::TestBit, Type::I1, {a}, Arr::None, 0, bit); }
  Value cond(Value flags, Cond c) {
    return op(Opcode::FlagsCond, Type::I1, {flags}, Arr::None, 0, static_cast<u64>(c));
  }
  Value flags(Opcode o, std::initializer_list<Value> args, u64 imm = 0) {
    return op(o, Type::Flags, args, Arr::None, 0, imm);
  }

  // Memory. Address = base + (index << index_shift) + disp.
  Value load(Type t, Value base, s64 disp, MemAttr m, Value index = kNoValue);
  void store(Value base, s64 disp, Value v, MemAttr m, Value index = kNoValue);
  Value rmw(RmwOp o, Value addr, Value v, MemAttr m);
  Value cas(Value addr, Value expected, Value desired, MemAttr m);
  Value cas_if(Value c, Value addr, Value expected, Value desired, MemAttr m);
  void fence(FenceKind k);
  void prefetch(Value address, PrefetchKind k);

  // Moves between scalars and vectors.
  Value bitcast(Type t, Value a) { return type(a) == t ? a : op(Opcode::Bitcast, t, {a}); }
  Value vzext(Value a) { return op(Opcode::VZext, Type::V128, {a}); }
  Value vextract(Type t, Value v, Arr lanes, unsigned lane) { return op(Opcode::VExtract, t, {v}, lanes, 0, lane); }
  Value vinsert(Value v, Value scalar, Arr lanes, unsigned lane) {
    return op(Opcode::VInsert, Type::V128, {v, scalar}, lanes, 0, lane);
  }
  Value vdup(Arr a, Value v) { return op(Opcode::VDup, Type::V128, {v}, a); }
  /// byte i of the result = concat(a, b)[mask byte i]; 0x80: zero.
  Value vshuffle(Value a, Value b, U128 mask);

  // Terminals.
  void jump(u64 pc);
  void branch(Value c, u64 taken, u64 not_taken);
  void call(u64 pc, u64 return_pc);
  void jump_indirect(Value pc);
  void call_indirect(Value pc, u64 return_pc);
  void ret(Value pc);
  /// `pc` is what the state's pc becomes.
  void exit(ExitKind k, u64 pc, u64 payload = 0, Value operand = kNoValue);

  Value call_helper(unsigned index, Type t, std::initializer_list<Value> args);

 private:
  Value bin(Opcode o, Value a, Value b) { return op(o, type(a), {a, b}); }
  Value un(Opcode o, Value a) { return op(o, type(a), {a}); }
  Value field(Opcode o, std::initializer_list<Value> args, unsigned lsb, unsigned width) {
    return op(o, type(*args.begin()), args, Arr::None, lsb | width << 8);
  }
  Value append(const Inst& inst);
  void finish(const Inst& inst);
  Value narrow(Type t, Value v);

  std::span<const SlotInfo> slots_;
  Function* f_ = nullptr;
  std::vector<Value>
      current_;  // per slot: the widest value known to be in it, of the slot's type or narrower (then zero-extended)
  bool terminated_ = false;
};

}  // namespace tiercel::ir
