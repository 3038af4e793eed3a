// Whatever has no form of its own goes through ir::eval, and the FP status registers.
#include <fmt/format.h>
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

namespace {

constexpr unsigned kOp = 0, kContext = 8, kResult = 16, kArgs = 32, kBlockSize = kArgs + 4 * 16;

/// Calls VmContext::eval for a block of memory whose address is on the stack above the return address. All registers
/// but EFLAGS come back as they were, so that a call in a cold block costs the hot code around it nothing.
std::string eval_stub(const HostFeatures& features) {
  constexpr const char* kSaved[] = {"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"};
  const unsigned vectors = features.avx512vl ? 32 : 16, width = features.avx ? 32 : 16;
  const char* move = features.avx512vl ? "vmovdqu64" : features.avx ? "vmovups" : "movups";
  const unsigned masks = features.avx512vl ? 8 : 0, masks_at = vectors * width;
  const auto save_or_restore = [&](bool save) {
    std::string s;
    const auto line = [&](const char* name, const std::string& reg, unsigned at) {
      s += save ? fmt::format("{} %{}, {}(%rsp)\n", name, reg, at) : fmt::format("{} {}(%rsp), %{}\n", name, at, reg);
    };
    for (unsigned i = 0; i < vectors; ++i) line(move, fmt::format("{}mm{}", features.avx ? 'y' : 'x', i), i * width);
    for (unsigned i = 0; i < masks; ++i) line("kmovq", fmt::format("k{}", i), masks_at + 8 * i);
    return s;
  };
  std::string s = ".text\n.p2align 4\n.Leval:\npushq %rbp\nmovq %rsp, %rbp\n";
  for (const char* reg : kSaved) s += fmt::format("pushq %{}\n", reg);
  s += fmt::format("subq ${}, %rsp\nandq $-64, %rsp\n", masks_at + 8 * masks) + save_or_restore(true);
  s += fmt::format("movq 16(%rbp), %rax\nmovq {}(%rax), %rdi\nleaq {}(%rax), %rsi\nleaq {}(%rax), %rdx\n", kOp, kArgs,
                   kResult);
  s += fmt::format("movq {}(%rax), %rax\nmovq {}(%rax), %rcx\n", kContext, offsetof(VmContext, fp_env));
  s += fmt::format("{}call *{}(%rax)\n", features.avx ? "vzeroupper\n" : "", offsetof(VmContext, eval));
  s += save_or_restore(false) + fmt::format("leaq -{}(%rbp), %rsp\n", 8 * std::size(kSaved));
  for (std::size_t i = std::size(kSaved); i-- > 0;) s += fmt::format("popq %{}\n", kSaved[i]);
  return s + "popq %rbp\nretq\n";
}

}  // namespace

llvm::Value* Lowering::call_eval(Builder& b, llvm::Value* op, llvm::ArrayRef<llvm::Value*> args, llvm::Type* result) {
  if (eval_block_ == nullptr) {
    module_.appendModuleInlineAsm(eval_stub(features_));
    BasicBlock& entry = function_->getEntryBlock();
    Builder at(&entry, entry.begin());
    eval_block_ = at.CreateAlloca(llvm::ArrayType::get(at.getInt8Ty(), kBlockSize));
    eval_block_->setAlignment(llvm::Align(16));
    at.CreateStore(context_field(at, 0), at.CreateConstInBoundsGEP1_32(at.getInt8Ty(), eval_block_, kContext));
  }
  const auto field = [&](unsigned offset) { return b.CreateConstInBoundsGEP1_32(b.getInt8Ty(), eval_block_, offset); };
  const auto is_vector = [](llvm::Value* v) { return v->getType()->getPrimitiveSizeInBits() == 128; };
  b.CreateStore(op, field(kOp));
  for (unsigned k = 0; k < args.size(); ++k) {
    if (args[k] == nullptr) continue;
    if (is_vector(args[k])) {
      b.CreateAlignedStore(args[k], field(kArgs + 16 * k), llvm::Align(16));
      continue;
    }
    llvm::Type* word = b.getInt64Ty();
    b.CreateStore(convert(b, args[k], word), field(kArgs + 16 * k));
    b.CreateStore(b.getInt64(0), field(kArgs + 16 * k + 8));
  }
  auto* fn = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false);
  auto* code = llvm::InlineAsm::get(fn, "pushq $0; call .Leval; leaq 8(%rsp), %rsp", "r,~{memory},~{flags}", true);
  b.CreateCall(fn, code, {eval_block_});
  if (result->getPrimitiveSizeInBits() == 128) return b.CreateAlignedLoad(result, field(kResult), llvm::Align(16));
  return convert(b, b.CreateLoad(b.getInt64Ty(), field(kResult)), result);
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

llvm::Value* Lowering::emit_without_form(const Inst& inst) {
  evaluated_.push_back(inst.op);
  return emit_by_eval(inst);
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
