#include <fmt/format.h>

#include <algorithm>

#include "user/report.h"

namespace tiercel::user {
namespace {

constexpr std::size_t kShownExits = 16;

/// The blocks at whose ends regions were left most.
std::string region_exits_text(const RunFacts& facts, bool json) {
  std::vector<std::pair<u64, u64>> exits;  // how often, where
  for (const engine::ExecutedBlock& b : facts.blocks)
    if (b.counts.left != 0) exits.emplace_back(b.counts.left, b.counts.key.pc);
  std::sort(exits.rbegin(), exits.rend());
  exits.resize(std::min(exits.size(), kShownExits));
  std::string text = json ? ", \"region_exits_at\": {" : "";
  const char* separator = "";
  for (const auto& [count, pc] : exits) {
    text += json ? fmt::format("{}\"{:#x}\": {}", separator, pc, count)
                 : fmt::format("  region_exits at {:#x}: {}\n", pc, count);
    separator = ", ";
  }
  if (json) text += "}";
  return text;
}

}  // namespace

std::string counters_text(const RunFacts& facts, bool json) {
  const engine::Statistics& s = facts.engine;
  const auto refused = [&s](engine::Refusal why) { return s.regions.refused[static_cast<unsigned>(why)]; };
  const std::pair<const char*, u64> counters[] = {{"blocks_translated", s.blocks_translated},
                                                  {"insns_translated", s.insns_translated},
                                                  {"host_bytes", s.host_bytes},
                                                  {"translate_ns", s.translate_ns},
                                                  {"link_misses", s.link_misses},
                                                  {"indirect_misses", s.indirect_misses},
                                                  {"interrupts", s.interrupts},
                                                  {"faults", s.faults},
                                                  {"invalidations", s.invalidations},
                                                  {"cache_flushes", s.cache_flushes},
                                                  {"cache_evictions", s.cache_evictions},
                                                  {"unimplemented", s.unimplemented},
                                                  {"executed_interp", s.insns_interpreted},
                                                  {"executed_fast", s.insns_fast},
                                                  {"executed_regions", s.insns_in_regions},
                                                  {"code_ns", s.code_ns},
                                                  {"region_exits", s.region_exits},
                                                  {"hot_exits", s.hot_exits},
                                                  {"region_faults", s.region_faults},
                                                  {"regions", s.regions.regions},
                                                  {"region_blocks", s.regions.region_blocks},
                                                  {"region_insns", s.regions.region_insns},
                                                  {"region_bytes", s.regions.region_bytes},
                                                  {"refused_unfit_head", refused(engine::Refusal::UnfitHead)},
                                                  {"refused_too_short", refused(engine::Refusal::TooShort)},
                                                  {"refused_left_too_soon", refused(engine::Refusal::LeftTooSoon)},
                                                  {"refused_busy", refused(engine::Refusal::ServiceBusy)},
                                                  {"refused_compiler", refused(engine::Refusal::NotCompiled)},
                                                  {"regions_dropped", s.regions.regions_dropped},
                                                  {"region_compile_ns", s.regions.region_compile_ns},
                                                  {"region_wait_ns", s.regions.region_wait_ns},
                                                  {"region_longest_wait_ns", s.regions.region_longest_wait_ns},
                                                  {"hot_to_first_region_ns", s.regions.hot_to_first_region_ns},
                                                  {"hot_to_region_longest_ns", s.regions.hot_to_region_longest_ns},
                                                  {"cpu_ns", facts.cpu_ns},
                                                  {"kernel_ns", facts.kernel_ns},
                                                  {"system_calls", facts.system_calls}};
  std::string text = json ? fmt::format("{{\"pid\": {}", facts.pid) : fmt::format("tiercel: pid {}\n", facts.pid);
  for (const auto& [name, value] : counters)
    text += json ? fmt::format(", \"{}\": {}", name, value) : fmt::format("  {:<20} {}\n", name, value);
  text += region_exits_text(facts, json);
  if (json) text += ", \"refused_calls\": {";
  const char* separator = "";
  for (const auto& [name, count] : facts.refused_calls) {
    text += json ? fmt::format("{}\"{}\": {}", separator, name, count)
                 : fmt::format("  refused call {:<7} {} times\n", name, count);
    separator = ", ";
  }
  if (json) text += "}}\n";
  return text;
}

}  // namespace tiercel::user
