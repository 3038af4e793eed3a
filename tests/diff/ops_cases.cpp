#include "tests/diff/ops_cases.h"

#include <algorithm>

#include "base/bits.h"
#include "frontend-arm/state.h"
#include "ir/verifier.h"

namespace tiercel::test {
namespace {

using ir::Arr;
using ir::Attr;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr Type kTypes[] = {Type::I1,  Type::I8,  Type::I16,  Type::I32,  Type::I64,
                           Type::F32, Type::F64, Type::V128, Type::Flags};

/// One choice for everything a form leaves open.
struct Form {
  Opcode op = Opcode::Nop;
  Type type = Type::None;   // T, I, F and results
  Type other = Type::None;  // U and S
  Arr arr = Arr::None;
  u32 aux = 0;
  u64 imm = 0;
  U128 constant;
  ir::FpRules fp;
};

class Assembler {
 public:
  Assembler(Function& f, std::mt19937_64& random) : f_(f), random_(random) {}

  void build(const Form& form, Shape shape) {
    f_.clear();
    f_.end_pc = 4;
    f_.fp = form.fp;
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
  static Type operand_type(char letter, const Form& form) {
    switch (letter) {
      case 'b':
        return Type::I1;
      case 'f':
        return Type::Flags;
      case 'v':
        return Type::V128;
      case 'w':
        return Type::I32;
      case 'T':
        return form.type;
      default:
        return form.other;
    }
  }

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
      Form form;
      form.op = op;
      if (pure && info.result != '-' && op != Opcode::Const) types(form);
    }
  }

 private:
  void types(Form form) {
    const ir::OpInfo& info = ir::info(form.op);
    const bool open = info.result == 'T' || info.result == 'I' || info.result == 'F';
    for (const Type t : kTypes) {
      form.type = t;
      if (!open)
        form.type = info.result == 'b'   ? Type::I1
                    : info.result == 'f' ? Type::Flags
                    : info.result == 'v' ? Type::V128
                                         : Type::I32;
      other_types(form);
      if (!open) return;
    }
  }
  void other_types(Form form) {
    const std::string_view letters = ir::info(form.op).operands;
    const bool open = letters.find('U') != letters.npos || letters.find('S') != letters.npos;
    if (!open) return arrangements(form);
    for (const Type t : kTypes) {
      form.other = t;
      arrangements(form);
    }
  }
  void arrangements(Form form) {
    for (unsigned a = 0; a <= static_cast<unsigned>(Arr::D2); ++a) {
      form.arr = static_cast<Arr>(a);
      attributes(form);
    }
  }

  /// The numbers an attribute may have; the verifier refuses those that do not fit the form.
  void attributes(Form form) {
    switch (ir::info(form.op).attr) {
      case Attr::Imm:
      case Attr::Lane:
      case Attr::ArrImm:
        for (u64 i = 0; i <= 64; ++i) form.imm = i, rules(form);
        return;
      case Attr::Cond:
        for (u64 i = 0; i < 14; ++i) form.imm = i, rules(form);
        return;
      case Attr::Field:
        for (int i = 0; i < 40; ++i) {
          const u32 lsb = static_cast<u32>(random_() % 64), width = static_cast<u32>(1 + random_() % 64);
          form.aux = (i & 3 ? lsb : 0) | width << 8;
          rules(form);
        }
        return;
      case Attr::Round:
        for (u32 i = 0; i < 16; ++i) form.aux = i, rules(form);
        return;
      case Attr::FToI:
        for (u32 i = 0; i < 16; ++i)
          for (const u32 fraction : {0, 1, 13, 32, 64}) form.aux = i | fraction << 8, rules(form);
        return;
      case Attr::Sat:
        for (u32 i = 0; i < 2; ++i) form.aux = i, rules(form);
        return;
      case Attr::Pool:
        for (int i = 0; i < 24; ++i) form.constant = shuffle(i), rules(form);
        return;
      default:
        return rules(form);
    }
  }
  /// Broadcasts, slices, unzips, reversals and arbitrary masks.
  U128 shuffle(int kind) {
    u8 mask[16];
    const unsigned step = 1u << (random_() % 4), from = static_cast<unsigned>(random_() % 17);
    for (unsigned i = 0; i < 16; ++i) {
      switch (kind % 6) {
        case 0:
          mask[i] = static_cast<u8>(i + from);
          break;
        case 1:
          mask[i] = static_cast<u8>((i / step * 2 * step + i % step + (from & step)) & 31);
          break;
        case 2:
          mask[i] = static_cast<u8>(i ^ (2 * step - 1) ^ (from & 16));
          break;
        case 3:
          mask[i] = static_cast<u8>((i & (step - 1)) | ((i & step) ? 16 : 0) | (i / 2 & ~(step - 1) & 15));
          break;
        case 4:
          mask[i] = random_() % 4 == 0 ? 0x80 : static_cast<u8>(random_() % 32);
          break;
        default:
          mask[i] = static_cast<u8>(from % 32 / step * step % 32 + i % step);
          break;
      }
      if (mask[i] >= 32) mask[i] = 0x80;
    }
    U128 c;
    std::copy(mask, mask + 8, reinterpret_cast<u8*>(&c.lo));
    std::copy(mask + 8, mask + 16, reinterpret_cast<u8*>(&c.hi));
    return c;
  }

  void rules(Form form) {
    if (!build(form)) return;
    if (!(ir::effects(form.op) & ir::effect::kReadsFp)) return;
    const bool halves = form.op == Opcode::FFromHalf || form.op == Opcode::FToHalf || form.op == Opcode::VFCvtUp ||
                        form.op == Opcode::VFCvtDown;
    for (u8 bits = 2; bits < 16; bits += 2) {  // x86_nans is another guest's
      form.fp = ir::FpRules::unpack(bits);
      if (!form.fp.alt_half || halves) build(form);
    }
  }
  bool build(const Form& form) {
    Assembler(f_, random_).build(form, shape_);
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
