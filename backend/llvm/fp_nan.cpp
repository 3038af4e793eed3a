// What becomes of results that the host gets wrong: NaNs above all.
//
// Arithmetic whose operand is a NaN makes a NaN. So results need not be looked at one by one: those of a block wait
// (unchecked_) until something else than such arithmetic wants them, control may leave the block, or somebody looks at
// the exceptions. Then one look at those that nothing was computed from says whether all are right; if not, ir::eval
// computes all again.
#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

/// Where `condition` holds the instruction is ir::eval's; see repaired.
void Lowering::doubt(llvm::Value* condition) {
  if (cold_ == nullptr) cold_ = new_block("cold");
  BasicBlock* go_on = new_block("plain");
  b_.CreateCondBr(condition, cold_, go_on, unlikely_taken());
  b_.SetInsertPoint(go_on);
}

/// `v`, or what ir::eval says where there was a doubt since the last call.
llvm::Value* Lowering::repaired(const Inst& inst, llvm::Value* v) {
  if (cold_ == nullptr) return v;
  BasicBlock *before = b_.GetInsertBlock(), *cold = std::exchange(cold_, nullptr), *done = new_block("done");
  b_.CreateBr(done);
  b_.SetInsertPoint(cold);
  llvm::Value* other = emit_by_eval(inst);
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  llvm::PHINode* r = b_.CreatePHI(v->getType(), 2);
  r->addIncoming(v, before);
  r->addIncoming(other, cold);
  return r;
}

llvm::Value* Lowering::any_lane(llvm::Value* lanes) {
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(lanes->getType());
  if (vector == nullptr) return lanes;
  llvm::Type* mask = b_.getIntNTy(vector->getNumElements());
  return b_.CreateICmpNE(b_.CreateBitCast(lanes, mask), llvm::ConstantInt::get(mask, 0));
}

/// Is the result a NaN, lane by lane, where an operand is?
bool Lowering::keeps_nans(Opcode op) const {
  switch (op) {
    case Opcode::FAdd:
    case Opcode::FSub:
    case Opcode::FMul:
    case Opcode::FDiv:
    case Opcode::FSqrt:
    case Opcode::FNeg:
    case Opcode::FAbs:
      return true;
    case Opcode::FMulAdd:  // without FMA it is ir::eval's
      return features_.fma;
    default:
      return false;
  }
}

bool Lowering::is_unchecked(ir::Value v) const {
  return std::any_of(unchecked_.begin(), unchecked_.end(), [&](const Unchecked& u) { return u.index == v.index; });
}

/// May results stay unchecked while this is emitted?
bool Lowering::can_wait(const Inst& inst) const {
  const u16 effects = ir::effects(inst.op);
  if (effects & (ir::effect::kTerminal | ir::effect::kMayFault)) return false;
  if (inst.op == Opcode::GetFpStatus || inst.op == Opcode::SetFpStatus) return false;
  if (inst.op == Opcode::Get) return !is_unchecked(current_[inst.slot()].source);
  if (inst.op == Opcode::Set) return true;
  constexpr std::size_t kMost = 16;  // their operands stay alive
  if (keeps_nans(inst.op) && unchecked_.size() >= kMost) return false;
  for (const ir::Value v : inst.args) {
    if (!v || !is_unchecked(v)) continue;
    const Inst& from = (*block_->f)[v];
    if (!keeps_nans(inst.op) || from.type != inst.type || from.arr != inst.arr) return false;
  }
  return true;
}

/// Lets the result wait; `lanes` is what can be compared.
llvm::Value* Lowering::unchecked(const Inst& inst, llvm::Value* lanes) {
  const auto index = static_cast<u32>(&inst - block_->f->insts.data());
  for (Unchecked& u : unchecked_)
    for (const ir::Value v : inst.args)
      if (v && v.index == u.index) u.used = true;
  unchecked_.push_back({index, lanes, false});
  return fp_result(inst, lanes);
}

/// Is one of the results that nothing was computed from a NaN? One comparison looks at two.
llvm::Value* Lowering::some_nan(const std::vector<Unchecked>& group) {
  std::vector<llvm::Value*> last;
  for (const Unchecked& u : group)
    if (!u.used) last.push_back(u.lanes);
  llvm::Value* bad = nullptr;
  while (!last.empty()) {
    llvm::Value* x = last.back();
    last.pop_back();
    const auto other =
        std::find_if(last.begin(), last.end(), [&](llvm::Value* y) { return y->getType() == x->getType(); });
    llvm::Value* y = x;
    if (other != last.end()) {
      y = *other;
      last.erase(other);
    }
    llvm::Value* unordered = any_lane(b_.CreateFCmpUNO(x, y));
    bad = bad == nullptr ? unordered : b_.CreateOr(bad, unordered);
  }
  return bad;
}

/// Whatever waits is right from here on.
void Lowering::settle() {
  if (unchecked_.empty()) return;
  const std::vector<Unchecked> group = std::exchange(unchecked_, {});
  BasicBlock *cold = new_block("cold"), *done = new_block("done");
  b_.CreateCondBr(some_nan(group), cold, done, unlikely_taken());
  BasicBlock* before = b_.GetInsertBlock();
  std::vector<llvm::Value*> first;
  b_.SetInsertPoint(cold);
  for (const Unchecked& u : group) {
    first.push_back(values_[u.index]);
    values_[u.index] = emit_by_eval(block_->f->insts[u.index]);
  }
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  for (std::size_t i = 0; i < group.size(); ++i) {
    llvm::Value*& v = values_[group[i].index];
    llvm::PHINode* r = b_.CreatePHI(v->getType(), 2);
    r->addIncoming(first[i], before);
    r->addIncoming(v, cold);
    v = r;
  }
  for (std::size_t s = 0; s < current_.size(); ++s) {
    Current& c = current_[s];
    for (const Unchecked& u : group)
      if (c.source.index == u.index) c.value = convert(b_, values_[u.index], cell_type(static_cast<ir::SlotId>(s)));
  }
}

/// The end of an operation whose NaNs need Arm's rules.
llvm::Value* Lowering::fp_finished(const Inst& inst, llvm::Value* v) {
  if (keeps_nans(inst.op) && !block_->f->fp.flush && cold_ == nullptr) return unchecked(inst, v);
  doubt(block_->f->fp.flush ? any_class(v, kNans | kSubnormal) : any_lane(b_.CreateFCmpUNO(v, v)));
  return repaired(inst, fp_result(inst, v));
}

}  // namespace tiercel::backend::region
