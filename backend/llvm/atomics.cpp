// Atomic read-modify-write and compare-and-swap of guest memory.
#include <fmt/format.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {
namespace {

using ir::RmwOp;

struct Names {
  char suffix;
  const char* old;    // rax in the access's size
  const char* other;  // rdx
};
Names names(unsigned bytes) {
  switch (bytes) {
    case 1:
      return {'b', "%al", "%dl"};
    case 2:
      return {'w', "%ax", "%dx"};
    case 4:
      return {'l', "%eax", "%edx"};
    default:
      return {'q', "%rax", "%rdx"};
  }
}

}  // namespace

/// The low `bytes` of an i64 as the inst's type, zero-extended.
llvm::Value* Lowering::zero_extended(llvm::Value* v, unsigned bytes, llvm::Type* to) {
  return b_.CreateZExtOrTrunc(b_.CreateTrunc(v, b_.getIntNTy(8 * bytes)), to);
}

llvm::Value* Lowering::emit_rmw(const Inst& inst) {
  const unsigned bytes = inst.mem().bytes();
  const auto op = static_cast<RmwOp>(inst.imm);
  llvm::Value* at = address(inst, 0);
  if (op != RmwOp::Add && op != RmwOp::Swap) return zero_extended(rmw_loop(inst, at), bytes, type(inst.type));
  const Names n = names(bytes);
  Access a{.result = b_.getInt64Ty(), .element = b_.getIntNTy(8 * bytes)};
  a.code = fmt::format("@{}{} {}, $1", op == RmwOp::Swap ? "xchg" : "lock xadd", n.suffix, n.old);
  a.outputs = "={ax},";
  a.inputs = ",{ax}";
  a.clobbers = ",~{flags}";
  llvm::Value* old = access(a, at, {b_.CreateZExt(arg(inst, 1), b_.getInt64Ty())});
  return zero_extended(old, bytes, type(inst.type));
}

/// Old value in rax, new one in rdx.
llvm::Value* Lowering::rmw_loop(const Inst& inst, llvm::Value* at) {
  const unsigned bytes = inst.mem().bytes();
  const Names n = names(bytes);
  std::string combine;
  switch (static_cast<RmwOp>(inst.imm)) {
    case RmwOp::Clear:
      combine = "notq %rdx; andq %rax, %rdx";
      break;
    case RmwOp::Set:
      combine = "orq %rax, %rdx";
      break;
    case RmwOp::Xor:
      combine = "xorq %rax, %rdx";
      break;
    default: {
      const auto op = static_cast<RmwOp>(inst.imm);
      const char* cc = op == RmwOp::SMax ? "g" : op == RmwOp::SMin ? "l" : op == RmwOp::UMax ? "a" : "b";
      combine = fmt::format("cmp{} {}, {}; cmov{} %rax, %rdx", n.suffix, n.other, n.old, cc);
      break;
    }
  }
  Access a{.element = b_.getIntNTy(8 * bytes)};
  a.code = fmt::format("@mov{0} $2, {1}; 3: movq $3, %rdx; {2}; @lock cmpxchg{0} {3}, $2; jne 3b", n.suffix, n.old,
                       combine, n.other);
  a.outputs = "=&{ax},=&{dx},";
  a.inputs = ",r";
  a.clobbers = ",~{flags}";
  a.result = llvm::StructType::get(b_.getInt64Ty(), b_.getInt64Ty());
  llvm::Value* r = access(a, at, {b_.CreateZExt(arg(inst, 1), b_.getInt64Ty())});
  return b_.CreateExtractValue(r, 0);
}

llvm::Value* Lowering::emit_cas(const Inst& inst, unsigned first) {
  const unsigned bytes = inst.mem().bytes();
  llvm::Value* at = address(inst, first);
  if (bytes == 16) return emit_cas_wide(inst, first, at);
  Access a{.result = b_.getInt64Ty(), .element = b_.getIntNTy(8 * bytes)};
  const char modifier = bytes == 1 ? 'b' : bytes == 2 ? 'w' : bytes == 4 ? 'k' : 'q';
  a.code = fmt::format("@lock cmpxchg{} ${{2:{}}}, $1", names(bytes).suffix, modifier);
  a.outputs = "={ax},";
  a.inputs = ",r,{ax}";
  a.clobbers = ",~{flags}";
  llvm::Value* desired = convert(b_, arg(inst, first + 2), b_.getInt64Ty());
  llvm::Value* old = access(a, at, {desired, convert(b_, arg(inst, first + 1), b_.getInt64Ty())});
  return zero_extended(old, bytes, inst.op == Opcode::CasIf ? b_.getInt64Ty() : type(inst.type));
}

llvm::Value* Lowering::emit_cas_wide(const Inst& inst, unsigned first, llvm::Value* at) {
  llvm::Type* word = b_.getInt64Ty();
  Access a{.code = "@lock cmpxchg16b $2", .result = llvm::StructType::get(word, word), .element = b_.getInt128Ty()};
  a.outputs = "={ax},={dx},";
  a.inputs = ",{ax},{dx},{bx},{cx}";
  a.clobbers = ",~{flags}";
  const auto half = [&](unsigned k, u64 lane) { return b_.CreateExtractElement(arg(inst, k), lane); };
  llvm::Value* r = access(a, at, {half(first + 1, 0), half(first + 1, 1), half(first + 2, 0), half(first + 2, 1)});
  llvm::Value* v = llvm::PoisonValue::get(type(Type::V128));
  v = b_.CreateInsertElement(v, b_.CreateExtractValue(r, 0), u64{0});
  return b_.CreateInsertElement(v, b_.CreateExtractValue(r, 1), u64{1});
}

/// Did the compare-and-swap that returned `old` find what it expected?
llvm::Value* Lowering::memory_equals(const Inst& inst, unsigned expected, llvm::Value* old) {
  const unsigned bytes = inst.mem().bytes();
  llvm::Value* e = arg(inst, expected);
  if (bytes == 16) {
    llvm::Type* wide = b_.getInt128Ty();
    return b_.CreateICmpEQ(b_.CreateBitCast(old, wide), b_.CreateBitCast(e, wide));
  }
  return b_.CreateICmpEQ(old, zero_extended(convert(b_, e, b_.getInt64Ty()), bytes, b_.getInt64Ty()));
}

llvm::Value* Lowering::emit_cas_if(const Inst& inst) {
  BasicBlock *before = b_.GetInsertBlock(), *attempt = new_block("cas"), *done = new_block("done");
  b_.CreateCondBr(arg(inst, 0), attempt, done);
  b_.SetInsertPoint(attempt);
  llvm::Value* same = memory_equals(inst, 2, emit_cas(inst, 1));
  BasicBlock* after = b_.GetInsertBlock();
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  llvm::PHINode* result = b_.CreatePHI(b_.getInt1Ty(), 2);
  result->addIncoming(b_.getFalse(), before);
  result->addIncoming(same, after);
  return result;
}

}  // namespace tiercel::backend::region
