// Scalar integer opcodes.
#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

/// Null: not one of these.
llvm::Value* Lowering::emit_integer(const Inst& inst) {
  switch (inst.op) {
    case Opcode::Const: {
      const unsigned bits = ir::type_bits(inst.type);
      llvm::Value* c = b_.getIntN(bits, bits >= 64 ? inst.imm : inst.imm & ((u64{1} << bits) - 1));
      return ir::is_float(inst.type) ? b_.CreateBitCast(c, type(inst.type)) : c;
    }
    case Opcode::CodeAddress:
      return b_.CreateAdd(code_page(), b_.getInt64(inst.imm));
    case Opcode::CmpEq:
    case Opcode::CmpNe:
    case Opcode::CmpLtU:
    case Opcode::CmpLeU:
    case Opcode::CmpLtS:
    case Opcode::CmpLeS:
      return emit_compare(inst);
    case Opcode::TestBit:
      return b_.CreateTrunc(b_.CreateLShr(arg(inst, 0), inst.imm), b_.getInt1Ty());
    case Opcode::Select:
      return b_.CreateSelect(arg(inst, 0), arg(inst, 1), arg(inst, 2));
    case Opcode::FlagsCond:
      return condition(flags(inst.args[0]), inst.cond());
    case Opcode::FlagsToNzcv: {
      const Nzcv f = bits_of(flags(inst.args[0]));
      const auto at = [&](llvm::Value* bit, unsigned n) {
        return b_.CreateShl(b_.CreateZExt(bit, b_.getInt32Ty()), n);
      };
      return b_.CreateOr(b_.CreateOr(at(f.n, 31), at(f.z, 30)), b_.CreateOr(at(f.c, 29), at(f.v, 28)));
    }
    case Opcode::ZExt:
      return b_.CreateZExt(arg(inst, 0), type(inst.type));
    case Opcode::SExt:
      return b_.CreateSExt(arg(inst, 0), type(inst.type));
    case Opcode::Trunc:
      return b_.CreateTrunc(arg(inst, 0), type(inst.type));
    case Opcode::Bitcast:
      return b_.CreateBitCast(arg(inst, 0), type(inst.type));
    case Opcode::DivU:
    case Opcode::DivS:
      return emit_divide(inst);
    default:
      break;
  }
  llvm::Value* v = emit_arithmetic(inst);
  return v != nullptr ? v : emit_bits(inst);
}

llvm::Value* Lowering::emit_compare(const Inst& inst) {
  using llvm::CmpInst;
  CmpInst::Predicate p;
  switch (inst.op) {
    case Opcode::CmpEq:
      p = CmpInst::ICMP_EQ;
      break;
    case Opcode::CmpNe:
      p = CmpInst::ICMP_NE;
      break;
    case Opcode::CmpLtU:
      p = CmpInst::ICMP_ULT;
      break;
    case Opcode::CmpLeU:
      p = CmpInst::ICMP_ULE;
      break;
    case Opcode::CmpLtS:
      p = CmpInst::ICMP_SLT;
      break;
    default:
      p = CmpInst::ICMP_SLE;
      break;
  }
  return b_.CreateICmp(p, arg(inst, 0), arg(inst, 1));
}

llvm::Value* Lowering::emit_arithmetic(const Inst& inst) {
  const auto x = [&] { return arg(inst, 0); };
  const auto y = [&] { return arg(inst, 1); };
  switch (inst.op) {
    case Opcode::Add:
      return b_.CreateAdd(x(), y());
    case Opcode::Sub:
      return b_.CreateSub(x(), y());
    case Opcode::Adc:
      return b_.CreateAdd(b_.CreateAdd(x(), y()), b_.CreateZExt(arg(inst, 2), type(inst.type)));
    case Opcode::Sbc:
      return b_.CreateAdd(b_.CreateAdd(x(), b_.CreateNot(y())), b_.CreateZExt(arg(inst, 2), type(inst.type)));
    case Opcode::Mul:
      return b_.CreateMul(x(), y());
    case Opcode::MulHiU:
    case Opcode::MulHiS:
      return multiply_high(inst);
    case Opcode::And:
      return b_.CreateAnd(x(), y());
    case Opcode::Or:
      return b_.CreateOr(x(), y());
    case Opcode::Xor:
      return b_.CreateXor(x(), y());
    case Opcode::AndNot:
      return b_.CreateAnd(x(), b_.CreateNot(y()));
    case Opcode::OrNot:
      return b_.CreateOr(x(), b_.CreateNot(y()));
    case Opcode::XorNot:
      return b_.CreateXor(x(), b_.CreateNot(y()));
    case Opcode::Not:
      return b_.CreateNot(x());
    case Opcode::Neg:
      return b_.CreateNeg(x());
    case Opcode::Shl:
      return b_.CreateShl(x(), shift_count(inst));
    case Opcode::Shr:
      return b_.CreateLShr(x(), shift_count(inst));
    case Opcode::Sar:
      return b_.CreateAShr(x(), shift_count(inst));
    case Opcode::Ror:
      return b_.CreateIntrinsic(type(inst.type), intrinsic::fshr, {x(), x(), y()});
    default:
      return nullptr;
  }
}

llvm::Value* Lowering::shift_count(const Inst& inst) {
  return b_.CreateAnd(arg(inst, 1), llvm::ConstantInt::get(type(inst.type), ir::type_bits(inst.type) - 1));
}

llvm::Value* Lowering::multiply_high(const Inst& inst) {
  const unsigned bits = ir::type_bits(inst.type);
  llvm::Type* wide = b_.getIntNTy(2 * bits);
  const bool is_signed = inst.op == Opcode::MulHiS;
  llvm::Value* x = b_.CreateIntCast(arg(inst, 0), wide, is_signed);
  llvm::Value* y = b_.CreateIntCast(arg(inst, 1), wide, is_signed);
  return b_.CreateTrunc(b_.CreateLShr(b_.CreateMul(x, y), bits), type(inst.type));
}

/// Divisors that trap on the host become 1 first.
llvm::Value* Lowering::emit_divide(const Inst& inst) {
  llvm::Value *x = arg(inst, 0), *y = arg(inst, 1);
  llvm::Type* t = type(inst.type);
  llvm::Value* zero = llvm::ConstantInt::get(t, 0);
  llvm::Value* one = llvm::ConstantInt::get(t, 1);
  llvm::Value* by_zero = b_.CreateICmpEQ(y, zero);
  if (inst.op == Opcode::DivU)
    return b_.CreateSelect(by_zero, zero, b_.CreateUDiv(x, b_.CreateSelect(by_zero, one, y)));
  llvm::Value* by_minus_one = b_.CreateICmpEQ(y, llvm::ConstantInt::getSigned(t, -1));
  llvm::Value* divisor = b_.CreateSelect(b_.CreateOr(by_zero, by_minus_one), one, y);
  llvm::Value* quotient = b_.CreateSDiv(x, divisor);
  return b_.CreateSelect(by_zero, zero, b_.CreateSelect(by_minus_one, b_.CreateNeg(x), quotient));
}

llvm::Value* Lowering::emit_bits(const Inst& inst) {
  const unsigned bits = ir::type_bits(inst.type);
  const auto x = [&] { return arg(inst, 0); };
  switch (inst.op) {
    case Opcode::Extr:
      return b_.CreateIntrinsic(type(inst.type), intrinsic::fshr,
                                {x(), arg(inst, 1), llvm::ConstantInt::get(type(inst.type), inst.imm)});
    case Opcode::UBfx:
    case Opcode::SBfx: {
      llvm::Value* top = b_.CreateShl(x(), bits - inst.lsb() - inst.width());
      if (inst.op == Opcode::SBfx) return b_.CreateAShr(top, bits - inst.width());
      const llvm::APInt mask = llvm::APInt::getLowBitsSet(bits, inst.width());
      return b_.CreateAnd(b_.CreateLShr(x(), inst.lsb()), llvm::ConstantInt::get(context_, mask));
    }
    case Opcode::Bfi: {
      const llvm::APInt mask = llvm::APInt::getBitsSet(bits, inst.lsb(), inst.lsb() + inst.width());
      llvm::Value* kept = b_.CreateAnd(x(), llvm::ConstantInt::get(context_, ~mask));
      llvm::Value* field = b_.CreateAnd(b_.CreateShl(arg(inst, 1), inst.lsb()), llvm::ConstantInt::get(context_, mask));
      return b_.CreateOr(kept, field);
    }
    case Opcode::Clz:
      return b_.CreateBinaryIntrinsic(intrinsic::ctlz, x(), b_.getFalse());
    case Opcode::Ctz:
      return b_.CreateBinaryIntrinsic(intrinsic::cttz, x(), b_.getFalse());
    case Opcode::Popcnt:
      return b_.CreateUnaryIntrinsic(intrinsic::ctpop, x());
    case Opcode::BitRev:
      return b_.CreateUnaryIntrinsic(intrinsic::bitreverse, x());
    case Opcode::ByteRev:
      return b_.CreateUnaryIntrinsic(intrinsic::bswap, x());
    default:
      return nullptr;
  }
}

}  // namespace tiercel::backend::region
