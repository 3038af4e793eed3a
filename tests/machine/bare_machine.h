// The least that runs a bare-metal program: RAM, GICv3, timers, a UART and PSCI at the addresses of the virt board.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/options.h"
#include "system/bus/bus.h"
#include "system/cpu/arm_cpus.h"

namespace tiercel::test {

struct BareResult {
  bool powered_off = false;  // false: it had to be stopped after a while
  std::string output;
};

class BareMachine {
 public:
  static constexpr u64 kRam = 0x4000'0000;

  BareMachine(const engine::Options& options, const std::string& cpu, unsigned cpus);
  ~BareMachine();
  /// From kRam on.
  std::span<u8> ram();
  system::Bus& bus();
  system::ArmCpus& cpus();
  /// Once.
  BareResult run(const std::string& name);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Runs tests/machine/programs/`name`.S. `cpu`: the model.
BareResult run_bare(const std::string& name, const engine::Options& options, const std::string& cpu = "max",
                    unsigned cpus = 1);

/// What programs/`name`.expected says.
std::string expected_output(const std::string& name);

}  // namespace tiercel::test
