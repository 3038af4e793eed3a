#include <fmt/format.h>

#include <algorithm>

#include "user/report.h"

namespace tiercel::user {
namespace {

constexpr std::size_t kShown = 10;       // blocks per list
constexpr double kWorthShowing = 0.005;  // of all insns

u64 insns_plain(const engine::ExecutedBlock& b) {
  return b.counts.plain * b.counts.insns;
}

class Explanation {
 public:
  Explanation(const RunFacts& facts, const engine::Options& options, const std::vector<GuestMemory::Listed>& memory)
      : facts_(facts), s_(facts.engine), options_(options), memory_(memory) {
    insns_ = s_.insns_interpreted + s_.insns_fast + s_.insns_in_regions;
  }

  std::string run() {
    put("tiercel: {} (pid {}): {:.2f} s of CPU time, {} million guest insns\n", facts_.program, facts_.pid,
        seconds(facts_.cpu_ns), insns_ / 1'000'000);
    times();
    tiers();
    slow_blocks();
    ways_out();
    remarks();
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  static double seconds(u64 ns) { return static_cast<double>(ns) / 1e9; }
  static double percent(u64 part, u64 whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  }
  double share(u64 insns) const { return percent(insns, insns_); }

  void times() {
    const u64 known = s_.translate_ns + s_.code_ns;
    const u64 rest = facts_.cpu_ns > known ? facts_.cpu_ns - known : 0;
    const u64 kernel = std::min(facts_.kernel_ns, rest);
    put("\nWhere the CPU time went\n");
    put("  {:5.1f} %  translated code\n", percent(s_.code_ns, facts_.cpu_ns));
    put("  {:5.1f} %  translating: {} blocks, {} insns\n", percent(s_.translate_ns, facts_.cpu_ns),
        s_.blocks_translated, s_.insns_translated);
    put("  {:5.1f} %  the kernel: {} system calls\n", percent(kernel, facts_.cpu_ns), facts_.system_calls);
    put("  {:5.1f} %  Tiercel's own part: starting, system calls, look-ups, signals\n",
        percent(rest - kernel, facts_.cpu_ns));
  }

  void tiers() {
    put("\nWhich tier executed the insns\n");
    put("  {:5.1f} %  optimised: {} regions of {} blocks, {:.2f} s of compilation in another process\n",
        share(s_.insns_in_regions), s_.regions.regions, s_.regions.region_blocks,
        seconds(s_.regions.region_compile_ns));
    put("  {:5.1f} %  fast\n", share(s_.insns_fast));
    if (s_.insns_interpreted != 0) put("  {:5.1f} %  interpreter\n", share(s_.insns_interpreted));
  }

  /// "/usr/bin/python3.11+0x1234", or the address.
  std::string place(u64 pc) const {
    for (const GuestMemory::Listed& m : memory_)
      if (pc >= m.start && pc < m.end && !m.name.empty())
        return fmt::format("{}+{:#x}", m.name.substr(m.name.starts_with(facts_.root) ? facts_.root.size() : 0),
                           pc - m.start + m.mapping.offset);
    return fmt::format("{:#x}", pc);
  }

  const char* why_plain(const engine::ExecutedBlock& b) const {
    if (b.counts.interpreted) return "it is interpreted, as the options want";
    if (b.pending) return "its region is still being compiled";
    if (b.refusal != engine::Refusal::None) return describe(b.refusal);
    if (b.counts.in_regions != 0) return "it ran before its region was ready, or is also reached from outside";
    if (b.counts.plain < options_.hot) return "it did not run often enough to be hot";
    return "no region took it in: no hot loop or function leads through it";
  }

  void slow_blocks() {
    if (!options_.wants_regions()) return;
    std::vector<const engine::ExecutedBlock*> hot;
    for (const engine::ExecutedBlock& b : facts_.blocks)
      if (static_cast<double>(insns_plain(b)) >= kWorthShowing * static_cast<double>(insns_)) hot.push_back(&b);
    if (hot.empty()) return;
    std::sort(hot.begin(), hot.end(), [](const auto* a, const auto* b) { return insns_plain(*a) > insns_plain(*b); });
    put("\nHot code that is not optimised\n");
    for (std::size_t i = 0; i < hot.size() && i < kShown; ++i)
      put("  {:5.1f} %  {}, {} insns: {}\n", share(insns_plain(*hot[i])), place(hot[i]->counts.key.pc),
          hot[i]->counts.insns, why_plain(*hot[i]));
    if (hot.size() > kShown) put("           and {} more blocks\n", hot.size() - kShown);
  }

  static const char* kind_of_exit(ir::Opcode end) {
    switch (end) {
      case ir::Opcode::Ret:
        return "a return";
      case ir::Opcode::JumpInd:
        return "an indirect jump";
      case ir::Opcode::CallInd:
        return "an indirect call";
      case ir::Opcode::Call:
        return "a call";
      default:
        return "a branch";
    }
  }

  void ways_out() {
    if (s_.region_exits == 0) return;
    put("\nOptimised code was left {} times, once per {} insns\n", s_.region_exits,
        s_.insns_in_regions / s_.region_exits);
    std::vector<const engine::ExecutedBlock*> leaving;
    for (const engine::ExecutedBlock& b : facts_.blocks)
      if (percent(b.counts.left, s_.region_exits) >= 1) leaving.push_back(&b);
    std::sort(leaving.begin(), leaving.end(),
              [](const auto* a, const auto* b) { return a->counts.left > b->counts.left; });
    for (std::size_t i = 0; i < leaving.size() && i < kShown; ++i)
      put("  {:5.1f} %  {}: through {}\n", percent(leaving[i]->counts.left, s_.region_exits),
          place(leaving[i]->counts.key.pc), kind_of_exit(leaving[i]->counts.end));
  }

  void remarks() {
    std::vector<std::string> found;
    const double translating = percent(s_.translate_ns, facts_.cpu_ns);
    if (translating > 20)
      found.push_back(
          fmt::format("{:.0f} % of the time is translation: the run is short, or much of its code runs once or twice",
                      translating));
    if (s_.invalidations > 100 && s_.invalidations * 10 > s_.blocks_translated)
      found.push_back(
          fmt::format("the program changes its own code (a JIT, or unloaded libraries): {} of {} blocks had to "
                      "be dropped",
                      s_.invalidations, s_.blocks_translated));
    if (const u64 full = s_.cache_flushes + s_.cache_evictions; full != 0)
      found.push_back(fmt::format("the code cache was full {} times; a larger one: --code-cache=1G", full));
    if (s_.faults > 1000)
      found.push_back(fmt::format("{} memory faults of the guest, each of which is a signal", s_.faults));
    if (s_.indirect_misses > 0 && insns_ / s_.indirect_misses < 2000)
      found.push_back(
          fmt::format("{} indirect branches went to places that the jump cache did not know", s_.indirect_misses));
    if (percent(facts_.kernel_ns, facts_.cpu_ns) > 30)
      found.push_back("the kernel has a large part of the time, which no translation can shorten");
    if (s_.unimplemented != 0)
      found.push_back(fmt::format("{} insns are not implemented and became SIGILL", s_.unimplemented));
    for (const auto& [name, count] : facts_.refused_calls)
      found.push_back(
          fmt::format("the system call {} was refused {} times; programs may use a slower way", name, count));
    if (!options_.wants_regions())
      found.push_back("hot code was not optimised: the tier is " + std::string(tier_name(options_.tier)));
    if (found.empty()) return;
    put("\nRemarks\n");
    for (const std::string& f : found) put("  * {}\n", f);
  }

  const RunFacts& facts_;
  const engine::Statistics& s_;
  const engine::Options& options_;
  const std::vector<GuestMemory::Listed>& memory_;
  u64 insns_ = 0;
  std::string out_;
};

}  // namespace

std::string explain(const RunFacts& facts, const engine::Options& options,
                    const std::vector<GuestMemory::Listed>& memory) {
  return Explanation(facts, options, memory).run();
}

}  // namespace tiercel::user
