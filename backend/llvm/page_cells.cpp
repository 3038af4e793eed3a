// Where the page of a base is probably the one of the last time, so that it pays to compare with its cell before the
// TLB is probed (softmmu.cpp): a guess, which costs time where it is wrong. It is made for
// - bases that mostly move by constants, such as a stack pointer or one that walks through memory, with an index that
//   does so as well;
// - bases that were used since they got their value, along all ways here that are taken often.
#include <algorithm>

#include "backend/llvm/lowering.h"
#include "ir/fold.h"

namespace tiercel::backend::region {
namespace {

constexpr u64 kRare = 8;  // a way less frequent than the n-th part of the most frequent one does not count

}  // namespace

void PageGuess::begin(const ir::Function& f, const Accesses& accesses, const llvm::BitVector& known_before) {
  f_ = &f;
  accesses_ = &accesses;
  known = known_before;
  owners_.clear();
  next_ = 0;
}

void PageGuess::advance(u32 index) {
  for (; next_ < index; ++next_) step(next_);
}

void PageGuess::step(u32 index) {
  const Inst& inst = f_->insts[index];
  if (inst.op == Opcode::Get && inst.type == Type::I64) owners_.try_emplace(index, inst.slot());
  if (inst.op == Opcode::Set && (*f_)[inst.args[0]].type == Type::I64) {
    const u32 root = ir::rooted(*f_, inst.args[0]).root.index;
    if (const auto it = owners_.find(root); it != owners_.end() && it->second == inst.slot()) return;
    for (auto it = owners_.begin(); it != owners_.end();)
      it = it->second == inst.slot() ? owners_.erase(it) : std::next(it);
    owners_.try_emplace(root, inst.slot());
    known.reset(bit(inst.slot(), false));
    known.reset(bit(inst.slot(), true));
  }
  if ((inst.op != Opcode::Store && inst.op != Opcode::Load) || inst.args[1] || inst.mem().user) return;
  if (accesses_->apart.test(index)) return;
  if (const auto slot = owner(inst.args[0])) known.set(bit(*slot, accesses_->write.test(index)));
}

std::optional<ir::SlotId> PageGuess::owner(ir::Value v) const {
  const auto it = owners_.find(ir::rooted(*f_, v).root.index);
  return it == owners_.end() ? std::nullopt : std::optional(it->second);
}

void Lowering::find_pages() {
  find_notes();
  for (Block& b : blocks_) find_groups(b);
  find_steady();
  find_known_pages();
}

/// Slots that get a value from elsewhere rarely, compared with how often they serve to address memory.
void Lowering::find_steady() {
  const auto ways = ways_in();
  std::vector<u64> used(used_.size()), changed(used_.size());
  PageGuess guess;
  for (u32 i = 0; i < blocks_.size(); ++i) {
    const ir::Function& f = *blocks_[i].f;
    u64 executed = 1;
    for (const WayIn& w : ways[i]) executed += w.weight;
    guess.begin(f, blocks_[i].accesses, llvm::BitVector(2 * used_.size()));
    for (u32 n = 0; n < f.insts.size(); ++n) {
      const Inst& inst = f.insts[n];
      guess.advance(n);
      if (inst.op == Opcode::Set && f[inst.args[0]].type == Type::I64 && guess.owner(inst.args[0]) != inst.slot())
        changed[inst.slot()] += executed;
      if (inst.op != Opcode::Load && inst.op != Opcode::Store) continue;
      for (const ir::Value v : {inst.args[0], inst.args[1]})
        if (const auto slot = v ? guess.owner(v) : std::nullopt) used[*slot] += executed;
    }
  }
  steady_.resize(used_.size());
  for (unsigned s = 0; s < used_.size(); ++s)
    if (changed[s] * kRare <= used[s]) steady_.set(s);
}

/// How often each way into each block was taken, roughly: only a Branch tells.
std::vector<std::vector<Lowering::WayIn>> Lowering::ways_in() const {
  std::vector<std::vector<WayIn>> ways(blocks_.size());
  std::vector<u64> executed(blocks_.size());
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    for (auto& w : ways) w.clear();
    for (u32 i = 0; i < blocks_.size(); ++i) {
      const ir::Function& f = *blocks_[i].f;
      const bool branch = f.insts.back().op == Opcode::Branch && !region_.branches.empty();
      if (branch) executed[i] = u64{region_.branches[i].taken} + region_.branches[i].other;
      for (const u32 to : blocks_[i].successors) {
        u64 weight = executed[i] / blocks_[i].successors.size();
        if (branch)
          weight = f.insts.back().imm == blocks_[to].f->pc ? region_.branches[i].taken : region_.branches[i].other;
        ways[to].push_back({i, weight});
      }
    }
    for (u32 i = 0; i < blocks_.size(); ++i) {
      executed[i] = 0;
      for (const WayIn& w : ways[i]) executed[i] += w.weight;
    }
  }
  for (auto& all : ways) {
    u64 most = 0;
    for (const WayIn& w : all) most = std::max(most, w.weight);
    std::erase_if(all, [most](const WayIn& w) { return w.weight * kRare < most; });
  }
  return ways;
}

/// Block::pages_known: the bases used since they got their value, along every frequent way.
void Lowering::find_known_pages() {
  const auto ways = ways_in();
  const unsigned bits = 2 * used_.size();
  std::vector<llvm::BitVector> out(blocks_.size(), llvm::BitVector(bits, true));
  PageGuess guess;
  for (bool changed = true; changed;) {
    changed = false;
    for (u32 i = 0; i < blocks_.size(); ++i) {
      llvm::BitVector in(bits, !ways[i].empty());
      for (const WayIn& w : ways[i]) in &= out[w.from];
      guess.begin(*blocks_[i].f, blocks_[i].accesses, in);
      guess.advance(static_cast<u32>(blocks_[i].f->insts.size()));
      blocks_[i].pages_known = in;
      if (guess.known == out[i]) continue;
      out[i] = guess.known;
      changed = true;
    }
  }
}

}  // namespace tiercel::backend::region
