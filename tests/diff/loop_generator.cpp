#include "tests/diff/loop_generator.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "frontend-arm/a64_frontend.h"
#include "frontend-arm/state.h"
#include "tests/diff/encodings.h"

namespace tiercel::test {
namespace {

// Registers that random instructions read, but do not write. x16 and x17 are for addresses that are used at once.
constexpr u32 kWalker = 24,  // goes through the data
    kBase = 25,              // kDataBase + kMiddle
    kReturn = 26,            // of a function that calls others
    kTurns = kTurnsRegister;
constexpr u32 kScratch = 16, kOther = 17, kLink = 30, kSp = 31;
constexpr u32 kReserved = 0xff00'0000;
constexpr u64 kMiddle = 1024;
constexpr unsigned kLevels = 2;  // of functions: those of the last call none

constexpr u32 kB = 0x1400'0000, kBl = 0x9400'0000, kCbz = 0xb400'0000, kAdr = 0x1000'0000, kBr = 0xd61f'0000,
              kBlr = 0xd63f'0000, kRet = 0xd65f'0000;

u32 add(u32 d, u32 n, u32 m, u32 shift = 0) {
  return 0x8b00'0000 | m << 16 | shift << 10 | n << 5 | d;
}
u32 add_imm(u32 d, u32 n, u32 imm) {
  return 0x9100'0000 | imm << 10 | n << 5 | d;
}
u32 sub_imm(u32 d, u32 n, u32 imm) {
  return 0xd100'0000 | imm << 10 | n << 5 | d;
}
u32 move(u32 d, u32 m) {
  return 0xaa00'03e0 | m << 16 | d;
}
/// d = n & (2^bits - 1) << shift
u32 and_mask(u32 d, u32 n, u32 bits, u32 shift) {
  return 0x9240'0000 | (64 - shift) % 64 << 16 | (bits - 1) << 10 | n << 5 | d;
}

/// The bytes of one instruction.
class OneWord final : public guest::CodeReader {
 public:
  static constexpr u64 kPc = 0x1000;
  explicit OneWord(u32 word) { std::memcpy(bytes_, &word, sizeof word); }
  std::span<const u8> window(VAddr pc) override {
    return pc.value == kPc ? std::span<const u8>(bytes_) : std::span<const u8>{};
  }

 private:
  u8 bytes_[4];
};

}  // namespace

LoopGenerator::LoopGenerator(u64 seed) : Generator(seed, ""), frontend_(arm::make_a64_frontend()) {
  for (const Candidate& c : rows()) {
    if (c.reference_is_wrong) continue;
    const u32 word = c.row->value;
    if (is_load_store(word))
      accesses_.push_back(c.row);
    else if ((word & 0x1c00'0000) == 0x1000'0000 || (word & 0x0e00'0000) == 0x0a00'0000)
      integers_.push_back(c.row);
    else if ((word & 0x0e00'0000) == 0x0e00'0000)
      vectors_.push_back(c.row);
  }
  CHECK(!integers_.empty() && !vectors_.empty() && !accesses_.empty());
}

Sequence LoopGenerator::sequence(u64 pc, unsigned max_insns) {
  do {
    s_ = {};
    s_.pc = pc;
    s_.goes_on = true;
    positions_.clear();
    fixups_.clear();
    functions_.clear();
    faults_ = chance(35);
    const Label end = new_label(), last = new_label();
    for (u64 n = below(4); n > 0; --n) functions_.push_back({new_label(), 1 + static_cast<unsigned>(below(kLevels))});
    emit_kept(kClrex);
    scope(1 + static_cast<unsigned>(below(max_insns)), 0, last);
    bind(last);
    branch_kept(kB, end);
    for (const Function& f : functions_) function(f);
    bind(end);
  } while (4 * s_.words.size() + 4 > kLoopSlotBytes);
  resolve();
  s_.pinned = {{kWalker, kDataBase + (faults_ ? below(kDataBytes) : kMiddle + below(kMiddle))},
               {kBase, kDataBase + kMiddle},
               {kTurns, 1 + below(chance(20) ? 300 : 40)},
               {kSp, kDataBase + kMiddle + 16 * below(64)}};
  if (chance(30)) s_.fpcr = interesting_fpcr();
  return s_;
}

void LoopGenerator::emit_kept(u32 word) {
  s_.kept.push_back(s_.words.size());
  emit(word);
}

void LoopGenerator::branch(u32 word, Label to) {
  fixups_.push_back({s_.words.size(), to});
  emit(word);
}

void LoopGenerator::branch_kept(u32 word, Label to) {
  s_.kept.push_back(s_.words.size());
  branch(word, to);
}

LoopGenerator::Label LoopGenerator::new_label() {
  positions_.push_back(0);
  return positions_.size() - 1;
}

void LoopGenerator::resolve() {
  for (const Fixup& f : fixups_) {
    u32& word = s_.words[f.at];
    const u64 distance = positions_[f.label] - f.at;  // in words
    if ((word & 0x9f00'0000) == kAdr)
      put(word, 5, 19, distance);  // immlo stays 0
    else if ((word & 0x7c00'0000) == kB)
      put(word, 0, 26, distance);
    else if ((word & 0x7e00'0000) == 0x3600'0000)
      put(word, 5, 14, distance);
    else
      put(word, 5, 19, distance);
  }
}

/// Blocks that go to each other, and at last to `exit`.
void LoopGenerator::scope(unsigned blocks, unsigned level, Label exit) {
  std::vector<Label> labels;
  for (unsigned i = 0; i < blocks; ++i) labels.push_back(new_label());
  labels.push_back(exit);
  for (unsigned i = 0; i < blocks; ++i) {
    bind(labels[i]);
    body();
    terminal(labels, i, level);
  }
}

void LoopGenerator::function(const Function& f) {
  const Label exit = new_label();
  const bool calls = f.level < kLevels;
  bind(f.start);
  if (calls) emit_kept(move(kReturn, kLink));
  scope(1 + static_cast<unsigned>(below(3)), f.level, exit);
  bind(exit);
  if (calls) emit_kept(move(kLink, kReturn));
  if (calls && chance(20))
    for (const Function& other : functions_)
      if (other.level > f.level) return branch_kept(kB, other.start);
  if (chance(10)) {
    emit_kept(move(kOther, kLink));
    emit_kept((chance(50) ? kBr : kRet) | kOther << 5);
  } else {
    emit_kept(kRet | kLink << 5);
  }
}

void LoopGenerator::body() {
  for (u64 n = below(6); n > 0; --n) {
    const u64 kind = below(100);
    if (kind < 45)
      emit(insn_of(integers_));
    else if (kind < 70)
      emit(insn_of(vectors_));
    else if (kind < 94)
      access();
    else
      stir();
  }
}

/// New values for what the turns so far have made the same again and again.
void LoopGenerator::stir() {
  const u32 r = any_register();
  constexpr u32 kEor = 0xca00'0000;
  emit(kEor | kTurns << 16 | static_cast<u32>(below(64)) << 10 | r << 5 | r);
}

void LoopGenerator::access() {
  for (int attempt = 0; attempt < 50; ++attempt) {
    u32 word = insn_of(accesses_);
    if (!is_load_store(word) || !place_access(word)) continue;
    // What a store does after a load of another kind (LDXP of words, STXR of both at once) is CONSTRAINED
    // UNPREDICTABLE.
    if (is_store_exclusive(word)) emit_kept(chance(80) ? matching_load(word) : kClrex);
    return emit(word);
  }
}

/// Gives the access an address that is mostly inside the data. False: not with this one.
bool LoopGenerator::place_access(u32& word) {
  const arm::Row* row = arm::a64_table().find(word);
  if ((word & 0x3b00'0000) == 0x3900'0000) put(word, 10, 12, below(48));
  Access a = access_of(word);
  if (a.kind != Access::Kind::Base && a.kind != Access::Kind::Register) return false;
  const std::size_t before = s_.words.size(), kept_before = s_.kept.size();
  if (a.kind == Access::Kind::Register) {
    emit_kept(and_mask(kOther, any_register(), 6, 0));
    put(word, 16, 5, kOther);
  }
  const bool aligned = must_be_aligned(word);
  const u32 base = address_base(aligned && (is_ordered(word) || !faults_ || chance(98)), aligned);
  put(word, 5, 5, base);
  keep_predictable(word);
  a = access_of(word);
  const bool good =
      arm::a64_table().find(word) == row && a.offset >= -960 && a.offset <= 960 && writes_only(word, u32{1} << base);
  if (!good) {
    s_.words.resize(before);
    s_.kept.resize(kept_before);
  }
  return good;
}

/// Emits what makes an address in the register that is returned.
u32 LoopGenerator::address_base(bool aligned, bool computed) {
  if (!computed && chance(40)) return chance(70) ? kWalker : kSp;
  const u32 shift = aligned ? 4 : static_cast<u32>(below(5));
  const u32 bits = faults_ && chance(15) ? 13 : 11;
  emit_kept(and_mask(kScratch, any_register(), bits - shift, shift));
  emit_kept(add(kScratch, kBase, kScratch));
  return kScratch;
}

/// Before a way back. The walker and SP go on or, so that they do not leave the data, back.
void LoopGenerator::spend_turn() {
  emit_kept(sub_imm(kTurns, kTurns, 1));
  branch_kept(kCbz | kTurns, 0);
  if (chance(50)) emit(add_imm(kWalker, kWalker, 1 + static_cast<u32>(below(32))));
  if (!faults_ || chance(30)) {
    emit_kept(and_mask(kWalker, kWalker, 11, 0));
    emit_kept(add(kWalker, kBase, kWalker));
    emit_kept(add_imm(kSp, kBase, 16 * static_cast<u32>(below(64))));
  }
  if (chance(50)) stir();
}

void LoopGenerator::conditional(Label to) {
  const u32 random_bits = static_cast<u32>(below(1 << 30));
  switch (below(4)) {
    case 0:  // CBZ, CBNZ
      return branch(0x3400'0000 | (random_bits & 0x8100'0000) | (random_bits & 1) << 31 | any_register(), to);
    case 1:  // TBZ, TBNZ
      return branch(0x3600'0000 | (random_bits & 0x01f8'0000) | (random_bits & 1) << 31 | any_register(), to);
    default:
      return branch(0x5400'0000 | static_cast<u32>(below(14)), to);
  }
}

void LoopGenerator::terminal(const std::vector<Label>& labels, std::size_t index, unsigned level) {
  const Label on = labels[index + 1 + below(labels.size() - index - 1)], back = labels[below(index + 1)];
  switch (below(10)) {
    case 0:
    case 1:
    case 2:
      spend_turn();
      return conditional(back);
    case 3:
    case 4:
      return conditional(on);
    case 5:
      return chance(50) ? branch(kB, on) : void();
    case 6:
      if (chance(50)) return jump_to_one_of(on, labels[index + 1]);
      spend_turn();
      return jump_to_one_of(on, back);
    case 7:
      return jump_by_table(labels, index);
    default:
      return call(level);
  }
}

void LoopGenerator::jump_to_one_of(Label a, Label b) {
  branch_kept(kAdr | kScratch, a);
  branch_kept(kAdr | kOther, b);
  emit_kept(0x9a80'0000 | kOther << 16 | static_cast<u32>(below(14)) << 12 | kScratch << 5 | kScratch);  // CSEL
  emit(kBr | kScratch << 5);
}

void LoopGenerator::jump_by_table(const std::vector<Label>& labels, std::size_t index) {
  const bool back = chance(50);
  if (back) spend_turn();
  const Label table = new_label();
  branch_kept(kAdr | kOther, table);
  emit_kept(and_mask(kScratch, any_register(), 2, 0));
  emit_kept(add(kOther, kOther, kScratch, 2));
  emit(kBr | kOther << 5);
  bind(table);
  for (int i = 0; i < 4; ++i) {
    const std::size_t first = back ? 0 : index + 1;
    branch_kept(kB, labels[first + below(labels.size() - first)]);
  }
}

void LoopGenerator::call(unsigned level) {
  for (const Function& f : functions_) {
    if (f.level <= level || chance(30)) continue;
    if (chance(70)) return branch(kBl, f.start);
    branch_kept(kAdr | kScratch, f.start);
    return emit(kBlr | kScratch << 5);
  }
}

u32 LoopGenerator::insn_of(const std::vector<const arm::Row*>& rows) {
  for (int attempt = 0; attempt < 50; ++attempt) {
    const u32 word = encoding(*rows[below(rows.size())]);
    if (writes_only(word, &rows == &accesses_ ? kReserved : 0)) return word;
  }
  return kNop;
}

/// Of the registers that are reserved, only those; and the next insn follows.
bool LoopGenerator::writes_only(u32 word, u32 allowed) {
  OneWord code(word);
  ir::Function f;
  if (!frontend_->translate({.pc = OneWord::kPc}, code, {.max_insns = 1}, f)) return false;
  if (f.insts.back().op != ir::Opcode::Jump) return false;
  return std::none_of(f.insts.begin(), f.insts.end(), [&](const ir::Inst& i) {
    return i.op == ir::Opcode::CallHelper ||
           (i.op == ir::Opcode::Set && i.slot() <= arm::slot::kSp && (kReserved & ~allowed) >> i.slot() & 1);
  });
}

}  // namespace tiercel::test
