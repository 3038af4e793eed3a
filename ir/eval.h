// The meaning of every pure opcode in its plainest form: one evaluator on constants. It is the interpreter's
// arithmetic, the constant folder, and the fast tier's fallback for operations it has no inline form for.
#pragma once

#include "ir/function.h"

namespace tiercel::ir {

/// A pure instruction without its operands: what eval needs to know. Plain data that generated code may embed.
struct PureOp {
  Opcode op = Opcode::Nop;
  Type type = Type::None;      // result
  Type arg_type = Type::None;  // of the last operand declared U or S (conversions, comparisons), else of the last
  Arr arr = Arr::None;
  u8 fp = 0;  // FpRules::pack()
  u32 aux = 0;
  u64 imm = 0;
  U128 constant;  // pool[aux] for VConst and VShuffle
};

/// The floating-point environment outside the host's MXCSR. While eval runs a PureFp op, the calling thread's MXCSR
/// holds the guest's rounding mode (never FTZ/DAZ), all exceptions masked, and its sticky bits accumulate.
struct FpEnv {
  u32* extra = nullptr;  // receives fpstatus bits that MXCSR cannot hold; may be null
};

/// Any value in 128 bits: integers zero-extended, I1 as 0/1, floats as bit patterns zero-extended, Flags in stored
/// form. Pure and PureFp opcodes other than Get. Total for every verified instruction.
U128 eval(const PureOp& op, const U128* args, FpEnv& env);

/// C form of eval for VmContext. Under FpRules::host_flush MXCSR's control may be as generated code has it then; if
/// Inexact is new and not masked, it is raised once more for the host to signal.
void eval_out_of_line(const PureOp* op, const U128* args, U128* result, FpEnv* env);

PureOp pure_op(const Function& f, const Inst& inst);

}  // namespace tiercel::ir
