#include "engine/region_former.h"

#include <algorithm>
#include <unordered_map>

namespace tiercel::engine {
namespace {

using ir::Opcode;

/// A block considered, with the places control may go to from its end.
struct Candidate {
  CachedBlock* block;
  ir::Function function;
  std::vector<u64> next;    // known successors
  bool indirect = false;    // may also go to any of the region's return points
  bool comes_back = false;  // the head can be reached from here
};

class Former {
 public:
  Former(const CodeCache& cache, Translator& translator, const RegionLimits& limits)
      : cache_(cache), translator_(translator), limits_(limits) {}

  std::optional<FormedRegion> form(CachedBlock& head, std::string& why) {
    if (!add(head)) {
      why = "it ends in something that regions cannot hold, such as a system call";
      return {};
    }
    explore();
    mark_cycles();
    if (limits_.loops_only && !loops()) {
      why = "no way back to its start was found among the blocks that ran so far";
      return {};
    }
    return collect();
  }

 private:
  /// The plain block for `pc` in the head's mode, or null.
  CachedBlock* cached(u64 pc) const {
    guest::BlockKey key = found_.front().block->key;
    key.pc = pc;
    CachedBlock* block = cache_.find(key);
    return block && block->plain ? block->plain : block;
  }

  static bool fits(const ir::Function& f) {
    return f.insts.back().op != Opcode::Exit &&
           std::none_of(f.insts.begin(), f.insts.end(), [](const ir::Inst& i) { return i.op == Opcode::CallHelper; });
  }

  bool add(CachedBlock& block) {
    if (!block.host || insns_ + block.insn_count > limits_.insns || found_.size() >= limits_.blocks) return false;
    if (!translator_.translate_for_region(block.key, block.insn_count)) return false;
    const ir::Function& f = translator_.function();
    // Other bytes than the block was made from: it is about to be invalidated.
    if (f.insn_count != block.insn_count || std::max(f.end_pc, f.pc + 1) != block.end_pc || !fits(f)) return false;
    index_of_.emplace(block.key.pc, found_.size());
    insns_ += block.insn_count;
    Candidate& c = found_.emplace_back(Candidate{&block, f, {}});
    c.function.counter = block.counter;
    const ir::Inst& end = f.insts.back();
    switch (end.op) {
      case Opcode::Branch:
        c.next = {end.imm, f.constant(end.aux).lo};
        break;
      case Opcode::Jump:
        c.next = {end.imm};
        break;
      case Opcode::Call:
        c.next = {end.imm};
        returns_.push_back(f.constant(end.aux).lo);
        break;
      case Opcode::CallInd:
        returns_.push_back(f.constant(end.aux).lo);
        c.indirect = true;
        break;
      default:
        c.indirect = true;
        break;
    }
    return true;
  }

  void consider(u64 pc) {
    if (index_of_.contains(pc)) return;
    if (CachedBlock* block = cached(pc)) add(*block);
  }

  /// Breadth first, so that what is near the head comes first when a limit is reached.
  void explore() {
    for (std::size_t i = 0; i < found_.size(); ++i) {
      const std::vector<u64> next = found_[i].next;
      for (const u64 pc : next) consider(pc);
      const ir::Opcode end = found_[i].function.insts.back().op;
      if (end == Opcode::Call || end == Opcode::CallInd)
        consider(found_[i].function.constant(found_[i].function.insts.back().aux).lo);
    }
  }

  template <typename F>
  void for_each_next(const Candidate& c, F&& f) const {
    const auto visit = [&](u64 pc) {
      if (const auto it = index_of_.find(pc); it != index_of_.end()) f(it->second);
    };
    for (const u64 pc : c.next) visit(pc);
    if (c.indirect)
      for (const u64 pc : returns_) visit(pc);
  }

  void mark_cycles() {
    bool changed = true;
    while (changed) {
      changed = false;
      for (std::size_t i = found_.size(); i-- > 0;) {
        Candidate& c = found_[i];
        if (c.comes_back) continue;
        for_each_next(c, [&](std::size_t n) { c.comes_back |= n == 0 || found_[n].comes_back; });
        changed |= c.comes_back;
      }
    }
  }

  bool loops() const { return found_.front().comes_back; }

  FormedRegion collect() {
    FormedRegion formed;
    for (Candidate& c : found_) {
      if (limits_.loops_only && !c.comes_back) continue;
      formed.members.push_back(c.block);
      formed.region.blocks.push_back(std::move(c.function));
    }
    for (const u64 pc : returns_) {
      const bool member = std::any_of(formed.members.begin(), formed.members.end(),
                                      [pc](const CachedBlock* b) { return b->key.pc == pc; });
      auto& targets = formed.region.targets;
      if (member && std::find(targets.begin(), targets.end(), pc) == targets.end()) targets.push_back(pc);
    }
    return formed;
  }

  const CodeCache& cache_;
  Translator& translator_;
  const RegionLimits& limits_;
  std::vector<Candidate> found_;
  std::unordered_map<u64, std::size_t> index_of_;
  std::vector<u64> returns_;  // where the calls among them return to
  u32 insns_ = 0;
};

}  // namespace

std::optional<FormedRegion> form_region(CachedBlock& head, const CodeCache& cache, Translator& translator,
                                        const RegionLimits& limits, std::string& why) {
  return Former(cache, translator, limits).form(head, why);
}

}  // namespace tiercel::engine
