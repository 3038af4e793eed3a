#include "engine/region_former.h"

#include <algorithm>
#include <queue>
#include <unordered_map>

#include "base/bits.h"

namespace tiercel::engine {
namespace {

using ir::Opcode;

constexpr u32 kTooShort = 12;         // insns without a loop that are not worth an entry
constexpr u32 kMemberFraction = 128;  // blocks that ran less often than the n-th part of the head's executions stay out
constexpr u64 kStay = 200;            // insns: a region left sooner than this on average costs more than it saves
constexpr std::size_t kMaxTargets = 48, kMaxReturns = 8;

/// A block that was chosen, with the places its indirect terminal may go to.
struct Candidate {
  const Survey::Block* block;
  std::vector<Survey::Target> indirect;
  bool comes_back = false;  // the head can be reached from here
};

class Former {
 public:
  Former(const Survey& survey, const Survey::Block& head, const RegionLimits& limits)
      : survey_(survey), head_(head), limits_(limits) {}

  std::optional<FormedRegion> form(Refusal& why) {
    choose();
    // The head is gone, or other threads' counts have overwritten its own.
    if (found_.empty()) {
      why = Refusal::TooShort;
      return {};
    }
    find_returns();
    mark_cycles();
    const bool loops = found_.front().comes_back;
    if (limits_.worthwhile_only) {
      if (loops) keep_loops();
      why = !loops && insns_ < kTooShort ? Refusal::TooShort : left_too_soon() ? Refusal::LeftTooSoon : Refusal::None;
      if (why != Refusal::None) return {};
    }
    return collect();
  }

 private:
  /// The most frequent blocks first, so that what is rare is missing when a limit is reached.
  void choose() {
    const u32 least = std::max(1u, head_.count / kMemberFraction);
    using Entry = std::pair<u32, std::size_t>;  // count; how many were found before, from the end
    std::priority_queue<Entry> open;
    std::vector<const Survey::Block*> order;
    std::unordered_map<u64, bool> seen;
    const auto consider = [&](u64 pc) {
      const Survey::Block* b = survey_.find(pc);
      if (!b || b->count < least || b->plain->dead || !seen.try_emplace(pc, true).second) return;
      open.emplace(b->count, ~order.size());
      order.push_back(b);
    };
    consider(head_.pc());
    while (!open.empty() && found_.size() < limits_.blocks) {
      const Survey::Block& b = *order[~open.top().second];
      open.pop();
      if (insns_ + b.plain->insn_count > limits_.insns || !take_page(b)) continue;
      insns_ += b.plain->insn_count;
      index_of_.emplace(b.pc(), found_.size());
      found_.push_back({&b, b.indirect, false});
      for (const u64 pc : b.next) consider(pc);
      for (const Survey::Target& t : b.indirect) consider(t.pc);
      if (b.is_call()) consider(b.return_pc());
    }
  }

  /// False: one page too many.
  bool take_page(const Survey::Block& b) {
    const u64 page = align_down(b.pc(), kPageSize);
    if (b.plain->key.space == 0 || std::find(pages_.begin(), pages_.end(), page) != pages_.end()) return true;
    if (pages_.size() >= limits_.pages) return false;
    pages_.push_back(page);
    return true;
  }

  template <typename F>
  void for_each_next(const Candidate& c, F&& f) const {
    const auto visit = [&](u64 pc) {
      if (const auto it = index_of_.find(pc); it != index_of_.end()) f(it->second);
    };
    for (const u64 pc : c.block->next) visit(pc);
    for (const Survey::Target& t : c.indirect) visit(t.pc);
  }

  /// Connects the returns of each called function with the return point of the call.
  void find_returns() {
    for (const Candidate& call : found_) {
      if (!call.block->is_call() || !index_of_.contains(call.block->return_pc())) continue;
      std::vector<bool> seen(found_.size());
      std::vector<std::size_t> open;
      const auto enter = [&](std::size_t n) {
        if (!seen[n]) seen[n] = true, open.push_back(n);
      };
      for_each_next(call, enter);
      while (!open.empty()) {
        Candidate& c = found_[open.back()];
        open.pop_back();
        if (c.block->end() == Opcode::Ret)
          add_return(c, call.block->return_pc());
        else if (!c.block->is_call())
          for_each_next(c, enter);
        else if (const auto after = index_of_.find(c.block->return_pc()); after != index_of_.end())
          enter(after->second);
      }
    }
  }

  static void add_return(Candidate& c, u64 pc) {
    const auto same = [pc](const Survey::Target& t) { return t.pc == pc; };
    if (std::none_of(c.indirect.begin(), c.indirect.end(), same)) c.indirect.push_back({pc, 1});
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

  void keep_loops() {
    std::erase_if(found_, [](const Candidate& c) { return !c.comes_back; });
    index_of_.clear();
    insns_ = 0;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      index_of_.emplace(found_[i].block->pc(), i);
      insns_ += found_[i].block->plain->insn_count;
    }
  }

  /// How often a Branch goes which way: what is known are the executions of the block and of the two it leads to.
  ir::BranchWeights branch_weights(const Survey::Block& b) const {
    if (b.end() != Opcode::Branch) return {};
    const Survey::Block *taken = survey_.find(b.next[0]), *other = survey_.find(b.next[1]);
    u64 x = taken ? taken->count : 0, y = other ? other->count : 0;
    if (x + y == 0) return {};
    if (x + y < b.count) (x < y ? x : y) = b.count - std::max(x, y);
    const u64 scale = b.count;
    return {static_cast<u32>(x * scale / (x + y)), static_cast<u32>(y * scale / (x + y))};
  }

  u64 ways_out(const Candidate& c) const {
    const Survey::Block& b = *c.block;
    const auto inside = [this](u64 pc) { return index_of_.contains(pc); };
    if (b.end() == Opcode::Branch) {
      const ir::BranchWeights w = branch_weights(b);
      return (inside(b.next[0]) ? 0 : w.taken) + (inside(b.next[1]) ? 0 : w.other);
    }
    if (!b.next.empty()) return inside(b.next[0]) ? 0 : b.count;
    u64 all = 0, out = 0;
    for (const Survey::Target& t : c.indirect) {
      all += t.weight;
      out += inside(t.pc) ? 0 : t.weight;
    }
    return all == 0 ? b.count : b.count * out / all;
  }

  bool left_too_soon() const {
    u64 executed = 0, left = 0;
    for (const Candidate& c : found_) {
      executed += u64{c.block->count} * c.block->plain->insn_count;
      left += ways_out(c);
    }
    return executed < left * kStay;
  }

  FormedRegion collect() {
    FormedRegion formed;
    for (Candidate& c : found_) {
      const u32 from = static_cast<u32>(formed.members.size());
      keep_likeliest(c.indirect, c.block->end() == Opcode::Ret ? kMaxReturns : kMaxTargets);
      for (const Survey::Target& t : c.indirect)
        if (index_of_.contains(t.pc)) formed.region.edges.push_back({from, share(c.indirect, t), t.pc});
      for (ir::AccessNotes notes : c.block->accesses) {
        notes.block = from;
        if (notes.seen != 0) formed.region.accesses.push_back(notes);
      }
      formed.members.push_back(c.block->plain);
      formed.region.blocks.push_back(c.block->function);
      formed.region.branches.push_back(branch_weights(*c.block));
    }
    count_from_head(formed);
    formed.place = place_of(formed);
    return formed;
  }

  /// Pcs were counted from the page of the survey's head, which may be another one.
  static void count_from_head(FormedRegion& formed) {
    const u64 distance = formed.members.front()->key.pc - formed.region.blocks.front().pc;
    if (distance == 0) return;
    for (ir::Function& f : formed.region.blocks) ir::move_pcs(f, distance);
    for (ir::IndirectEdge& e : formed.region.edges) e.to += distance;
  }

  static backend::RegionPlace place_of(const FormedRegion& formed) {
    const ir::Function& head = formed.region.blocks.front();
    backend::RegionPlace place{head.pc, head.relative, head.origin};
    if (formed.members.front()->key.space == 0) return place;
    for (std::size_t i = 0; i < formed.members.size(); ++i) {
      const u64 page = align_down(formed.region.blocks[i].pc, kPageSize);
      const auto same = [page](const backend::TlbCodePage& p) { return p.page == page; };
      if (page == align_down(head.pc, kPageSize) || std::any_of(place.others.begin(), place.others.end(), same))
        continue;
      place.others.push_back({page, formed.members[i]->key.space & ~guest::BlockKey::kRelative});
    }
    return place;
  }

  static void keep_likeliest(std::vector<Survey::Target>& targets, std::size_t limit) {
    std::stable_sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.weight > b.weight; });
    if (targets.size() > limit) targets.resize(limit);
  }

  /// The weight of `t` scaled so that all of them together outweigh kOtherTargets.
  static u32 share(const std::vector<Survey::Target>& targets, const Survey::Target& t) {
    u64 total = 0;
    for (const Survey::Target& other : targets) total += other.weight;
    return static_cast<u32>(std::max<u64>(1, u64{t.weight} * ir::kOtherTargets * 32 / total));
  }

  const Survey& survey_;
  const Survey::Block& head_;
  const RegionLimits& limits_;
  std::vector<Candidate> found_;
  std::unordered_map<u64, std::size_t> index_of_;
  std::vector<u64> pages_;  // of a machine
  u32 insns_ = 0;
};

}  // namespace

const char* describe(Refusal why) {
  switch (why) {
    case Refusal::UnfitHead:
      return "it begins with something that regions cannot hold, such as a system call";
    case Refusal::TooShort:
      return "no loop and few insns were found among the blocks that ran so far";
    case Refusal::LeftTooSoon:
      return "control leaves what would be its region after few insns";
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

std::optional<FormedRegion> form_region(const Survey& survey, const Survey::Block& head, const RegionLimits& limits,
                                        Refusal& why) {
  return Former(survey, head, limits).form(why);
}

}  // namespace tiercel::engine
