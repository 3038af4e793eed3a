#include "tests/support/random_ir.h"

#include <algorithm>
#include <bitset>
#include <cstring>
#include <numeric>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::test {
namespace {

using ir::Attr;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr u64 kIntegers[] = {0,       1,       2,          31,          32,           63,          64,
                             0x7f,    0x80,    0xff,       0x7fff,      0x8000,       0x7fffffff,  0x80000000,
                             ~u64{0}, ~u64{1}, 0xffffffff, 0x100000000, ~u64{0} >> 1, u64{1} << 63};
constexpr u16 kHalves[] = {0,      1,      0x7fff, 0x8000, 0xffff, 0x3c00, 0x7c00, 0xfc00, 0x7c01,
                           0x7e00, 0x0400, 0x03ff, 0x7bff, 0x00ff, 0x0080, 0xff80, 0xfff0};
constexpr u32 kSingles[] = {0,          1,          0x007fffff, 0x00800000, 0x00800001, 0x3f800000, 0x3f7fffff,
                            0x40000000, 0x3f000000, 0x4b000000, 0x4f000000, 0x5f000000, 0x7f7fffff, 0x7f800000,
                            0x7f800001, 0x7fc00000, 0x7fc12345, 0x00200000, 0x7e800000, 0x33800000, 0x477fe000};
constexpr u64 kDoubles[] = {0,
                            1,
                            0x000fffffffffffff,
                            0x0010000000000000,
                            0x0010000000000001,
                            0x3ff0000000000000,
                            0x3fefffffffffffff,
                            0x4000000000000000,
                            0x3fe0000000000000,
                            0x4330000000000000,
                            0x41dfffffffc00000,
                            0x43e0000000000000,
                            0x7fefffffffffffff,
                            0x7ff0000000000000,
                            0x7ff0000000000001,
                            0x7ff8000000000000,
                            0x7ff8000012345678,
                            0x36a0000000000000,
                            0x47f0000000000000};

bool has(std::string_view letters, char letter) {
  return letters.find(letter) != letters.npos;
}

}  // namespace

RandomIr::Kind RandomIr::kind_of(Opcode op) {
  const ir::OpInfo& info = ir::info(op);
  if (ir::is_terminal(op)) return kTerminal;
  if (op == Opcode::CallHelper || op == Opcode::GetFpStatus || op == Opcode::SetFpStatus || op == Opcode::Fence ||
      op == Opcode::Prefetch)
    return kEnvironment;
  if (info.attr == Attr::Mem || info.attr == Attr::Rmw) return kMemory;
  if (info.attr == Attr::Slot || op == Opcode::Const || op == Opcode::VConst || op == Opcode::Nop || op == Opcode::Insn)
    return kState;
  if (info.result == 'f' || has(info.operands, 'f')) return kFlags;
  if (info.effects & ir::effect::kReadsFp) return kFloat;
  return info.result == 'v' || has(info.operands, 'v') || info.result == 'F' ? kVector : kInteger;
}

RandomIr::RandomIr(const RandomIrOptions& options) : options_(options), favourite_(options.slots.size()) {
  for (unsigned i = 0; i < ir::kOpcodeCount; ++i) {
    const auto op = static_cast<Opcode>(i);
    if (std::any_of(options.excluded.begin(), options.excluded.end(), [op](const Excluded& e) { return e.op == op; }))
      continue;
    forms_[i] = legal_forms(op, options.slots, random_);
    CHECK(!forms_[i].empty());
    opcodes_[kind_of(op)].push_back(op);
    if (op == Opcode::Set)
      for (const OpForm& form : forms_[i]) slots_for_[static_cast<unsigned>(form.type)].push_back(form.aux);
    if (ir::info(op).result == 'b' && ir::effects(op) == 0) makers_of_i1_.push_back(op);
  }
}

u64 RandomIr::integer() {
  return pick(2) ? kIntegers[pick(std::size(kIntegers))] : random_() >> pick(64);
}

U128 RandomIr::vector() {
  const unsigned bits = 8u << pick(4);
  U128 v{random_(), random_()};
  if (pick(4) == 0) return v;
  for (unsigned at = 0; at < 128; at += bits) {
    if (pick(3) == 0) continue;
    const u64 sign = u64{pick(2)} << (bits - 1);
    const u64 x = bits == 8    ? integer()
                  : bits == 16 ? kHalves[pick(std::size(kHalves))] ^ sign
                  : bits == 32 ? kSingles[pick(std::size(kSingles))] ^ sign
                               : kDoubles[pick(std::size(kDoubles))] ^ sign;
    std::memcpy(reinterpret_cast<u8*>(&v) + at / 8, &x, bits / 8);
  }
  return v;
}

void RandomIr::fill(void* state) {
  for (const ir::SlotInfo& slot : options_.slots) {
    U128 v = slot.type == Type::V128 ? vector() : U128{integer(), 0};
    // The stored form has bits that mean nothing.
    if (slot.type == Type::Flags) v.lo = ir::flags_from_nzcv(pick(16)) | pick(32) << 9;
    std::memcpy(static_cast<u8*>(state) + slot.offset, &v, ir::type_bits(slot.type) / 8);
  }
}

Function RandomIr::make(unsigned length) {
  f_.clear();
  f_.pc = kPc;
  f_.end_pc = kPc + 4;
  f_.insn_count = 1;
  if (pick(2)) f_.fp = ir::FpRules::unpack(static_cast<u8>(pick(8) << 1));  // x86_nans is another guest's
  f_.fp.host_flush = f_.fp.flush && pick(2);
  f_.relative = pick(2);
  // Each function is about a few kinds, and about a few slots.
  constexpr u32 kWeights[kKinds] = {6, 4, 5, 4, 3, 4, 0, 1};
  for (unsigned k = 0; k < kKinds; ++k) weights_[k] = kWeights[k] * pick(4);
  weights_[kState] += 2;
  const u32 chance = 1 + pick(4);
  for (std::size_t i = 0; i < favourite_.size(); ++i) favourite_[i] = pick(4) < chance;
  add(Inst{.op = Opcode::Insn, .imm = kPc});
  while (f_.insts.size() < length) step();
  emit(opcodes_[kTerminal][pick(static_cast<u32>(opcodes_[kTerminal].size()))]);
  return f_;
}

void RandomIr::step() {
  if (weights_[kFlags] != 0 && pick(16) == 0) return arithmetic_with_flags();
  u32 at = pick(std::accumulate(weights_.begin(), weights_.end(), 0u));
  unsigned kind = 0;
  while (at >= weights_[kind]) at -= weights_[kind++];
  const auto& choice = opcodes_[kind];
  emit(choice[pick(static_cast<u32>(choice.size()))]);
}

Value RandomIr::add(const Inst& inst) {
  f_.insts.push_back(inst);
  return Value{static_cast<u32>(f_.insts.size() - 1)};
}

Value RandomIr::add(Opcode op, Type type, std::initializer_list<Value> args, u64 imm) {
  Inst inst{.op = op, .type = type, .imm = imm};
  std::copy(args.begin(), args.end(), inst.args);
  return add(inst);
}

Value RandomIr::constant(Type type, u64 value) {
  return add(Opcode::Const, type, {}, value & low_mask(ir::type_bits(type)));
}

/// A value without operands, or an I1 of what there is.
Value RandomIr::fresh(Type type) {
  if (type == Type::I1) return emit(makers_of_i1_[pick(static_cast<u32>(makers_of_i1_.size()))]);
  if (type == Type::V128 && pick(4) == 0) {
    const u32 index = f_.add_constant(vector());
    return add(Inst{.op = Opcode::VConst, .type = type, .aux = index});
  }
  if (type != Type::Flags && type != Type::V128 && pick(3) == 0)
    return constant(type, ir::is_float(type) && pick(2) ? vector().lo : integer());
  return add(Inst{.op = Opcode::Get, .type = type, .aux = choose_slot(type)});
}

/// An earlier value of the type, mostly a recent one, or a new one.
Value RandomIr::any(Type type) {
  if (pick(4) == 0) return fresh(type);
  Value chosen;
  u32 seen = 0;
  const u32 limit = pick(3) ? 6 : ~u32{0};
  for (std::size_t i = f_.insts.size(); i-- > 0 && seen < limit;)
    if (f_.insts[i].type == type && ir::info(f_.insts[i].op).result != '-' && pick(++seen) == 0)
      chosen = Value{static_cast<u32>(i)};
  return chosen ? chosen : fresh(type);
}

/// Arithmetic and its flags, as flag-setting insns make them.
void RandomIr::arithmetic_with_flags() {
  constexpr std::pair<Opcode, Opcode> kPairs[] = {
      {Opcode::Add, Opcode::FlagsAdd},  {Opcode::Sub, Opcode::FlagsSub},      {Opcode::Sub, Opcode::FlagsSub},
      {Opcode::Adc, Opcode::FlagsAdc},  {Opcode::Sbc, Opcode::FlagsSbc},      {Opcode::And, Opcode::FlagsLogic},
      {Opcode::Or, Opcode::FlagsLogic}, {Opcode::AndNot, Opcode::FlagsLogic}, {Opcode::Xor, Opcode::FlagsLogic}};
  const auto [op, flags] = kPairs[pick(std::size(kPairs))];
  const Type t = pick(2) ? Type::I64 : Type::I32;
  const Value a = any(t), b = any(t);
  const bool carries = flags == Opcode::FlagsAdc || flags == Opcode::FlagsSbc;
  const Value c = carries ? any(Type::I1) : ir::kNoValue;
  const Value r = add(op, t, {a, b, c});
  keep(r);
  keep(flags == Opcode::FlagsLogic ? add(flags, Type::Flags, {r}) : add(flags, Type::Flags, {a, b, c}));
}

/// Mostly sets a slot to v, so that it is not dead.
void RandomIr::keep(Value v) {
  if (pick(3) == 0) return;
  const Type type = f_[v].type;
  add(Inst{.op = Opcode::Set, .type = type, .aux = choose_slot(type), .args = {v}});
}

/// A slot that may hold the type, mostly a favourite.
u32 RandomIr::choose_slot(Type type) {
  const auto& slots = slots_for_[static_cast<unsigned>(type)];
  u32 slot;
  int attempts = 0;
  do slot = slots[pick(static_cast<u32>(slots.size()))];
  while (!favourite_[slot] && ++attempts < 8);
  return slot;
}

const OpForm& RandomIr::choose_form(Opcode op) {
  const auto& forms = forms_[static_cast<unsigned>(op)];
  return forms[pick(static_cast<u32>(forms.size()))];
}

/// Appends an inst of the opcode, its operands before it, and perhaps a Set of the result behind it.
Value RandomIr::emit(Opcode op) {
  if (op == Opcode::SetFpStatus && f_.fp.host_flush) op = Opcode::GetFpStatus;  // only an exit may follow the other
  if (op == Opcode::CodeAddress && !f_.relative) op = Opcode::Get;
  const OpForm& form = choose_form(op);
  Inst inst{.op = op, .type = form.type, .arr = form.arr, .aux = form.aux, .imm = form.imm};
  set_numbers(inst, form);
  set_operands(inst, form);
  Value v = add(inst);
  if (op == Opcode::GetFpStatus) v = add(Opcode::And, Type::I32, {v, constant(Type::I32, kComparedFpStatus)});
  if (ir::info(op).result != '-' && inst.type != Type::None) keep(v);
  return v;
}

/// What a form leaves at zero or has only samples of.
void RandomIr::set_numbers(Inst& inst, const OpForm& form) {
  const u32 bits = ir::type_bits(inst.type);
  if (ir::info(inst.op).attr == Attr::Slot) inst.aux = choose_slot(inst.type);
  const auto some_pc = [this] { return kPc + 4 * u64{pick(0x1000)} - (pick(2) ? 0x800 : 0); };
  switch (ir::info(inst.op).attr) {
    case Attr::Imm:
      if (inst.op == Opcode::Const || inst.op == Opcode::CodeAddress) inst.imm = integer() & low_mask(bits);
      return;
    case Attr::Pool:
      inst.aux = f_.add_constant(inst.op == Opcode::VConst ? vector() : shuffle_mask(pick(6), random_));
      return;
    case Attr::Field: {
      const u32 lsb = pick(bits);
      inst.aux = lsb | (1 + pick(bits - lsb)) << 8;
      return;
    }
    case Attr::Pc:
      inst.imm = inst.op == Opcode::Insn ? kPc + 4 * f_.insts.size() : some_pc();
      return;
    case Attr::Pc2:
      inst.imm = some_pc();
      [[fallthrough]];
    case Attr::PcRet:
      inst.aux = f_.add_constant({some_pc(), 0});
      return;
    case Attr::Exit:
      inst.imm = pick(4) ? pick(0x10000) : integer();
      inst.aux = form.aux | f_.add_constant({some_pc(), 0}) << 8;
      return;
    case Attr::Helper:
      inst.imm = pick(static_cast<u32>(options_.helpers.size()));
      return;
    default:
      return;
  }
}

void RandomIr::set_operands(Inst& inst, const OpForm& form) {
  const std::string_view letters = ir::info(inst.op).operands;
  const bool memory = kind_of(inst.op) == kMemory;
  if (inst.op == Opcode::CallHelper) {
    for (unsigned k = 0; k < options_.helpers[inst.imm]; ++k) inst.args[k] = any(Type::I64);
    return;
  }
  for (unsigned k = 0; k < letters.size(); ++k) {
    if (memory && letters[k] == 'x')
      set_address(inst, k);
    else if (letters[k] != '?' || (!memory && pick(2)))
      inst.args[k] = any(operand_type(letters[k], form));
  }
}

/// Base, index and displacement within the memory; mostly aligned where they must be.
void RandomIr::set_address(Inst& inst, unsigned base) {
  ir::MemAttr m = inst.mem();
  const bool align = m.aligned && pick(8) != 0;
  const auto masked = [&](u64 mask) {
    return add(Opcode::And, Type::I64, {any(Type::I64), constant(Type::I64, align ? mask & ~u64{15} : mask)});
  };
  const bool plain = inst.op == Opcode::Load || inst.op == Opcode::Store;
  if (plain && pick(2)) inst.imm = pick(0x1f0) & (align ? ~15u : ~0u);
  if (plain && pick(3) == 0) {
    m.index_shift = static_cast<u8>(pick(5));
    inst.aux = m.pack();
    inst.args[1] = masked(0x3ff >> m.index_shift);
  }
  const Value offset = masked(0x7ff);
  inst.args[base] = add(Opcode::Or, Type::I64, {offset, constant(Type::I64, options_.memory)});
}

std::vector<std::string_view> opcodes_never_made(const RandomIrOptions& options, unsigned functions) {
  RandomIr random(options);
  std::bitset<ir::kOpcodeCount> known;
  for (const Excluded& e : options.excluded) known.set(static_cast<unsigned>(e.op));
  for (unsigned seed = 1; seed <= functions; ++seed) {
    random.seed(seed);
    for (const Inst& inst : random.make(40).insts) known.set(static_cast<unsigned>(inst.op));
  }
  std::vector<std::string_view> missing;
  for (unsigned i = 0; i < ir::kOpcodeCount; ++i)
    if (!known[i]) missing.push_back(ir::info(static_cast<Opcode>(i)).text);
  return missing;
}

}  // namespace tiercel::test
