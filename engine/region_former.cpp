#include "engine/region_former.h"

#include <algorithm>
#include <unordered_map>

namespace tiercel::engine {
namespace {

using ir::Opcode;

constexpr u32 kTooShort = 12;    // insns without a loop that are not worth an entry
constexpr u32 kRareTarget = 64;  // an indirect target is followed if at least every n-th branch went there
constexpr std::size_t kMaxTargets = 48, kMaxReturns = 8;

/// A block considered, with the places control may go to from its end.
struct Candidate {
  struct Target {
    u64 pc;
    u32 weight;
  };
  CachedBlock* block;
  ir::Function function;
  std::vector<u64> next;         // of a direct terminal
  std::vector<Target> indirect;  // of an indirect one: what was seen and is worth to be followed, and returns
  bool comes_back = false;       // the head can be reached from here

  Opcode end() const { return function.insts.back().op; }
  bool is_call() const { return end() == Opcode::Call || end() == Opcode::CallInd; }
  u64 return_pc() const { return function.constant(function.insts.back().aux).lo; }
};

class Former {
 public:
  Former(const CodeCache& cache, Translator& translator, const TargetProfile& targets, const RegionLimits& limits)
      : cache_(cache), translator_(translator), targets_(targets), limits_(limits) {}

  std::optional<FormedRegion> form(CachedBlock& head, Refusal& why) {
    if (!add(head)) {
      why = Refusal::UnfitHead;
      return {};
    }
    explore();
    find_returns();
    mark_cycles();
    const bool loops = found_.front().comes_back;
    if (limits_.worthwhile_only && !loops && insns_ < kTooShort) {
      why = Refusal::TooShort;
      return {};
    }
    return collect(limits_.worthwhile_only && loops);
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
    Candidate& c = found_.emplace_back(Candidate{&block, f, {}, {}});
    c.function.counter = block.counter;
    const ir::Inst& end = f.insts.back();
    switch (end.op) {
      case Opcode::Branch:
        c.next = {end.imm, f.constant(end.aux).lo};
        break;
      case Opcode::Jump:
      case Opcode::Call:
        c.next = {end.imm};
        break;
      case Opcode::Ret:
        break;  // find_returns()
      default:
        note_targets(c);
        break;
    }
    return true;
  }

  void note_targets(Candidate& c) const {
    const auto seen = targets_.of(c.block->key.pc);
    u32 total = 0;
    for (const TargetProfile::Seen& s : seen) total += s.count;
    for (const TargetProfile::Seen& s : seen)
      if (s.count * kRareTarget >= total && c.indirect.size() < kMaxTargets) c.indirect.push_back({s.pc, s.count});
  }

  void consider(u64 pc) {
    if (index_of_.contains(pc)) return;
    if (CachedBlock* block = cached(pc)) add(*block);
  }

  /// Breadth first, so that what is near the head comes first when a limit is reached.
  void explore() {
    for (std::size_t i = 0; i < found_.size(); ++i) {
      const std::vector<u64> next = found_[i].next;
      const std::vector<Candidate::Target> indirect = found_[i].indirect;
      for (const u64 pc : next) consider(pc);
      for (const Candidate::Target& t : indirect) consider(t.pc);
      if (found_[i].is_call()) consider(found_[i].return_pc());
    }
  }

  template <typename F>
  void for_each_next(const Candidate& c, F&& f) const {
    const auto visit = [&](u64 pc) {
      if (const auto it = index_of_.find(pc); it != index_of_.end()) f(it->second);
    };
    for (const u64 pc : c.next) visit(pc);
    for (const Candidate::Target& t : c.indirect) visit(t.pc);
  }

  /// Connects the returns of each called function with the return point of the call.
  void find_returns() {
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (!found_[i].is_call() || !index_of_.contains(found_[i].return_pc())) continue;
      std::vector<bool> seen(found_.size());
      std::vector<std::size_t> open;
      const auto enter = [&](std::size_t n) {
        if (!seen[n]) seen[n] = true, open.push_back(n);
      };
      for_each_next(found_[i], enter);
      while (!open.empty()) {
        Candidate& c = found_[open.back()];
        open.pop_back();
        if (c.end() == Opcode::Ret)
          add_return(c, found_[i].return_pc());
        else if (!c.is_call())
          for_each_next(c, enter);
        else if (const auto after = index_of_.find(c.return_pc()); after != index_of_.end())
          enter(after->second);
      }
    }
  }

  void add_return(Candidate& c, u64 pc) const {
    const auto same = [pc](const auto& t) { return t.pc == pc; };
    if (std::any_of(c.indirect.begin(), c.indirect.end(), same)) return;
    const auto seen = targets_.of(c.block->key.pc);
    const auto known = std::find_if(seen.begin(), seen.end(), same);
    c.indirect.push_back({pc, known != seen.end() ? known->count : 1});
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

  FormedRegion collect(bool loops_only) {
    FormedRegion formed;
    const auto belongs = [&](const Candidate& c) { return !loops_only || c.comes_back; };
    for (Candidate& c : found_) {
      if (!belongs(c)) continue;
      const u32 from = static_cast<u32>(formed.members.size());
      keep_likeliest(c.indirect, c.end() == Opcode::Ret ? kMaxReturns : kMaxTargets);
      for (const Candidate::Target& t : c.indirect)
        if (const auto to = index_of_.find(t.pc); to != index_of_.end() && belongs(found_[to->second]))
          formed.region.edges.push_back({from, share(c.indirect, t), t.pc});
      formed.members.push_back(c.block);
      formed.region.blocks.push_back(std::move(c.function));
    }
    return formed;
  }

  static void keep_likeliest(std::vector<Candidate::Target>& targets, std::size_t limit) {
    std::stable_sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.weight > b.weight; });
    if (targets.size() > limit) targets.resize(limit);
  }

  /// The weight of `t` scaled so that all of them together outweigh kOtherTargets.
  static u32 share(const std::vector<Candidate::Target>& targets, const Candidate::Target& t) {
    u64 total = 0;
    for (const Candidate::Target& other : targets) total += other.weight;
    return static_cast<u32>(std::max<u64>(1, u64{t.weight} * ir::kOtherTargets * 32 / total));
  }

  const CodeCache& cache_;
  Translator& translator_;
  const TargetProfile& targets_;
  const RegionLimits& limits_;
  std::vector<Candidate> found_;
  std::unordered_map<u64, std::size_t> index_of_;
  u32 insns_ = 0;
};

}  // namespace

const char* describe(Refusal why) {
  switch (why) {
    case Refusal::UnfitHead:
      return "it begins with something that regions cannot hold, such as a system call";
    case Refusal::TooShort:
      return "no loop and few insns were found among the blocks that ran so far";
    case Refusal::ServiceBusy:
      return "the translation service does not take it";
    case Refusal::NotCompiled:
      return "the compiler refused it";
    case Refusal::None:
    case Refusal::kCount:
      break;
  }
  return "";
}

std::optional<FormedRegion> form_region(CachedBlock& head, const CodeCache& cache, Translator& translator,
                                        const TargetProfile& targets, const RegionLimits& limits, Refusal& why) {
  return Former(cache, translator, targets, limits).form(head, why);
}

}  // namespace tiercel::engine
