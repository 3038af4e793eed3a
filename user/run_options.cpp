#include "user/run_options.h"

#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

namespace tiercel::user {

// Fields as key=value, separated by commas; the root comes last and runs to the end, because a path may hold anything.

std::string RunOptions::pack() const {
  std::string word = fmt::format(
      "tier={},hot={},lockstep={:d},tier-limit={},pass-limit={},chaos={},cache={},block={},host={},perf={:d},"
      "trace={},stats={:d},json={:d},explain={:d},named={:d},stack={},gdb={},dump={:d}{:d}{:d}{:d}{:d},",
      engine::tier_name(engine.tier), engine.hot, engine.lockstep, engine.tier_limit, engine.pass_limit,
      engine.chaos_seed, engine.code_cache_bytes, engine.max_block_insns, engine.host_level, engine.perf_map,
      strace ? trace_descriptor : -1, stats, stats_json, explain, tier_named, stack_bytes, gdb_handover,
      engine.dump.guest, engine.dump.ir, engine.dump.opt, engine.dump.host, engine.dump.llvm);
  for (const u64 pc : engine.dump.only) word += fmt::format("only={},", pc);
  return word + fmt::format("strict={:d},root={}", root_strict, root);
}

bool RunOptions::unpack(const std::string& word) {
  std::string_view rest = word;
  while (!rest.empty()) {
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = rest.substr(0, equals);
    rest.remove_prefix(equals + 1);
    if (key == "root") {
      root = rest;
      return true;
    }
    const std::size_t comma = rest.find(',');
    if (comma == std::string_view::npos) return false;
    const std::string value(rest.substr(0, comma));
    rest.remove_prefix(comma + 1);
    const u64 number = std::strtoull(value.c_str(), nullptr, 10);
    if (key == "tier")
      engine::parse_tier(value, engine.tier);
    else if (key == "hot")
      engine.hot = static_cast<u32>(number);
    else if (key == "lockstep")
      engine.lockstep = number != 0;
    else if (key == "tier-limit")
      engine.tier_limit = number;
    else if (key == "pass-limit")
      engine.pass_limit = number;
    else if (key == "chaos")
      engine.chaos_seed = static_cast<u32>(number);
    else if (key == "cache")
      engine.code_cache_bytes = number;
    else if (key == "block")
      engine.max_block_insns = static_cast<u32>(number);
    else if (key == "host")
      engine.host_level = static_cast<u32>(number);
    else if (key == "perf")
      engine.perf_map = number != 0;
    else if (key == "trace")
      strace = value != "-1", trace_descriptor = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
    else if (key == "stats")
      stats = engine.stats = number != 0;
    else if (key == "json")
      stats_json = number != 0;
    else if (key == "explain")
      explain = number != 0;
    else if (key == "named")
      tier_named = number != 0;
    else if (key == "stack")
      stack_bytes = number;
    else if (key == "gdb")
      gdb_handover = value;
    else if (key == "only")
      engine.dump.only.push_back(number);
    else if (key == "strict")
      root_strict = number != 0;
    else if (key == "dump" && value.size() == 5)
      engine.dump.guest = value[0] == '1', engine.dump.ir = value[1] == '1', engine.dump.opt = value[2] == '1',
      engine.dump.host = value[3] == '1', engine.dump.llvm = value[4] == '1';
    else
      return false;
  }
  return false;
}

}  // namespace tiercel::user
