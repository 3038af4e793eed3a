// Floating-point conversions, and compares that make flags.
#include <fmt/format.h>

#include <cmath>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

namespace {

/// Attributes of FToInt and IntToF in Inst::aux.
struct IntConversion {
  ir::Round round;
  bool is_unsigned;
  int fraction_bits;
  explicit IntConversion(u32 aux)
      : round(static_cast<ir::Round>(aux & 7)),
        is_unsigned(aux >> 3 & 1),
        fraction_bits(static_cast<int>(aux >> 8 & 0xff)) {}
};

}  // namespace

llvm::Value* Lowering::fp_convert(const Inst& inst) {
  const bool vector = inst.type == Type::V128;
  switch (inst.op) {
    case Opcode::FCvt:
      return fp_resize(inst);
    case Opcode::FToInt:
      return vector ? fp_to_int_lanes(inst) : fp_to_int(inst);
    case Opcode::IntToF:
      return vector ? int_to_fp_lanes(inst) : int_to_fp(inst);
    case Opcode::VFCvtUp:
    case Opcode::VFCvtDown:
      return fp_resize_lanes(inst);
    case Opcode::FFromHalf:
    case Opcode::FToHalf:
      return fp_half(inst);
    default:
      return nullptr;
  }
}

/// NaNs keep their payload's high bits and become quiet, on both machines.
llvm::Value* Lowering::fp_resized(const Inst& inst, llvm::Value* r) {
  const bool doubtful = block_->f->fp.default_nan || rounds_to_least_normal(inst);
  return doubtful ? fp_finished(inst, r) : repaired(inst, fp_result(inst, r));
}

llvm::Value* Lowering::fp_resize(const Inst& inst) {
  if (inst.round() != ir::Round::Current) return nullptr;
  guard_flush(inst);
  llvm::Value* x = arg(inst, 0);
  llvm::Value* r = inst.type == Type::F64 ? b_.CreateFPExt(x, b_.getDoubleTy()) : b_.CreateFPTrunc(x, b_.getFloatTy());
  return block_->f->fp.flush ? fp_finished(inst, r) : fp_resized(inst, r);
}

llvm::Value* Lowering::fp_resize_lanes(const Inst& inst) {
  const ir::FpRules rules = block_->f->fp;
  const unsigned bits = ir::lane_bits(inst.arr);
  const bool up = inst.op == Opcode::VFCvtUp, halves = up ? bits == 32 : bits == 16;
  if (!up && inst.round() != ir::Round::Current) return nullptr;
  if (halves && (!features_.f16c || rules.flush || rules.alt_half || (!up && rules.default_nan))) return nullptr;
  llvm::Value* x = arg(inst, 0);
  const auto of = [&](llvm::Type* lane) {
    return llvm::FixedVectorType::get(lane, static_cast<unsigned>(128 / lane->getPrimitiveSizeInBits()));
  };
  const char* v = features_.avx ? "v" : "";
  if (!up) {
    if (halves)
      return b_.CreateBitCast(run_fp(of(b_.getInt16Ty()), "vcvtps2ph $$4, $1, $0", "=v,v", {x}), type(Type::V128));
    llvm::Value* r =
        run_fp(of(b_.getFloatTy()), fmt::format("{}cvtpd2ps{} $1, $0", v, features_.avx ? "x" : ""), "=v,v", {x});
    return fp_resized(inst, r);
  }
  if (halves) return fp_resized(inst, run_fp(of(b_.getFloatTy()), "vcvtph2ps $1, $0", "=v,v", {x}));
  return fp_resized(inst, run_fp(of(b_.getDoubleTy()), fmt::format("{}cvtps2pd $1, $0", v), "=v,v", {x}));
}

llvm::Value* Lowering::fp_half(const Inst& inst) {
  const ir::FpRules rules = block_->f->fp;
  if (!features_.f16c || rules.flush || rules.alt_half) return nullptr;
  if (inst.op == Opcode::FFromHalf) {
    llvm::Value* low = b_.CreateAnd(arg(inst, 0), b_.getInt32(0xffff));
    llvm::Value* r = run_fp(b_.getFloatTy(), "vmovd $1, $0; vcvtph2ps $0, $0", "=v,r", {low});
    if (inst.type == Type::F64) r = b_.CreateFPExt(r, b_.getDoubleTy());
    return fp_resized(inst, r);
  }
  if (rules.default_nan || type_of(inst.args[0]) != Type::F32) return nullptr;
  llvm::Value* lanes = convert(b_, arg(inst, 0), type(Type::V128));
  llvm::Value* r = run_fp(type(Type::V128), "vcvtps2ph $$4, $1, $0", "=v,v", {lanes});
  return convert(b_, r, b_.getInt32Ty());
}

/// Values out of range, and NaNs, make the host return its "integer indefinite" and raise Invalid, nothing else, as Arm
/// does; ir::eval then finds the saturated result. Rounding in a separate step must not raise Inexact before the range
/// is known: a second conversion, of the operand itself, raises it afterwards.
llvm::Value* Lowering::fp_to_int(const Inst& inst) {
  const IntConversion c(inst.aux);
  const bool truncate = c.round == ir::Round::Zero, away = c.round == ir::Round::TieAway;
  if (!away && round_immediate(c.round) < 0) return nullptr;
  llvm::Value* x = arg(inst, 0);
  const unsigned width = ir::type_bits(inst.type);
  const auto number = [&](double n) { return llvm::ConstantFP::get(x->getType(), n); };
  guard_flush(inst);
  if (c.fraction_bits != 0) {  // scaling is exact where it cannot overflow
    llvm::Value* magnitude = b_.CreateUnaryIntrinsic(intrinsic::fabs, x);
    doubt(b_.CreateFCmpUGE(magnitude, number(std::ldexp(1.0, static_cast<int>(width) - c.fraction_bits))));
    x = b_.CreateFMul(x, number(std::ldexp(1.0, c.fraction_bits)));
  }
  llvm::Value* rounded = truncate ? x : away ? round_away(x) : host_round(x, round_immediate(c.round) | 8);
  llvm::Value* r;
  if (c.is_unsigned && !features_.avx512vl) {  // within (-1, 2^32) or (-1, 2^63) a signed conversion to 64 bits does it
    doubt(b_.CreateFCmpUGE(rounded, number(width == 64 ? 0x1p63 : 0x1p32)));
    doubt(b_.CreateFCmpULE(rounded, number(-1)));
    r = b_.CreateTrunc(host_truncate(rounded, b_.getInt64Ty(), false), type(inst.type));
    if (!truncate) host_truncate(x, b_.getInt64Ty(), false);
  } else {
    r = host_truncate(rounded, type(inst.type), c.is_unsigned);
    const llvm::APInt bad = c.is_unsigned ? llvm::APInt::getMaxValue(width) : llvm::APInt::getSignedMinValue(width);
    doubt(b_.CreateICmpEQ(r, llvm::ConstantInt::get(context_, bad)));
    if (!truncate) host_truncate(x, type(inst.type), c.is_unsigned);
  }
  return repaired(inst, r);
}

llvm::Value* Lowering::host_truncate(llvm::Value* x, llvm::Type* to, bool is_unsigned) {
  const std::string name =
      fmt::format("{}cvtt{}2{}si", features_.avx ? "v" : "", fp_suffix(x->getType()), is_unsigned ? "u" : "");
  return run_fp(to, name + " $1, $0", "=r,v", {x});
}

llvm::Value* Lowering::fp_to_int_lanes(const Inst& inst) {
  const IntConversion c(inst.aux);
  const bool truncate = c.round == ir::Round::Zero, away = c.round == ir::Round::TieAway;
  const unsigned bits = ir::lane_bits(inst.arr);
  if (c.fraction_bits != 0 || (!away && round_immediate(c.round) < 0)) return nullptr;
  if ((bits == 64 || c.is_unsigned) && !features_.avx512vl) return nullptr;
  guard_flush(inst);
  llvm::Value* x = fp_operand(inst, 0);
  const std::string name = fmt::format("{}cvttp{}2{}{}", features_.avx ? "v" : "", bits == 64 ? 'd' : 's',
                                       c.is_unsigned ? "u" : "", bits == 64 ? "qq" : "dq");
  llvm::Type* to = llvm::FixedVectorType::get(b_.getIntNTy(bits), 128 / bits);
  const auto convert_lanes = [&](llvm::Value* v) { return run_fp(to, name + " $1, $0", "=v,v", {v}); };
  llvm::Value* r = convert_lanes(truncate ? x : away ? round_away(x) : host_round(x, round_immediate(c.round) | 8));
  const llvm::APInt bad = c.is_unsigned ? llvm::APInt::getMaxValue(bits) : llvm::APInt::getSignedMinValue(bits);
  doubt(any_lane(b_.CreateICmpEQ(r, llvm::ConstantInt::get(to, bad))));
  if (!truncate) convert_lanes(x);
  return repaired(inst, vector_result(inst, r));
}

/// Scaling down is exact, for the exponents of converted integers are far from the smallest.
llvm::Value* Lowering::scaled_down(llvm::Value* x, int fraction_bits) {
  if (fraction_bits == 0) return x;
  return b_.CreateFMul(x, llvm::ConstantFP::get(x->getType(), std::ldexp(1.0, -fraction_bits)));
}

llvm::Value* Lowering::int_to_fp(const Inst& inst) {
  const IntConversion c(inst.aux);
  llvm::Value *x = arg(inst, 0), *r;
  llvm::Type* to = type(inst.type);
  if (c.is_unsigned && features_.avx512vl) {
    r = b_.CreateUIToFP(x, to);
  } else {
    if (c.is_unsigned && x->getType()->isIntegerTy(64)) doubt(b_.CreateICmpSLT(x, b_.getInt64(0)));
    if (c.is_unsigned) x = b_.CreateZExt(x, b_.getInt64Ty());
    r = b_.CreateSIToFP(x, to);
  }
  return repaired(inst, scaled_down(r, c.fraction_bits));
}

llvm::Value* Lowering::int_to_fp_lanes(const Inst& inst) {
  const IntConversion c(inst.aux);
  const bool wide = ir::lane_bits(inst.arr) == 64;
  if ((wide || c.is_unsigned) && !features_.avx512vl) return nullptr;
  llvm::Value* x = fp_operand(inst, 0);
  const std::string name = fmt::format("{}cvt{}{}2p{}", features_.avx ? "v" : "", c.is_unsigned ? "u" : "",
                                       wide ? "qq" : "dq", wide ? 'd' : 's');
  llvm::Value* r = run_fp(x->getType(), name + " $1, $0", "=v,v", {x});
  return fp_result(inst, scaled_down(r, c.fraction_bits));
}

}  // namespace tiercel::backend::region
