#include "backend/x64/emitter.h"

#include <algorithm>
#include <array>

namespace tiercel::backend::x64 {
namespace {

enum class Family : u8 { None, Integer, Flags, Memory, Terminal, Environment, Vector };

/// Exhaustive on purpose: a new opcode stops compiling here until somebody says who emits it. Everything a family has
/// no inline form for goes to the evaluator out of line.
// clang-format off
constexpr Family family(Opcode op) {
  using enum Opcode;
  switch (op) {
    case Nop: case Const: case VConst: case Get: case Set: case Insn:
      return Family::None;
    case CodeAddress: case Add: case Sub: case Adc: case Sbc: case Mul: case MulHiU: case MulHiS: case DivU: case DivS:
    case And: case Or: case Xor: case AndNot: case OrNot: case XorNot: case Not: case Neg:
    case Shl: case Shr: case Sar: case Ror: case Extr: case UBfx: case SBfx: case Bfi:
    case Clz: case Ctz: case Popcnt: case BitRev: case ByteRev: case ZExt: case SExt: case Trunc:
    case Crc32: case Crc32c: case Select:
      return Family::Integer;
    case CmpEq: case CmpNe: case CmpLtU: case CmpLeU: case CmpLtS: case CmpLeS: case TestBit:
    case FlagsAdd: case FlagsSub: case FlagsAdc: case FlagsSbc: case FlagsLogic: case FlagsFcmp: case FlagsCcmpSub:
    case FlagsCcmpAdd: case FlagsFromNzcv: case FlagsToNzcv: case FlagsCond:
      return Family::Flags;
    case Load: case Store: case AtomicRmw: case AtomicCas: case CasIf: case Fence: case Prefetch:
      return Family::Memory;
    case Jump: case Branch: case Call: case JumpInd: case CallInd: case Ret: case Exit:
      return Family::Terminal;
    case CallHelper: case GetFpStatus: case SetFpStatus:
      return Family::Environment;
    case FAdd: case FSub: case FMul: case FMulX: case FDiv: case FMulAdd: case FSqrt: case FNeg: case FAbs:
    case FMax: case FMin: case FMaxNm: case FMinNm: case FRint: case FRecipE: case FRsqrtE: case FRecipS: case FRsqrtS:
    case FRecipX: case VFCmpEq: case VFCmpGe: case VFCmpGt: case FCvt: case FFromHalf: case FToHalf: case FToInt:
    case IntToF: case VFCvtUp: case VFCvtDown:
    case Bitcast: case VZext: case VExtract: case VInsert: case VDup: case VShuffle: case VTbl:
    case VAnd: case VOr: case VXor: case VAndNot: case VOrNot: case VNot: case VBsl:
    case VAdd: case VSub: case VMul: case VNeg: case VAbs: case VCmpEq: case VCmpGtS: case VCmpGeS: case VCmpGtU:
    case VCmpGeU: case VCmpTst: case VMaxS: case VMinS: case VMaxU: case VMinU: case VHAddS: case VHAddU: case VHSubS:
    case VHSubU: case VRHAddS: case VRHAddU: case VAbdS: case VAbdU: case VPMul: case VClz: case VCls: case VCnt:
    case VRbit: case VURecpE: case VURsqrtE:
    case VMullS: case VMullU: case VExtS: case VExtU: case VNarrow: case VPMull:
    case VShlI: case VShrUI: case VShrSI: case VRShrUI: case VRShrSI: case VShlU: case VShlS: case VRShlU: case VRShlS:
    case VQAddS: case VQAddU: case VQSubS: case VQSubU: case VQAddSU: case VQAddUS: case VQAbs: case VQNeg:
    case VQShlU: case VQShlS: case VQRShlU: case VQRShlS: case VQShlSU: case VQDMulH: case VQRDMulH: case VQRDMlAH:
    case VQRDMlSH: case VQDMull: case VQNarrowS: case VQNarrowU: case VQNarrowSU:
    case AesEnc: case AesDec: case AesMix: case AesInvMix: case Sha1C: case Sha1P: case Sha1M: case Sha1H: case Sha1Su0:
    case Sha1Su1: case Sha256H: case Sha256H2: case Sha256Su0: case Sha256Su1:
      return Family::Vector;
  }
  return Family::None;
}
// clang-format on

constexpr auto kFamilies = [] {
  std::array<Family, ir::kOpcodeCount> table{};
  for (unsigned i = 0; i < ir::kOpcodeCount; ++i) table[i] = family(static_cast<Opcode>(i));
  return table;
}();

/// An instruction that cannot be encoded is a bug of ours; it must not become silence.
class Complain final : public asmjit::ErrorHandler {
 public:
  void handleError(asmjit::Error, const char* message, asmjit::BaseEmitter*) override { CHECK_MSG(false, message); }
};
Complain complain;

}  // namespace

Emitter::Emitter(const VmLayout& layout, const HostFeatures& cpu, const RegisterPlan& plan)
    : layout_(layout),
      cpu_(cpu),
      plan_(plan),
      slot_version_(layout.slots.size()),
      slot_first_(layout.slots.size()),
      slot_access_(layout.slots.size()),
      chaos_(layout.chaos_seed) {}

void Emitter::begin(const ir::Function& f, bool want_listing) {
  f_ = &f;
  code_.reset();
  code_.init(asmjit::Environment::host());
  code_.setErrorHandler(&complain);
  logger_.clear();
  if (want_listing) code_.setLogger(&logger_);
  code_.attach(&a);
  std::fill(std::begin(first_), std::end(first_), kNoOwner);
  std::fill(slot_first_.begin(), slot_first_.end(), kNoOwner);
  std::fill(slot_version_.begin(), slot_version_.end(), 0);
  eflags_ = {kNoOwner, FlagsForm::Borrow, false, x86::CondCode::kO};
  eflags_busy_ = false;
  free_spills_.clear();
  next_spill_ = 0;
  cold_.clear();
  constants_.clear();
  pure_ops_.clear();
  exits_.clear();
  fixups_.clear();
  guest_pc_ = f.pc;
  paired_ = ~u32{0};
}

void Emitter::compile(const ir::Function& f, bool want_listing, CompiledCode& out) {
  out.clear();
  out_ = &out;
  begin(f, want_listing);
  analyse();
  if (layout_.translated) find_groups();
  if (layout_.counts_insns) emit_budget();
  if (f.counter != 0) emit_count(f.counter);
  if (f.watch != 0) emit_watch();
  const u32 count = static_cast<u32>(f.insts.size());
  for (u32 i = 0; i < count; ++i) emit_inst(i);
  emit_cold();
  emit_exit_stubs();
  emit_constants();
  finish(out);
  if (want_listing) out.listing.assign(logger_.data(), logger_.dataSize());
}

void Emitter::emit_count(u32 counter) {
  locked_ = 0;
  const Gp t = temp_gp();
  a.mov(t, TIERCEL_CONTEXT(counters));
  a.inc(x86::qword_ptr(t, static_cast<s32>(counter * 8)));
}

void Emitter::emit_watch() {
  locked_ = 0;
  const Gp t = temp_gp();
  a.mov(t, TIERCEL_CONTEXT(watches));
  a.inc(x86::dword_ptr(t, static_cast<s32>(f_->watch * sizeof(WatchNotes) + offsetof(WatchNotes, count))));
}

void Emitter::emit_inst(u32 i) {
  const Inst& inst = f_->insts[i];
  index_ = i;
  if (is_dead(i)) return;
  locked_ = 0;
  calm_ = false;
  switch (kFamilies[static_cast<unsigned>(inst.op)]) {
    case Family::None:
      if (inst.op == Opcode::Insn) guest_pc_ = inst.imm;
      if (inst.op == Opcode::Get) emit_get(inst, i);
      if (inst.op == Opcode::Set) emit_set(inst, i);
      break;
    case Family::Integer:
      if (!emit_integer(inst, i)) eval_call(inst, i);
      break;
    case Family::Flags:
      if (!emit_flags(inst, i)) eval_call(inst, i);
      break;
    case Family::Memory:
      emit_memory(inst, i);
      break;
    case Family::Terminal:
      return emit_terminal(inst);
    case Family::Environment:
      emit_environment(inst, i);
      break;
    case Family::Vector:
      if (!emit_vector(inst, i)) eval_call(inst, i);
      break;
  }
  end_inst(inst, i);
}

void Emitter::end_inst(const Inst& inst, u32 i) {
  eflags_busy_ = false;
  for (std::size_t k = 0; k < ir::info(inst.op).operands.size(); ++k)
    if (inst.args[k] && inst.op != Opcode::FlagsCond) release(inst.args[k]);
  if (inst.type != Type::None && ir::info(inst.op).result != '-' && state_[i].last_use <= i) release(Value{i});
}

// -- slots ------------------------------------------------------------------------------------------------------------

void Emitter::emit_get(const Inst& inst, u32 i) {
  const u16 slot = inst.slot();
  const unsigned home = plan_.home_of[slot];
  if (home == kNoRegister) return put_in_slot(i, slot);
  if (is_xmm_reg(home) == wants_xmm(i)) return put(i, home);
  const Gp d = def_gp(i);  // an integer from a vector slot
  const bool wide = inst.type == Type::I64;
  if (cpu_.avx)
    wide ? a.vmovq(d, xmm(home)) : a.vmovd(d.r32(), xmm(home));
  else
    wide ? a.movq(d, xmm(home)) : a.movd(d.r32(), xmm(home));
}

void Emitter::emit_set(const Inst& inst, u32) {
  const unsigned home = plan_.home_of[inst.slot()];
  const Value v = inst.args[0];
  if (home == kNoRegister)
    store_slot(inst.slot(), v);
  else if (is_xmm_reg(home))
    set_pinned_xmm(home, v);
  else
    set_pinned_gp(home, v);
}

void Emitter::set_pinned_gp(unsigned home, Value v) {
  ValueState& s = state_[v.index];
  const Type type = inst(v).type;
  const bool wide = type == Type::I64;
  if (s.place == home) {
    if (wide || s.high_zero) return;
    overwrite_home(home);
    extend(gp(home), gp(home), ir::type_bits(type), false, type);
    return;
  }
  if (s.place >= kRegisterCount && is_in_memory_or_const(v.index) && s.spill < 0) {
    overwrite_home(home);
    load_into(home, v.index);
  } else {
    const Gp src = wide || type == Type::I32 ? use_gp(v) : use_gp_zero_extended(v);
    overwrite_home(home);
    a.mov(sized(gp(home), type), sized(src, type));
  }
  if (s.last_use > index_) {
    remove(v.index);
    put(v.index, home);
    s.high_zero = true;
  }
}

void Emitter::set_pinned_xmm(unsigned home, Value v) {
  ValueState& s = state_[v.index];
  const Type type = inst(v).type;
  if (!wants_xmm(v.index)) {
    const Gp src = use_gp_zero_extended(v);
    overwrite_home(home);
    cpu_.avx ? a.vmovq(xmm(home), src) : a.movq(xmm(home), src);
    return;
  }
  const bool clean = type == Type::V128 || s.high_zero;
  if (s.place == home && clean) return;
  const unsigned bits = clean ? 128 : ir::type_bits(type);
  if (s.place >= kRegisterCount && is_in_memory_or_const(v.index)) {
    overwrite_home(home);
    load_into(home, v.index);
    if (s.spill >= 0 && !clean) mov_zero_extended(xmm(home), xmm(home), bits);
  } else {
    const Xmm src = use_xmm(v);
    overwrite_home(home);
    mov_zero_extended(xmm(home), src, bits);
  }
  if (s.last_use > index_) {
    remove(v.index);
    put(v.index, home);
    if (!clean && s.spill >= 0) {  // that copy may have a high half
      free_spills_.push_back(s.spill);
      s.spill = -1;
    }
    if (type != Type::V128) s.high_zero = true;
  }
}

void Emitter::store_slot(u16 slot, Value v) {
  const ir::SlotInfo& info = layout_.slots[slot];
  ValueState& s = state_[v.index];
  const Type type = inst(v).type;
  if (s.place == kSlotMemory && s.slot == slot && type == info.type) return;
  if (info.type == Type::V128) {
    store_vector_slot(info.offset, slot, v);
  } else if (info.type == Type::Flags) {
    const Gp src = use_gp(v);
    rescue_slot(slot);
    a.mov(state_field(info.offset, 2), src.r16());
  } else {
    const u32 bytes = ir::type_bits(info.type) / 8;
    u64 c;
    if (is_const(v, c) && (bytes == 4 || static_cast<s64>(c) == static_cast<s32>(c))) {
      rescue_slot(slot);
      a.mov(state_field(info.offset, bytes), asmjit::Imm(static_cast<s32>(c)));
    } else {
      const Gp src = ir::type_bits(type) < ir::type_bits(info.type) ? use_gp_zero_extended(v) : use_gp(v);
      rescue_slot(slot);
      a.mov(state_field(info.offset, bytes), sized(src, info.type));
    }
  }
  if (s.place < kRegisterCount) {
    s.slot = slot;
    s.slot_version = slot_version_[slot];
  }
}

void Emitter::store_vector_slot(u32 offset, u16 slot, Value v) {
  const Type type = inst(v).type;
  if (!wants_xmm(v.index)) {
    const Gp src = use_gp_zero_extended(v);
    rescue_slot(slot);
    a.mov(state_field(offset, 8), src);
    a.mov(state_field(offset + 8, 8), asmjit::Imm(0));
    return;
  }
  Xmm src = use_xmm(v);
  if (type != Type::V128 && !high_zero(v)) {
    const Xmm t = temp_xmm();
    mov_zero_extended(t, src, ir::type_bits(type));
    src = t;
  }
  rescue_slot(slot);
  store(state_field(offset, 16), src, 128);
}

// -- the end of a block -----------------------------------------------------------------------------------------------

Mem Emitter::constant(const U128& c) {
  for (const Constant& known : constants_)
    if (known.value == c) return x86::ptr(known.label, 0, 16);
  const Label label = a.newLabel();
  constants_.push_back({c, label});
  return x86::ptr(label, 0, 16);
}

void Emitter::emit_cold() {
  for (std::size_t i = 0; i < cold_.size(); ++i) {
    a.bind(cold_[i].entry);
    Cold c = cold_[i];  // it may add more
    c.emit(*this, c.storage);
  }
}

void Emitter::emit_constants() {
  if (constants_.empty() && pure_ops_.empty()) return;
  a.align(asmjit::AlignMode::kZero, 16);
  for (const Constant& c : constants_) {
    a.bind(c.label);
    a.embed(&c.value, sizeof c.value);
  }
  for (const auto& [index, label] : pure_ops_) {
    const ir::PureOp op = ir::pure_op(*f_, f_->insts[index]);
    a.bind(label);
    a.embed(&op, sizeof op);
  }
}

void Emitter::finish(CompiledCode& out) {
  const asmjit::CodeBuffer& buffer = code_.textSection()->buffer();
  out.code.assign(buffer.data(), buffer.data() + buffer.size());
  const auto put32 = [&out](u32 at, u32 value) { std::memcpy(out.code.data() + at, &value, 4); };
  for (const SelectorFixup& f : fixups_)
    put32(f.imm_offset, static_cast<u32>(code_.labelOffset(f.op)) - f.return_offset);
  for (const Exit& e : exits_) {
    const u32 stub = static_cast<u32>(code_.labelOffset(e.stub));
    put32(e.patch_offset, stub - (e.patch_offset + 4));
    out.exits.push_back({e.patch_offset, stub, e.pc, e.counted});
  }
}

}  // namespace tiercel::backend::x64
