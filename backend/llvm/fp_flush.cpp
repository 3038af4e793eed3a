// Flush-to-zero (Arm FPCR.FZ).
//
// Under FpRules::host_flush the host flushes too, and tells of subnormal operands by a trap (see fp_control.h) but for
// a few instructions. What is left is that it calls a result tiny after rounding, Arm before: a result of the least
// normal magnitude is ir::eval's.
//
// Else, with AVX-512, the host computes as always, with its own flushing off, where flushing makes no difference;
// everything else is ir::eval's. Which is which must be known before the host raises wrong exceptions, that is before
// the operation: subnormal operands, and products and quotients small enough that the result may be both tiny and
// inexact. A tiny result that is exact raises nothing on the host and may be seen afterwards.
#include <fmt/format.h>
#include <llvm/IR/IntrinsicsX86.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

bool Lowering::flushes_inline(const Inst& inst) {
  switch (inst.op) {
    case Opcode::FAdd:
    case Opcode::FSub:
    case Opcode::FMul:
    case Opcode::FMulAdd:
    case Opcode::FDiv:
    case Opcode::FSqrt:
    case Opcode::FMax:
    case Opcode::FMin:
    case Opcode::FMaxNm:
    case Opcode::FMinNm:
    case Opcode::FRint:
    case Opcode::FCvt:
    case Opcode::VFCmpEq:
    case Opcode::VFCmpGe:
    case Opcode::VFCmpGt:
    case Opcode::IntToF:
      return true;
    case Opcode::FToInt:
      return inst.type != Type::V128;
    default:
      return false;
  }
}

/// Classes of VFPCLASS, per lane. Raises nothing.
llvm::Value* Lowering::fp_class(llvm::Value* v, int classes) {
  const bool wide = v->getType()->getScalarType()->isDoubleTy();
  llvm::Value* c = b_.getInt32(static_cast<u32>(classes));
  if (v->getType()->isVectorTy())
    return b_.CreateIntrinsic(wide ? intrinsic::x86_avx512_fpclass_pd_128 : intrinsic::x86_avx512_fpclass_ps_128, {},
                              {v, c});
  auto* lanes = llvm::FixedVectorType::get(v->getType(), wide ? 2 : 4);
  llvm::Value* x = b_.CreateInsertElement(llvm::PoisonValue::get(lanes), v, u64{0});
  llvm::Value* r = b_.CreateIntrinsic(
      wide ? intrinsic::x86_avx512_mask_fpclass_sd : intrinsic::x86_avx512_mask_fpclass_ss, {}, {x, c, b_.getInt8(1)});
  return b_.CreateTrunc(r, b_.getInt1Ty());
}

llvm::Value* Lowering::any_class(llvm::Value* v, int classes) {
  return any_lane(fp_class(v, classes));
}

/// Under host_flush: before operations whose instruction does not tell of subnormal operands, or not beside a NaN, or
/// by something else that it raises.
void Lowering::tell_subnormals(const Inst& inst) {
  switch (inst.op) {
    case Opcode::FDiv:
    case Opcode::FSqrt:
    case Opcode::FRint:
    case Opcode::FToInt:
    case Opcode::VFCmpEq:
    case Opcode::VFCmpGe:
    case Opcode::VFCmpGt:
    case Opcode::FlagsFcmp:
      break;
    default:
      return;
  }
  for (unsigned k = 0; k < ir::info(inst.op).operands.size(); ++k) touch(fp_operand(inst, k));
}

/// Compares v with itself, which raises what the operation raises, and the host's exception for subnormals.
void Lowering::touch(llvm::Value* v) {
  if (llvm::isa<llvm::Constant>(v)) {
    const auto* number = llvm::dyn_cast<llvm::ConstantFP>(v);
    if (number != nullptr && !number->getValueAPF().isDenormal() && !number->getValueAPF().isSignaling()) return;
  }
  const std::string suffix = fp_suffix(v->getType());
  if (features_.avx512vl)
    run_fp(b_.getVoidTy(), fmt::format("vcmp{} $$0, $0, $0, %k1", suffix), "v,~{k1}", {v});
  else if (features_.avx)
    run_fp(v->getType(), fmt::format("vcmp{} $$0, $1, $1, $0", suffix), "=x,x", {v});
  else
    run_fp(v->getType(), fmt::format("cmp{} $$0, $0, $0", suffix), "=x,0", {v});
}

/// Under host_flush: may the least normal number be a result that Arm flushes? Tiny sums are exact.
bool Lowering::rounds_to_least_normal(const Inst& inst) const {
  if (!block_->f->fp.host_flush) return false;
  switch (inst.op) {
    case Opcode::FMul:
    case Opcode::FMulAdd:
    case Opcode::FDiv:
    case Opcode::VFCvtDown:
      return true;
    case Opcode::FCvt:
      return inst.type == Type::F32;
    default:
      return false;
  }
}

llvm::Value* Lowering::is_least_normal_or_nan(llvm::Value* v) {
  const bool wide = v->getType()->getScalarType()->isDoubleTy();
  llvm::Value* least = llvm::ConstantFP::get(v->getType(), wide ? 0x1p-1022 : 0x1p-126);
  return b_.CreateFCmpUEQ(b_.CreateUnaryIntrinsic(intrinsic::fabs, v), least);
}

/// Before the operation: doubts it where flushing could matter.
void Lowering::guard_flush(const Inst& inst) {
  if (block_->f->fp.host_flush) return tell_subnormals(inst);
  if (!block_->f->fp.flush || inst.op == Opcode::IntToF) return;
  const std::size_t count = ir::info(inst.op).operands.size();
  llvm::Value *x[3] = {}, *subnormal = nullptr;
  for (unsigned k = 0; k < count; ++k) {
    x[k] = fp_operand(inst, k);
    llvm::Value* c = fp_class(x[k], kSubnormal);
    subnormal = subnormal == nullptr ? c : b_.CreateOr(subnormal, c);
  }
  doubt(any_lane(subnormal));
  if (inst.op == Opcode::FMul || inst.op == Opcode::FDiv)
    guard_tiny(inst.op, x[0], x[1]);
  else if (inst.op == Opcode::FMulAdd)
    guard_tiny(inst.op, x[1], x[2]);
  else if (inst.op == Opcode::FCvt && x[0]->getType()->isDoubleTy())
    guard_tiny(inst.op, x[0], nullptr);
}

/// Adding (subtracting) the magnitudes' bit patterns adds (subtracts) the exponents, give or take one. The bound is
/// high enough that all bits of a product above it are multiples of the smallest subnormal: a sum with it that is tiny
/// is exact. Zeros look small too, but are exact.
void Lowering::guard_tiny(Opcode op, llvm::Value* x, llvm::Value* y) {
  const bool wide = x->getType()->getScalarType()->isDoubleTy();
  const unsigned bits = wide ? 64 : 32, fraction = wide ? 52 : 23;
  const auto magnitude = [&](llvm::Value* v) {
    llvm::Type* integer = v->getType()->isVectorTy()
                              ? static_cast<llvm::Type*>(llvm::FixedVectorType::get(b_.getIntNTy(bits), 128 / bits))
                              : b_.getIntNTy(bits);
    v = b_.CreateBitCast(v, integer);
    return b_.CreateAnd(v, llvm::ConstantInt::get(integer, llvm::APInt::getSignedMaxValue(bits)));
  };
  const auto exponent = [&](llvm::Value* like, s64 e) {
    return llvm::ConstantInt::getSigned(like->getType(), e * (s64{1} << fraction));
  };
  llvm::Value *t = magnitude(x), *small, *zero = fp_class(x, kZeros);
  if (op == Opcode::FCvt) {  // to single: 2^-125 and above
    small = b_.CreateICmpULT(t, exponent(t, 1023 - 125));
  } else if (op == Opcode::FDiv) {
    small = b_.CreateICmpSLT(b_.CreateSub(t, magnitude(y)), exponent(t, wide ? -960 : -100));
  } else {
    small = b_.CreateICmpULT(b_.CreateAdd(t, magnitude(y)), exponent(t, wide ? 1086 : 154));
    zero = b_.CreateOr(zero, fp_class(y, kZeros));
  }
  doubt(any_lane(b_.CreateAnd(small, b_.CreateNot(zero))));
}

}  // namespace tiercel::backend::region
