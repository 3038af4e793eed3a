// Emits one Function: where values live, and the instruction-by-instruction emission in integer.cpp, flags.cpp,
// memory.cpp, exits.cpp and vector_*.cpp. Kept between Functions so that nothing is allocated per block.
//
// Places. A value is in at most one place: a host register or the memory of a slot. Several values with the same bits
// may share a place (a Get of a pinned slot lives in the slot's home register). Besides, a value may have a spilled
// copy. Constants have no place until somebody wants them in a register.
//
// Rules for emission code, for one inst:
// - use_* gives a register that holds the operand and stays untouched until the inst ends, unless def_*_reusing takes
// it;
// - fetch every operand before calling def_*: a def makes the register the result's;
// - host flags: call clobber_flags() before emitting anything that changes EFLAGS, before the operands that a condition
//   needs are fetched. Moves, lea, BMI2 shifts and most vector instructions keep EFLAGS.
#pragma once

#include <asmjit/x86.h>

#include <cstring>
#include <new>
#include <type_traits>
#include <vector>

#include "backend/region_code.h"
#include "backend/x64/registers.h"
#include "base/check.h"
#include "ir/fold.h"

namespace tiercel::backend::x64 {

using asmjit::Label;
using asmjit::Operand_;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;
using x86::Gp;
using x86::Mem;
using x86::Xmm;

/// What EFLAGS hold of a Flags value.
enum class FlagsForm : u8 {
  Borrow,       // as after CMP: CF = not C
  Carry,        // as after ADD: CF = C
  Fcmp,         // as after UCOMIS a, b
  FcmpSwapped,  // as after UCOMIS b, a
};

/// Is it the sign extension of its low half, as immediates of 64-bit instructions are?
constexpr bool fits_s32(u64 x) {
  return static_cast<s64>(x) == static_cast<s32>(x);
}

class Emitter {
 public:
  Emitter(const VmLayout& layout, const HostFeatures& cpu, const RegisterPlan& plan);

  void compile(const ir::Function& f, bool want_listing, CompiledCode& out);
  void wrap_region(const RegionCode& region, const RegionPlace& place, CompiledCode& out);

  x86::Assembler a;
  const HostFeatures& features() const { return cpu_; }
  const ir::Function& function() const { return *f_; }
  const Inst& inst(Value v) const { return f_->insts[v.index]; }

  // -- operands and results
  /// A register holding v; bits above v's type are undefined unless high_zero(v).
  Gp use_gp(Value v);
  Xmm use_xmm(Value v);
  /// As use_xmm, in xmm0..15.
  Xmm use_xmm_low(Value v);
  /// The same with the bits above v's type zero.
  Gp use_gp_zero_extended(Value v);
  /// v as second operand of an integer instruction: immediate, memory or register of v's size.
  Operand_ use_any(Value v);
  /// Copies v into dst, which the caller owns (temp or reserved). Keeps EFLAGS.
  void fetch(Gp dst, Value v);
  void fetch(Xmm dst, Value v);

  /// The register of the inst's result; distinct from all operands' registers and temporaries.
  Gp def_gp(u32 index) { return gp(define(index, false, 0)); }
  Xmm def_xmm(u32 index) { return xmm(define(index, true, 0)); }
  /// May be a register among the operands `v`'s when v dies here.
  Gp def_gp_reusing(u32 index, Value v) { return gp(define(index, false, reusable(v))); }
  Xmm def_xmm_reusing(u32 index, Value v) { return xmm(define(index, true, reusable(v))); }
  /// The result is in `reg`, which the caller owns (temp or reserved).
  void def_in(u32 index, Gp reg) { own(index, reg.id()); }
  void def_in(u32 index, Xmm reg) { own(index, kXmm0 + reg.id()); }
  /// The result has the same bits as v (in the low part).
  void def_alias(u32 index, Value v);

  /// Scratch for the current inst.
  Gp temp_gp() { return gp(take(false)); }
  void keep_free(unsigned wanted, bool vector);
  Xmm temp_xmm() { return xmm(take(true)); }
  Xmm temp_xmm_low() { return temp_xmm(); }  // scratch vector registers are xmm0..7
  /// Frees this register for the current inst.
  void reserve(Gp reg);

  bool dies_here(Value v) const { return state_[v.index].last_use <= index_; }
  unsigned uses(Value v) const { return state_[v.index].uses; }
  bool used_later(Value v) const { return state_[v.index].last_use > index_; }
  /// Bits above the type are known zero in the register: above 32 for I32 and F32, above 64 for F64; for V128: the high
  /// 64 bits.
  bool high_zero(Value v) const { return state_[v.index].high_zero; }
  void set_high_zero(u32 index) { state_[index].high_zero = true; }
  bool is_const(Value v, u64& out) const;
  unsigned bits_of(Value v) const { return ir::type_bits(inst(v).type); }

  // -- conditions and EFLAGS (flags.cpp)
  /// A host condition that holds iff the I1 value does; EFLAGS then keep it until clobbered.
  x86::CondCode condition(Value v);
  void prepare_condition(Value v);
  /// Saves what EFLAGS hold if somebody needs it after this inst (or, `now`: in this inst).
  void clobber_flags();
  bool flags_live() const { return eflags_.owner != kNoOwner && state_[eflags_.owner].last_use > index_; }

  // -- constants and out-of-line code
  /// 16 aligned bytes after the code.
  Mem constant(const U128& c);
  /// Emits `emit` after the block's code, at `entry`. It may use only registers it captured, runs with the same stack
  /// and ends with a jump of its own.
  template <typename F>
  Label cold(F emit) {
    static_assert(std::is_trivially_destructible_v<F> && sizeof(F) <= sizeof(Cold::storage));
    Cold& c = cold_.emplace_back();
    new (c.storage) F(emit);
    c.emit = [](Emitter& e, void* f) { (*static_cast<F*>(f))(e); };
    c.entry = a.newLabel();
    return c.entry;
  }
  /// The evaluator call as the inst's own code.
  void eval_call(const Inst& inst, u32 index);
  /// Emits a cold path that evaluates inst on `args` into `result` and returns to `back`; the result label is where to
  /// jump. Every register but `result` survives; EFLAGS do not.
  Label cold_eval(u32 index, std::initializer_list<Operand_> args, const asmjit::BaseReg& result, Label back);

  // -- moves, whatever the host has
  void mov(Xmm dst, Xmm src);
  void load(Xmm dst, const Mem& m, unsigned bits);  // zero above
  void store(const Mem& m, Xmm src, unsigned bits);
  void mov_zero_extended(Xmm dst, Xmm src, unsigned bits);
  void mov_imm(Gp dst, u64 value);  // keeps EFLAGS while they hold something
  void load_constant(Xmm dst, const U128& c);
  static Mem with_size(Mem m, u32 size);

 private:
  static constexpr u32 kNoOwner = ~u32{0}, kNoGroup = ~u32{0};
  static constexpr u8 kNowhere = 0xff, kSlotMemory = 0xfe;
  static constexpr u16 kNoSlot = RegisterPlan::kNoSlot;

  struct ValueState {
    u32 last_use;      // index of the last inst that uses it, 0: none
    u32 next;          // next value at the same place
    u32 hint_set;      // the Set that wants it in `hint`
    u32 slot_version;  // it equals the memory of `slot` while that slot has this version
    u32 twin;          // Flags value computed by the same host instruction, or kNoOwner
    u16 uses;
    u16 slot;
    s16 spill;  // frame slot or -1
    u8 place;
    u8 hint;  // register to be defined in
    bool high_zero;
    bool fused;  // a Flags value whose twin makes it
    bool alias;  // an extension or shift that cost nothing
  };
  struct Cold {
    void (*emit)(Emitter&, void*);
    Label entry;
    alignas(16) std::byte storage[112];
  };
  struct Constant {
    U128 value;
    Label label;
  };
  struct Exit {
    u64 pc;
    Label stub;
    u32 patch_offset;
    bool counted;
  };
  struct SelectorFixup {
    u32 imm_offset;  // of the 32-bit field
    u32 return_offset;
    Label op;
  };

  // -- analysis.cpp: one backward pass
  void analyse();
  void analyse_inst(u32 i);
  void analyse_set(const Inst& inst, u32 i);
  void settle_hint(u32 i);
  void count_use(Value v, u32 at);
  bool find_twin(u32 i);
  bool is_dead(u32 i) const;
  bool is_flags(u32 i) const { return f_->insts[i].type == Type::Flags; }

  // -- places.cpp
  static Gp gp(unsigned reg) { return x86::gpq(reg); }
  static Xmm xmm(unsigned reg) { return x86::xmm(reg - kXmm0); }
  static bool is_xmm_reg(unsigned reg) { return reg >= kXmm0; }
  bool wants_xmm(u32 index) const {
    const Type t = f_->insts[index].type;
    return t == Type::V128 || ir::is_float(t);
  }
  void lock(unsigned reg) { locked_ |= reg_bit(reg); }
  unsigned take(bool vector);
  unsigned find_free(bool vector);
  unsigned pick_victim(u64 candidates) const;
  void evict(unsigned reg);
  void spill(u32 index, unsigned reg);
  void put(u32 index, unsigned reg);
  void put_in_slot(u32 index, u16 slot);
  void remove(u32 index);
  void release(Value v);
  bool occupied_later(unsigned reg) const;
  unsigned define(u32 index, bool vector, u64 reusable);
  void own(u32 index, unsigned reg);
  u64 reusable(Value v) const;
  unsigned load_value(u32 index, bool vector);
  void load_into(unsigned reg, u32 index);
  bool is_in_memory_or_const(u32 index) const;
  void materialise(u32 index);
  bool memory_of(u32 index, u32 size, Mem& out) const;
  Mem spill_mem(s16 spill, u32 size) const { return x86::ptr(x86::rsp, 16 * spill, size); }
  s16 take_spill();
  bool in_slot_memory(const ValueState& s) const {
    return s.slot != kNoSlot && s.slot_version == slot_version_[s.slot];
  }
  void rescue_slot(u16 slot);
  void overwrite_home(unsigned reg);
  u32 next_chaos() {
    chaos_ ^= chaos_ << 13;
    chaos_ ^= chaos_ >> 17;
    chaos_ ^= chaos_ << 5;
    return chaos_;
  }

  // -- emitter.cpp
  void begin(const ir::Function& f, bool want_listing);
  void emit_count(u32 counter);
  void emit_watch();
  void note_address(Gp t);
  void emit_budget();
  void emit_inst(u32 i);
  void end_inst(const Inst& inst, u32 i);
  void emit_get(const Inst& inst, u32 i);
  void emit_set(const Inst& inst, u32 i);
  void set_pinned_gp(unsigned home, Value v);
  void set_pinned_xmm(unsigned home, Value v);
  void store_slot(u16 slot, Value v);
  void store_vector_slot(u32 offset, u16 slot, Value v);
  void emit_cold();
  void emit_constants();
  void finish(CompiledCode& out);

  // -- integer.cpp: false: no inline form
  bool emit_integer(const Inst& inst, u32 i);
  bool emit_integer_op(const Inst& inst, u32 i);
  Gp define_copy(u32 i, Value from, u64 extra_reusable);
  void def_unchanged(u32 i, Value v);
  void two_operand(u32 id, u32 i, Value x, Value y, bool commutes);
  bool hinted_at(u32 i, Value v) const;
  void emit_code_address(const Inst& inst, u32 i);
  void emit_add(const Inst& inst, u32 i);
  void add_constant(u32 i, Value x, Gp rx, s32 c);
  void emit_sub(const Inst& inst, u32 i);
  void emit_and(const Inst& inst, u32 i);
  void and_constant(u32 i, Value x, u64 mask);
  void emit_or_xor(const Inst& inst, u32 i, u32 id);
  void finish_logic(u32 i);
  void emit_carry(const Inst& inst, u32 i);
  void emit_mul(const Inst& inst, u32 i);
  void emit_mul_high(const Inst& inst, u32 i);
  void emit_div(const Inst& inst, u32 i);
  void emit_in_place(const Inst& inst, u32 i);
  void emit_shift(const Inst& inst, u32 i);
  static u32 shift_id(Opcode op);
  void shift_by(const Inst& inst, u32 i, u32 n);
  void emit_extr(const Inst& inst, u32 i);
  void extend(Gp d, Gp r, unsigned width, bool is_signed, Type type);
  void emit_ubfx(const Inst& inst, u32 i);
  void emit_sbfx(const Inst& inst, u32 i);
  void emit_bfi(const Inst& inst, u32 i);
  void emit_count(const Inst& inst, u32 i);
  bool emit_bit_reverse(const Inst& inst, u32 i);
  void emit_extend(const Inst& inst, u32 i);
  void emit_trunc(const Inst& inst, u32 i);
  void emit_crc(const Inst& inst, u32 i);
  bool emit_select(const Inst& inst, u32 i);
  static Gp sized(Gp r, Type t) { return t == Type::I64 ? Gp(r.r64()) : Gp(r.r32()); }

  // -- flags.cpp
  bool emit_flags(const Inst& inst, u32 i);
  void emit_compare(const Inst& inst, u32 i);
  void emit_test_bit(const Inst& inst, u32 i);
  void emit_flags_add(const Inst& inst, u32 i);
  void emit_flags_carry(const Inst& inst, u32 i);
  void emit_ccmp(const Inst& inst, u32 i);
  bool emit_fcmp(const Inst& inst, u32 i);
  void compare_operands(Value x, Value y);
  void set_eflags(u32 owner, FlagsForm form);
  void set_eflags_condition(u32 owner, x86::CondCode cc);
  /// Must EFLAGS outlive the current inst, or does it still need them?
  bool eflags_wanted() const { return eflags_.owner != kNoOwner && state_[eflags_.owner].last_use >= index_; }
  void load_eflags(Value flags);
  void save_eflags();
  void save_eflags_to_register();
  void flags_to_ax();
  void prepare_carry(Value c);
  void carry_to_cf(Value c, bool inverted);
  x86::CondCode flags_condition(Value flags, ir::Cond cond);
  x86::CondCode fcmp_equal(ir::Cond cond);
  bool test_stored_flags(Value flags, ir::Cond cond, x86::CondCode& cc);

  // -- memory.cpp
  void emit_memory(const Inst& inst, u32 i);
  Mem address(const Inst& inst, u32 size);
  void fault_here();
  void check_alignment(const Inst& inst);
  void full_fence();
  void prefetch(const Inst& inst);
  void emit_load(const Inst& inst, u32 i);
  void load_integer(Gp d, const Mem& m, Type type, ir::MemAttr attr);
  void emit_store(const Inst& inst);
  static Gp of_size(Gp r, u32 bytes);
  void zero_extend(Gp r, u32 bytes);
  void emit_rmw(const Inst& inst, u32 i);
  void rmw_loop(const Inst& inst, u32 i, ir::RmwOp op, u32 bytes);
  void emit_cas(const Inst& inst, u32 i);
  void emit_cas_if(const Inst& inst, u32 i);
  void emit_cas_wide(const Inst& inst, u32 i);
  void unlock(Value v);

  // -- softmmu.cpp
  struct PageGroup {
    ir::Place at;  // of its first byte
    s64 high;      // the distance of its end
    u32 lookups = 0;
    u32 last = 0;  // inst
    bool user, write = false;
    s16 slot = -1;  // of the frame, for the host address
  };
  /// Of one access: base + (index << shift) + displacement.
  struct GuestAddress {
    Value base, index = {};
    u8 shift = 0;
    bool can_stay_apart = false;  // as the address of a host instruction
    s64 displacement = 0;
    Gp base_reg = {}, index_reg = {};
    bool is_near() const { return displacement == static_cast<s32>(displacement); }
  };
  /// Of one access, or a pair's two.
  struct Lookup {
    Gp t;  // becomes the host's address less `less`; if there is a register for the distance, it does not
    u32 access;
    s32 less;
    bool pair;
    u8 distance = kNoRegister, base = kNoRegister;  // what the latter holds is added to the former
    Label back;
    u64 pc;
    bool apart() const { return distance != kNoRegister; }
  };
  struct Probe {
    Gp entry, compared;
    u8 table = kNoRegister;  // if not in a register, its address is part of `entry`
    u8 scale = 0;            // of `entry`, an exponent
    bool borrowed;           // `entry` is, from the guest
  };
  struct Wanted {
    bool write, user;
    s64 bytes;
    s16 slot;  // of the frame, where the host address is kept
  };
  void find_groups();
  PageGroup* group();
  GuestAddress guest_address(const Inst& inst, s64 more);
  Gp sum_of(const GuestAddress& at);
  Gp address_register(Gp base);
  void release_operand(const Inst& inst, Value v);
  bool pairs_with_next(u32 index) const;
  void ask(Gp t, u32 access, s32 less, Label refused);
  void fill(const Lookup& l);
  Lookup lookup(const Inst& inst, Gp t, u32 size, s32 less);
  u8 served_operand(const Inst& inst, const GuestAddress& at) const;
  Probe plan_probe(const Inst& inst, Lookup& l, const GuestAddress& at);
  void compare_page(const Probe& p, Gp t, const Wanted& w);
  static Mem entry_field(const Probe& p, std::size_t offset);
  void end_probe(const Probe& p);
  Mem translated_address(const Inst& inst, u32 size);
  static Mem found(const Lookup& l, const GuestAddress& at, s32 more);
  Mem probe(const Inst& inst, Lookup& l, const GuestAddress& at, const Wanted& w);
  Operand_ where(Value v);
  Mem grouped_address(const Inst& inst, u32 size, PageGroup& g);

  // -- exits.cpp
  void emit_terminal(const Inst& inst);
  void emit_branch(const Inst& inst);
  void align_patch(u32 opcode_bytes);
  void jump_exit(u64 pc);
  void patchable_jump(u64 pc, bool counted);
  bool leaves_page(u64 pc) const { return layout_.translated && (pc ^ f_->pc) / kPageSize != 0; }
  void branch_exit(x86::CondCode cc, u64 pc);
  void add_exit(u64 pc, bool counted);
  void check_edge(u64 pc);
  void count_edge(u64 pc);
  void checked_exit(u64 pc);
  void call_exit(u64 pc);
  void note_target();
  void mov_pc(Gp reg, u64 pc);
  void mov_relative(Gp reg, u64 pc);
  bool is_backward(u64 pc) const { return static_cast<s64>(pc - last_insn_pc_) <= 0; }
  void emit_exit_stubs();
  void indirect_exit(Value target);
  void unmask(const Inst& inst);
  void probe_jump_cache();

  // -- region_entry.cpp
  void move_vectors(u32 slots, u32 changed, bool to_state);
  void check_pages(const RegionPlace& place);
  void code_page_index(Gp index, Gp page);
  void leave_region_at(u64 pc, Reason reason);
  void region_way_out(const RegionExit& e, const RegionCode& region);
  void go_on_at(u64 pc);
  void leave_region(const RegionCode& region);
  void shared_way_out(const RegionCode& region, Label exits);
  void embed_fault_table(const RegionCode& region, Label shared);
  void embed_region(const RegionCode& region, std::span<const Label> ways, Label entry);
  void leave(const Inst& inst);

  // -- calls.cpp
  void emit_environment(const Inst& inst, u32 i);
  void emit_helper(const Inst& inst, u32 i);
  void emit_get_fpstatus(u32 i);
  void emit_set_fpstatus(const Inst& inst);
  void store_arg(unsigned k, Value v);
  void call_eval(u32 index);

  // -- vector_emitter.cpp and fp_*.cpp; false: no inline form, nothing defined
  bool emit_vector(const Inst& inst, u32 i);

  const VmLayout layout_;
  const HostFeatures cpu_;
  const RegisterPlan& plan_;
  asmjit::CodeHolder code_;
  asmjit::StringLogger logger_;
  const ir::Function* f_ = nullptr;
  CompiledCode* out_ = nullptr;

  u32 index_ = 0;         // of the inst being emitted
  u32 paired_ = ~u32{0};  // the inst whose address frame::kPair tells
  u64 guest_pc_ = 0;      // of the guest insn being emitted
  u64 last_insn_pc_ = 0;  // of the block's last guest insn
  u64 locked_ = 0;        // registers in use by the current inst
  std::vector<ValueState> state_;
  u32 first_[kRegisterCount];  // per register: first value there, or kNoOwner
  std::vector<u32> slot_version_;
  std::vector<u32> slot_first_;   // per slot: first value that lives only in the slot's memory
  std::vector<u32> slot_access_;  // analysis: the nearest later access
  u32 next_fault_ = 0;            // analysis: the nearest later inst that may fault
  struct {
    u32 owner;
    FlagsForm form;
    bool is_condition;  // owner is an I1 that holds iff cc
    x86::CondCode cc;
  } eflags_;
  bool eflags_busy_ = false;  // the current inst computed a condition it has not used yet
  std::vector<s16> free_spills_;
  s16 next_spill_ = 0;
  u32 chaos_ = 0;
  bool calm_ = false;              // see keep_free
  std::vector<PageGroup> groups_;  // softmmu.cpp
  std::vector<u32> group_of_;      // per inst
  std::vector<Cold> cold_;
  std::vector<Constant> constants_;
  std::vector<std::pair<u32, Label>> pure_ops_;  // inst index, where its PureOp goes
  std::vector<Exit> exits_;
  std::vector<SelectorFixup> fixups_;
};

}  // namespace tiercel::backend::x64
