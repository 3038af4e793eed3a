// Vector integer arithmetic in LLVM's own terms.
#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

llvm::Value* Lowering::vector_integer(const Inst& inst) {
  const unsigned bits = ir::lane_bits(inst.arr);
  const auto x = [&](unsigned k) { return lanes(arg(inst, k), bits); };
  const auto binary = [&](llvm::Intrinsic::ID id) { return b_.CreateBinaryIntrinsic(id, x(0), x(1)); };
  switch (inst.op) {
    case Opcode::VAdd:
      return b_.CreateAdd(x(0), x(1));
    case Opcode::VSub:
      return b_.CreateSub(x(0), x(1));
    case Opcode::VMul:
      return b_.CreateMul(x(0), x(1));
    case Opcode::VNeg:
      return b_.CreateNeg(x(0));
    case Opcode::VAbs:
      return b_.CreateBinaryIntrinsic(intrinsic::abs, x(0), b_.getFalse());
    case Opcode::VMaxS:
      return binary(intrinsic::smax);
    case Opcode::VMinS:
      return binary(intrinsic::smin);
    case Opcode::VMaxU:
      return binary(intrinsic::umax);
    case Opcode::VMinU:
      return binary(intrinsic::umin);
    case Opcode::VAbdS:
      return b_.CreateSub(binary(intrinsic::smax), binary(intrinsic::smin));
    case Opcode::VAbdU:
      return b_.CreateSub(binary(intrinsic::umax), binary(intrinsic::umin));
    case Opcode::VHAddS:
    case Opcode::VHAddU:
    case Opcode::VHSubS:
    case Opcode::VHSubU:
    case Opcode::VRHAddS:
    case Opcode::VRHAddU:
      return vector_halving(inst.op, x(0), x(1));
    case Opcode::VExtS:
    case Opcode::VExtU:
      return low_half(arg(inst, 0), bits, inst.op == Opcode::VExtS);
    case Opcode::VMullS:
    case Opcode::VMullU: {
      const bool is_signed = inst.op == Opcode::VMullS;
      return b_.CreateMul(low_half(arg(inst, 0), bits, is_signed), low_half(arg(inst, 1), bits, is_signed));
    }
    case Opcode::VNarrow:
      return narrowed(lanes(arg(inst, 0), 2 * bits));
    default:
      return vector_bits(inst);
  }
}

llvm::Value* Lowering::vector_bits(const Inst& inst) {
  const unsigned bits = ir::lane_bits(inst.arr);
  llvm::Value* x = lanes(arg(inst, 0), bits);
  switch (inst.op) {
    case Opcode::VCnt:
      return b_.CreateUnaryIntrinsic(intrinsic::ctpop, x);
    case Opcode::VRbit:
      return b_.CreateUnaryIntrinsic(intrinsic::bitreverse, x);
    case Opcode::VClz:
      return b_.CreateBinaryIntrinsic(intrinsic::ctlz, x, b_.getFalse());
    case Opcode::VCls: {
      llvm::Value* t = b_.CreateXor(x, b_.CreateAShr(x, bits - 1));
      return b_.CreateSub(b_.CreateBinaryIntrinsic(intrinsic::ctlz, t, b_.getFalse()), splat(t, 1));
    }
    default:
      return nullptr;
  }
}

/// Without the bit that the sum or difference needs more than a lane has: a + b = 2(a & b) + (a ^ b), a - b = (a ^ b) -
/// 2(~a & b).
llvm::Value* Lowering::vector_halving(Opcode op, llvm::Value* a, llvm::Value* b) {
  const bool is_signed = op == Opcode::VHAddS || op == Opcode::VHSubS || op == Opcode::VRHAddS;
  llvm::Value* differing = b_.CreateXor(a, b);
  llvm::Value* half = is_signed ? b_.CreateAShr(differing, 1) : b_.CreateLShr(differing, 1);
  switch (op) {
    case Opcode::VHAddS:
    case Opcode::VHAddU:
      return b_.CreateAdd(b_.CreateAnd(a, b), half);
    case Opcode::VHSubS:
    case Opcode::VHSubU:
      return b_.CreateSub(half, b_.CreateAnd(b_.CreateNot(a), b));
    default:
      return b_.CreateSub(b_.CreateOr(a, b), half);
  }
}

llvm::Constant* Lowering::splat(llvm::Value* like, u64 lane) {
  return llvm::ConstantInt::get(like->getType(), lane);
}

/// The lanes of the low half, each extended to `bits` bits.
llvm::Value* Lowering::low_half(llvm::Value* v, unsigned bits, bool is_signed) {
  std::vector<int> low(128 / bits);
  for (unsigned i = 0; i < low.size(); ++i) low[i] = static_cast<int>(i);
  llvm::Value* narrow = b_.CreateShuffleVector(lanes(v, bits / 2), low);
  llvm::Type* wide = llvm::FixedVectorType::get(b_.getIntNTy(bits), 128 / bits);
  return is_signed ? b_.CreateSExt(narrow, wide) : b_.CreateZExt(narrow, wide);
}

/// Lanes truncated to half their bits in the low half, zeros above.
llvm::Value* Lowering::narrowed(llvm::Value* wide) {
  auto* from = llvm::cast<llvm::FixedVectorType>(wide->getType());
  const unsigned bits = from->getScalarSizeInBits() / 2, count = from->getNumElements();
  llvm::Value* v = b_.CreateTrunc(wide, llvm::FixedVectorType::get(b_.getIntNTy(bits), count));
  std::vector<int> all(2 * count);
  for (unsigned i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  return b_.CreateShuffleVector(v, llvm::Constant::getNullValue(v->getType()), all);
}

}  // namespace tiercel::backend::region
