// Flags stay what they were made from as long as possible: a condition on a comparison is one icmp, which fuses with
// the branch or select that uses it; the stored form is made in cold code.
#include <fmt/format.h>
#include <llvm/IR/InlineAsm.h>

#include "backend/llvm/lowering.h"
#include "base/check.h"

namespace tiercel::backend::region {

using ir::Cond;

const Flags& Lowering::flags(ir::Value v) {
  const auto it = flags_values_.find(v.index);
  CHECK(it != flags_values_.end());
  return it->second;
}

Flags Lowering::make_flags(const Inst& inst) {
  Flags f;
  if (stays_lazy(*block_->f, inst)) {
    if (inst.op == Opcode::FlagsFcmp) guard_flush(inst);
    if (inst.op == Opcode::FlagsFcmp && !compared_later(inst))
      float_condition(inst.imm, arg(inst, 0), arg(inst, 1), Cond::Vs);  // for the exceptions
    f.kind = kind_index(lazy_kind(*block_->f, inst));
    for (unsigned k = 0; k < 3; ++k)
      if (inst.args[k]) f.operands[k] = arg(inst, k);
    return f;
  }
  switch (inst.op) {
    case Opcode::Select:
      f.operands[0] =
          b_.CreateSelect(arg(inst, 0), stored_form(b_, flags(inst.args[1])), stored_form(b_, flags(inst.args[2])));
      return f;
    case Opcode::FlagsFromNzcv:
      f.operands[0] = stored_from_nzcv(arg(inst, 0));
      return f;
    default:
      f.operands[0] = inst.op == Opcode::FlagsFcmp ? flushing_flags(inst) : emit_without_form(inst);
      return f;
  }
}

namespace {

/// Of a - b and of a & b the host's flags are right but for C, which is what the stored form wants after a subtraction.
llvm::Value* run_flags_asm(llvm::IRBuilder<>& b, const std::string& code, const char* constraints,
                           llvm::ArrayRef<llvm::Value*> args) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* a : args) types.push_back(a->getType());
  auto* fn = llvm::FunctionType::get(b.getInt16Ty(), types, false);
  auto* code_value = llvm::InlineAsm::get(fn, code + "; lahf; seto %al", constraints, false);
  return b.CreateZExt(b.CreateCall(fn, code_value, args), b.getInt32Ty());
}

}  // namespace

llvm::Value* Lowering::compare_flags(Builder& b, const FlagsKind& kind, llvm::Value* x, llvm::Value* y) {
  const char size = kind.type == Type::I64 ? 'q' : 'l';
  switch (kind.op) {
    case Opcode::FlagsSub:
    case Opcode::FlagsCcmpSub:
      return run_flags_asm(b, fmt::format("cmp{} $2, $1", size), "={ax},r,r,~{flags}", {x, y});
    case Opcode::FlagsLogic:
      return run_flags_asm(b, fmt::format("test{} $1, $1; stc", size), "={ax},r,~{flags}", {x});
    default:  // an addition; its carry is the opposite of a borrow
      return run_flags_asm(b, fmt::format("add{} $2, {}; cmc", size, size == 'q' ? "%rax" : "%eax"),
                           "={ax},{ax},r,~{flags}", {b.CreateZExt(x, b.getInt64Ty()), y});
  }
}

llvm::Value* Lowering::carry_flags(Builder& b, const FlagsKind& kind, llvm::ArrayRef<llvm::Value*> operands) {
  const bool subtract = kind.op == Opcode::FlagsSbc;
  const bool wide = kind.type == Type::I64;
  const std::string code = fmt::format("btl $$0, $3; {}{}{} $2, {}{}", subtract ? "cmc; sbb" : "adc", wide ? 'q' : 'l',
                                       "", wide ? "%rax" : "%eax", subtract ? "" : "; cmc");
  llvm::Value* x = b.CreateZExt(operands[0], b.getInt64Ty());
  return run_flags_asm(b, code, "={ax},{ax},r,r,~{flags}", {x, operands[1], b.CreateZExt(operands[2], b.getInt32Ty())});
}

/// COMISD: CF less, ZF equal, all three with PF unordered. LAHF puts them into bits 8, 14 and 10: flags as outputs of
/// the asm come out wrong when something between the SETcc writes EFLAGS. `raises`: the exceptions count, not only the
/// flags.
llvm::Value* Lowering::float_flags(Builder& b, const FlagsKind& kind, llvm::Value* x, llvm::Value* y, bool raises) {
  const std::string code = fmt::format("{}{}comis{} $2, $1; lahf", features_.avx ? "v" : "", kind.imm & 1 ? "" : "u",
                                       kind.type == Type::F64 ? 'd' : 's');
  auto* fn = llvm::FunctionType::get(b.getInt32Ty(), {x->getType(), x->getType()}, false);
  const char* constraints = features_.avx512vl ? "={ax},v,v,~{flags}" : "={ax},x,x,~{flags}";
  llvm::Value* r = b.CreateCall(fn, llvm::InlineAsm::get(fn, code, constraints, raises), {x, y});
  const auto flag = [&](unsigned bit) { return b.CreateTrunc(b.CreateLShr(r, bit), b.getInt1Ty()); };
  llvm::Value *zf = flag(14), *cf = flag(8), *unordered = flag(10);
  llvm::Value* less = b.CreateAnd(cf, b.CreateNot(zf));
  llvm::Value* equal = b.CreateAnd(zf, b.CreateNot(unordered));
  const auto word = [&](llvm::Value* bit) { return b.CreateZExt(bit, b.getInt32Ty()); };
  llvm::Value* stored = b.CreateOr(b.CreateShl(word(less), 15), b.CreateShl(word(less), 8));
  return b.CreateOr(b.CreateOr(stored, b.CreateShl(word(equal), 14)), word(unordered));
}

/// Of a comparison in a region that flushes subnormal operands, or that clears exceptions somewhere.
llvm::Value* Lowering::flushing_flags(const Inst& inst) {
  const ir::FpRules rules = block_->f->fp;
  if (rules.flush && !rules.host_flush && !features_.avx512vl) return emit_without_form(inst);
  guard_flush(inst);
  return repaired(inst, float_flags(b_, lazy_kind(*block_->f, inst), arg(inst, 0), arg(inst, 1), true));
}

/// Is there a condition on this comparison in the block, before anybody can look at the exceptions it raises? Then that
/// raises them. A way out in between raises them too, for it stores the flags.
bool Lowering::compared_later(const Inst& inst) const {
  const auto& insts = block_->f->insts;
  const auto index = static_cast<u32>(&inst - insts.data());
  for (u32 i = index + 1; i < insts.size() && insts[i].op != Opcode::GetFpStatus; ++i)
    if (insts[i].op == Opcode::FlagsCond && insts[i].args[0].index == index) return true;
  return false;
}

/// A comparison that raises what FlagsFcmp does, again if need be.
llvm::Value* Lowering::float_condition(u64 signals, llvm::Value* x, llvm::Value* y, Cond cond) {
  using llvm::CmpInst;
  static constexpr CmpInst::Predicate kPredicates[] = {
      CmpInst::FCMP_OEQ, CmpInst::FCMP_UNE, CmpInst::FCMP_UGE, CmpInst::FCMP_OLT, CmpInst::FCMP_OLT,
      CmpInst::FCMP_UGE, CmpInst::FCMP_UNO, CmpInst::FCMP_ORD, CmpInst::FCMP_UGT, CmpInst::FCMP_OLE,
      CmpInst::FCMP_OGE, CmpInst::FCMP_ULT, CmpInst::FCMP_OGT, CmpInst::FCMP_ULE};
  static_assert(static_cast<unsigned>(Cond::Eq) == 0 && static_cast<unsigned>(Cond::Le) + 1 == std::size(kPredicates));
  const CmpInst::Predicate p = kPredicates[static_cast<unsigned>(cond)];
  return signals & 1 ? b_.CreateFCmpS(p, x, y) : b_.CreateFCmp(p, x, y);
}

/// As ir::flags_from_nzcv, in an i32.
llvm::Value* Lowering::stored_form(Builder& b, const Flags& f) {
  if (f.kind == Flags::kRaw) return f.operands[0];
  if (f.is_raw != nullptr) {
    Flags lazy = f;
    lazy.is_raw = nullptr;
    return b.CreateSelect(f.is_raw, f.raw, stored_form(b, lazy));
  }
  const FlagsKind kind = kinds_[static_cast<unsigned>(f.kind)];
  switch (kind.op) {
    case Opcode::FlagsAdc:
    case Opcode::FlagsSbc:
      return carry_flags(b, kind, f.operands);
    case Opcode::FlagsCcmpSub:
    case Opcode::FlagsCcmpAdd:
      return b.CreateSelect(f.operands[0], compare_flags(b, kind, f.operands[1], f.operands[2]),
                            b.getInt32(ir::flags_from_nzcv(kind.imm)));
    case Opcode::FlagsFcmp:
      return float_flags(b, kind, f.operands[0], f.operands[1], false);
    default:
      return compare_flags(b, kind, f.operands[0], f.operands[1]);
  }
}

/// Of N, Z, C and V in bits 31 to 28.
llvm::Value* Lowering::stored_from_nzcv(llvm::Value* nzcv) {
  const auto bits = [&](llvm::Value* v, u64 shift, u32 mask) { return b_.CreateAnd(b_.CreateLShr(v, shift), mask); };
  llvm::Value* borrow = bits(b_.CreateNot(nzcv), 21, 0x100);
  return b_.CreateOr(b_.CreateOr(bits(nzcv, 16, 0xc000), borrow), bits(nzcv, 28, 1));
}

Lowering::Nzcv Lowering::bits_of(const Flags& f) {
  const auto bit = [&](llvm::Value* v, unsigned n) { return b_.CreateTrunc(b_.CreateLShr(v, n), b_.getInt1Ty()); };
  const FlagsKind kind = f.kind > 0 ? kinds_[static_cast<unsigned>(f.kind)] : FlagsKind{};
  if (f.is_raw != nullptr ||
      (kind.op != Opcode::FlagsAdd && kind.op != Opcode::FlagsAdc && kind.op != Opcode::FlagsSbc)) {
    llvm::Value* s = stored_form(b_, f);
    return {bit(s, 15), bit(s, 14), b_.CreateNot(bit(s, 8)), bit(s, 0)};
  }
  llvm::Value *x = f.operands[0], *y = f.operands[1];
  if (kind.op == Opcode::FlagsSbc) y = b_.CreateNot(y);
  const auto add = [&](llvm::Intrinsic::ID id, llvm::Value* p, llvm::Value* q) {
    return b_.CreateBinaryIntrinsic(id, p, q);
  };
  llvm::Value* u = add(llvm::Intrinsic::uadd_with_overflow, x, y);
  llvm::Value* s = add(llvm::Intrinsic::sadd_with_overflow, x, y);
  llvm::Value *sum = b_.CreateExtractValue(u, 0), *c = b_.CreateExtractValue(u, 1), *v = b_.CreateExtractValue(s, 1);
  if (kind.op != Opcode::FlagsAdd) {
    llvm::Value* carry = b_.CreateZExt(f.operands[2], x->getType());
    u = add(llvm::Intrinsic::uadd_with_overflow, sum, carry);
    s = add(llvm::Intrinsic::sadd_with_overflow, sum, carry);
    sum = b_.CreateExtractValue(u, 0);
    c = b_.CreateOr(c, b_.CreateExtractValue(u, 1));
    v = b_.CreateXor(v, b_.CreateExtractValue(s, 1));  // at most one of the two additions leaves the range for good
  }
  llvm::Value* zero = llvm::ConstantInt::get(x->getType(), 0);
  return {b_.CreateICmpSLT(sum, zero), b_.CreateICmpEQ(sum, zero), c, v};
}

llvm::Value* Lowering::generic_condition(const Nzcv& f, Cond cond) {
  llvm::Value* r;
  switch (static_cast<Cond>(static_cast<u8>(cond) & ~1)) {
    case Cond::Eq:
      r = f.z;
      break;
    case Cond::Hs:
      r = f.c;
      break;
    case Cond::Mi:
      r = f.n;
      break;
    case Cond::Vs:
      r = f.v;
      break;
    case Cond::Hi:
      r = b_.CreateAnd(f.c, b_.CreateNot(f.z));
      break;
    case Cond::Ge:
      r = b_.CreateICmpEQ(f.n, f.v);
      break;
    default:
      r = b_.CreateAnd(b_.CreateNot(f.z), b_.CreateICmpEQ(f.n, f.v));
      break;
  }
  return static_cast<u8>(cond) & 1 ? b_.CreateNot(r) : r;
}

llvm::Value* Lowering::subtract_condition(llvm::Value* x, llvm::Value* y, Cond cond) {
  llvm::Value* zero = llvm::ConstantInt::get(x->getType(), 0);
  switch (cond) {
    case Cond::Eq:
      return b_.CreateICmpEQ(x, y);
    case Cond::Ne:
      return b_.CreateICmpNE(x, y);
    case Cond::Hs:
      return b_.CreateICmpUGE(x, y);
    case Cond::Lo:
      return b_.CreateICmpULT(x, y);
    case Cond::Mi:
      return b_.CreateICmpSLT(b_.CreateSub(x, y), zero);
    case Cond::Pl:
      return b_.CreateICmpSGE(b_.CreateSub(x, y), zero);
    case Cond::Hi:
      return b_.CreateICmpUGT(x, y);
    case Cond::Ls:
      return b_.CreateICmpULE(x, y);
    case Cond::Ge:
      return b_.CreateICmpSGE(x, y);
    case Cond::Lt:
      return b_.CreateICmpSLT(x, y);
    case Cond::Gt:
      return b_.CreateICmpSGT(x, y);
    case Cond::Le:
      return b_.CreateICmpSLE(x, y);
    case Cond::Vs:
    case Cond::Vc: {
      llvm::Value* r = b_.CreateBinaryIntrinsic(llvm::Intrinsic::ssub_with_overflow, x, y);
      llvm::Value* v = b_.CreateExtractValue(r, 1);
      return cond == Cond::Vs ? v : b_.CreateNot(v);
    }
  }
  UNREACHABLE();
}

/// C and V are 0.
llvm::Value* Lowering::logic_condition(llvm::Value* x, Cond cond) {
  llvm::Value* zero = llvm::ConstantInt::get(x->getType(), 0);
  switch (cond) {
    case Cond::Eq:
      return b_.CreateICmpEQ(x, zero);
    case Cond::Ne:
      return b_.CreateICmpNE(x, zero);
    case Cond::Mi:
    case Cond::Lt:
      return b_.CreateICmpSLT(x, zero);
    case Cond::Pl:
    case Cond::Ge:
      return b_.CreateICmpSGE(x, zero);
    case Cond::Gt:
      return b_.CreateICmpSGT(x, zero);
    case Cond::Le:
      return b_.CreateICmpSLE(x, zero);
    case Cond::Hs:
    case Cond::Vs:
    case Cond::Hi:
      return b_.getFalse();
    case Cond::Lo:
    case Cond::Vc:
    case Cond::Ls:
      return b_.getTrue();
  }
  UNREACHABLE();
}

llvm::Value* Lowering::condition(const Flags& f, Cond cond) {
  if (f.is_raw != nullptr) return generic_condition(bits_of(f), cond);
  const FlagsKind kind = f.kind > 0 ? kinds_[static_cast<unsigned>(f.kind)] : FlagsKind{};
  switch (kind.op) {
    case Opcode::FlagsSub:
      return subtract_condition(f.operands[0], f.operands[1], cond);
    case Opcode::FlagsLogic:
      return logic_condition(f.operands[0], cond);
    case Opcode::FlagsFcmp:
      return float_condition(kind.imm, f.operands[0], f.operands[1], cond);
    case Opcode::FlagsCcmpSub:
    case Opcode::FlagsCcmpAdd: {
      Flags inner;
      inner.kind = kind_index({kind.op == Opcode::FlagsCcmpSub ? Opcode::FlagsSub : Opcode::FlagsAdd, kind.type, 0});
      inner.operands[0] = f.operands[1];
      inner.operands[1] = f.operands[2];
      const auto bit = [&](unsigned n) { return b_.getInt1(kind.imm >> n & 1); };
      llvm::Value* otherwise = generic_condition({bit(3), bit(2), bit(1), bit(0)}, cond);
      return b_.CreateSelect(f.operands[0], condition(inner, cond), otherwise);
    }
    default:
      return generic_condition(bits_of(f), cond);
  }
}

}  // namespace tiercel::backend::region
