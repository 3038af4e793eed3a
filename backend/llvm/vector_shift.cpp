// Vector shifts: by immediates, and by the signed low byte of each lane, to the right if negative.
#include <llvm/IR/IntrinsicsX86.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

llvm::Value* Lowering::vector_shift(const Inst& inst) {
  const unsigned bits = ir::lane_bits(inst.arr);
  const auto x = [&] { return lanes(arg(inst, 0), bits); };
  const auto by_lanes = [&](bool is_signed, bool rounding) -> llvm::Value* {
    if (!shifts_by_lanes(bits)) return nullptr;
    llvm::Value *v = x(), *count = shift_counts(arg(inst, 1), bits);
    return b_.CreateSelect(b_.CreateICmpSLT(count, splat(count, 0)), shift_down(v, count, is_signed, rounding),
                           shift_lanes(Shift::Left, v, count));
  };
  switch (inst.op) {
    case Opcode::VShlI:
      return b_.CreateShl(x(), inst.imm);
    case Opcode::VShrUI:
    case Opcode::VShrSI:
      return shift_down(x(), static_cast<unsigned>(inst.imm), inst.op == Opcode::VShrSI);
    case Opcode::VRShrUI:
    case Opcode::VRShrSI: {
      const bool is_signed = inst.op == Opcode::VRShrSI;
      const unsigned n = static_cast<unsigned>(inst.imm);
      return rounded_half(shift_down(x(), n - 1, is_signed), is_signed);
    }
    case Opcode::VShlU:
    case Opcode::VShlS:
      return by_lanes(inst.op == Opcode::VShlS, false);
    case Opcode::VRShlU:
    case Opcode::VRShlS:
      return by_lanes(inst.op == Opcode::VRShlS, true);
    default:
      return nullptr;
  }
}

/// Without AVX2, LLVM shifts such lanes by way of floating point and raises exceptions.
bool Lowering::shifts_by_lanes(unsigned bits) const {
  return features_.avx2 || (bits != 16 && bits != 32);
}

/// The signed low byte of each lane, sign-extended.
llvm::Value* Lowering::shift_counts(llvm::Value* v, unsigned bits) {
  v = lanes(v, bits);
  return bits == 8 ? v : b_.CreateAShr(b_.CreateShl(v, bits - 8), bits - 8);
}

/// By a number of bits that may be the lane's width.
llvm::Value* Lowering::shift_down(llvm::Value* x, unsigned n, bool is_signed) {
  const unsigned bits = x->getType()->getScalarSizeInBits();
  if (is_signed) return b_.CreateAShr(x, std::min(n, bits - 1));
  return n >= bits ? llvm::Constant::getNullValue(x->getType()) : b_.CreateLShr(x, n);
}

/// Right by -count where count is negative.
llvm::Value* Lowering::shift_down(llvm::Value* x, llvm::Value* count, bool is_signed, bool rounding) {
  const Shift kind = is_signed ? Shift::RightSigned : Shift::Right;
  if (!rounding) return shift_lanes(kind, x, b_.CreateNeg(count));
  return rounded_half(shift_lanes(kind, x, b_.CreateNot(count)), is_signed);  // one bit less
}

/// x / 2, halves upwards.
llvm::Value* Lowering::rounded_half(llvm::Value* x, bool is_signed) {
  return b_.CreateAdd(is_signed ? b_.CreateAShr(x, 1) : b_.CreateLShr(x, 1), b_.CreateAnd(x, splat(x, 1)));
}

/// By an unsigned count per lane; bits that leave the lane are lost, all of them if the count is large.
llvm::Value* Lowering::shift_lanes(Shift kind, llvm::Value* x, llvm::Value* count) {
  const unsigned bits = x->getType()->getScalarSizeInBits();
  constexpr llvm::Intrinsic::ID kHost[3][3] = {
      // per kind: 16, 32 and 64 bits
      {intrinsic::x86_avx512_psllv_w_128, intrinsic::x86_avx2_psllv_d, intrinsic::x86_avx2_psllv_q},
      {intrinsic::x86_avx512_psrlv_w_128, intrinsic::x86_avx2_psrlv_d, intrinsic::x86_avx2_psrlv_q},
      {intrinsic::x86_avx512_psrav_w_128, intrinsic::x86_avx2_psrav_d, intrinsic::x86_avx512_psrav_q_128}};
  const bool has = bits == 32   ? features_.avx2
                   : bits == 16 ? features_.avx512vl
                   : bits == 64 ? (kind == Shift::RightSigned ? features_.avx512vl : features_.avx2)
                                : false;
  if (has) return b_.CreateIntrinsic(kHost[static_cast<int>(kind)][bits / 32], {}, {x, count});
  if (kind == Shift::RightSigned)
    return b_.CreateAShr(x, b_.CreateBinaryIntrinsic(intrinsic::umin, count, splat(x, bits - 1)));
  llvm::Value* n = b_.CreateAnd(count, splat(x, bits - 1));
  llvm::Value* r = kind == Shift::Left ? b_.CreateShl(x, n) : b_.CreateLShr(x, n);
  return b_.CreateSelect(b_.CreateICmpULT(count, splat(x, bits)), r, splat(x, 0));
}

}  // namespace tiercel::backend::region
