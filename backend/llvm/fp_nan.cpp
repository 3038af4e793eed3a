// What becomes of results that the host gets wrong: NaNs above all.
//
// Arithmetic whose operand is a NaN makes a NaN. So results need not be looked at one by one: those of a block wait
// (unchecked_) until something else than such arithmetic wants them, control may leave the block, or somebody looks at
// the exceptions. Then one look at those that nothing was computed from says whether all are right; if not, ir::eval
// computes all again. Where the host flushes subnormals each result that may wrongly be the least normal number is
// looked at then.
#include <map>

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

/// How far an unchecked result may be from Arm's where the host flushes: 0, it is right or a NaN; 1, it may be the
/// least normal number, either sign, instead of a zero of that sign; 2, it was computed from such.
u8 Lowering::taint(ir::Value v) const {
  for (const Unchecked& u : unchecked_)
    if (u.index == v.index) return u.taint;
  return 0;
}

u8 Lowering::taint_of(const Inst& inst) const {
  u8 most = 0;
  for (const ir::Value v : inst.args)
    if (v) most = std::max(most, taint(v));
  if (inst.op == Opcode::FNeg || inst.op == Opcode::FAbs) return most;
  if (most != 0) return 2;
  return rounds_to_least_normal(inst) ? 1 : 0;
}

/// Does the host raise nothing for operands as wrong as these but what is raised anyhow? Inexact has been, and Arm
/// raises Underflow for what is wrong. So it must not overflow or divide. Rounding is to nearest: a sum with a number
/// that is too small to count overflows only together with the sum without. That is so for a fused one, too, unless the
/// number's sign may be wrong, which decides a tie. The product of such a number is at most 4.
bool Lowering::bears_taint(const Inst& inst) const {
  switch (inst.op) {
    case Opcode::FMul:
      return taint(inst.args[0]) <= 1 && taint(inst.args[1]) <= 1;
    case Opcode::FMulAdd:
      return taint(inst.args[0]) <= 1 && taint(inst.args[1]) <= 1 && taint(inst.args[2]) <= 1;
    case Opcode::FDiv:
    case Opcode::FSqrt:
      return taint(inst.args[0]) == 0 && (!inst.args[1] || taint(inst.args[1]) == 0);
    default:
      return true;
  }
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
  if (block_->f->fp.host_flush && !bears_taint(inst)) return false;
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
  unchecked_.push_back({index, lanes, false, taint_of(inst)});
  return fp_result(inst, lanes);
}

/// Is one of the results that nothing was computed from a NaN? One comparison looks at two.
llvm::Value* Lowering::some_wrong(const std::vector<Unchecked>& group) {
  std::vector<llvm::Value*> last, wrong;
  for (const Unchecked& u : group)
    if (rounds_to_least_normal(block_->f->insts[u.index]))
      wrong.push_back(is_least_normal_or_nan(u.lanes));
    else if (!u.used)
      last.push_back(u.lanes);
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
    wrong.push_back(b_.CreateFCmpUNO(x, y));
  }
  std::map<llvm::Type*, llvm::Value*> lanes;
  for (llvm::Value* w : wrong) {
    llvm::Value*& all = lanes[w->getType()];
    all = all == nullptr ? w : b_.CreateOr(all, w);
  }
  llvm::Value* bad = nullptr;
  for (const auto& [type, all] : lanes) {
    llvm::Value* any = any_lane(all);
    bad = bad == nullptr ? any : b_.CreateOr(bad, any);
  }
  return bad;
}

/// Whatever waits is right from here on.
void Lowering::settle() {
  if (unchecked_.empty()) return;
  const std::vector<Unchecked> group = std::exchange(unchecked_, {});
  BasicBlock *cold = new_block("cold"), *done = new_block("done");
  b_.CreateCondBr(some_wrong(group), cold, done, unlikely_taken());
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
  const ir::FpRules rules = block_->f->fp;
  const bool checked = rules.flush && !rules.host_flush;
  if (keeps_nans(inst.op) && !checked && cold_ == nullptr) return unchecked(inst, v);
  if (rounds_to_least_normal(inst))
    doubt(any_lane(is_least_normal_or_nan(v)));
  else
    doubt(checked ? any_class(v, kNans | kSubnormal) : any_lane(b_.CreateFCmpUNO(v, v)));
  return repaired(inst, fp_result(inst, v));
}

}  // namespace tiercel::backend::region
