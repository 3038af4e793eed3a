// The least that runs a bare-metal program: RAM, GICv3, timers, a UART and PSCI at the addresses of the virt board.
#pragma once

#include <string>

#include "engine/options.h"

namespace tiercel::test {

struct BareResult {
  bool powered_off = false;  // false: it had to be stopped after a while
  std::string output;
};

/// Runs tests/machine/programs/`name`.S. `cpu`: the model.
BareResult run_bare(const std::string& name, const engine::Options& options, const std::string& cpu = "max",
                    unsigned cpus = 1);

/// What programs/`name`.expected says.
std::string expected_output(const std::string& name);

}  // namespace tiercel::test
