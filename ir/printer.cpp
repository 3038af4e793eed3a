#include "ir/printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "ir/text_names.h"

namespace tiercel::ir {
namespace {

class Printer {
 public:
  Printer(const Function& f, std::span<const SlotInfo> slots) : f_(f), slots_(slots) { number_values(); }

  std::string run() {
    header();
    for (u32 i = 0; i < f_.insts.size(); ++i)
      if (is_visible(i)) line(i);
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  bool is_visible(u32 i) const {
    const Opcode op = f_.insts[i].op;
    return op != Opcode::Nop && !(op == Opcode::Const && used_[i]);
  }
  void number_values() {
    used_.resize(f_.insts.size());
    for (const Inst& inst : f_.insts)
      for (const Value v : inst.args)
        if (v.index < used_.size()) used_[v.index] = true;
    names_.resize(f_.insts.size());
    u32 next = 0;
    for (u32 i = 0; i < f_.insts.size(); ++i)
      if (is_visible(i) && has_result(f_.insts[i])) names_[i] = next++;
  }
  static bool has_result(const Inst& inst) { return info(inst.op).result != '-' && inst.type != Type::None; }

  void header() {
    put("block(pc={:#x}", f_.pc);
    if (f_.end_pc != f_.pc) put(", end={:#x}", f_.end_pc);
    if (f_.relative) put(", relative={:#x}", f_.origin);
    const char* separator = ", fp=";
    for (unsigned i = 0; i < std::size(text::kFpRules); ++i) {
      if (!(f_.fp.pack() >> i & 1)) continue;
      put("{}{}", separator, text::kFpRules[i]);
      separator = "+";
    }
    put("):\n");
  }

  void line(u32 i) {
    const Inst& inst = f_.insts[i];
    put("  ");
    if (has_result(inst)) put("%{} = ", names_[i]);
    put("{}", info(inst.op).text);
    suffixes(inst);
    separator_ = " ";
    body(inst);
    put("\n");
  }

  const SlotInfo* slot(const Inst& inst) const { return inst.aux < slots_.size() ? &slots_[inst.aux] : nullptr; }

  void suffixes(const Inst& inst) {
    const OpInfo& op = info(inst.op);
    const bool arr = text::may_have_arr(op) && inst.arr != Arr::None;
    bool type = text::shows_type(op) || inst.op == Opcode::Store;
    if (inst.op == Opcode::Get && slot(inst) && slot(inst)->type == inst.type) type = false;
    if (arr && inst.type == Type::V128) type = false;
    if (inst.op == Opcode::CallHelper && inst.type == Type::None) type = false;
    if (type) put(".{}", text::name(text::kTypes, inst.type));
    if (arr) put(".{}", text::name(text::kArrs, inst.arr));
  }

  // Items after the opcode: the first after a space, the others after a comma.
  template <typename... Args>
  void item(fmt::format_string<Args...> format, Args&&... args) {
    out_ += separator_;
    separator_ = ", ";
    put(format, std::forward<Args>(args)...);
  }
  void number(u64 v) {
    if (v < 1024)
      item("{}", v);
    else
      item("{:#x}", v);
  }

  Type implied_type(const Inst& inst, unsigned k) const {
    const std::string_view letters = info(inst.op).operands;
    switch (letters[k]) {
      case 'T':
        return inst.type;
      case 'b':
        return Type::I1;
      case 'w':
        return Type::I32;
      case 'x':
      case '?':
        return Type::I64;
      case 'U': {
        const Value v = inst.args[std::min<std::size_t>(letters.find('U'), k)];
        return v.index < f_.insts.size() && f_[v].op != Opcode::Const ? f_[v].type : Type::None;
      }
      default:
        if (inst.op == Opcode::Set) return slot(inst) ? slot(inst)->type : Type::None;
        return inst.op == Opcode::Store ? inst.type : Type::None;
    }
  }
  void operand(const Inst& inst, unsigned k) {
    const Value v = inst.args[k];
    if (v.index >= f_.insts.size()) return item("?");
    const Inst& def = f_[v];
    if (def.op != Opcode::Const) return item("%{}", names_[v.index]);
    number(def.imm);
    if (implied_type(inst, k) != def.type) put(":{}", text::name(text::kTypes, def.type));
  }
  void operands(const Inst& inst) {
    for (unsigned k = 0; k < info(inst.op).operands.size(); ++k)
      if (inst.args[k] || info(inst.op).operands[k] != '?') operand(inst, k);
  }
  void pool(u32 index) {
    if (index >= f_.pool.size()) return item("?");
    const U128& c = f_.constant(index);
    item("0x{:016x}{:016x}", c.hi, c.lo);
  }
  void pool_pc(u32 index) {
    if (index >= f_.pool.size()) return item("?");
    item("{:#x}", f_.constant(index).lo);
  }

  void address(const Inst& inst, unsigned k) {
    operand(inst, k);
    if (inst.op != Opcode::Load && inst.op != Opcode::Store) return;
    if (inst.args[1]) {
      separator_ = " + ";
      operand(inst, 1);
      // A constant index prints as a number; the shift tells it from a displacement.
      const bool constant = inst.args[1].index < f_.insts.size() && f_[inst.args[1]].op == Opcode::Const;
      if (inst.mem().index_shift != 0 || constant) put(" << {}", inst.mem().index_shift);
    }
    const s64 d = static_cast<s64>(inst.imm);
    if (d == 0) return;
    separator_ = d < 0 ? " - " : " + ";
    number(d < 0 ? 0 - inst.imm : inst.imm);
  }
  void mem_attributes(const Inst& inst, Type natural) {
    const MemAttr m = inst.mem();
    if (m.sign || 8 * m.bytes() != type_bits(natural))
      item("{}{}", m.sign ? 's' : 'u', text::name(text::kSizes, m.size_log2));
    if (m.acquire) item("acquire");
    if (m.release) item("release");
    if (m.user) item("user");
    if (m.aligned) item("aligned");
  }
  void memory(const Inst& inst) {
    const unsigned first = inst.op == Opcode::CasIf ? 1 : 0;
    if (first == 1) operand(inst, 0);
    address(inst, first);
    if (inst.op == Opcode::Store) operand(inst, 2);
    if (inst.op == Opcode::AtomicCas || inst.op == Opcode::CasIf) {
      operand(inst, first + 1);
      operand(inst, first + 2);
    }
    mem_attributes(inst, inst.op == Opcode::CasIf ? Type::None : inst.type);
  }

  void body(const Inst& inst) {
    switch (info(inst.op).attr) {
      case Attr::None:
      case Attr::Arr:
        return operands(inst);
      case Attr::Imm:
        operands(inst);
        if (inst.op == Opcode::Fence) return item("{}", text::name(text::kFences, inst.imm));
        return number(inst.imm);
      case Attr::ArrImm:
      case Attr::Lane:
        operands(inst);
        return number(inst.imm);
      case Attr::Pool:
        operands(inst);
        return pool(inst.aux);
      case Attr::Slot:
        item("{}", slot(inst) ? slot(inst)->name : "?");
        return operands(inst);
      case Attr::Pc:
        return item("{:#x}", inst.imm);
      case Attr::Pc2:
        operands(inst);
        item("{:#x}", inst.imm);
        return pool_pc(inst.aux);
      case Attr::PcRet:
        operands(inst);
        return pool_pc(inst.aux);
      case Attr::Field:
        operands(inst);
        number(inst.lsb());
        return number(inst.width());
      case Attr::Cond:
        operands(inst);
        return item("{}", text::name(text::kConds, inst.imm));
      case Attr::Mem:
        return memory(inst);
      case Attr::Rmw:
        item("{}", text::name(text::kRmws, inst.imm));
        operands(inst);
        return mem_attributes(inst, inst.type);
      case Attr::Exit:
        item("{}", text::name(text::kExits, inst.exit_kind()));
        pool_pc(inst.aux >> 8);
        number(inst.imm);
        return operands(inst);
      case Attr::Helper:
        number(inst.imm);
        return operands(inst);
      case Attr::Round:
        operands(inst);
        item("{}", text::name(text::kRounds, inst.aux & 7));
        if (inst.aux & 8) item("exact");
        return;
      case Attr::FToI:
        operands(inst);
        item("{}", text::name(text::kRounds, inst.aux & 7));
        if (inst.aux & 8) item("unsigned");
        if (inst.aux >> 8 != 0) item("fraction {}", inst.aux >> 8 & 0xff);
        return;
      case Attr::Sat:
        operands(inst);
        if (inst.aux & 1) item("mask");
        return;
    }
  }

  const Function& f_;
  std::span<const SlotInfo> slots_;
  std::vector<bool> used_;
  std::vector<u32> names_;
  std::string out_;
  std::string_view separator_;
};

}  // namespace

std::string print(const Function& f, std::span<const SlotInfo> slots) {
  return Printer(f, slots).run();
}

}  // namespace tiercel::ir
