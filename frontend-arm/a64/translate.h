// What the semantics functions of the A64 table see: the Builder and the guest's registers in the manual's words.
#pragma once

#include "frontend-arm/a64_system_state.h"
#include "frontend-arm/isa_row.h"
#include "ir/builder.h"

namespace tiercel::arm {

using ir::Arr;
using ir::Cond;
using ir::MemAttr;
using ir::Opcode;
using ir::Type;
using ir::Value;

/// The operand width of an integer instruction: I32 (W registers) or I64 (X registers).
using Width = Type;
constexpr Width width(bool sf) {
  return sf ? Type::I64 : Type::I32;
}

struct CpuModel;

/// The mode bits of a block key above the FP rules. All zero in user mode; a machine always has kMachine.
namespace mode {
inline constexpr u32 kMachine = 1 << 8, kEl1 = 1 << 9, kFp = 1 << 10 /* FP and SIMD do not trap */,
                     kSpEl0 = 1 << 11 /* EL1 using SP_EL0 */, kZva = 1 << 12 /* DC ZVA does not trap */,
                     kCounter = 1 << 13 /* reading CNTVCT_EL0 does not trap */;
}

/// The translation of one block. Semantics functions end in `return t.next()`, in a terminal followed by
/// `return false`, or in undefined()/unimplemented()/exit_after().
struct Translate {
  ir::Builder& ir;
  u64 pc = 0;                       // of the insn being translated
  u64 next_pc = 0;                  // where decoding goes on; semantics may move it forward inside the page
  u64 page_end = 0;                 // decoding never goes there
  u32 row_index = 0;                // of the insn's row
  u32 word = 0;                     // the insn
  u32 mode = 0;                     // of the block's key
  const CpuModel* model = nullptr;  // a machine's

  bool machine() const { return (mode & mode::kMachine) != 0; }
  bool el1() const { return (mode & mode::kEl1) != 0; }

  // General registers. 31 is the zero register...
  Value x(Width w, Reg r) { return r.n == 31 ? ir.imm(w, 0) : ir.get(w, static_cast<u16>(slot::kX0 + r.n)); }
  void set_x(Reg r, Value v) {  // W results are zero-extended
    if (r.n != 31) ir.set(static_cast<u16>(slot::kX0 + r.n), v);
  }
  // ... or SP.
  Value x_or_sp(Width w, Reg r) { return ir.get(w, static_cast<u16>(slot::kX0 + r.n)); }
  void set_x_or_sp(Reg r, Value v) { ir.set(static_cast<u16>(slot::kX0 + r.n), v); }

  // PSTATE.NZCV as one Flags value.
  Value flags() { return ir.get(Type::Flags, slot::kFlags); }
  void set_flags(Value f) { ir.set(slot::kFlags, f); }
  /// The condition field of the manual; AL and NV are always true.
  Value condition(u32 cond);

  Value imm(Width w, u64 c) { return ir.imm(w, c); }

  // SIMD and FP registers. Scalars read the low bits; writing a scalar zeroes the rest of the register.
  Value v(VReg r) { return ir.get(Type::V128, static_cast<u16>(slot::kV0 + r.n)); }
  Value v_scalar(Type t, VReg r) { return ir.get(t, static_cast<u16>(slot::kV0 + r.n)); }
  void set_v(VReg r, Value value) { ir.set(static_cast<u16>(slot::kV0 + r.n), value); }

  /// Go on with the next insn.
  bool next() { return true; }
  /// An unallocated or otherwise UNDEFINED encoding.
  bool undefined();
  /// Leaves for A64Core::execute (a machine).
  bool system();
  /// A gap of ours; names the row.
  bool unimplemented();
  /// Leaves the block; the guest continues after this insn.
  bool exit_after(ir::ExitKind kind, u64 payload = 0, Value operand = ir::kNoValue);
};
static_assert(slot::kSp == slot::kX0 + 31, "register 31 read as SP is the next slot");

}  // namespace tiercel::arm
