// Whatever has no form of its own goes through ir::eval, and the FP status registers.
#include <llvm/IR/InlineAsm.h>

#include <cstring>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

/// The bytes of a PureOp, padding zero: equal regions give equal code.
llvm::Constant* Lowering::pure_op_bytes(const ir::PureOp& op) {
  std::array<u8, sizeof(ir::PureOp)> bytes{};
  const auto put = [&](std::size_t offset, const auto& field) {
    std::memcpy(bytes.data() + offset, &field, sizeof field);
  };
  put(offsetof(ir::PureOp, op), op.op);
  put(offsetof(ir::PureOp, type), op.type);
  put(offsetof(ir::PureOp, arg_type), op.arg_type);
  put(offsetof(ir::PureOp, arr), op.arr);
  put(offsetof(ir::PureOp, fp), op.fp);
  put(offsetof(ir::PureOp, aux), op.aux);
  put(offsetof(ir::PureOp, imm), op.imm);
  put(offsetof(ir::PureOp, constant), op.constant);
  return llvm::ConstantDataArray::get(context_, bytes);
}

llvm::GlobalVariable* Lowering::make_constant(llvm::Constant* c) {
  auto*& found = constants_[c];
  if (found == nullptr) {
    found = new llvm::GlobalVariable(module_, c->getType(), true, llvm::GlobalValue::PrivateLinkage, c);
    found->setAlignment(llvm::Align(16));
    found->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  }
  return found;
}

llvm::Value* Lowering::call_eval(Builder& b, llvm::Value* op, llvm::ArrayRef<llvm::Value*> args, llvm::Type* result) {
  llvm::Type* cell = type(Type::V128);
  if (eval_args_ == nullptr) {
    BasicBlock& entry = function_->getEntryBlock();
    Builder at(&entry, entry.begin());
    eval_args_ = at.CreateAlloca(cell, at.getInt32(4));
    eval_result_ = at.CreateAlloca(cell);
  }
  for (unsigned k = 0; k < args.size(); ++k) {
    if (args[k] == nullptr) continue;
    b.CreateStore(convert(b, args[k], cell), b.CreateConstInBoundsGEP1_32(cell, eval_args_, k));
  }
  llvm::Type* pointer = b.getPtrTy();
  auto* fn_type = llvm::FunctionType::get(b.getVoidTy(), {pointer, pointer, pointer, pointer}, false);
  llvm::Value* fn = b.CreateLoad(pointer, context_field(b, offsetof(VmContext, eval)));
  llvm::Value* env = b.CreateLoad(pointer, context_field(b, offsetof(VmContext, fp_env)));
  b.CreateCall(fn_type, fn, {op, eval_args_, eval_result_, env});
  return convert(b, b.CreateLoad(cell, eval_result_), result);
}

llvm::Value* Lowering::emit_by_eval(const Inst& inst) {
  std::vector<llvm::Value*> args;
  for (const ir::Value v : inst.args) {
    if (!v)
      args.push_back(nullptr);
    else if (type_of(v) == Type::Flags)
      args.push_back(stored_form(b_, flags(v)));
    else
      args.push_back(value(v));
  }
  llvm::Value* op = make_constant(pure_op_bytes(ir::pure_op(*block_->f, inst)));
  return call_eval(b_, op, args, type(inst.type));
}

namespace {

// MXCSR's exception bits, Intel SDM vol. 1 "MXCSR Control and Status Register": Invalid 0, (denormal operand 1,) and
// from 2 on in the order of fpstatus.
constexpr u32 kMxInvalid = 1, kMxOthers = 0x3c, kMxFlags = 0x3f;
constexpr u32 kStatusInvalid = ir::fpstatus::kInvalid, kStatusOthers = 0x1e;
static_assert(ir::fpstatus::kDivByZero << 1 == 4 && ir::fpstatus::kInexact << 1 == 32);

}  // namespace

llvm::Value* Lowering::run_mxcsr_asm(const char* code, const char* constraint) {
  if (mxcsr_ == nullptr) {
    BasicBlock& entry = function_->getEntryBlock();
    mxcsr_ = Builder(&entry, entry.begin()).CreateAlloca(b_.getInt32Ty());
  }
  auto* fn = llvm::FunctionType::get(b_.getVoidTy(), {b_.getPtrTy()}, false);
  auto* call = b_.CreateCall(fn, llvm::InlineAsm::get(fn, code, constraint, true), {mxcsr_});
  call->addParamAttr(0, llvm::Attribute::get(context_, llvm::Attribute::ElementType, b_.getInt32Ty()));
  return mxcsr_;
}

llvm::Value* Lowering::get_fp_status() {
  llvm::Value* mx = b_.CreateLoad(b_.getInt32Ty(), run_mxcsr_asm("stmxcsr $0", "=*m,~{memory}"));
  llvm::Value* extra = b_.CreateLoad(b_.getInt32Ty(), context_field(b_, offsetof(VmContext, fp_extra)));
  llvm::Value* invalid = b_.CreateAnd(mx, b_.getInt32(kMxInvalid));
  llvm::Value* others = b_.CreateAnd(b_.CreateLShr(mx, 1), b_.getInt32(kStatusOthers));
  return b_.CreateOr(extra, b_.CreateOr(invalid, others));
}

void Lowering::set_fp_status(llvm::Value* status) {
  llvm::Value* old = b_.CreateLoad(b_.getInt32Ty(), run_mxcsr_asm("stmxcsr $0", "=*m,~{memory}"));
  llvm::Value* invalid = b_.CreateAnd(status, b_.getInt32(kStatusInvalid));
  llvm::Value* others = b_.CreateAnd(b_.CreateShl(status, 1), b_.getInt32(kMxOthers));
  llvm::Value* kept = b_.CreateAnd(old, b_.getInt32(~kMxFlags));
  b_.CreateStore(b_.CreateOr(kept, b_.CreateOr(invalid, others)), mxcsr_);
  run_mxcsr_asm("ldmxcsr $0", "*m,~{memory}");
  b_.CreateStore(b_.CreateAnd(status, b_.getInt32(ir::fpstatus::kInputDenormal)),
                 context_field(b_, offsetof(VmContext, fp_extra)));
}

}  // namespace tiercel::backend::region
