#include "tests/support/op_forms.h"

#include <algorithm>

#include "ir/text_names.h"
#include "ir/verifier.h"

namespace tiercel::test {
namespace {

using ir::Arr;
using ir::Attr;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr Type kTypes[] = {Type::I1,  Type::I8,  Type::I16,  Type::I32,  Type::I64,
                           Type::F32, Type::F64, Type::V128, Type::Flags};

class Enumeration {
 public:
  Enumeration(std::span<const ir::SlotInfo> slots, std::mt19937_64& random,
              const std::function<void(const OpForm&)>& use)
      : slots_(slots), random_(random), use_(use) {}

  void types(OpForm form) {
    const ir::OpInfo& info = ir::info(form.op);
    switch (info.result) {
      case 'T':
      case 'I':
      case 'F':
        if (form.op == Opcode::CallHelper) other_types(form);
        for (const Type t : kTypes) {
          form.type = t;
          other_types(form);
        }
        return;
      case 'b':
        form.type = Type::I1;
        break;
      case 'f':
        form.type = Type::Flags;
        break;
      case 'v':
        form.type = Type::V128;
        break;
      case 'w':
        form.type = Type::I32;
        break;
      case 'x':
        form.type = Type::I64;
        break;
      default:
        break;
    }
    other_types(form);
  }

 private:
  void other_types(OpForm form) {
    const std::string_view letters = ir::info(form.op).operands;
    if (letters.find('U') == letters.npos && letters.find('S') == letters.npos) return arrangements(form);
    for (const Type t : kTypes) {
      form.other = t;
      if (form.op == Opcode::Set || form.op == Opcode::Store) form.type = t;
      arrangements(form);
    }
  }
  void arrangements(OpForm form) {
    if (!ir::text::may_have_arr(ir::info(form.op))) return attributes(form);
    for (unsigned a = 0; a <= static_cast<unsigned>(Arr::D2); ++a) {
      form.arr = static_cast<Arr>(a);
      attributes(form);
    }
  }

  void attributes(OpForm form) {
    switch (ir::info(form.op).attr) {
      case Attr::Imm:
        if (form.op == Opcode::Const) return use_(form);
        return immediates(form, 64);
      case Attr::Lane:
      case Attr::ArrImm:
        return immediates(form, 64);
      case Attr::Cond:
        return immediates(form, 13);
      case Attr::Slot:
        for (u32 i = 0; i < slots_.size(); ++i) form.aux = i, use_(form);
        return;
      case Attr::Field:
        for (int i = 0; i < 40; ++i) {
          const u32 lsb = static_cast<u32>(random_() % 64), width = static_cast<u32>(1 + random_() % 64);
          form.aux = (i & 3 ? lsb : 0) | width << 8;
          use_(form);
        }
        return;
      case Attr::Round:
        for (u32 i = 0; i < 16; ++i) form.aux = i, use_(form);
        return;
      case Attr::FToI:
        for (u32 i = 0; i < 16; ++i)
          for (const u32 fraction : {0, 1, 13, 32, 64}) form.aux = i | fraction << 8, use_(form);
        return;
      case Attr::Sat:
        for (u32 i = 0; i < 2; ++i) form.aux = i, use_(form);
        return;
      case Attr::Pool:
        for (unsigned i = 0; i < 24; ++i) form.constant = shuffle_mask(i, random_), use_(form);
        return;
      case Attr::Mem:
        return memory(form);
      case Attr::Rmw:
        for (u64 i = 0; i < std::size(ir::text::kRmws); ++i) form.imm = i, memory(form);
        return;
      case Attr::Exit:
        for (u32 i = 0; i < std::size(ir::text::kExits); ++i) form.aux = i, use_(form);
        return;
      default:
        return use_(form);
    }
  }
  void immediates(OpForm form, u64 last) {
    for (u64 i = 0; i <= last; ++i) form.imm = i, use_(form);
  }
  void memory(OpForm form) {
    for (unsigned bits = 0; bits < 5 << 5; ++bits) {
      ir::MemAttr m;
      m.size_log2 = static_cast<u8>(bits >> 5);
      m.sign = bits & 1;
      m.acquire = bits >> 1 & 1;
      m.release = bits >> 2 & 1;
      m.user = bits >> 3 & 1;
      m.aligned = bits >> 4 & 1;
      form.aux = m.pack();
      use_(form);
    }
  }

  std::span<const ir::SlotInfo> slots_;
  std::mt19937_64& random_;
  const std::function<void(const OpForm&)>& use_;
};

/// A function around one inst of the form, for the verifier only.
class Sample {
 public:
  const ir::Function& make(const OpForm& form) {
    f_.clear();
    Inst inst{.op = form.op, .type = form.type, .arr = form.arr, .aux = form.aux, .imm = form.imm};
    if (ir::info(form.op).attr == Attr::Pool) f_.pool.push_back(form.constant);
    if (ir::is_terminal(form.op)) f_.pool.push_back({});
    f_.relative = form.op == Opcode::CodeAddress;
    const std::string_view letters = ir::info(form.op).operands;
    for (unsigned k = 0; k < letters.size(); ++k)
      if (letters[k] != '?') inst.args[k] = operand(operand_type(letters[k], form));
    f_.insts.push_back(inst);
    if (!ir::is_terminal(form.op)) f_.insts.push_back(Inst{.op = Opcode::Jump});
    return f_;
  }

 private:
  Value append(const Inst& inst) {
    f_.insts.push_back(inst);
    return Value{static_cast<u32>(f_.insts.size() - 1)};
  }
  Value operand(Type t) {
    if (t == Type::Flags) {
      const Value zero = append(Inst{.op = Opcode::Const, .type = Type::I32});
      return append(Inst{.op = Opcode::FlagsFromNzcv, .type = t, .args = {zero}});
    }
    if (t != Type::V128) return append(Inst{.op = Opcode::Const, .type = t});
    f_.pool.resize(std::max<std::size_t>(f_.pool.size(), 1));
    return append(Inst{.op = Opcode::VConst, .type = t});
  }

  ir::Function f_;
};

}  // namespace

Type operand_type(char letter, const OpForm& form) {
  switch (letter) {
    case 'b':
      return Type::I1;
    case 'f':
      return Type::Flags;
    case 'v':
      return Type::V128;
    case 'w':
      return Type::I32;
    case 'x':
    case '?':
      return Type::I64;
    case 'T':
      return form.type;
    default:
      return form.other;
  }
}

void for_each_candidate(Opcode op, std::span<const ir::SlotInfo> slots, std::mt19937_64& random,
                        const std::function<void(const OpForm&)>& use) {
  OpForm form;
  form.op = op;
  Enumeration(slots, random, use).types(form);
}

std::vector<OpForm> legal_forms(Opcode op, std::span<const ir::SlotInfo> slots, std::mt19937_64& random) {
  std::vector<OpForm> forms;
  Sample sample;
  for_each_candidate(op, slots, random, [&](const OpForm& form) {
    if (ir::verify(sample.make(form), slots).empty()) forms.push_back(form);
  });
  return forms;
}

U128 shuffle_mask(unsigned kind, std::mt19937_64& random) {
  u8 mask[16];
  const unsigned step = 1u << (random() % 4), from = static_cast<unsigned>(random() % 17);
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
        mask[i] = random() % 4 == 0 ? 0x80 : static_cast<u8>(random() % 32);
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

}  // namespace tiercel::test
