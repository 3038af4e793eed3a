// Flush-to-zero (Arm FPCR.FZ) with AVX-512. The host computes as always, with its own flushing off, where flushing
// makes no difference; everything else is ir::eval's. Which is which must be known before the host raises wrong
// exceptions, that is before the operation: subnormal operands, and products and quotients small enough that the result
// may be both tiny and inexact. A tiny result that is exact raises nothing on the host and may be seen afterwards.
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

/// Before the operation: doubts it where flushing could matter.
void Lowering::guard_flush(const Inst& inst) {
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
