#include "tests/diff/ops_cases.h"

#include "base/bits.h"
#include "frontend-arm/state.h"
#include "ir/verifier.h"
#include "tests/support/op_forms.h"

namespace tiercel::test {
namespace {

using ir::Attr;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

class Assembler {
 public:
  Assembler(Function& f, std::mt19937_64& random) : f_(f), random_(random) {}

  void build(const OpForm& form, ir::FpRules fp, Shape shape) {
    f_.clear();
    f_.end_pc = 4;
    f_.fp = fp;
    Inst inst{.op = form.op, .type = form.type, .arr = form.arr};
    inst.aux = form.aux;
    inst.imm = form.imm;
    if (ir::info(form.op).attr == Attr::Pool) inst.aux = f_.add_constant(form.constant);
    const std::string_view letters = ir::info(form.op).operands;
    for (unsigned k = 0; k < letters.size(); ++k)
      inst.args[k] = operand(operand_type(letters[k], form), k, shape, inst);
    const Value result = append(inst);
    store(result, ops::kIntResult, ops::kVectorResult);
    if (shape == Shape::ResultTwice) store(result, ops::kIntResult + 5, ops::kVectorResult + 5);
    if (shape == Shape::OperandsLive)
      for (unsigned k = 0; k < letters.size(); ++k)
        store(inst.args[k], static_cast<u16>(ops::kIntResult + 1 + k), static_cast<u16>(ops::kVectorResult + 1 + k));
    Inst jump{.op = Opcode::Jump};
    jump.imm = 4;
    append(jump);
  }

 private:
  Value append(const Inst& inst) {
    f_.insts.push_back(inst);
    return Value{static_cast<u32>(f_.insts.size() - 1)};
  }
  Value get(Type t, u16 slot) {
    Inst inst{.op = Opcode::Get, .type = t};
    inst.aux = slot;
    return append(inst);
  }
  Value unary(Opcode op, Type t, Value a) {
    Inst inst{.op = op, .type = t};
    inst.args[0] = a;
    return append(inst);
  }
  void set(u16 slot, Value v) {
    Inst inst{.op = Opcode::Set, .type = f_[v].type};
    inst.aux = slot;
    inst.args[0] = v;
    append(inst);
  }

  Value operand(Type t, unsigned k, Shape shape, const Inst& inst) {
    if (shape == Shape::SameOperand)
      for (unsigned i = 0; i < k; ++i)
        if (f_[inst.args[i]].type == t) return inst.args[i];
    const unsigned last = static_cast<unsigned>(ir::info(inst.op).operands.size()) - 1;
    const bool constant = (shape == Shape::LastConstant && k == last) || (shape == Shape::FirstConstant && k == 0);
    if (constant && t != Type::V128 && t != Type::Flags) return interesting_constant(t);
    const u16 i = static_cast<u16>(k);
    if (t == Type::Flags) return get(t, arm::slot::kFlags);
    if (t == Type::V128 || ir::is_float(t)) return get(t, static_cast<u16>(arm::slot::kV0 + ops::kVectorSlot + i));
    if (t == Type::I1) return unary(Opcode::Trunc, t, get(Type::I64, static_cast<u16>(ops::kIntSlot + i)));
    return get(t, static_cast<u16>(ops::kIntSlot + i));
  }
  Value interesting_constant(Type t) {
    constexpr u64 kValues[] = {0,
                               1,
                               2,
                               7,
                               31,
                               32,
                               63,
                               0x7f,
                               0x80,
                               0xff,
                               0x7fffffff,
                               0x80000000,
                               0xffffffff,
                               0x3ff0000000000000,
                               0x7fffffffffffffff,
                               0x8000000000000000,
                               ~u64{0}};
    Inst inst{.op = Opcode::Const, .type = t};
    inst.imm = (random_() & 1 ? random_() : kValues[random_() % std::size(kValues)]) & low_mask(ir::type_bits(t));
    return append(inst);
  }

  void store(Value v, u16 int_slot, u16 vector_slot) {
    const Type t = f_[v].type;
    if (t == Type::Flags) return set(arm::slot::kFlags, v);
    if (t == Type::V128 || ir::is_float(t)) return set(static_cast<u16>(arm::slot::kV0 + vector_slot), v);
    if (t == Type::I1) v = unary(Opcode::ZExt, Type::I64, v);
    set(int_slot, v);
  }

  Function& f_;
  std::mt19937_64& random_;
};

class Enumeration {
 public:
  Enumeration(std::span<const ir::SlotInfo> slots, Shape shape, std::mt19937_64& random,
              const std::function<void(Opcode, const Function&)>& use)
      : slots_(slots), shape_(shape), random_(random), use_(use) {}

  void run() {
    for (unsigned i = 0; i < ir::kOpcodeCount; ++i) {
      const auto op = static_cast<Opcode>(i);
      const ir::OpInfo& info = ir::info(op);
      const bool pure = (info.effects & ~ir::effect::kReadsFp) == 0;
      if (pure && info.result != '-' && op != Opcode::Const)
        for_each_candidate(op, slots_, random_, [this](const OpForm& form) { rules(form); });
    }
  }

 private:
  void rules(const OpForm& form) {
    if (!build(form, {})) return;
    if (!(ir::effects(form.op) & ir::effect::kReadsFp)) return;
    const bool halves = form.op == Opcode::FFromHalf || form.op == Opcode::FToHalf || form.op == Opcode::VFCvtUp ||
                        form.op == Opcode::VFCvtDown;
    for (u8 bits = 2; bits < 32; bits += 2) {  // x86_nans is another guest's
      const ir::FpRules fp = ir::FpRules::unpack(bits);
      if (fp.host_flush && !fp.flush) continue;
      if (!fp.alt_half || halves) build(form, fp);
    }
  }
  bool build(const OpForm& form, ir::FpRules fp) {
    Assembler(f_, random_).build(form, fp, shape_);
    if (!ir::verify(f_, slots_).empty()) return false;
    use_(form.op, f_);
    return true;
  }

  std::span<const ir::SlotInfo> slots_;
  Shape shape_;
  std::mt19937_64& random_;
  const std::function<void(Opcode, const Function&)>& use_;
  Function f_;
};

}  // namespace

void for_each_op(std::span<const ir::SlotInfo> slots, Shape shape, std::mt19937_64& random,
                 const std::function<void(ir::Opcode, const ir::Function&)>& use) {
  Enumeration(slots, shape, random, use).run();
}

}  // namespace tiercel::test
