// One ir::Region becomes one LLVM function. Private to backend/llvm.
//
// Guest registers are allocas that mem2reg turns into SSA values; inside a block the builder's own table is used. Ways
// out of the region write the state block and hand on the slots that are arguments. Cold ones, of which there may be
// one per access, write those to the state block as well: what the block set itself in the exit's own code, the rest in
// the block's tail, which all its cold exits share.
#pragma once

#include <llvm/ADT/BitVector.h>
#include <llvm/ADT/DenseMap.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/llvm/stackmaps.h"
#include "ir/eval.h"
#include "ir/fold.h"
#include "ir/region.h"

namespace tiercel::backend::region {

using ir::Arr;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using llvm::BasicBlock;

/// What computed a Flags value. All but Raw keep the operands of that opcode, in its order, and are turned into
/// conditions or the stored form where somebody wants them.
struct FlagsKind {
  Opcode op = Opcode::Nop;  // Nop: Raw, the stored form as an i32
  Type type = Type::None;   // of the operands
  u8 imm = 0;
  friend bool operator==(const FlagsKind&, const FlagsKind&) = default;
};

/// A Flags value at some place of the function.
struct Flags {
  static constexpr int kRaw = 0;  // index of the Raw kind
  int kind = kRaw;
  llvm::Value* operands[3] = {};
  // Where the ways to a block bring one lazy kind and raw flags: which of the two it is, and the raw ones.
  llvm::Value* is_raw = nullptr;
  llvm::Value* raw = nullptr;
};

/// The form of a flags slot between blocks, as the dataflow finds it: a kind, or one of these.
inline constexpr int kUnvisited = -2;
inline constexpr int kMixed = 1 << 16;    // plus a kind: that one or raw
inline constexpr int kMany = 2 * kMixed;  // several kinds, so the raw form

/// Goes through a block and tells for which slots an access with that base has been made since the slot got its value.
class PageGuess {
 public:
  static unsigned bit(ir::SlotId slot, bool write) { return 2u * slot + (write ? 1 : 0); }
  struct Accesses {
    llvm::BitVector write;  // insts that look into the table of writes
    llvm::BitVector apart;  // insts that are known to stay in a page, and so are not meant here
  };
  void begin(const ir::Function& f, const Accesses& accesses, const llvm::BitVector& known_before);
  /// Up to the inst with this index, which comes next.
  void advance(u32 index);
  /// The slot that holds the value `v` is a constant away from.
  std::optional<ir::SlotId> owner(ir::Value v) const;
  llvm::BitVector known;

 private:
  void step(u32 index);
  const ir::Function* f_ = nullptr;
  const Accesses* accesses_ = nullptr;
  std::map<u32, ir::SlotId> owners_;  // of insts' results
  u32 next_ = 0;
};

class Lowering {
 public:
  Lowering(llvm::Module& module, const VmLayout& layout, const HostFeatures& features, const ir::Region& region,
           RegionCode& out);
  /// Builds the function "region" and fills out.exits. False: refused.
  bool run(std::string& why);
  /// By the ids of their stackmaps.
  const std::vector<RegionStop>& stops() const { return stops_; }
  /// Insts without a host form.
  const std::vector<Opcode>& evaluated() const { return evaluated_; }

 private:
  using Builder = llvm::IRBuilder<>;

  struct Target {
    u32 block, weight;
  };
  /// Stack cells: the page where accesses with some base were last.
  struct PageCell {
    llvm::AllocaInst* page = nullptr;  // half its address
    llvm::AllocaInst* distance = nullptr;
  };
  /// Accesses of a block that are probed together, or one.
  struct PageGroup {
    ir::Place at{};  // of the first byte of any
    s64 high = 0;    // behind the last byte, as distances are counted
    bool write = false;
    const Inst* first = nullptr;
    const ir::AccessNotes* notes = nullptr;  // of the first, if there are any
    u32 count = 1;
    PageCell* cell = nullptr;
    llvm::Value* sum = nullptr;       // of root and index
    llvm::Value* distance = nullptr;  // host less guest address
    llvm::Value* split = nullptr;     // not all of them are found with that
  };
  struct Block {
    const ir::Function* f = nullptr;
    // In a machine:
    std::vector<PageGroup> groups;
    std::vector<const ir::AccessNotes*> notes;  // per inst, or null
    std::vector<u32> group_of;                  // per inst
    PageGuess::Accesses accesses;
    llvm::BitVector pages_known;  // on entry, see PageGuess
    BasicBlock* entry = nullptr;
    std::vector<u32> successors;  // indices of blocks
    std::vector<Target> targets;  // of an indirect terminal
    llvm::BitVector set;          // slots the block sets
    llvm::BitVector written;      // slots some way from the region's entry to this block has set
    llvm::BitVector always;       // slots every way to this block has set
    int flags_in = kUnvisited;    // form of the flags slot on entry
    int flags_out = kUnvisited;   // kUnvisited: as flags_in
  };
  /// What a slot holds at this point of the block; neither: what it held on entry.
  struct Current {
    llvm::Value* value = nullptr;
    Flags flags;
    bool known = false;  // value or flags are valid
    bool set = false;    // the block has set it
    ir::Value source;    // what it was set to; perhaps unchecked
  };
  /// The stack cells of a slot.
  struct Cells {
    llvm::AllocaInst* value = nullptr;    // unused for flags
    bool scalar = false;                  // a vector register that the region uses as a float: see find_scalars
    unsigned bits = 0;                    // of that float
    llvm::AllocaInst* written = nullptr;  // scalar: has the region set it?
    llvm::AllocaInst* operands[3] = {};   // flags of any kind but Raw
    llvm::AllocaInst* raw = nullptr;      // flags, the stored form
    llvm::AllocaInst* is_raw = nullptr;   // flags, in mixed forms
  };

  // lowering.cpp: the region as a whole
  bool refuse(std::string why);
  bool analyse();
  bool analyse_block(u32 index);
  void find_written();
  void find_always();
  void report_vectors();
  void find_flags_kinds();
  int merged_forms(int a, int b) const;
  bool stays_lazy(const ir::Function& f, const Inst& inst) const;
  static FlagsKind lazy_kind(const ir::Function& f, const Inst& inst);
  int kind_index(const FlagsKind& kind);
  void make_function();
  void make_cells();
  void emit_block(u32 index);
  void emit_count(Builder& b, u32 index);
  void emit_inst(const Inst& inst, u32 index);
  std::vector<u64> direct_targets(const ir::Function& f) const;

  // scalars.cpp
  void find_scalars();
  unsigned scalar_bits(const ir::Function& f, const Inst& inst) const;
  llvm::Value* widened(Builder& b, llvm::Value* v);

  // slots.cpp
  llvm::Value* get_slot(const Inst& inst);
  void set_slot(const Inst& inst);
  Current& current(ir::SlotId s);
  llvm::Value* load_cell(Builder& b, ir::SlotId s);
  Flags load_flags(Builder& b, ir::SlotId s, int form);
  void store_cells();
  void store_flags(const Flags& f, int form);
  llvm::Value* state_pointer(Builder& b, ir::SlotId s);
  void store_state(Builder& b, ir::SlotId s, llvm::Value* v);
  llvm::Value* inherited(Builder& b, ir::SlotId s, llvm::Value* v);
  llvm::Type* cell_type(ir::SlotId s);
  llvm::Value* convert(Builder& b, llvm::Value* v, llvm::Type* to);

  // control.cpp
  void emit_terminal(const Inst& inst);
  BasicBlock* edge_to(u64 pc);
  void emit_indirect(llvm::Value* target);
  BasicBlock* exit_block(RegionExit exit, llvm::Value* indirect_pc = nullptr);
  BasicBlock* landing();
  void jump_out(Builder& b, llvm::StringRef to, llvm::Value* extra);
  llvm::Value* stored_value(Builder& b, ir::SlotId s);
  u32 exit_index(RegionExit exit);
  BasicBlock* interrupt_check(u64 pc, BasicBlock* go_on);

  // stops.cpp
  BasicBlock* cold_exit(RegionExit exit);
  void add_places(Builder& b, RegionStop& stop, llvm::SmallVectorImpl<llvm::Value*>& operands);
  void add_flags(const Flags& f, llvm::function_ref<void(u8, llvm::Value*)> add) const;

  // flags.cpp
  Flags make_flags(const Inst& inst);
  llvm::Value* condition(const Flags& f, ir::Cond cond);
  llvm::Value* stored_form(Builder& b, const Flags& f);
  llvm::Value* stored_from_nzcv(llvm::Value* nzcv);
  llvm::Value* float_flags(Builder& b, const FlagsKind& kind, llvm::Value* x, llvm::Value* y, bool raises);
  llvm::Value* flushing_flags(const Inst& inst);
  bool compared_later(const Inst& inst) const;
  llvm::Value* float_condition(u64 signals, llvm::Value* x, llvm::Value* y, ir::Cond cond);
  llvm::Value* compare_flags(Builder& b, const FlagsKind& kind, llvm::Value* x, llvm::Value* y);
  llvm::Value* carry_flags(Builder& b, const FlagsKind& kind, llvm::ArrayRef<llvm::Value*> operands);
  struct Nzcv {
    llvm::Value *n, *z, *c, *v;
  };
  Nzcv bits_of(const Flags& f);
  llvm::Value* subtract_condition(llvm::Value* x, llvm::Value* y, ir::Cond cond);
  llvm::Value* logic_condition(llvm::Value* x, ir::Cond cond);
  llvm::Value* generic_condition(const Nzcv& f, ir::Cond cond);
  const Flags& flags(ir::Value v);

  // integer.cpp
  llvm::Value* emit_integer(const Inst& inst);
  llvm::Value* emit_compare(const Inst& inst);
  llvm::Value* emit_divide(const Inst& inst);
  llvm::Value* emit_bits(const Inst& inst);
  llvm::Value* emit_arithmetic(const Inst& inst);
  llvm::Value* multiply_high(const Inst& inst);
  llvm::Value* shift_count(const Inst& inst);

  // memory.cpp
  void emit_memory(const Inst& inst, u32 index);
  /// An asm that accesses guest memory. Its operands are the outputs, the memory, the inputs, in this order.
  struct Access {
    std::string code{};      // "@" in front of each instruction that accesses memory
    std::string outputs{};   // constraints, each followed by a comma
    std::string inputs{};    // constraints, each with a comma in front
    std::string clobbers{};  // as inputs
    llvm::Type* result = nullptr;
    llvm::Type* element = nullptr;
    u64 limit = 0;  // nonzero: the result is an i64 below this
  };
  llvm::Value* access(const Access& a, llvm::Value* at, llvm::ArrayRef<llvm::Value*> inputs = {});
  llvm::Value* address(const Inst& inst, unsigned base);
  void full_fence();
  void prefetch(const Inst& inst);
  void check_alignment(const Inst& inst, llvm::Value* at);
  llvm::Value* emit_load(const Inst& inst);
  llvm::Value* load_integer(const Inst& inst, llvm::Value* at);
  void emit_store(const Inst& inst);
  void store_integer(llvm::Value* v, llvm::Value* at, unsigned bytes, bool release);
  void store_vector(llvm::Value* v, llvm::Value* at, unsigned bytes);

  // page_cells.cpp
  struct WayIn {
    u32 from;
    u64 weight;
  };
  void find_pages();
  void find_steady();
  std::vector<std::vector<WayIn>> ways_in() const;
  void find_known_pages();

  // softmmu.cpp
  struct FoundPage {
    llvm::Value *distance, *half_page;
  };
  void find_groups(Block& block);
  llvm::Value* tlb_index_of(llvm::Value* at);
  void find_notes();
  static bool stays_in_page(const PageGroup& g);
  static bool stays_at_distance(const PageGroup& g);
  PageCell* cell_of(const PageGroup& g);
  static void fill_cell(Builder& b, const PageCell& cell, const FoundPage& found);
  bool guesses_page(const PageGroup& g) const;
  llvm::Value* foreseen(llvm::Value* distance);
  llvm::Value* tlb_table(bool write, bool user);
  FoundPage ask_for_page(Builder& b, llvm::Value* at, u32 access);
  llvm::Value* outside(Builder& b, llvm::Value* low, s64 bytes, llvm::Value* half_page);
  void probe(PageGroup& g, const Inst& inst, llvm::Value* at, llvm::Value* low);
  void probe_again(PageGroup& g, const Inst& inst, llvm::Value* at);
  llvm::Value* translated(const Inst& inst, llvm::Value* at);
  llvm::Value* plain_load(const Inst& inst, llvm::Value* at);
  void plain_store(llvm::Value* v, llvm::Value* at, llvm::Type* as);

  // atomics.cpp
  llvm::Value* zero_extended(llvm::Value* v, unsigned bytes, llvm::Type* to);
  llvm::Value* emit_rmw(const Inst& inst);
  llvm::Value* rmw_loop(const Inst& inst, llvm::Value* at);
  llvm::Value* emit_cas(const Inst& inst, unsigned first);
  llvm::Value* emit_cas_wide(const Inst& inst, unsigned first, llvm::Value* at);
  llvm::Value* emit_cas_if(const Inst& inst);
  llvm::Value* memory_equals(const Inst& inst, unsigned expected, llvm::Value* old);
  // fp.cpp
  void make_fp_strict();
  void keep_fp_from_folding();
  llvm::Value* run_fp(llvm::Type* result, std::string code, std::string constraints, llvm::ArrayRef<llvm::Value*> args);
  llvm::Value* host_fp(const std::string& name, llvm::Value* x, llvm::Value* y, int immediate = -1,
                       bool vex_only = false);
  llvm::Value* strict_fp(llvm::Intrinsic::ID id, llvm::SmallVector<llvm::Value*, 5> args);
  static std::string fp_suffix(llvm::Type* t);
  llvm::Value* fp_operand(const Inst& inst, unsigned k);
  llvm::Value* fp_result(const Inst& inst, llvm::Value* v);
  llvm::Value* emit_fp(const Inst& inst);
  llvm::Value* fp_arithmetic(const Inst& inst);
  llvm::Value* fp_minmax(const Inst& inst);
  llvm::Value* fp_mask(const Inst& inst);
  static int round_immediate(ir::Round mode);
  llvm::Value* host_round(llvm::Value* x, int immediate);
  llvm::Value* fp_round(const Inst& inst);
  llvm::Value* round_away(llvm::Value* x);

  // fp_nan.cpp
  struct Unchecked {
    u32 index;           // of the inst
    llvm::Value* lanes;  // the result
    bool used;           // another one was computed from it
    u8 taint;            // see taint_of
  };
  void doubt(llvm::Value* condition);
  llvm::Value* repaired(const Inst& inst, llvm::Value* v);
  llvm::Value* any_lane(llvm::Value* lanes);
  bool keeps_nans(Opcode op) const;
  bool is_unchecked(ir::Value v) const;
  u8 taint(ir::Value v) const;
  u8 taint_of(const Inst& inst) const;
  bool bears_taint(const Inst& inst) const;
  bool can_wait(const Inst& inst) const;
  llvm::Value* unchecked(const Inst& inst, llvm::Value* lanes);
  llvm::Value* some_wrong(const std::vector<Unchecked>& group);
  void settle();
  llvm::Value* fp_finished(const Inst& inst, llvm::Value* v);

  // fp_flush.cpp
  static constexpr int kNans = 0x81, kZeros = 0x06, kSubnormal = 0x20;  // classes of VFPCLASS
  static bool flushes_inline(const Inst& inst);
  llvm::Value* fp_class(llvm::Value* v, int classes);
  llvm::Value* any_class(llvm::Value* v, int classes);
  void guard_flush(const Inst& inst);
  void tell_subnormals(const Inst& inst);
  void touch(llvm::Value* v);
  bool rounds_to_least_normal(const Inst& inst) const;
  llvm::Value* is_least_normal_or_nan(llvm::Value* v);
  void guard_tiny(Opcode op, llvm::Value* x, llvm::Value* y);

  // fp_convert.cpp
  llvm::Value* fp_convert(const Inst& inst);
  llvm::Value* fp_resized(const Inst& inst, llvm::Value* r);
  llvm::Value* fp_resize(const Inst& inst);
  llvm::Value* fp_resize_lanes(const Inst& inst);
  llvm::Value* fp_half(const Inst& inst);
  llvm::Value* fp_to_int(const Inst& inst);
  llvm::Value* fp_to_int_lanes(const Inst& inst);
  llvm::Value* host_truncate(llvm::Value* x, llvm::Type* to, bool is_unsigned);
  llvm::Value* int_to_fp(const Inst& inst);
  llvm::Value* int_to_fp_lanes(const Inst& inst);
  llvm::Value* scaled_down(llvm::Value* x, int fraction_bits);

  // vector*.cpp
  llvm::Value* lanes(llvm::Value* v, unsigned bits);
  static llvm::Constant* splat(llvm::Value* like, u64 lane);
  llvm::Value* vector_result(const Inst& inst, llvm::Value* v);
  llvm::Value* emit_vector(const Inst& inst);
  llvm::Value* vector_move(const Inst& inst);
  llvm::Value* vector_shuffle(const Inst& inst);
  llvm::Value* vector_bitwise(const Inst& inst);
  llvm::Value* vector_compare(const Inst& inst);
  llvm::Value* vector_integer(const Inst& inst);
  llvm::Value* vector_bits(const Inst& inst);
  llvm::Value* vector_halving(Opcode op, llvm::Value* a, llvm::Value* b);
  llvm::Value* low_half(llvm::Value* v, unsigned bits, bool is_signed);
  llvm::Value* narrowed(llvm::Value* wide);
  enum class Shift { Left, Right, RightSigned };
  llvm::Value* vector_shift(const Inst& inst);
  bool shifts_by_lanes(unsigned bits) const;
  llvm::Value* shift_counts(llvm::Value* v, unsigned bits);
  llvm::Value* shift_lanes(Shift kind, llvm::Value* x, llvm::Value* count);
  llvm::Value* shift_down(llvm::Value* x, unsigned n, bool is_signed);
  llvm::Value* shift_down(llvm::Value* x, llvm::Value* count, bool is_signed, bool rounding);
  llvm::Value* rounded_half(llvm::Value* x, bool is_signed);
  llvm::Value* vector_saturating(const Inst& inst);
  llvm::Value* saturated(const Inst& inst, llvm::Value* value, llvm::Value* hit);
  llvm::Value* saturating_shift(const Inst& inst);
  llvm::Value* saturating_product(const Inst& inst);
  llvm::Value* saturating_narrow(const Inst& inst);

  // crypto.cpp
  llvm::Value* emit_crypto(const Inst& inst);
  llvm::Value* words(const Inst& inst, unsigned k);
  llvm::Value* host(llvm::Intrinsic::ID id, llvm::ArrayRef<llvm::Value*> args);
  llvm::Value* crc32c(const Inst& inst);
  llvm::Value* aes(const Inst& inst);
  llvm::Value* sha1_rounds(const Inst& inst, u8 function, u32 round_constant);
  llvm::Value* sha1_schedule(const Inst& inst);
  llvm::Value* sha256_rounds(const Inst& inst);

  // fallback.cpp
  llvm::Value* call_eval(Builder& b, llvm::Value* op, llvm::ArrayRef<llvm::Value*> args, llvm::Type* result);
  llvm::Value* emit_by_eval(const Inst& inst);
  llvm::Value* emit_without_form(const Inst& inst);
  llvm::Constant* pure_op_bytes(const ir::PureOp& op);
  llvm::GlobalVariable* make_constant(llvm::Constant* c);
  llvm::Value* run_mxcsr_asm(const char* code, const char* constraint);
  llvm::Value* get_fp_status();
  void set_fp_status(llvm::Value* status);
  llvm::Value* context_field(Builder& b, std::size_t offset);
  llvm::Value* code_page();
  bool goes_back(u64 pc) const;

  // Small things.
  llvm::Type* type(Type t);
  llvm::Value* value(ir::Value v);
  llvm::Value* arg(const Inst& inst, unsigned k) { return value(inst.args[k]); }
  Type type_of(ir::Value v) const { return (*block_->f)[v].type; }
  BasicBlock* new_block(const char* name);
  llvm::MDNode* unlikely_taken();
  llvm::MDNode* branch_weights();

  llvm::Module& module_;
  llvm::LLVMContext& context_;
  const VmLayout& layout_;
  const HostFeatures& features_;
  const ir::Region& region_;
  RegionCode& out_;
  Builder b_;
  std::string why_;
  std::vector<Opcode> evaluated_;
  std::vector<RegionStop> stops_;

  llvm::Function* function_ = nullptr;
  llvm::Value* ctx_ = nullptr;
  llvm::Value* memory_base_ = nullptr;  // null: guest addresses are host addresses
  llvm::Value* tlb_tables_[4] = {};     // see tlb_table
  llvm::BitVector steady_;              // slots, see find_steady
  std::map<std::pair<u64, u64>, PageCell> page_cells_;
  llvm::AllocaInst* eval_block_ = nullptr;  // operands and result of a call of ir::eval
  llvm::AllocaInst* mxcsr_ = nullptr;
  ir::SlotId flags_slot_ = 0xffff;
  bool sets_fp_status_ = false;

  std::vector<Block> blocks_;
  std::vector<Cells> cells_;
  llvm::BitVector used_;                  // slots
  std::vector<ir::SlotId> in_registers_;  // slots that are arguments, see kRegionSlots
  llvm::BitVector register_slots_;        // the same
  std::vector<FlagsKind> kinds_;
  std::map<u64, u32> block_at_;
  std::set<std::pair<u32, u64>> closing_;  // ir::closing_edges
  std::map<llvm::Constant*, llvm::GlobalVariable*> constants_;
  std::map<std::tuple<u32, u64>, u32> exit_indices_;

  // The block being emitted.
  Block* block_ = nullptr;
  std::vector<llvm::Value*> values_;
  llvm::DenseMap<u32, Flags> flags_values_;
  std::vector<Current> current_;
  u64 insn_pc_ = 0;
  PageGuess guess_;
  BasicBlock* cold_ = nullptr;  // where doubt() leads
  std::vector<Unchecked> unchecked_;
  BasicBlock* landing_ = nullptr;  // for accesses between which nothing changed
};

}  // namespace tiercel::backend::region
