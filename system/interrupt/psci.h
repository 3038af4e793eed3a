// Power State Coordination Interface 1.1, and the part of the SMC Calling Convention that goes with it.
// Arm DEN 0022 and DEN 0028. Called by HVC or SMC, whichever the device tree names.
#pragma once

#include <array>

#include "base/types.h"

namespace tiercel::system {

/// What the machine does for it. `cpu` counts from 0; all of this on the calling vCPU's thread.
class PsciHost {
 public:
  enum class Power { Off, Starting, On };
  virtual ~PsciHost() = default;
  virtual unsigned cpus() const = 0;
  virtual Power power(unsigned cpu) const = 0;
  /// Whether a CPU may start at `entry`: it is in RAM or flash.
  virtual bool can_execute(PAddr entry) const = 0;
  /// Starts CPU `cpu` at `entry` in EL1, x0 = context. False: it was not off after all (two CPUs asked at once).
  virtual bool start(unsigned cpu, PAddr entry, u64 context) = 0;
  virtual void stop_self(unsigned cpu) = 0;
  /// As WFI: until an interrupt is pending.
  virtual void suspend_self(unsigned cpu) = 0;
  virtual void power_off() = 0;
  /// `warm`: SYSTEM_RESET2, which asks for a reset that keeps RAM.
  virtual void reset(bool warm) = 0;
};

class Psci {
 public:
  explicit Psci(PsciHost& host) : host_(host) {}
  /// x0 of a call by CPU `cpu`: `function` is W0, `arguments` are X1 to X3. Unknown functions give NOT_SUPPORTED.
  u64 call(unsigned cpu, u32 function, const std::array<u64, 3>& arguments);

 private:
  u64 start_cpu(u64 target, u64 entry, u64 context);
  u64 affinity_info(u64 target, u64 level) const;
  /// The CPU with that affinity (MPIDR), or host_.cpus().
  unsigned cpu_of(u64 affinity) const;
  PsciHost& host_;
};

}  // namespace tiercel::system
