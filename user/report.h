// What is said at the end of a run about how it went.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "user/memory/guest_memory.h"

namespace tiercel::user {

struct RunFacts {
  std::string program;
  std::string root;  // what names of mapped files begin with
  pid_t pid = 0;
  engine::Statistics engine;
  std::vector<engine::ExecutedBlock> blocks;
  u64 cpu_ns = 0, kernel_ns = 0;  // of the process: all CPU time, and the kernel's part of it
  u64 system_calls = 0;
  std::vector<std::pair<std::string, u64>> refused_calls;
};

/// `--stats`: every counter by name, or all as one line of JSON.
std::string counters_text(const RunFacts& facts, bool json);

/// `tiercel explain`: where the time went and why, in plain words. `memory` names the places of code.
std::string explain(const RunFacts& facts, const engine::Options& options,
                    const std::vector<GuestMemory::Listed>& memory);

}  // namespace tiercel::user
