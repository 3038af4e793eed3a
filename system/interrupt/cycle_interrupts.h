// The interrupts of the CPUs' performance monitors: of a cycle counter that overflowed.
#pragma once

#include <mutex>
#include <vector>

#include "system/bus/clock.h"
#include "system/bus/irq_line.h"

namespace tiercel::system {

class CycleInterrupts {
 public:
  static constexpr u32 kPpi = 7;  // INTID 23, as the Base System Architecture says

  /// A line for each CPU.
  CycleInterrupts(Clock& clock, const std::vector<IrqLine>& lines);

  /// What the line of a CPU is now, and when its counter overflows if nobody says anything else until then:
  /// Clock::kNever, or the clock's time. Any thread.
  void set(unsigned cpu, bool level, u64 overflow_at);
  void reset();

 private:
  struct Cpu {
    IrqLine line;
    Clock::TimerId alarm = 0;
    u64 overflow_at = Clock::kNever;
  };
  Clock& clock_;
  std::mutex mutex_;
  std::vector<Cpu> cpus_;
};

}  // namespace tiercel::system
