#include "ir/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "ir/printer.h"
#include "ir/text_names.h"

namespace tiercel::ir {
namespace {

constexpr std::size_t kMaxMessages = 100;

constexpr u8 kAnyArr = 0xff;
constexpr u8 bit(Arr a) {
  return static_cast<u8>(1u << (static_cast<unsigned>(a) - 1));
}
template <typename... A>
constexpr u8 arrs(A... a) {
  return static_cast<u8>((bit(a) | ...));
}

/// The arrangements an opcode is defined for, one bit each from B8 up.
constexpr u8 legal_arrangements(Opcode op) {
  using enum Arr;
  constexpr u8 kBytes = arrs(B8, B16), kFloat = arrs(S2, S4, D1, D2), kWide = arrs(H8, S4, D2),
               kNarrow = arrs(B8, H4, S2);
  switch (op) {
    case Opcode::VPMul:
    case Opcode::VCnt:
    case Opcode::VRbit:
      return kBytes;
    case Opcode::VPMull:
      return arrs(H8, D2);
    case Opcode::VMullS:
    case Opcode::VMullU:
    case Opcode::VExtS:
    case Opcode::VExtU:
      return kWide;
    case Opcode::VQDMull:
    case Opcode::VFCvtUp:
      return arrs(S4, D2);
    case Opcode::VNarrow:
    case Opcode::VQNarrowS:
    case Opcode::VQNarrowU:
    case Opcode::VQNarrowSU:
      return kNarrow;
    case Opcode::VFCvtDown:
      return arrs(H4, S2);
    case Opcode::VURecpE:
    case Opcode::VURsqrtE:
      return arrs(S2, S4);
    case Opcode::VQDMulH:
    case Opcode::VQRDMulH:
    case Opcode::VQRDMlAH:
    case Opcode::VQRDMlSH:
      return arrs(H4, H8, S2, S4);
    case Opcode::VInsert:
      return arrs(B16, H8, S4, D2);
    case Opcode::FToInt:
    case Opcode::IntToF:
      return kFloat;
    default:
      return info(op).result == 'F' ? kFloat : kAnyArr;
  }
}

constexpr bool is_wide_int(Type t) {
  return t == Type::I32 || t == Type::I64;
}

class Verifier {
 public:
  Verifier(const Function& f, std::span<const SlotInfo> slots) : f_(f), slots_(slots) {}

  std::vector<std::string> run() {
    for (at_ = 0; at_ < f_.insts.size() && messages_.size() < kMaxMessages; ++at_) inst(f_.insts[at_]);
    if (f_.insts.empty() || !is_terminal(f_.insts.back().op)) messages_.push_back("the last inst is not a terminal");
    return std::move(messages_);
  }

 private:
  template <typename... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    messages_.push_back(fmt::format("inst {} ({}): {}", at_, info(f_.insts[at_].op).text,
                                    fmt::format(format, std::forward<Args>(args)...)));
  }
  template <typename... Args>
  void require(bool ok, fmt::format_string<Args...> format, Args&&... args) {
    if (!ok) complain(format, std::forward<Args>(args)...);
  }
  static std::string_view name(Type t) { return text::name(text::kTypes, t); }

  Type type_of(Value v) const { return v.index < at_ ? f_[v].type : Type::None; }

  void inst(const Inst& i) {
    if (static_cast<unsigned>(i.op) >= kOpcodeCount) {
      messages_.push_back(fmt::format("inst {}: no such opcode", at_));
      return;
    }
    if (is_terminal(i.op) && at_ + 1 != f_.insts.size()) complain("a terminal before the end");
    const std::size_t before = messages_.size();
    operands(i);
    if (messages_.size() != before) return;  // the rest relies on operands being there
    result(i);
    arrangement(i);
    types(i);
    attribute(i);
  }

  void operands(const Inst& i) {
    const std::string_view letters = info(i.op).operands;
    Type shared = Type::None;
    for (unsigned k = 0; k < 4; ++k) {
      const Value v = i.args[k];
      const char letter = k < letters.size() ? letters[k] : '-';
      if (!v) {
        require(letter == '-' || letter == '?', "operand {} is missing", k);
        continue;
      }
      if (letter == '-') {
        complain("operand {} is one too many", k);
      } else if (v.index >= at_) {
        complain("operand {} is not defined before its use", k);
      } else if (type_of(v) == Type::None || info(f_[v].op).result == '-') {
        complain("operand {} has no value", k);
      } else {
        if (letter == 'U' && shared == Type::None) shared = type_of(v);
        operand_type(i, k, letter, shared);
      }
    }
  }
  void operand_type(const Inst& i, unsigned k, char letter, Type shared) {
    const Type have = type_of(i.args[k]);
    Type want = have;
    switch (letter) {
      case 'b':
        want = Type::I1;
        break;
      case 'f':
        want = Type::Flags;
        break;
      case 'v':
        want = Type::V128;
        break;
      case 'w':
        want = Type::I32;
        break;
      case 'x':
      case '?':
        want = Type::I64;
        break;
      case 'T':
        want = i.type;
        break;
      case 'U':
        want = shared;
        break;
      default:
        break;
    }
    require(have == want, "operand {} is {}, not {}", k, name(have), name(want));
  }

  void result(const Inst& i) {
    if (i.type > Type::Flags) return complain("no such type");
    switch (info(i.op).result) {
      case '-':
        if (i.op != Opcode::Set && i.op != Opcode::Store) return;
        return require(i.type == type_of(i.args[i.op == Opcode::Set ? 0 : 2]), "its type is not the value's");
      case 'b':
        return require(i.type == Type::I1, "the result is {}, not i1", name(i.type));
      case 'f':
        return require(i.type == Type::Flags, "the result is {}, not flags", name(i.type));
      case 'v':
        return require(i.type == Type::V128, "the result is {}, not v128", name(i.type));
      case 'w':
        return require(i.type == Type::I32, "the result is {}, not i32", name(i.type));
      case 'x':
        return require(i.type == Type::I64, "the result is {}, not i64", name(i.type));
      case 'I':
        return require(is_int(i.type), "the result is {}, not an integer", name(i.type));
      case 'F':
        return require(is_float(i.type) || i.type == Type::V128, "the result is {}, not floating point", name(i.type));
      default:
        return require(i.type != Type::None || i.op == Opcode::CallHelper, "the result has no type");
    }
  }

  void arrangement(const Inst& i) {
    const OpInfo& op = info(i.op);
    if (i.arr > Arr::D2) return complain("no such arrangement");
    const bool vector = i.type == Type::V128 || op.attr == Attr::Lane;
    if (!text::may_have_arr(op) || !vector) return require(i.arr == Arr::None, "an arrangement has no meaning here");
    require(i.arr != Arr::None && (legal_arrangements(i.op) & bit(i.arr)), "the arrangement {} is not allowed",
            text::name(text::kArrs, i.arr));
  }

  /// Rules the letters cannot say.
  void types(const Inst& i) {
    using enum Opcode;
    const Type a = type_of(i.args[0]);
    switch (i.op) {
      case Const:
        return require(
            i.type >= Type::I1 && i.type <= Type::F64 && (type_bits(i.type) == 64 || i.imm >> type_bits(i.type) == 0),
            "the constant does not fit {}", name(i.type));
      case CodeAddress:
        return require(f_.relative, "the function is not relative");
      case And:
      case Or:
      case Xor:
      case Not:
        return require(is_wide_int(i.type) || i.type == Type::I1, "not defined for {}", name(i.type));
      case ZExt:
      case SExt:
        require(i.op == ZExt || is_wide_int(i.type), "not defined for {}", name(i.type));
        return require(is_int(a) && type_bits(a) < type_bits(i.type), "cannot extend {} to {}", name(a), name(i.type));
      case Trunc:
        return require(is_int(a) && type_bits(a) > type_bits(i.type), "cannot truncate {} to {}", name(a),
                       name(i.type));
      case Select:
        return require(i.type != Type::I8 && i.type != Type::I16, "not defined for {}", name(i.type));
      case CmpEq:
      case CmpNe:
      case CmpLtU:
      case CmpLeU:
      case CmpLtS:
      case CmpLeS:
      case TestBit:
        return require(is_int(a), "not defined for {}", name(a));
      case FlagsAdd:
      case FlagsSub:
      case FlagsAdc:
      case FlagsSbc:
      case FlagsLogic:
        return require(is_wide_int(a), "not defined for {}", name(a));
      case FlagsCcmpSub:
      case FlagsCcmpAdd:
        return require(is_wide_int(type_of(i.args[1])), "not defined for {}", name(type_of(i.args[1])));
      case FlagsFcmp:
      case FToHalf:
        return require(is_float(a), "not defined for {}", name(a));
      case FFromHalf:
        return require(is_float(i.type), "not defined for {}", name(i.type));
      case FCvt:
        return require(is_float(a) && is_float(i.type) && a != i.type, "cannot convert {} to {}", name(a),
                       name(i.type));
      case FToInt:
        return require(i.type == Type::V128 ? a == Type::V128 : is_float(a) && is_wide_int(i.type),
                       "cannot convert {} to {}", name(a), name(i.type));
      case IntToF:
        return require(i.type == Type::V128 ? a == Type::V128 : is_wide_int(a), "cannot convert {} to {}", name(a),
                       name(i.type));
      case Bitcast:
        return require((i.type == Type::I32 && a == Type::F32) || (i.type == Type::F32 && a == Type::I32) ||
                           (i.type == Type::I64 && a == Type::F64) || (i.type == Type::F64 && a == Type::I64),
                       "cannot cast {} to {}", name(a), name(i.type));
      case VZext:
        return require(is_wide_int(a) || is_float(a), "not defined for {}", name(a));
      case VDup:
        return require(a == Type::V128 || (a != Type::Flags && type_bits(a) >= lane_bits(i.arr)),
                       "{} is narrower than a lane", name(a));
      case VExtract:
        return require(is_float(i.type) ? type_bits(i.type) == lane_bits(i.arr)
                                        : is_int(i.type) && type_bits(i.type) >= lane_bits(i.arr),
                       "a lane of {} bits is no {}", lane_bits(i.arr), name(i.type));
      case VInsert: {
        const Type b = type_of(i.args[1]);
        return require((is_int(b) || is_float(b)) && type_bits(b) >= lane_bits(i.arr), "{} is narrower than a lane",
                       name(b));
      }
      case CallHelper:
        return require(i.type == Type::I64 || i.type == Type::None, "a helper returns i64 or nothing");
      default:
        if (info(i.op).result == 'I') require(is_wide_int(i.type), "not defined for {}", name(i.type));
    }
  }

  void pool(u32 index) { require(index < f_.pool.size(), "no constant {} in the pool", index); }

  void slot(const Inst& i) {
    if (i.aux >= slots_.size()) return complain("no slot {}", i.aux);
    const SlotInfo& s = slots_[i.aux];
    const bool flags = s.type == Type::Flags || i.type == Type::Flags;
    require(flags ? s.type == i.type : type_bits(i.type) <= type_bits(s.type), "slot {} is {}, not {}", s.name,
            name(s.type), name(i.type));
    require(!is_float(i.type) || s.type == Type::V128, "no {} in slot {}", name(i.type), s.name);
    if (i.op == Opcode::Get) require(i.type != Type::I1, "no i1 comes from a slot");
    if (i.op == Opcode::Set) require(i.type != Type::I1 || !flags, "no i1 in slot {}", s.name);
  }

  void memory(const Inst& i) {
    const MemAttr m = i.mem();
    if (m.size_log2 > 4 || i.aux >> 12 != 0) return complain("no such memory attribute");
    const Type t = i.op == Opcode::CasIf ? type_of(i.args[2]) : i.type;
    const bool exact = is_float(t) || t == Type::V128;
    require(
        t != Type::Flags && t != Type::I1 && (exact ? 8 * m.bytes() == type_bits(t) : 8 * m.bytes() <= type_bits(t)),
        "{} bytes do not fit {}", m.bytes(), name(t));
    require(!m.sign || (i.op == Opcode::Load && is_int(t)), "only integer loads extend the sign");
    require(m.size_log2 < 4 || m.aligned || (i.op != Opcode::AtomicCas && i.op != Opcode::CasIf),
            "16 bytes are compared and swapped at aligned addresses only");
    if (i.op == Opcode::CasIf) require(t == type_of(i.args[3]), "expected and desired differ in type");
    if (i.op == Opcode::AtomicCas || i.op == Opcode::CasIf)
      require(is_int(t) || t == Type::V128, "not defined for {}", name(t));
    if (i.op != Opcode::Load && i.op != Opcode::Store) require(m.index_shift == 0, "an index shift without an index");
    require(m.index_shift <= 4, "an index shift of {}", m.index_shift);
  }

  void immediate(const Inst& i) {
    using enum Opcode;
    u64 limit = ~u64{0};
    switch (i.op) {
      case Extr:
        limit = type_bits(i.type) - 1;
        break;
      case TestBit:
        limit = type_bits(type_of(i.args[0])) - 1;
        break;
      case FlagsFcmp:
        limit = 1;
        break;
      case FlagsCcmpSub:
      case FlagsCcmpAdd:
        limit = 15;
        break;
      case Fence:
        limit = 2;
        break;
      case Prefetch:
        limit = 4;
        break;
      case Crc32:
      case Crc32c:
        require(i.imm == 1 || i.imm == 2 || i.imm == 4 || i.imm == 8, "a step of {} bytes", i.imm);
        require(is_wide_int(type_of(i.args[1])) && 8 * i.imm <= type_bits(type_of(i.args[1])), "data too narrow");
        break;
      default:
        break;
    }
    require(i.imm <= limit, "{} is out of range", i.imm);
  }

  void attribute(const Inst& i) {
    switch (info(i.op).attr) {
      case Attr::None:
      case Attr::Arr:
      case Attr::Pc:
      case Attr::Helper:
        return;
      case Attr::Imm:
        return immediate(i);
      case Attr::Pool:
        pool(i.aux);
        if (i.op == Opcode::VShuffle && i.aux < f_.pool.size()) shuffle_mask(f_.constant(i.aux));
        return;
      case Attr::Slot:
        return slot(i);
      case Attr::Pc2:
      case Attr::PcRet:
        return pool(i.aux);
      case Attr::Field:
        return require(i.width() >= 1 && i.lsb() + i.width() <= type_bits(i.type) && i.aux >> 16 == 0,
                       "no field {}, {} in {}", i.lsb(), i.width(), name(i.type));
      case Attr::Cond:
        return require(i.imm < std::size(text::kConds), "no condition {}", i.imm);
      case Attr::Mem:
        return memory(i);
      case Attr::Rmw:
        require(i.imm < std::size(text::kRmws), "no operation {}", i.imm);
        return memory(i);
      case Attr::Exit:
        require((i.aux & 0xff) < std::size(text::kExits), "no exit kind {}", i.aux & 0xff);
        return pool(i.aux >> 8);
      case Attr::ArrImm: {
        const u64 bits = lane_bits(i.arr);
        return require(i.op == Opcode::VShlI ? i.imm < bits : i.imm >= 1 && i.imm <= bits, "shift by {}", i.imm);
      }
      case Attr::Lane:
        return require(i.imm < lane_count(i.arr), "no lane {}", i.imm);
      case Attr::Round:
        return rounding(i);
      case Attr::FToI: {
        const unsigned fraction = i.aux >> 8, width = i.type == Type::V128 ? lane_bits(i.arr) : 64;
        return require((i.aux & 7) <= static_cast<u32>(Round::Current) && (i.aux & 0xf0) == 0 && fraction <= width,
                       "bad conversion attributes {:#x}", i.aux);
      }
      case Attr::Sat:
        return require(i.aux <= 1, "bad saturation attribute {:#x}", i.aux);
    }
  }
  void rounding(const Inst& i) {
    const Round r = static_cast<Round>(i.aux & 7);
    if (i.op == Opcode::FRint) return require(r <= Round::Current && i.aux <= 15, "bad rounding {:#x}", i.aux);
    const bool narrowing = i.op == Opcode::VFCvtDown ? i.arr == Arr::S2 : i.type == Type::F32;
    require(i.aux <= 7 && (r == Round::Current || (r == Round::Odd && narrowing)), "bad rounding {:#x}", i.aux);
  }
  void shuffle_mask(const U128& m) {
    for (unsigned k = 0; k < 16; ++k) {
      const u8 b = static_cast<u8>((k < 8 ? m.lo : m.hi) >> (8 * (k & 7)));
      require(b < 32 || b == 0x80, "mask byte {} is {:#x}", k, b);
    }
  }

  const Function& f_;
  std::span<const SlotInfo> slots_;
  u32 at_ = 0;
  std::vector<std::string> messages_;
};

}  // namespace

std::vector<std::string> verify(const Function& f, std::span<const SlotInfo> slots) {
  return Verifier(f, slots).run();
}

void verify_or_die(const Function& f, std::span<const SlotInfo> slots, const char* when) {
  const auto messages = verify(f, slots);
  if (messages.empty()) return;
  fmt::print(stderr, "tiercel: internal error: bad IR after {}\n", when);
  for (const std::string& m : messages) fmt::print(stderr, "  {}\n", m);
  fmt::print(stderr, "{}", print(f, slots));
  std::abort();
}

}  // namespace tiercel::ir
