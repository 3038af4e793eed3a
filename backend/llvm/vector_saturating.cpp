// Saturating vector opcodes. With aux bit 0 the result is the mask of the lanes that saturated.
#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

/// `value`, or the lanes of `hit` as masks, as the instruction wants.
llvm::Value* Lowering::saturated(const Inst& inst, llvm::Value* value, llvm::Value* hit) {
  return inst.aux & 1 ? b_.CreateSExt(hit, value->getType()) : value;
}

llvm::Value* Lowering::vector_saturating(const Inst& inst) {
  const unsigned bits = ir::lane_bits(inst.arr);
  const auto x = [&](unsigned k) { return lanes(arg(inst, k), bits); };
  const auto differs = [&](llvm::Intrinsic::ID id, llvm::Value* wrapped, llvm::Value* a, llvm::Value* b) {
    llvm::Value* v = b_.CreateBinaryIntrinsic(id, a, b);
    return saturated(inst, v, b_.CreateICmpNE(v, wrapped));
  };
  switch (inst.op) {
    case Opcode::VQAddS:
    case Opcode::VQAddU:
      return differs(inst.op == Opcode::VQAddS ? intrinsic::sadd_sat : intrinsic::uadd_sat, b_.CreateAdd(x(0), x(1)),
                     x(0), x(1));
    case Opcode::VQSubS:
    case Opcode::VQSubU:
      return differs(inst.op == Opcode::VQSubS ? intrinsic::ssub_sat : intrinsic::usub_sat, b_.CreateSub(x(0), x(1)),
                     x(0), x(1));
    case Opcode::VQNeg: {
      llvm::Value* v = x(0);
      return differs(intrinsic::ssub_sat, b_.CreateNeg(v), splat(v, 0), v);
    }
    case Opcode::VQAbs: {
      llvm::Value* v = x(0);
      llvm::Constant* least = llvm::ConstantInt::get(v->getType(), llvm::APInt::getSignedMinValue(bits));
      llvm::Value* most = b_.CreateNot(least);
      llvm::Value* a = b_.CreateBinaryIntrinsic(intrinsic::abs, v, b_.getFalse());
      return saturated(inst, b_.CreateBinaryIntrinsic(intrinsic::umin, a, most), b_.CreateICmpEQ(v, least));
    }
    case Opcode::VQShlU:
    case Opcode::VQRShlU:
    case Opcode::VQShlS:
    case Opcode::VQRShlS:
    case Opcode::VQShlSU:
      return shifts_by_lanes(bits) ? saturating_shift(inst) : nullptr;
    case Opcode::VQDMulH:
    case Opcode::VQRDMulH:
    case Opcode::VQDMull:
      return saturating_product(inst);
    case Opcode::VQNarrowS:
    case Opcode::VQNarrowU:
    case Opcode::VQNarrowSU:
      return saturating_narrow(inst);
    default:
      return nullptr;
  }
}

llvm::Value* Lowering::saturating_shift(const Inst& inst) {
  const unsigned bits = ir::lane_bits(inst.arr);
  const bool is_signed = inst.op == Opcode::VQShlS || inst.op == Opcode::VQRShlS;
  const bool rounding = inst.op == Opcode::VQRShlU || inst.op == Opcode::VQRShlS;
  llvm::Value *x = lanes(arg(inst, 0), bits), *count = shift_counts(arg(inst, 1), bits);
  llvm::Value* zero = splat(x, 0);
  llvm::Value* left = shift_lanes(Shift::Left, x, count);
  llvm::Value* back = shift_lanes(is_signed ? Shift::RightSigned : Shift::Right, left, count);
  llvm::Value* down = b_.CreateICmpSLT(count, zero);
  llvm::Value* limit = llvm::Constant::getAllOnesValue(x->getType());
  if (is_signed)
    limit = b_.CreateXor(b_.CreateAShr(x, bits - 1),
                         llvm::ConstantInt::get(x->getType(), llvm::APInt::getSignedMaxValue(bits)));
  llvm::Value* hit = b_.CreateAnd(b_.CreateICmpNE(back, x), b_.CreateNot(down));
  llvm::Value* v = b_.CreateSelect(down, shift_down(x, count, is_signed, rounding), b_.CreateSelect(hit, limit, left));
  if (inst.op == Opcode::VQShlSU) {
    llvm::Value* negative = b_.CreateICmpSLT(x, zero);
    v = b_.CreateSelect(negative, zero, v);
    hit = b_.CreateOr(hit, negative);
  }
  return saturated(inst, v, hit);
}

/// Products that are doubled: only the square of the least number is too large.
llvm::Value* Lowering::saturating_product(const Inst& inst) {
  const unsigned bits = ir::lane_bits(inst.arr);
  if (inst.op == Opcode::VQDMull) {
    llvm::Value* p = b_.CreateMul(low_half(arg(inst, 0), bits, true), low_half(arg(inst, 1), bits, true));
    llvm::Value* v = b_.CreateBinaryIntrinsic(intrinsic::sadd_sat, p, p);
    return saturated(inst, v, b_.CreateICmpNE(v, b_.CreateAdd(p, p)));
  }
  llvm::Type* narrow = lanes(arg(inst, 0), bits)->getType();
  llvm::Type* wide = llvm::VectorType::getExtendedElementVectorType(llvm::cast<llvm::VectorType>(narrow));
  const auto x = [&](unsigned k) { return b_.CreateSExt(lanes(arg(inst, k), bits), wide); };
  llvm::Value* p = b_.CreateMul(x(0), x(1));
  if (inst.op == Opcode::VQRDMulH) p = b_.CreateAdd(p, splat(p, u64{1} << (bits - 2)));
  p = b_.CreateAShr(p, bits - 1);
  llvm::Constant* most = splat(p, (u64{1} << (bits - 1)) - 1);
  llvm::Value* v = b_.CreateTrunc(b_.CreateBinaryIntrinsic(intrinsic::smin, p, most), narrow);
  return saturated(inst, v, b_.CreateICmpSGT(p, most));
}

llvm::Value* Lowering::saturating_narrow(const Inst& inst) {
  const unsigned bits = ir::lane_bits(inst.arr);
  llvm::Value* exact = lanes(arg(inst, 0), 2 * bits);
  llvm::Value* v = exact;
  const auto clamp = [&](llvm::Intrinsic::ID id, const llvm::APInt& limit) {
    v = b_.CreateBinaryIntrinsic(id, v, llvm::ConstantInt::get(v->getType(), limit));
  };
  const llvm::APInt most = llvm::APInt::getMaxValue(bits).zext(2 * bits);
  if (inst.op == Opcode::VQNarrowS) {
    clamp(intrinsic::smax, llvm::APInt::getSignedMinValue(bits).sext(2 * bits));
    clamp(intrinsic::smin, llvm::APInt::getSignedMaxValue(bits).sext(2 * bits));
  } else if (inst.op == Opcode::VQNarrowU) {
    clamp(intrinsic::umin, most);
  } else {
    clamp(intrinsic::smax, llvm::APInt(2 * bits, 0));
    clamp(intrinsic::smin, most);
  }
  if ((inst.aux & 1) == 0) return narrowed(v);
  return narrowed(b_.CreateSExt(b_.CreateICmpNE(v, exact), v->getType()));
}

}  // namespace tiercel::backend::region
