// Vector moves, bitwise opcodes, compares; the other families have files of their own.
#include <llvm/IR/IntrinsicsX86.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

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
  if (v == nullptr) v = vector_shift(inst);
  if (v == nullptr) v = vector_saturating(inst);
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
    case Opcode::VTbl: {  // PSHUFB makes zeros where bit 7 of the index is set, which 16 + 0x70 sets
      llvm::Value* picks =
          b_.CreateBinaryIntrinsic(llvm::Intrinsic::uadd_sat, lanes(arg(inst, 1), 8),
                                   llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(16), b_.getInt8(0x70)));
      return b_.CreateBitCast(
          b_.CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pshuf_b_128, {}, {lanes(arg(inst, 0), 8), picks}),
          type(Type::V128));
    }
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
