#include "frontend-arm/a64_frontend.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <vector>

#include "base/bits.h"
#include "base/check.h"
#include "frontend-arm/a64/cpu_models.h"
#include "frontend-arm/a64/disassemble.h"
#include "frontend-arm/a64/flag_liveness.h"
#include "frontend-arm/a64/isa_table.h"
#include "frontend-arm/a64/system_registers.h"
#include "frontend-arm/a64/translate.h"
#include "frontend-arm/a64_debug_registers.h"
#include "frontend-arm/a64_system_frontend.h"
#include "frontend-arm/core/syndrome.h"
#include "frontend-arm/helpers.h"
#include "frontend-arm/mmu/el1_mmu.h"

namespace tiercel::arm {
namespace {

constexpr const char* kXNames[] = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10",
                                   "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
                                   "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30"};
constexpr const char* kVNames[] = {"v0",  "v1",  "v2",  "v3",  "v4",  "v5",  "v6",  "v7",  "v8",  "v9",  "v10",
                                   "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
                                   "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"};

// How often compiled code touches each register, roughly: arguments and results first, then the first callee-saved
// registers, which compilers hand out in order, then the rest.
constexpr u8 x_heat(unsigned n) {
  constexpr u8 kHeat[31] = {250, 245, 240, 235, 225, 215, 200, 190, 150, 110, 105, 100, 95,  90,  85, 80,
                            75,  70,  20,  230, 220, 210, 195, 170, 160, 140, 130, 120, 115, 180, 185};
  return kHeat[n];
}
constexpr u8 v_heat(unsigned n) {
  if (n < 8) return static_cast<u8>(250 - 5 * n);
  if (n >= 16 && n < 24) return static_cast<u8>(200 - 5 * (n - 16));
  if (n >= 24) return static_cast<u8>(140 - 5 * (n - 24));
  return static_cast<u8>(90 - 5 * (n - 8));
}

constexpr std::array<ir::SlotInfo, slot::kCount> make_slots() {
  using ir::Type;
  std::array<ir::SlotInfo, slot::kCount> s{};
  for (u32 i = 0; i < 31; ++i)
    s[slot::kX0 + i] = {Type::I64, static_cast<u32>(offsetof(A64State, x)) + 8 * i, kXNames[i], x_heat(i)};
  s[slot::kSp] = {Type::I64, offsetof(A64State, sp), "sp", 248};
  s[slot::kFlags] = {Type::Flags, offsetof(A64State, flags), "nzcv", 0};
  s[slot::kFpcr] = {Type::I32, offsetof(A64State, fpcr), "fpcr", 0};
  s[slot::kTpidr] = {Type::I64, offsetof(A64State, tpidr), "tpidr", 0};
  s[slot::kTpidrRo] = {Type::I64, offsetof(A64State, tpidrro), "tpidrro", 0};
  s[slot::kExclAddr] = {Type::I64, offsetof(A64State, excl_addr), "excl_addr", 0};
  s[slot::kExclLo] = {Type::I64, offsetof(A64State, excl_lo), "excl_lo", 0};
  s[slot::kExclHi] = {Type::I64, offsetof(A64State, excl_hi), "excl_hi", 0};
  s[slot::kQc] = {Type::V128, offsetof(A64State, qc), "qc", 0};
  for (u32 i = 0; i < 32; ++i)
    s[slot::kV0 + i] = {Type::V128, static_cast<u32>(offsetof(A64State, v)) + 16 * i, kVNames[i], v_heat(i)};
  return s;
}

constexpr auto kSlots = make_slots();
constexpr guest::Layout kLayout = {"a64", sizeof(A64State), offsetof(A64State, pc), kSlots};
static_assert(sizeof(A64State) % 16 == 0);

// A64SystemState is not of standard layout, as it derives; GCC and clang define offsetof for it all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
std::vector<ir::SlotInfo> make_system_slots() {
  std::vector<ir::SlotInfo> s(kSlots.begin(), kSlots.end());
  s.push_back({ir::Type::I32, offsetof(A64SystemState, daif), "daif", 0});
  s.push_back({ir::Type::I64, offsetof(A64SystemState, sp_el0), "sp_el0", 0});
  for (const SystemRegister& r : system_registers()) s.push_back({ir::Type::I64, r.offset, r.name.data(), 0});
  CHECK(s.size() == slot::kSystemCount);
  return s;
}
#pragma GCC diagnostic pop
static_assert(sizeof(A64SystemState) % 16 == 0);

constexpr u32 kFpcrAhp = 1u << 26, kFpcrDn = 1u << 25, kFpcrFz = 1u << 24, kFpcrRounding = 3u << 22;

ir::FpRules rules_of(u32 fpcr) {
  const bool flush = (fpcr & kFpcrFz) != 0;
  return {.default_nan = (fpcr & kFpcrDn) != 0,
          .flush = flush,
          .alt_half = (fpcr & kFpcrAhp) != 0,
          .host_flush = flush && (fpcr & kFpcrRounding) == 0};
}

/// The mode of a block key: which FP rules hold.
u32 mode_of(u32 fpcr) {
  return rules_of(fpcr).pack();
}

u32 word_at(std::span<const u8> bytes) {
  u32 word;
  std::memcpy(&word, bytes.data(), 4);
  return word;
}

/// FP and SIMD insns and their registers: what CPACR_EL1.FPEN traps.
constexpr bool is_fp(u32 word) {
  return (word >> 26 & 3) == 3 || is_fp_register(word);
}

class A64Frontend : public guest::Frontend {
 public:
  A64Frontend() : builder_(kSlots) {}
  const guest::Layout& layout() const override { return kLayout; }
  std::span<const guest::HelperDecl> helpers() const override { return a64_helpers(); }

  guest::BlockKey key(const void* state) const override {
    const auto& s = *static_cast<const A64State*>(state);
    return {.pc = s.pc, .mode = mode_of(s.fpcr)};
  }

  guest::FpControl fp_control(const void* state) const override {
    using ir::Round;
    constexpr Round kModes[] = {Round::TieEven, Round::PosInf, Round::NegInf, Round::Zero};
    const u32 fpcr = static_cast<const A64State*>(state)->fpcr;
    return {.rounding = kModes[(fpcr & kFpcrRounding) >> 22], .host_flush = rules_of(fpcr).host_flush};
  }

  bool translate(const guest::BlockKey& key, guest::CodeReader& code, const guest::TranslateLimits& limits,
                 ir::Function& out) override;

  void reset(void* state) const override { new (state) A64State; }

  // "Tagged addresses": Linux sets TCR_EL1.TBI0, so bits 63..56 of an EL0 data address below bit 55 do not count.
  u64 data_address(u64 va) const override { return static_cast<u64>(sign_extend(va, 56)); }

  Disassembly disassemble(u64 pc, std::span<const u8> bytes, u32) const override {
    if (bytes.size() < 4) return {"<end of code>", static_cast<u32>(bytes.size())};
    const u32 word = word_at(bytes);
    const Row* row = table_.find(word);
    return {arm::disassemble(row, word, pc), 4, row != nullptr && row->kind != RowKind::Undefined};
  }

  const guest::DebugRegisters* debug_registers() const override { return &a64_debug_registers(); }

  std::string row_name(u64 index) const override {
    if (index >= table_.rows().size()) return "?";
    return std::string(table_.rows()[index].manual);
  }

 protected:
  A64Frontend(std::span<const ir::SlotInfo> slots, const CpuModel& model) : model_(&model), builder_(slots) {}

 private:
  /// One insn; true if the block goes on.
  bool translate_insn(Translate& t, u32 word) const;

  /// Removes the block's last Set of the flags if every way out of it makes them dead.
  void drop_dead_flags(std::span<const u8> bytes, ir::Function& f) const;

  const A64Table& table_ = a64_table();
  const CpuModel* model_ = nullptr;  // a machine's
  ir::Builder builder_;
};

bool A64Frontend::translate_insn(Translate& t, u32 word) const {
  const Row* row = table_.find(word);
  if (row == nullptr || row->kind == RowKind::Undefined) return t.undefined();
  if (t.machine()) {
    if (!model_->has(row->feature)) return t.undefined();
    if (!(t.mode & mode::kFp) && is_fp(word)) return t.system();
  }
  t.row_index = table_.index_of(row);
  if (row->kind == RowKind::Todo) return t.unimplemented();
  return row->translate(t, word);
}

bool A64Frontend::translate(const guest::BlockKey& key, guest::CodeReader& code, const guest::TranslateLimits& limits,
                            ir::Function& out) {
  const std::span<const u8> bytes = code.window(VAddr{key.pc});
  builder_.begin(out, key.pc, ir::FpRules::unpack(static_cast<u8>(key.mode)), key.relative());
  out.origin = key.origin();
  // A misaligned pc is a fault of its own, whatever lies there: the personality tells it by the address.
  if (key.pc % 4 != 0 || bytes.size() < 4) return false;
  Translate t{.ir = builder_,
              .pc = key.pc,
              .next_pc = key.pc,
              .page_end = key.pc + bytes.size(),
              .mode = key.mode,
              .model = model_};
  bool more = true;
  while (more) {
    t.pc = t.next_pc;
    t.next_pc = t.pc + 4;
    builder_.insn(t.pc);
    t.word = word_at(bytes.subspan(t.pc - key.pc));
    more = translate_insn(t, t.word);
    out.end_pc = t.pc + 4;
    if (more && (out.insn_count >= limits.max_insns || t.next_pc + 4 > t.page_end)) break;
  }
  if (!builder_.terminated()) builder_.jump(t.next_pc);
  drop_dead_flags(bytes, out);
  return true;
}

void A64Frontend::drop_dead_flags(std::span<const u8> bytes, ir::Function& f) const {
  // Only a Set with nothing behind it that may fault: at a fault the flags must be right.
  const auto dead_set = [&] {
    for (std::size_t i = f.insts.size(); i-- > 0;) {
      const ir::Inst& inst = f.insts[i];
      if (inst.op == ir::Opcode::Set && inst.slot() == slot::kFlags) return true;
      if (ir::may_fault(inst.op)) return false;
    }
    return false;
  };
  const ir::Inst& last = f.insts.back();
  if ((last.op != ir::Opcode::Jump && last.op != ir::Opcode::Branch) || !dead_set()) return;
  u64 until = f.end_pc;
  const auto dead_at = [&](u64 pc) {
    const FlagLiveness r = flag_liveness(table_, bytes, f.pc, pc);
    until = std::max(until, r.looked_until);
    return r.dead;
  };
  if (!dead_at(last.imm)) return;
  if (last.op == ir::Opcode::Branch && !dead_at(f.constant(last.aux).lo)) return;
  f.end_pc = until;  // the translation depends on those insns too: a change there must end it
  for (std::size_t i = f.insts.size(); i-- > 0 && !ir::may_fault(f.insts[i].op);)
    if (f.insts[i].op == ir::Opcode::Set && f.insts[i].slot() == slot::kFlags) f.insts[i] = ir::Inst{};
}

/// The same insns with EL1 and traps.
class A64SystemFrontend final : public A64Frontend {
 public:
  explicit A64SystemFrontend(const CpuModel& model) : A64Frontend(system_slots(), model), mmu_(model) {}

  const guest::Layout& layout() const override { return layout_; }

  guest::BlockKey key(const void* state) const override {
    const auto& s = *static_cast<const A64SystemState*>(state);
    const bool el1 = s.el() == 1;
    // CPACR_EL1.FPEN: 01 traps EL0 only, 11 nothing.
    const u64 fpen = s.cpacr_el1 >> 20 & 3;
    u32 m = mode_of(s.fpcr) | mode::kMachine;
    if (el1) m |= mode::kEl1;
    if (fpen == 3 || (fpen == 1 && el1)) m |= mode::kFp;
    if (el1 && s.uses_sp_el0()) m |= mode::kSpEl0;
    if (el1 || (s.sctlr_el1 & kSctlrDze)) m |= mode::kZva;
    if (el1 || (s.cntkctl_el1 & kEl0Vcten)) m |= mode::kCounter;
    return {.pc = s.pc, .mode = m};
  }

  /// Programs are mapped at other addresses each time; a kernel is not, and its code is a little faster if it knows its
  /// own.
  bool may_be_relative(u32 mode) const override { return !(mode & mode::kEl1); }

  std::span<const guest::HelperDecl> helpers() const override { return a64_system_helpers(); }
  void reset(void* state) const override { new (state) A64SystemState; }
  u64 data_address(u64 va) const override { return va; }
  const guest::Mmu* mmu() const override { return &mmu_; }
  const guest::DebugRegisters* debug_registers() const override { return &a64_system_debug_registers(); }

 private:
  static constexpr u64 kSctlrDze = 1 << 14, kEl0Vcten = 1 << 1;
  static std::span<const ir::SlotInfo> system_slots() {
    static const std::vector<ir::SlotInfo> slots = make_system_slots();
    return slots;
  }

  const guest::Layout layout_ = {"a64-system", sizeof(A64SystemState), offsetof(A64State, pc), system_slots()};
  const El1Mmu mmu_;
};

}  // namespace

const guest::Layout& a64_layout() {
  return kLayout;
}

std::unique_ptr<guest::Frontend> make_a64_system_frontend(const CpuModel& model) {
  return std::make_unique<A64SystemFrontend>(model);
}

std::unique_ptr<guest::Frontend> make_a64_frontend() {
  return std::make_unique<A64Frontend>();
}

}  // namespace tiercel::arm
