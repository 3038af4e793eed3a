// Vector moves, bitwise and integer opcodes that LLVM knows.
#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

/// All 128 bits as lanes of `bits` bits.
llvm::Value* Lowering::lanes(llvm::Value* v, unsigned bits) {
  return b_.CreateBitCast(v, llvm::FixedVectorType::get(b_.getIntNTy(bits), 128 / bits));
}

/// The result's high half is zero in 64-bit arrangements.
llvm::Value* Lowering::vector_result(const Inst& inst, llvm::Value* v) {
  v = b_.CreateBitCast(v, type(Type::V128));
  return ir::is_full(inst.arr) ? v : b_.CreateInsertElement(v, b_.getInt64(0), u64{1});
}

/// Null: not one of these.
llvm::Value* Lowering::emit_vector(const Inst& inst) {
  llvm::Value* v = vector_move(inst);
  if (v != nullptr) return v;
  if (inst.arr == Arr::None || inst.type != Type::V128) return nullptr;
  v = vector_bitwise(inst);
  if (v == nullptr) v = vector_integer(inst);
  if (v == nullptr) v = vector_compare(inst);
  return v != nullptr ? vector_result(inst, v) : nullptr;
}

llvm::Value* Lowering::vector_move(const Inst& inst) {
  switch (inst.op) {
    case Opcode::VConst: {
      const U128& c = block_->f->constant(inst.aux);
      return llvm::ConstantDataVector::get(context_, llvm::ArrayRef<u64>{c.lo, c.hi});
    }
    case Opcode::VZext:
      return convert(b_, arg(inst, 0), type(Type::V128));
    case Opcode::VExtract: {
      llvm::Value* x = b_.CreateExtractElement(lanes(arg(inst, 0), ir::lane_bits(inst.arr)), inst.imm);
      return convert(b_, x, type(inst.type));
    }
    case Opcode::VInsert: {
      const unsigned bits = ir::lane_bits(inst.arr);
      llvm::Value* x = convert(b_, arg(inst, 1), b_.getIntNTy(bits));
      return b_.CreateBitCast(b_.CreateInsertElement(lanes(arg(inst, 0), bits), x, inst.imm), type(Type::V128));
    }
    case Opcode::VDup: {
      const unsigned bits = ir::lane_bits(inst.arr);
      llvm::Value* x = convert(b_, arg(inst, 0), b_.getIntNTy(bits));
      return vector_result(inst, b_.CreateVectorSplat(128 / bits, x));
    }
    case Opcode::VShuffle:
      return vector_shuffle(inst);
    default:
      return nullptr;
  }
}

llvm::Value* Lowering::vector_shuffle(const Inst& inst) {
  const U128& mask = block_->f->constant(inst.aux);
  int picks[16];
  std::vector<llvm::Constant*> kept;
  for (unsigned i = 0; i < 16; ++i) {
    const u8 pick = static_cast<u8>((i < 8 ? mask.lo : mask.hi) >> (8 * (i % 8)));
    picks[i] = pick < 32 ? pick : llvm::PoisonMaskElem;
    kept.push_back(b_.getInt8(pick < 32 ? 0xff : 0));
  }
  llvm::Value* r = b_.CreateShuffleVector(lanes(arg(inst, 0), 8), lanes(arg(inst, 1), 8), picks);
  if (mask.lo & 0x8080808080808080 || mask.hi & 0x8080808080808080) {
    std::vector<int> both(16);
    for (int i = 0; i < 16; ++i) both[static_cast<unsigned>(i)] = picks[i] < 0 ? 16 + i : i;
    r = b_.CreateShuffleVector(r, llvm::Constant::getNullValue(r->getType()), both);
  }
  return b_.CreateBitCast(r, type(Type::V128));
}

llvm::Value* Lowering::vector_bitwise(const Inst& inst) {
  const auto x = [&](unsigned k) { return arg(inst, k); };
  switch (inst.op) {
    case Opcode::VAnd:
      return b_.CreateAnd(x(0), x(1));
    case Opcode::VOr:
      return b_.CreateOr(x(0), x(1));
    case Opcode::VXor:
      return b_.CreateXor(x(0), x(1));
    case Opcode::VAndNot:
      return b_.CreateAnd(x(0), b_.CreateNot(x(1)));
    case Opcode::VOrNot:
      return b_.CreateOr(x(0), b_.CreateNot(x(1)));
    case Opcode::VNot:
      return b_.CreateNot(x(0));
    case Opcode::VBsl:
      return b_.CreateOr(b_.CreateAnd(x(0), x(1)), b_.CreateAnd(b_.CreateNot(x(0)), x(2)));
    default:
      return nullptr;
  }
}

llvm::Value* Lowering::vector_integer(const Inst& inst) {
  const unsigned bits = ir::lane_bits(inst.arr);
  const auto x = [&](unsigned k) { return lanes(arg(inst, k), bits); };
  const auto count = [&] { return llvm::ConstantInt::get(lanes(arg(inst, 0), bits)->getType(), inst.imm); };
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
      return b_.CreateBinaryIntrinsic(intrinsic::smax, x(0), x(1));
    case Opcode::VMinS:
      return b_.CreateBinaryIntrinsic(intrinsic::smin, x(0), x(1));
    case Opcode::VMaxU:
      return b_.CreateBinaryIntrinsic(intrinsic::umax, x(0), x(1));
    case Opcode::VMinU:
      return b_.CreateBinaryIntrinsic(intrinsic::umin, x(0), x(1));
    case Opcode::VCnt:
      return b_.CreateUnaryIntrinsic(intrinsic::ctpop, lanes(arg(inst, 0), 8));
    case Opcode::VShlI:
      return b_.CreateShl(x(0), count());
    case Opcode::VShrUI:
      return inst.imm >= bits ? llvm::Constant::getNullValue(type(Type::V128)) : b_.CreateLShr(x(0), count());
    case Opcode::VShrSI: {
      llvm::Value* v = x(0);
      return b_.CreateAShr(v, llvm::ConstantInt::get(v->getType(), std::min<u64>(inst.imm, bits - 1)));
    }
    case Opcode::VExtS:
    case Opcode::VExtU:
      return low_half(arg(inst, 0), bits, inst.op == Opcode::VExtS);
    case Opcode::VMullS:
    case Opcode::VMullU: {
      const bool is_signed = inst.op == Opcode::VMullS;
      return b_.CreateMul(low_half(arg(inst, 0), bits, is_signed), low_half(arg(inst, 1), bits, is_signed));
    }
    default:
      return nullptr;
  }
}

/// The lanes of the low half, each extended to `bits` bits.
llvm::Value* Lowering::low_half(llvm::Value* v, unsigned bits, bool is_signed) {
  std::vector<int> low(128 / bits);
  for (unsigned i = 0; i < low.size(); ++i) low[i] = static_cast<int>(i);
  llvm::Value* narrow = b_.CreateShuffleVector(lanes(v, bits / 2), low);
  llvm::Type* wide = llvm::FixedVectorType::get(b_.getIntNTy(bits), 128 / bits);
  return is_signed ? b_.CreateSExt(narrow, wide) : b_.CreateZExt(narrow, wide);
}

llvm::Value* Lowering::vector_compare(const Inst& inst) {
  using llvm::CmpInst;
  const unsigned bits = ir::lane_bits(inst.arr);
  CmpInst::Predicate p;
  switch (inst.op) {
    case Opcode::VCmpEq:
      p = CmpInst::ICMP_EQ;
      break;
    case Opcode::VCmpGtS:
      p = CmpInst::ICMP_SGT;
      break;
    case Opcode::VCmpGeS:
      p = CmpInst::ICMP_SGE;
      break;
    case Opcode::VCmpGtU:
      p = CmpInst::ICMP_UGT;
      break;
    case Opcode::VCmpGeU:
      p = CmpInst::ICMP_UGE;
      break;
    case Opcode::VCmpTst:
      p = CmpInst::ICMP_NE;
      break;
    default:
      return nullptr;
  }
  llvm::Value *x = lanes(arg(inst, 0), bits), *y = lanes(arg(inst, 1), bits);
  if (inst.op == Opcode::VCmpTst) {
    x = b_.CreateAnd(x, y);
    y = llvm::Constant::getNullValue(x->getType());
  }
  return b_.CreateSExt(b_.CreateICmp(p, x, y), x->getType());
}

}  // namespace tiercel::backend::region
