#include "ir/parser.h"

#include <fmt/format.h>

#include <unordered_map>

#include "base/bits.h"
#include "ir/lexer.h"
#include "ir/text_names.h"

namespace tiercel::ir {
namespace {

using text::Lexer;
using text::Token;
using text::TokenKind;

const std::unordered_map<std::string_view, Opcode>& opcodes_by_text() {
  static const auto map = [] {
    std::unordered_map<std::string_view, Opcode> m;
    for (unsigned i = 0; i < kOpcodeCount; ++i) m.emplace(info(static_cast<Opcode>(i)).text, static_cast<Opcode>(i));
    return m;
  }();
  return map;
}

/// Parse functions return false after recording the first error; callers pass it on.
class Parser {
 public:
  Parser(std::string_view text, std::span<const SlotInfo> slots) : lexer_(text), slots_(slots) {}

  Result<Function> run() {
    skip_lines();
    if (header() && body()) return std::move(f_);
    return fail(0, std::move(error_));
  }

 private:
  bool error(const Token& at, std::string message) {
    if (error_.empty()) error_ = fmt::format("{}:{}: {}", at.line, at.column, message);
    return false;
  }
  bool unexpected(std::string_view wanted) {
    const Token& t = lexer_.peek();
    if (t.kind == TokenKind::Bad) return error(t, std::string(t.text));
    const std::string_view what = t.kind == TokenKind::End       ? "the end"
                                  : t.kind == TokenKind::NewLine ? "end of line"
                                                                 : t.text;
    return error(t, fmt::format("expected {}, found {}", wanted, what));
  }

  bool punctuation(char c) {
    if (!lexer_.peek().is(c)) return unexpected(fmt::format("'{}'", c));
    lexer_.take();
    return true;
  }
  bool accept(char c) {
    if (!lexer_.peek().is(c)) return false;
    lexer_.take();
    return true;
  }
  bool word(std::string_view& out, std::string_view wanted) {
    if (lexer_.peek().kind != TokenKind::Word) return unexpected(wanted);
    out = lexer_.take().text;
    return true;
  }
  bool number(u64& out, std::string_view wanted, u64 limit = ~u64{0}) {
    if (lexer_.peek().kind != TokenKind::Number) return unexpected(wanted);
    const Token t = lexer_.take();
    if (t.number.hi != 0 || t.number.lo > limit) return error(t, fmt::format("{} is out of range", wanted));
    out = t.number.lo;
    return true;
  }
  bool name(std::span<const std::string_view> names, unsigned& out, std::string_view wanted) {
    const Token t = lexer_.peek();
    std::string_view w;
    if (!word(w, wanted)) return false;
    const auto found = text::find(names, w);
    if (!found) return error(t, fmt::format("'{}' is no {}", w, wanted));
    out = *found;
    return true;
  }
  void skip_lines() {
    while (lexer_.peek().kind == TokenKind::NewLine) lexer_.take();
  }

  // block(pc=0x4008, end=0x400c, fp=default_nan+flush):
  // block(pc=0x8, end=0xc, relative=0x40001000):
  bool header() {
    if (!lexer_.peek().is_word("block")) return unexpected("'block'");
    lexer_.take();
    if (!punctuation('(')) return false;
    do {
      const Token key = lexer_.peek();
      std::string_view k;
      if (!word(k, "pc, end, relative or fp") || !punctuation('=')) return false;
      if (k == "pc") {
        if (!number(f_.pc, "an address")) return false;
        if (f_.end_pc == 0) f_.end_pc = f_.pc;
      } else if (k == "end") {
        if (!number(f_.end_pc, "an address")) return false;
      } else if (k == "relative") {
        f_.relative = true;
        if (!number(f_.origin, "an origin")) return false;
      } else if (k == "fp") {
        if (!fp_rules()) return false;
      } else {
        return error(key, "expected pc, end, relative or fp");
      }
    } while (accept(','));
    return punctuation(')') && punctuation(':');
  }
  bool fp_rules() {
    u8 bits = 0;
    do {
      unsigned rule = 0;
      if (!name(text::kFpRules, rule, "floating-point rule")) return false;
      bits |= static_cast<u8>(1u << rule);
    } while (accept('+'));
    f_.fp = FpRules::unpack(bits);
    return true;
  }

  bool body() {
    for (;;) {
      if (lexer_.peek().kind == TokenKind::End) return true;
      if (lexer_.peek().kind != TokenKind::NewLine) return unexpected("end of line");
      skip_lines();
      if (lexer_.peek().kind == TokenKind::End) return true;
      if (f_.insts.size() > kMaxParsedInsts) return error(lexer_.peek(), "too many insts");
      if (!line()) return false;
    }
  }

  bool line() {
    const Token first = lexer_.peek();
    const bool named = first.kind == TokenKind::Value;
    if (named) {
      lexer_.take();
      if (!punctuation('=')) return false;
    }
    Inst inst;
    if (!opcode(inst) || !rest(inst)) return false;
    const bool has_result = info(inst.op).result != '-' && inst.type != Type::None;
    if (named != has_result) return error(first, has_result ? "the result needs a name" : "there is no result to name");
    if (named && first.number.hi != 0) return error(first, "the number is out of range");
    if (named && !values_.emplace(first.number.lo, Value{static_cast<u32>(f_.insts.size())}).second)
      return error(first, fmt::format("%{} is already defined", first.text));
    if (inst.op == Opcode::Insn) ++f_.insn_count;
    f_.insts.push_back(inst);
    return true;
  }

  /// An opcode's text, then types and arrangements after dots.
  bool opcode(Inst& inst) {
    const Token t = lexer_.peek();
    std::string_view w;
    if (!word(w, "an instruction")) return false;
    std::string_view stem = w;
    auto found = opcodes_by_text().find(stem);
    while (found == opcodes_by_text().end()) {
      const auto dot = stem.rfind('.');
      if (dot == std::string_view::npos) return error(t, fmt::format("no instruction '{}'", w));
      stem = stem.substr(0, dot);
      found = opcodes_by_text().find(stem);
    }
    inst.op = found->second;
    for (std::string_view suffixes = w.substr(stem.size()); !suffixes.empty();) {
      suffixes.remove_prefix(1);
      const auto end = std::min(suffixes.find('.'), suffixes.size());
      if (!suffix(inst, suffixes.substr(0, end), t)) return false;
      suffixes.remove_prefix(end);
    }
    return true;
  }
  bool suffix(Inst& inst, std::string_view s, const Token& at) {
    const OpInfo& op = info(inst.op);
    const auto type = text::find(text::kTypes, s);
    if (type && *type != 0 && (text::shows_type(op) || inst.op == Opcode::Store)) {
      inst.type = static_cast<Type>(*type);
      return true;
    }
    const auto arr = text::find(text::kArrs, s);
    if (arr && *arr != 0 && text::may_have_arr(op)) {
      inst.arr = static_cast<Arr>(*arr);
      return true;
    }
    return error(at, fmt::format("'{}' cannot follow {}", s, op.text));
  }

  bool fixed_type(Inst& inst) {
    const OpInfo& op = info(inst.op);
    switch (op.result) {
      case 'b':
        inst.type = Type::I1;
        return true;
      case 'f':
        inst.type = Type::Flags;
        return true;
      case 'v':
        inst.type = Type::V128;
        return true;
      case 'w':
        inst.type = Type::I32;
        return true;
      case 'x':
        inst.type = Type::I64;
        return true;
      default:
        if (inst.type == Type::None && inst.arr != Arr::None && text::may_have_arr(op) && op.attr != Attr::Lane)
          inst.type = Type::V128;
        return true;
    }
  }

  Type implied_type(const Inst& inst, unsigned k) const {
    switch (info(inst.op).operands[k]) {
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
        const Value v = inst.args[std::min<std::size_t>(info(inst.op).operands.find('U'), k)];
        return v ? f_[v].type : Type::None;
      }
      default:
        if (inst.op == Opcode::Set) return slots_[inst.slot()].type;
        return inst.op == Opcode::Store ? inst.type : Type::None;
    }
  }

  bool operand(Inst& inst, unsigned k) {
    const Token t = lexer_.peek();
    if (t.kind == TokenKind::Value) {
      lexer_.take();
      const auto it = values_.find(t.number.lo);
      if (t.number.hi != 0 || it == values_.end()) return error(t, fmt::format("%{} is not defined", t.text));
      inst.args[k] = it->second;
      return true;
    }
    Inst constant{.op = Opcode::Const};
    if (!number(constant.imm, "a value")) return false;
    constant.type = implied_type(inst, k);
    if (accept(':')) {
      unsigned type = 0;
      if (!name(text::kTypes, type, "type")) return false;
      constant.type = static_cast<Type>(type);
    }
    const unsigned bits = type_bits(constant.type);
    if (bits == 0 || bits > 64 || constant.type == Type::Flags)
      return error(t, "a constant here needs a type, as in 5:i32");
    if ((constant.imm & ~low_mask(bits)) != 0) return error(t, "the constant does not fit its type");
    inst.args[k] = Value{static_cast<u32>(f_.insts.size())};
    f_.insts.push_back(constant);
    return true;
  }

  // Items are separated by commas; the first follows the opcode.
  bool comma() {
    if (first_item_) {
      first_item_ = false;
      return true;
    }
    return punctuation(',');
  }
  bool at_line_end() const { return lexer_.peek().kind == TokenKind::NewLine || lexer_.peek().kind == TokenKind::End; }
  bool operands(Inst& inst, unsigned from = 0) {
    const std::string_view letters = info(inst.op).operands;
    for (unsigned k = from; k < letters.size(); ++k) {
      if (letters[k] == '?' && at_line_end()) return true;
      if (!comma() || !operand(inst, k)) return false;
    }
    return true;
  }
  bool item_number(u64& out, std::string_view wanted, u64 limit = ~u64{0}) {
    return comma() && number(out, wanted, limit);
  }
  bool item_name(std::span<const std::string_view> names, unsigned& out, std::string_view wanted) {
    return comma() && name(names, out, wanted);
  }
  bool item_u32(u32& out, std::string_view wanted, u64 limit) {
    u64 v = 0;
    if (!item_number(v, wanted, limit)) return false;
    out = static_cast<u32>(v);
    return true;
  }
  bool item_pc_in_pool(u32& index) {
    u64 pc = 0;
    if (!item_number(pc, "an address")) return false;
    index = f_.add_constant({pc, 0});
    return true;
  }
  bool item_pool(u32& index) {
    if (!comma()) return false;
    if (lexer_.peek().kind != TokenKind::Number) return unexpected("a 128-bit constant");
    index = f_.add_constant(lexer_.take().number);
    return true;
  }

  bool slot(Inst& inst) {
    const Token t = lexer_.peek();
    std::string_view w;
    if (!comma() || !word(w, "a slot")) return false;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].name != w) continue;
      inst.aux = static_cast<u32>(i);
      if (inst.op == Opcode::Get && inst.type == Type::None) inst.type = slots_[i].type;
      if (!operands(inst)) return false;
      if (inst.op == Opcode::Set) inst.type = f_[inst.args[0]].type;
      return true;
    }
    return error(t, fmt::format("no slot '{}'", w));
  }

  /// Whether the next number is an index and not a displacement: then a shift (or a type) follows it.
  bool constant_index() const {
    Lexer ahead = lexer_;
    return ahead.take().kind == TokenKind::Number && (ahead.peek().is('<') || ahead.peek().is(':'));
  }

  // base [+ index [<< shift]] [+ displacement]: what follows the base operand.
  bool address_rest(Inst& inst, MemAttr& m) {
    while (lexer_.peek().is('+') || lexer_.peek().is('-')) {
      const bool negative = lexer_.take().is('-');
      if (!negative && (lexer_.peek().kind == TokenKind::Value || constant_index())) {
        if (inst.args[1]) return error(lexer_.peek(), "one index is enough");
        if (!operand(inst, 1)) return false;
        u64 shift = 0;
        if (accept('<') && !number(shift, "a shift", 15)) return false;
        m.index_shift = static_cast<u8>(shift);
      } else {
        u64 d = 0;
        if (!number(d, "a displacement")) return false;
        inst.imm += negative ? 0 - d : d;
      }
    }
    return true;
  }
  bool mem_word(MemAttr& m, std::string_view w, const Token& at) {
    if (w == "acquire")
      m.acquire = true;
    else if (w == "release")
      m.release = true;
    else if (w == "user")
      m.user = true;
    else if (w == "aligned")
      m.aligned = true;
    else if (const auto size = text::find(text::kSizes, w.substr(1)); size && (w[0] == 'u' || w[0] == 's'))
      m.size_log2 = static_cast<u8>(*size), m.sign = w[0] == 's';
    else
      return error(at, fmt::format("'{}' is no memory attribute", w));
    return true;
  }
  bool mem_attributes(Inst& inst, MemAttr m) {
    while (accept(',')) {
      const Token t = lexer_.peek();
      std::string_view w;
      if (!word(w, "a memory attribute") || !mem_word(m, w, t)) return false;
    }
    inst.aux = m.pack();
    return true;
  }
  MemAttr natural(const Inst& inst) const {
    MemAttr m;
    m.size_log2 = 0;
    while (8 * m.bytes() < type_bits(inst.type)) ++m.size_log2;
    return m;
  }
  bool memory(Inst& inst) {
    MemAttr m = natural(inst);
    const unsigned base = inst.op == Opcode::CasIf ? 1 : 0;
    if (base == 1 && !(comma() && operand(inst, 0))) return false;
    if (!comma() || !operand(inst, base)) return false;
    if (inst.op == Opcode::Load || inst.op == Opcode::Store) {
      if (!address_rest(inst, m)) return false;
      if (inst.op == Opcode::Store && !operands(inst, 2)) return false;
    } else if (!operands(inst, base + 1)) {
      return false;
    }
    return mem_attributes(inst, m);
  }

  bool exit(Inst& inst) {
    unsigned kind = 0;
    u32 pc = 0;
    if (!item_name(text::kExits, kind, "exit kind") || !item_pc_in_pool(pc)) return false;
    inst.aux = kind | pc << 8;
    return item_number(inst.imm, "a payload") && operands(inst);
  }
  bool rounding(Inst& inst) {
    unsigned mode = 0;
    if (!operands(inst) || !item_name(text::kRounds, mode, "rounding")) return false;
    inst.aux = mode;
    while (accept(',')) {
      const Token t = lexer_.peek();
      std::string_view w;
      if (!word(w, "exact, unsigned or fraction")) return false;
      const bool to_int = info(inst.op).attr == Attr::FToI;
      u64 fraction = 0;
      if (w == (to_int ? "unsigned" : "exact"))
        inst.aux |= 8;
      else if (to_int && w == "fraction" && number(fraction, "fraction bits", 255))
        inst.aux |= static_cast<u32>(fraction) << 8;
      else
        return error(t, fmt::format("'{}' cannot stand here", w));
    }
    return true;
  }

  bool rest(Inst& inst) {
    fixed_type(inst);
    first_item_ = true;
    unsigned n = 0;
    switch (info(inst.op).attr) {
      case Attr::None:
      case Attr::Arr:
        return operands(inst);
      case Attr::Imm:
        if (inst.op == Opcode::Fence) {
          if (!item_name(text::kFences, n, "fence")) return false;
          inst.imm = n;
          return true;
        }
        return operands(inst) && item_number(inst.imm, "a number");
      case Attr::ArrImm:
      case Attr::Lane:
        return operands(inst) && item_number(inst.imm, "a number");
      case Attr::Pool:
        return operands(inst) && item_pool(inst.aux);
      case Attr::Slot:
        return slot(inst);
      case Attr::Pc:
        return item_number(inst.imm, "an address");
      case Attr::Pc2:
        return operands(inst) && item_number(inst.imm, "an address") && item_pc_in_pool(inst.aux);
      case Attr::PcRet:
        return operands(inst) && item_pc_in_pool(inst.aux);
      case Attr::Field: {
        u32 lsb = 0, width = 0;
        if (!operands(inst) || !item_u32(lsb, "a bit number", 63) || !item_u32(width, "a width", 64)) return false;
        inst.aux = lsb | width << 8;
        return true;
      }
      case Attr::Cond:
        if (!operands(inst) || !item_name(text::kConds, n, "condition")) return false;
        inst.imm = n;
        return true;
      case Attr::Mem:
        return memory(inst);
      case Attr::Rmw:
        if (!item_name(text::kRmws, n, "atomic operation") || !operands(inst)) return false;
        inst.imm = n;
        return mem_attributes(inst, natural(inst));
      case Attr::Exit:
        return exit(inst);
      case Attr::Helper:
        return item_number(inst.imm, "a helper") && operands(inst);
      case Attr::Round:
      case Attr::FToI:
        return rounding(inst);
      case Attr::Sat:
        if (!operands(inst)) return false;
        if (!accept(',')) return true;
        if (!lexer_.peek().is_word("mask")) return unexpected("mask");
        lexer_.take();
        inst.aux = 1;
        return true;
    }
    return false;
  }

  Lexer lexer_;
  std::span<const SlotInfo> slots_;
  Function f_;
  std::unordered_map<u64, Value> values_;
  bool first_item_ = true;
  std::string error_;
};

}  // namespace

Result<Function> parse(std::string_view text, std::span<const SlotInfo> slots) {
  return Parser(text, slots).run();
}

}  // namespace tiercel::ir
