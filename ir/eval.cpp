#include "ir/eval.h"

#include <array>

#include "base/mxcsr.h"
#include "ir/eval_internal.h"

namespace tiercel::ir {
namespace {

enum class Family : u8 { None, Integer, Flags, Vector, Wide, Saturating, Crypto, Float };

/// Exhaustive on purpose: a new opcode stops compiling here until it has a family.
// clang-format off
constexpr Family family(Opcode o) {
  using enum Opcode;
  switch (o) {
    case Nop: case CodeAddress: case Get: case Set: case Insn:
    case Load: case Store: case AtomicRmw: case AtomicCas: case CasIf: case Fence: case Prefetch:
    case Jump: case Branch: case Call: case JumpInd: case CallInd: case Ret: case Exit:
    case CallHelper: case GetFpStatus: case SetFpStatus:
      return Family::None;
    case Const:
    case Add: case Sub: case Adc: case Sbc: case Mul: case MulHiU: case MulHiS: case DivU: case DivS:
    case And: case Or: case Xor: case AndNot: case OrNot: case XorNot: case Not: case Neg:
    case Shl: case Shr: case Sar: case Ror: case Extr: case UBfx: case SBfx: case Bfi:
    case Clz: case Ctz: case Popcnt: case BitRev: case ByteRev: case ZExt: case SExt: case Trunc:
    case Crc32: case Crc32c: case Select:
    case CmpEq: case CmpNe: case CmpLtU: case CmpLeU: case CmpLtS: case CmpLeS: case TestBit:
      return Family::Integer;
    case FlagsAdd: case FlagsSub: case FlagsAdc: case FlagsSbc: case FlagsLogic: case FlagsCcmpSub: case FlagsCcmpAdd:
    case FlagsFromNzcv: case FlagsToNzcv: case FlagsCond:
      return Family::Flags;
    case FlagsFcmp:
    case FAdd: case FSub: case FMul: case FMulX: case FDiv: case FMulAdd: case FSqrt: case FNeg: case FAbs:
    case FMax: case FMin: case FMaxNm: case FMinNm: case FRint: case FRecipE: case FRsqrtE: case FRecipS: case FRsqrtS:
    case FRecipX: case VFCmpEq: case VFCmpGe: case VFCmpGt: case FCvt: case FFromHalf: case FToHalf: case FToInt:
    case IntToF: case VFCvtUp: case VFCvtDown:
      return Family::Float;
    case VConst: case Bitcast: case VZext: case VExtract: case VInsert: case VDup: case VShuffle: case VTbl:
    case VAnd: case VOr: case VXor: case VAndNot: case VOrNot: case VNot: case VBsl:
    case VAdd: case VSub: case VMul: case VNeg: case VAbs: case VCmpEq: case VCmpGtS: case VCmpGeS: case VCmpGtU:
    case VCmpGeU: case VCmpTst: case VMaxS: case VMinS: case VMaxU: case VMinU: case VHAddS: case VHAddU: case VHSubS:
    case VHSubU: case VRHAddS: case VRHAddU: case VAbdS: case VAbdU: case VPMul: case VClz: case VCls: case VCnt:
    case VRbit: case VURecpE: case VURsqrtE:
      return Family::Vector;
    case VMullS: case VMullU: case VExtS: case VExtU: case VNarrow: case VPMull:
    case VShlI: case VShrUI: case VShrSI: case VRShrUI: case VRShrSI: case VShlU: case VShlS: case VRShlU: case VRShlS:
      return Family::Wide;
    case VQAddS: case VQAddU: case VQSubS: case VQSubU: case VQAddSU: case VQAddUS: case VQAbs: case VQNeg:
    case VQShlU: case VQShlS: case VQRShlU: case VQRShlS: case VQShlSU: case VQDMulH: case VQRDMulH: case VQRDMlAH:
    case VQRDMlSH: case VQDMull: case VQNarrowS: case VQNarrowU: case VQNarrowSU:
      return Family::Saturating;
    case AesEnc: case AesDec: case AesMix: case AesInvMix: case Sha1C: case Sha1P: case Sha1M: case Sha1H: case Sha1Su0:
    case Sha1Su1: case Sha256H: case Sha256H2: case Sha256Su0: case Sha256Su1:
      return Family::Crypto;
  }
  return Family::None;
}
// clang-format on

constexpr auto kFamilies = [] {
  std::array<Family, kOpcodeCount> table{};
  for (unsigned i = 0; i < kOpcodeCount; ++i) table[i] = family(static_cast<Opcode>(i));
  return table;
}();

/// The operand PureOp::arg_type describes: the last one whose type is its own, else the last one.
constexpr auto kTypedOperand = [] {
  std::array<u8, kOpcodeCount> table{};
  for (unsigned i = 0; i < kOpcodeCount; ++i) {
    const std::string_view operands = info(static_cast<Opcode>(i)).operands;
    u8 at = operands.empty() ? 0 : static_cast<u8>(operands.size() - 1);
    for (u8 k = 0; k < operands.size(); ++k)
      if (operands[k] == 'U' || operands[k] == 'S') at = k;
    table[i] = at;
  }
  return table;
}();

}  // namespace

U128 eval(const PureOp& op, const U128* args, FpEnv& env) {
  switch (kFamilies[static_cast<unsigned>(op.op)]) {
    case Family::Integer:
      return detail::eval_integer(op, args);
    case Family::Flags:
      return detail::eval_flags(op, args);
    case Family::Vector:
      return detail::eval_vector(op, args);
    case Family::Wide:
      return detail::eval_vector_wide(op, args);
    case Family::Saturating:
      return detail::eval_vector_saturating(op, args);
    case Family::Crypto:
      return detail::eval_crypto(op, args);
    case Family::Float:
      return detail::eval_float(op, args, env);
    case Family::None:
      break;
  }
  UNREACHABLE();
}

namespace {

/// Signals Inexact to a thread that does not mask it.
void raise_inexact() {
  float third = 1;
  asm volatile("divss %1, %0" : "+x"(third) : "x"(3.0f));
}

}  // namespace

void eval_out_of_line(const PureOp* op, const U128* args, U128* result, FpEnv* env) {
  if (!(effects(op->op) & effect::kReadsFp) || !FpRules::unpack(op->fp).host_flush) {
    *result = eval(*op, args, *env);
    return;
  }
  {
    const mxcsr::Plain plain;
    *result = eval(*op, args, *env);
  }
  const u32 now = _mm_getcsr();
  if ((now & mxcsr::kInexact) && !(now & mxcsr::kInexact << mxcsr::kMaskShift)) raise_inexact();
}

PureOp pure_op(const Function& f, const Inst& inst) {
  PureOp p;
  p.op = inst.op;
  p.type = inst.type;
  if (const Value v = inst.args[kTypedOperand[static_cast<unsigned>(inst.op)]]; v) p.arg_type = f[v].type;
  p.arr = inst.arr;
  p.fp = f.fp.pack();
  p.aux = inst.aux;
  p.imm = inst.imm;
  if (info(inst.op).attr == Attr::Pool) p.constant = f.constant(inst.aux);
  return p;
}

}  // namespace tiercel::ir
