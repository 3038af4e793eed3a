// Floating-point arithmetic under the guest's MXCSR. What LLVM has a constrained intrinsic for is one (dynamic
// rounding, strict exceptions): it neither folds them with a rounding mode of its own nor drops, merges or invents what
// raises sticky bits. The rest stands in asm. Results that are no NaN are the same on Arm and x86; a NaN is made again
// by ir::eval in a cold block, which knows Arm's rules.
#include <fmt/format.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

/// The function does not get the attribute strictfp: with it LLVM puts a WAIT behind every asm.
void Lowering::make_fp_strict() {
  b_.setIsFPConstrained(true);
  b_.setDefaultConstrainedRounding(llvm::RoundingMode::Dynamic);
  b_.setDefaultConstrainedExcept(llvm::fp::ebStrict);
}

/// LLVM folds an exact operation on constants whatever the rounding mode. But the sign of x - x depends on the mode.
void Lowering::keep_fp_from_folding() {
  for (llvm::Instruction& i : llvm::instructions(*function_))
    if (auto* call = llvm::dyn_cast<llvm::ConstrainedFPIntrinsic>(&i)) call->addFnAttr(llvm::Attribute::NoBuiltin);
}

/// Host instructions with results and operands in vector (v; x: below xmm16) or general registers. `$v` stands for the
/// AVX forms' v.
llvm::Value* Lowering::run_fp(llvm::Type* result, std::string code, std::string constraints,
                              llvm::ArrayRef<llvm::Value*> args) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* a : args) types.push_back(a->getType());
  auto* fn = llvm::FunctionType::get(result, types, false);
  if (!features_.avx512vl) std::replace(constraints.begin(), constraints.end(), 'v', 'x');
  return b_.CreateCall(fn, llvm::InlineAsm::get(fn, code, constraints, true), args);
}

/// `name` on x and perhaps y, with an immediate if that is not negative.
llvm::Value* Lowering::host_fp(const std::string& name, llvm::Value* x, llvm::Value* y, int immediate, bool vex_only) {
  const std::string imm = immediate < 0 ? "" : fmt::format("$${}, ", immediate);
  std::string constraints = y == nullptr ? "=v,v" : features_.avx ? "=v,v,v" : "=v,0,v";
  if (vex_only) std::replace(constraints.begin(), constraints.end(), 'v', 'x');
  const char* v = features_.avx ? "v" : "";
  if (y == nullptr) return run_fp(x->getType(), fmt::format("{}{} {}$1, $0", v, name, imm), constraints, {x});
  return run_fp(x->getType(), fmt::format("{}{} {}$2, {}$0", v, name, imm, features_.avx ? "$1, " : ""), constraints,
                {x, y});
}

/// "ss", "sd", "ps" or "pd".
std::string Lowering::fp_suffix(llvm::Type* t) {
  return fmt::format("{}{}", t->isVectorTy() ? 'p' : 's', t->getScalarType()->isDoubleTy() ? 'd' : 's');
}

/// The operand as lanes; 64-bit arrangements twice, so that lanes that are not part of the operation raise nothing new.
llvm::Value* Lowering::fp_operand(const Inst& inst, unsigned k) {
  llvm::Value* v = arg(inst, k);
  if (inst.type != Type::V128) return v;
  if (!ir::is_full(inst.arr)) v = b_.CreateShuffleVector(v, llvm::ArrayRef<int>{0, 0});
  const bool wide = ir::lane_bits(inst.arr) == 64;
  return b_.CreateBitCast(v, llvm::FixedVectorType::get(wide ? b_.getDoubleTy() : b_.getFloatTy(), wide ? 2 : 4));
}

llvm::Value* Lowering::fp_result(const Inst& inst, llvm::Value* v) {
  if (inst.type != Type::V128) return v;
  return vector_result(inst, v);
}

/// Null: ir::eval does it.
llvm::Value* Lowering::emit_fp(const Inst& inst) {
  const bool vector = inst.type == Type::V128;
  if (inst.op == Opcode::FNeg || inst.op == Opcode::FAbs) {
    if (vector && ir::lane_bits(inst.arr) < 32) return nullptr;
    llvm::Value* x = fp_operand(inst, 0);
    x = inst.op == Opcode::FNeg ? b_.CreateFNeg(x) : b_.CreateUnaryIntrinsic(intrinsic::fabs, x);
    return is_unchecked(inst.args[0]) ? unchecked(inst, x) : fp_result(inst, x);
  }
  const ir::FpRules rules = block_->f->fp;
  if (rules.x86_nans) return nullptr;
  if (rules.flush && !rules.host_flush && (!features_.avx512vl || !flushes_inline(inst))) return nullptr;
  if (vector && ir::lane_bits(inst.arr) < 32 && inst.op != Opcode::VFCvtDown) return nullptr;
  llvm::Value* v = fp_arithmetic(inst);
  return v != nullptr ? v : fp_convert(inst);
}

llvm::Value* Lowering::fp_arithmetic(const Inst& inst) {
  const auto x = [&](unsigned k) { return fp_operand(inst, k); };
  switch (inst.op) {
    case Opcode::FAdd:
      guard_flush(inst);
      return fp_finished(inst, b_.CreateFAdd(x(0), x(1)));
    case Opcode::FSub:
      guard_flush(inst);
      return fp_finished(inst, b_.CreateFSub(x(0), x(1)));
    case Opcode::FMul:
      guard_flush(inst);
      return fp_finished(inst, b_.CreateFMul(x(0), x(1)));
    case Opcode::FDiv:
      guard_flush(inst);
      return fp_finished(inst, b_.CreateFDiv(x(0), x(1)));
    case Opcode::FSqrt:
      guard_flush(inst);
      return fp_finished(inst, strict_fp(intrinsic::experimental_constrained_sqrt, {x(0)}));
    case Opcode::FMulAdd:
      if (!features_.fma) return nullptr;
      guard_flush(inst);
      return fp_finished(inst, strict_fp(intrinsic::experimental_constrained_fma, {x(1), x(2), x(0)}));
    case Opcode::FMax:
    case Opcode::FMin:
    case Opcode::FMaxNm:
    case Opcode::FMinNm:
      return fp_minmax(inst);
    case Opcode::FRint:
      return fp_round(inst);
    case Opcode::VFCmpEq:
    case Opcode::VFCmpGe:
    case Opcode::VFCmpGt:
      return fp_mask(inst);
    default:
      return nullptr;
  }
}

llvm::Value* Lowering::strict_fp(llvm::Intrinsic::ID id, llvm::SmallVector<llvm::Value*, 5> args) {
  llvm::Type* t = args[0]->getType();
  for (const char* text : {"round.dynamic", "fpexcept.strict"})
    args.push_back(llvm::MetadataAsValue::get(context_, llvm::MDString::get(context_, text)));
  return b_.CreateIntrinsic(t, id, args);
}

/// Where neither operand is a NaN, x86's maximum differs from Arm's only for zeros of unequal sign, where it returns
/// the second operand; the AND of both orders is +0 there (the OR of minima -0). VRANGE orders zeros as Arm does, and
/// treats a single quiet NaN as FMAXNM does.
llvm::Value* Lowering::fp_minmax(const Inst& inst) {
  guard_flush(inst);
  const bool number = inst.op == Opcode::FMaxNm || inst.op == Opcode::FMinNm;
  const bool max = inst.op == Opcode::FMax || inst.op == Opcode::FMaxNm;
  llvm::Value *x = fp_operand(inst, 0), *y = fp_operand(inst, 1);
  const std::string suffix = fp_suffix(x->getType());
  if (features_.avx512vl && number && !block_->f->fp.host_flush)
    return fp_finished(inst, host_fp("range" + suffix, x, y, max ? 5 : 4));
  // A NaN must not reach the host's maximum: it raises Invalid for quiet ones.
  doubt(any_lane(b_.CreateFCmpUNO(x, y)));
  if (features_.avx512vl) return repaired(inst, fp_result(inst, host_fp("range" + suffix, x, y, max ? 5 : 4)));
  const std::string name = (max ? "max" : "min") + suffix;
  llvm::Type* t = x->getType();
  llvm::Type* bits = t->isVectorTy() ? type(Type::V128) : b_.getIntNTy(t->getScalarSizeInBits());
  llvm::Value* a = b_.CreateBitCast(host_fp(name, x, y), bits);
  llvm::Value* b = b_.CreateBitCast(host_fp(name, y, x), bits);
  llvm::Value* r = max ? b_.CreateAnd(a, b) : b_.CreateOr(a, b);
  return repaired(inst, fp_result(inst, b_.CreateBitCast(r, t)));
}

/// Lane masks; scalars get all ones or zero bits.
llvm::Value* Lowering::fp_mask(const Inst& inst) {
  constexpr int kEqual = 0, kLess = 1, kLessEqual = 2;
  guard_flush(inst);
  llvm::Value *x = fp_operand(inst, 0), *y = fp_operand(inst, 1);
  const int predicate = inst.op == Opcode::VFCmpEq ? kEqual : inst.op == Opcode::VFCmpGt ? kLess : kLessEqual;
  if (inst.op != Opcode::VFCmpEq) std::swap(x, y);  // a > b as b < a
  llvm::Value* r = host_fp("cmp" + fp_suffix(x->getType()), x, y, predicate, /*vex_only=*/true);
  return repaired(inst, fp_result(inst, r));
}

/// ROUNDSD's immediate (Intel SDM): bits 1 and 0 nearest, down, up, to zero; bit 2: MXCSR's mode. Negative: no such
/// mode.
int Lowering::round_immediate(ir::Round mode) {
  switch (mode) {
    case ir::Round::TieEven:
      return 0;
    case ir::Round::NegInf:
      return 1;
    case ir::Round::PosInf:
      return 2;
    case ir::Round::Zero:
      return 3;
    case ir::Round::Current:
      return 4;
    default:
      return -1;
  }
}

llvm::Value* Lowering::host_round(llvm::Value* x, int immediate) {
  const std::string suffix = fp_suffix(x->getType());
  const std::string name = (features_.avx512vl ? "rndscale" : "round") + suffix;
  return x->getType()->isVectorTy() ? host_fp(name, x, nullptr, immediate) : host_fp(name, x, x, immediate);
}

llvm::Value* Lowering::fp_round(const Inst& inst) {
  constexpr int kNoInexact = 8;
  const bool exact = inst.aux & 8, away = inst.round() == ir::Round::TieAway;
  const int mode = round_immediate(inst.round());
  if (away ? exact : mode < 0) return nullptr;
  guard_flush(inst);
  llvm::Value* x = fp_operand(inst, 0);
  if (away) return repaired(inst, fp_result(inst, round_away(x)));
  llvm::Value* r = host_round(x, mode | (exact ? 0 : kNoInexact));
  return block_->f->fp.default_nan ? fp_finished(inst, r) : repaired(inst, fp_result(inst, r));
}

/// To nearest, ties away from zero, raising nothing. Numbers too large to have a fraction, infinities and NaNs are
/// doubtful. The fraction and the sums are exact.
llvm::Value* Lowering::round_away(llvm::Value* x) {
  llvm::Type* t = x->getType();
  const auto number = [&](double n) { return llvm::ConstantFP::get(t, n); };
  llvm::Value* magnitude = b_.CreateUnaryIntrinsic(intrinsic::fabs, x);
  const double no_fraction = t->getScalarType()->isDoubleTy() ? 0x1p52 : 0x1p23;
  doubt(any_lane(b_.CreateFCmpUGE(magnitude, number(no_fraction))));
  llvm::Value* whole = host_round(magnitude, 3 | 8);
  llvm::Value* up = b_.CreateFCmpOGE(b_.CreateFSub(magnitude, whole), number(0.5));
  llvm::Value* r = b_.CreateFAdd(whole, b_.CreateSelect(up, number(1), number(0)));
  return b_.CreateBinaryIntrinsic(intrinsic::copysign, r, x);
}

}  // namespace tiercel::backend::region
