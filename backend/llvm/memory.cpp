// Guest memory: each access is an asm goto whose second way out is the landing of its insn (in a machine it is not, see
// softmmu.cpp). The assembler writes the
// pair (access, landing) into the section .tiercel.faults. Ordering is the fast tier's: the host is TSO, a
// store-release is an XCHG.
#include <fmt/format.h>
#include <llvm/IR/InlineAsm.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {
namespace {

/// The names of one access size in asm text.
struct Size {
  char suffix;
  char modifier;
};
Size size_of(unsigned bytes) {
  switch (bytes) {
    case 1:
      return {'b', 'b'};
    case 2:
      return {'w', 'w'};
    case 4:
      return {'l', 'k'};
    default:
      return {'q', 'q'};
  }
}

}  // namespace

void Lowering::emit_memory(const Inst& inst, u32 index) {
  switch (inst.op) {
    case Opcode::Load:
      values_[index] = emit_load(inst);
      return;
    case Opcode::Store:
      return emit_store(inst);
    case Opcode::AtomicRmw:
      values_[index] = emit_rmw(inst);
      return;
    case Opcode::AtomicCas:
      values_[index] = emit_cas(inst, 0);
      return;
    case Opcode::CasIf:
      values_[index] = emit_cas_if(inst);
      return;
    case Opcode::Prefetch:
      return prefetch(inst);
    case Opcode::Fence:
      if (static_cast<ir::FenceKind>(inst.imm) == ir::FenceKind::Full) full_fence();
      return;
    default:
      refuse(fmt::format("{} has no form in a region", ir::info(inst.op).text));
  }
}

/// In a machine the address would have to be looked up first.
void Lowering::prefetch(const Inst& inst) {
  if (layout_.translated) return;
  llvm::Value* at = arg(inst, 0);
  if (memory_base_ != nullptr) at = b_.CreateAdd(at, memory_base_);
  constexpr u32 kLocality[] = {3, 2, 1, 0, 3}, kRead = 0, kData = 1;  // by ir::PrefetchKind
  b_.CreateIntrinsic(
      llvm::Intrinsic::prefetch, {b_.getPtrTy()},
      {b_.CreateIntToPtr(at, b_.getPtrTy()), b_.getInt32(kRead), b_.getInt32(kLocality[inst.imm]), b_.getInt32(kData)});
}

/// A locked operation on our own stack is a full barrier and cheaper than MFENCE.
void Lowering::full_fence() {
  auto* fn = llvm::FunctionType::get(b_.getVoidTy(), false);
  b_.CreateCall(fn, llvm::InlineAsm::get(fn, "lock; orl $$0, (%rsp)", "~{memory},~{flags}", true));
}

/// The host address as an i64; checks the alignment if the inst wants that.
llvm::Value* Lowering::address(const Inst& inst, unsigned base) {
  llvm::Value* at = arg(inst, base);
  if (inst.op == Opcode::Load || inst.op == Opcode::Store) {
    if (inst.args[1]) at = b_.CreateAdd(at, b_.CreateShl(arg(inst, 1), inst.mem().index_shift));
    if (inst.imm != 0) at = b_.CreateAdd(at, b_.getInt64(inst.imm));
  }
  if (inst.mem().aligned && inst.mem().bytes() > 1) check_alignment(inst, at);
  if (layout_.translated) return translated(inst, at);
  return memory_base_ != nullptr ? b_.CreateAdd(at, memory_base_) : at;
}

/// A misaligned address is a fault: the fast tier raises it.
void Lowering::check_alignment(const Inst& inst, llvm::Value* at) {
  BasicBlock* go_on = new_block("aligned");
  llvm::Value* low = b_.CreateAnd(at, b_.getInt64(inst.mem().bytes() - 1));
  b_.CreateCondBr(b_.CreateICmpNE(low, b_.getInt64(0)), landing(), go_on, unlikely_taken());
  b_.SetInsertPoint(go_on);
}

llvm::Value* Lowering::access(const Access& a, llvm::Value* at, llvm::ArrayRef<llvm::Value*> inputs) {
  const auto outputs = static_cast<unsigned>(std::count(a.outputs.begin(), a.outputs.end(), ','));
  const unsigned label = outputs + 1 + static_cast<unsigned>(inputs.size());
  std::string code, table;
  unsigned mark = 1;
  for (const char c : a.code) {
    if (c != '@') {
      code += c;
      continue;
    }
    if (layout_.translated) continue;
    code += fmt::format("{}: ", mark);
    table += fmt::format(".long {}b-.\n.long ${{{}:l}}-.\n", mark++, label);
  }
  std::vector<llvm::Value*> operands{b_.CreateIntToPtr(at, b_.getPtrTy())};
  operands.insert(operands.end(), inputs.begin(), inputs.end());
  std::vector<llvm::Type*> types;
  for (llvm::Value* v : operands) types.push_back(v->getType());
  auto* fn = llvm::FunctionType::get(a.result != nullptr ? a.result : b_.getVoidTy(), types, false);
  llvm::CallBase* call;
  BasicBlock* go_on = nullptr;
  if (layout_.translated) {
    call = b_.CreateCall(llvm::InlineAsm::get(fn, code, a.outputs + "*m" + a.inputs + a.clobbers, true), operands);
  } else {
    code += "\n.pushsection .tiercel.faults,\"a\",@progbits\n" + table + ".popsection";
    auto* text = llvm::InlineAsm::get(fn, code, a.outputs + "*m" + a.inputs + ",!i" + a.clobbers, true);
    BasicBlock* fault = landing();
    go_on = new_block("c");
    call = b_.CreateCallBr(fn, text, go_on, {fault}, operands);
  }
  call->addParamAttr(0, llvm::Attribute::get(context_, llvm::Attribute::ElementType, a.element));
  if (a.limit != 0)
    call->addRetAttr(llvm::Attribute::get(context_, llvm::Attribute::Range,
                                          llvm::ConstantRange(llvm::APInt(64, 0), llvm::APInt(64, a.limit))));
  if (go_on != nullptr) b_.SetInsertPoint(go_on);
  return call;
}

llvm::Value* Lowering::emit_load(const Inst& inst) {
  llvm::Value* at = address(inst, 0);
  if (layout_.translated) return plain_load(inst, at);
  if (ir::is_int(inst.type)) return load_integer(inst, at);
  Access a{.result = type(inst.type), .element = type(inst.type)};
  a.outputs = features_.avx512vl ? "=v," : "=x,";
  const char* name = inst.type == Type::F64   ? "movsd"
                     : inst.type == Type::F32 ? "movss"
                     : features_.avx512vl     ? "movdqu64"
                                              : "movdqu";
  a.code = fmt::format("@{}{} $1, $0", features_.avx ? "v" : "", name);
  return access(a, at);
}

llvm::Value* Lowering::load_integer(const Inst& inst, llvm::Value* at) {
  const ir::MemAttr m = inst.mem();
  const unsigned bytes = m.bytes(), bits = 8 * bytes;
  const char suffix = size_of(bytes).suffix;
  const bool wide = inst.type == Type::I64;
  Access a{.outputs = "=r,", .result = b_.getInt64Ty(), .element = b_.getIntNTy(bits)};
  if (bytes == 8) {
    a.code = "@movq $1, $0";
  } else if (!m.sign || bits >= ir::type_bits(inst.type)) {
    a.code = bytes == 4 ? "@movl $1, ${0:k}" : fmt::format("@movz{}l $1, ${{0:k}}", suffix);
    a.limit = u64{1} << bits;
  } else {
    a.code = wide ? fmt::format("@movs{}q $1, $0", suffix) : fmt::format("@movs{}l $1, ${{0:k}}", suffix);
    if (!wide) a.limit = u64{1} << 32;
  }
  return b_.CreateTrunc(access(a, at), type(inst.type));
}

void Lowering::emit_store(const Inst& inst) {
  const ir::MemAttr m = inst.mem();
  llvm::Value* at = address(inst, 0);
  llvm::Value* v = arg(inst, 2);
  if (ir::is_int(inst.type)) return store_integer(v, at, m.bytes(), m.release);
  if (m.bytes() >= 4)
    store_vector(v, at, m.bytes());
  else
    store_integer(convert(b_, v, b_.getInt64Ty()), at, m.bytes(), false);
  if (m.release) full_fence();
}

void Lowering::store_integer(llvm::Value* v, llvm::Value* at, unsigned bytes, bool release) {
  const Size size = size_of(bytes);
  if (layout_.translated && !release) return plain_store(v, at, b_.getIntNTy(8 * bytes));
  if (v->getType()->getIntegerBitWidth() < 8 * bytes) v = b_.CreateZExt(v, b_.getIntNTy(8 * bytes));
  Access a{.element = b_.getIntNTy(8 * bytes)};
  if (release) {
    a.code = fmt::format("@xchg{} ${{0:{}}}, $1", size.suffix, size.modifier);
    a.outputs = "=r,";
    a.inputs = ",0";
    a.result = v->getType();
    access(a, at, {v});
    return;
  }
  if (auto* c = llvm::dyn_cast<llvm::ConstantInt>(v)) {
    const llvm::APInt low = c->getValue().trunc(8 * bytes);
    if (low.isSignedIntN(32)) {
      a.code = fmt::format("@mov{} $${}, $0", size.suffix, low.getSExtValue());
      access(a, at);
      return;
    }
  }
  a.code = fmt::format("@mov{} ${{1:{}}}, $0", size.suffix, size.modifier);
  a.inputs = ",r";
  access(a, at, {v});
}

/// The low 4, 8 or 16 bytes of a float or a vector.
void Lowering::store_vector(llvm::Value* v, llvm::Value* at, unsigned bytes) {
  llvm::Type* t = bytes == 16 ? type(Type::V128) : bytes == 8 ? b_.getDoubleTy() : b_.getFloatTy();
  if (layout_.translated) return plain_store(v, at, t);
  Access a{.inputs = features_.avx512vl ? ",v" : ",x", .element = t};
  const char* name = bytes == 8 ? "movsd" : bytes == 4 ? "movss" : features_.avx512vl ? "movdqu64" : "movdqu";
  a.code = fmt::format("@{}{} $1, $0", features_.avx ? "v" : "", name);
  access(a, at, {convert(b_, v, t)});
}

}  // namespace tiercel::backend::region
