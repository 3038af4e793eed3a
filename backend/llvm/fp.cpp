// Floating point under the guest's MXCSR. The host's instructions stand in asm: LLVM must neither fold them with a
// rounding mode of its own nor drop, merge or invent what raises sticky bits. Results that are no NaN are the same on
// Arm and x86; a NaN is made again by ir::eval in a cold block, which knows Arm's rules. Flushing modes are ir::eval's.
#include <fmt/format.h>
#include <llvm/IR/InlineAsm.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

/// `name` without the AVX forms' v; operands x, y(, ...) are registers of `result`'s kind.
llvm::Value* Lowering::run_fp(llvm::Type* result, const std::string& code, const char* constraints,
                              llvm::ArrayRef<llvm::Value*> args) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* a : args) types.push_back(a->getType());
  auto* fn = llvm::FunctionType::get(result, types, false);
  return b_.CreateCall(fn, llvm::InlineAsm::get(fn, code, constraints, true), args);
}

/// `v`, or what ir::eval says where `doubtful` holds.
llvm::Value* Lowering::repaired(const Inst& inst, llvm::Value* v, llvm::Value* doubtful) {
  BasicBlock *before = b_.GetInsertBlock(), *cold = new_block("nan"), *done = new_block("number");
  b_.CreateCondBr(doubtful, cold, done, unlikely_taken());
  b_.SetInsertPoint(cold);
  llvm::Value* other = emit_by_eval(inst);
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  llvm::PHINode* r = b_.CreatePHI(v->getType(), 2);
  r->addIncoming(v, before);
  r->addIncoming(other, cold);
  return r;
}

llvm::Value* Lowering::any_nan(llvm::Value* v) {
  llvm::Value* lanes = b_.CreateFCmpUNO(v, v);
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(lanes->getType());
  if (vector == nullptr) return lanes;
  llvm::Type* mask = b_.getIntNTy(vector->getNumElements());
  return b_.CreateICmpNE(b_.CreateBitCast(lanes, mask), llvm::ConstantInt::get(mask, 0));
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
  if (vector && ir::lane_bits(inst.arr) < 32) return nullptr;
  if (inst.op == Opcode::FNeg) return fp_result(inst, b_.CreateFNeg(fp_operand(inst, 0)));
  if (inst.op == Opcode::FAbs)
    return fp_result(inst, b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, fp_operand(inst, 0)));
  const ir::FpRules rules = block_->f->fp;
  if (rules.flush || rules.x86_nans) return nullptr;
  switch (inst.op) {
    case Opcode::FAdd:
      return fp_arithmetic(inst, "add", 2);
    case Opcode::FSub:
      return fp_arithmetic(inst, "sub", 2);
    case Opcode::FMul:
      return fp_arithmetic(inst, "mul", 2);
    case Opcode::FDiv:
      return fp_arithmetic(inst, "div", 2);
    case Opcode::FSqrt:
      return fp_arithmetic(inst, "sqrt", 1);
    case Opcode::FMulAdd:
      return features_.fma ? fp_arithmetic(inst, "fmadd231", 3) : nullptr;
    case Opcode::FCvt:
    case Opcode::FToInt:
    case Opcode::IntToF:
      return vector ? nullptr : fp_convert(inst);
    default:
      return nullptr;
  }
}

llvm::Value* Lowering::fp_arithmetic(const Inst& inst, const char* name, unsigned operands) {
  const bool vector = inst.type == Type::V128;
  const bool wide = vector ? ir::lane_bits(inst.arr) == 64 : inst.type == Type::F64;
  const std::string full = fmt::format("{}{}{}", name, vector ? 'p' : 's', wide ? 'd' : 's');
  std::vector<llvm::Value*> args;
  for (unsigned k = 0; k < operands; ++k) args.push_back(fp_operand(inst, k));
  llvm::Type* t = args[0]->getType();
  llvm::Value* r;
  if (operands == 3)
    r = run_fp(t, fmt::format("v{} $3, $2, $0", full), "=x,0,x,x", args);
  else if (operands == 2)
    r = features_.avx ? run_fp(t, fmt::format("v{} $2, $1, $0", full), "=x,x,x", args)
                      : run_fp(t, fmt::format("{} $2, $0", full), "=x,0,x", args);
  else
    r = features_.avx && !vector ? run_fp(t, fmt::format("v{} $1, $1, $0", full), "=x,x", args)
                                 : run_fp(t, fmt::format("{}{} $1, $0", features_.avx ? "v" : "", full), "=x,x", args);
  return repaired(inst, fp_result(inst, r), any_nan(r));
}

llvm::Value* Lowering::fp_convert(const Inst& inst) {
  llvm::Value* x = arg(inst, 0);
  const char* v = features_.avx ? "v" : "";
  const bool plain = (inst.aux >> 8 & 0xff) == 0, is_unsigned = inst.aux >> 3 & 1;
  if (inst.op == Opcode::FCvt) {
    if (inst.round() != ir::Round::Current) return nullptr;
    const char* name = inst.type == Type::F64 ? "cvtss2sd" : "cvtsd2ss";
    llvm::Value* r =
        run_fp(type(inst.type), fmt::format("{}{} $1, {}$0", v, name, features_.avx ? "$1, " : ""), "=x,x", {x});
    return repaired(inst, r, any_nan(r));
  }
  if (inst.op == Opcode::FToInt) {
    // Out of range gives the smallest number.
    if (!plain || is_unsigned || inst.round() != ir::Round::Zero) return nullptr;
    const char* name = x->getType()->isDoubleTy() ? "cvttsd2si" : "cvttss2si";
    llvm::Value* r = run_fp(type(inst.type), fmt::format("{}{} $1, $0", v, name), "=r,x", {x});
    const unsigned bits = ir::type_bits(inst.type);
    llvm::Value* least = llvm::ConstantInt::get(context_, llvm::APInt::getSignedMinValue(bits));
    return repaired(inst, r, b_.CreateICmpEQ(r, least));
  }
  if (!plain || (is_unsigned && x->getType()->isIntegerTy(64))) return nullptr;
  if (is_unsigned) x = b_.CreateZExt(x, b_.getInt64Ty());
  const char* name = inst.type == Type::F64 ? "cvtsi2sd" : "cvtsi2ss";
  const char suffix = x->getType()->isIntegerTy(64) ? 'q' : 'l';
  const std::string code = features_.avx ? fmt::format("vxorps $0, $0, $0; v{}{} $1, $0, $0", name, suffix)
                                         : fmt::format("xorps $0, $0; {}{} $1, $0", name, suffix);
  return run_fp(type(inst.type), code, "=x,r", {x});
}

/// COMISD: CF less, ZF equal, all three with PF unordered. LAHF puts them into bits 8, 14 and 10: flags as outputs of
/// the asm come out wrong when something between the SETcc writes EFLAGS.
llvm::Value* Lowering::fp_compare_flags(const Inst& inst) {
  const bool wide = type_of(inst.args[0]) == Type::F64;
  const std::string code =
      fmt::format("{}{}comis{} $2, $1; lahf", features_.avx ? "v" : "", inst.imm & 1 ? "" : "u", wide ? 'd' : 's');
  llvm::Value* r = run_fp(b_.getInt32Ty(), code, "={ax},x,x,~{flags}", {arg(inst, 0), arg(inst, 1)});
  const auto flag = [&](unsigned bit) { return b_.CreateTrunc(b_.CreateLShr(r, bit), b_.getInt1Ty()); };
  llvm::Value *zf = flag(14), *cf = flag(8), *unordered = flag(10);
  llvm::Value* less = b_.CreateAnd(cf, b_.CreateNot(zf));
  llvm::Value* equal = b_.CreateAnd(zf, b_.CreateNot(unordered));
  const auto word = [&](llvm::Value* bit) { return b_.CreateZExt(bit, b_.getInt32Ty()); };
  llvm::Value* stored = b_.CreateOr(b_.CreateShl(word(less), 15), b_.CreateShl(word(less), 8));
  return b_.CreateOr(b_.CreateOr(stored, b_.CreateShl(word(equal), 14)), word(unordered));
}

}  // namespace tiercel::backend::region
