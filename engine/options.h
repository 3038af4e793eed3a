// What the engine is told from the command line.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace tiercel::engine {

enum class Tier : u8 {
  Interp,
  Fast,
  Auto,  // fast, and hot loops as regions when the translation service has compiled them
  Llvm,  // the same, but the guest waits for each region: repeats exactly
};

constexpr const char* tier_name(Tier t) {
  constexpr const char* kNames[] = {"interp", "fast", "auto", "llvm"};
  return kNames[static_cast<unsigned>(t)];
}
/// False: no such tier.
inline bool parse_tier(std::string_view name, Tier& out) {
  for (const Tier t : {Tier::Interp, Tier::Fast, Tier::Auto, Tier::Llvm})
    if (name == tier_name(t)) return out = t, true;
  return false;
}

struct DumpOptions {
  bool guest = false, ir = false, opt = false, host = false, llvm = false;
  std::vector<u64> only;  // guest pcs; empty: every block
  bool any() const { return guest || ir || opt || host || llvm; }
};

struct Options {
  Tier tier = Tier::Fast;
  u32 hot = 16384;           // a loop is hot when its back edge was taken so often; with Tier::Llvm 1 means every block
  bool lockstep = false;     // run every block in both tiers and compare
  u64 tier_limit = ~u64{0};  // only the first N translated blocks use the fast tier, later ones are interpreted
  u64 pass_limit = ~u64{0};  // only the first N pass applications happen
  u32 chaos_seed = 0;        // nonzero: random block lengths, registers, tiers, thresholds, regions and losses of code
  u64 code_cache_bytes = 256 << 20;
  u64 tlb_bytes = 32 << 20;  // of a machine's vCPU, for address spaces
  u32 max_block_insns = 64;
  u64 compile_credit_ns = 100'000'000;  // of the translation service's time, besides an eighth of the CPU time
  u32 host_level = 4;                   // generated code uses nothing that a host of x86-64-vN does not have; 2 to 4
  bool perf_map = false;                // /tmp/perf-PID.map
  bool stats = false;
  bool counts_insns = false;  // Vcpu::set_budget
  DumpOptions dump;

  /// How often a hot head is executed in one round of a survey.
  u32 hot_round() const { return std::max(hot / 256, 1u); }
  /// Everything becomes a region, as it is translated.
  bool every_block() const { return tier == Tier::Llvm && hot <= 1; }

  /// Heads count only while that is of use (engine/counting.h); otherwise all of them always, and runs repeat.
  bool counts_selectively() const { return tier == Tier::Auto && chaos_seed == 0; }
  /// How often a head is executed until something is done about it.
  u32 warm() const { return counts_selectively() ? std::max(hot / 16, 1u) : hot; }

  bool wants_regions() const { return (tier == Tier::Auto || tier == Tier::Llvm) && !lockstep && !counts_insns; }
};

}  // namespace tiercel::engine
