// The generic timer as seen from EL1 and EL0. Arm ARM (DDI 0487), "The Generic Timer in AArch64 state".
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

#include "system/bus/clock.h"
#include "system/bus/irq_line.h"
#include "system/snapshot/archive.h"

namespace tiercel::system {

class GenericTimer {
 public:
  enum Which : unsigned { kPhysical, kVirtual };
  static constexpr u32 kPhysicalPpi = 14, kVirtualPpi = 11;  // INTIDs 30 and 27, as the Base System Architecture says

  struct Lines {
    IrqLine physical, virtual_;
  };
  /// One pair of lines for each CPU. `frequency` in Hz is CNTFRQ_EL0.
  GenericTimer(Clock& clock, u64 frequency, const std::vector<Lines>& lines);

  u64 frequency() const { return frequency_; }
  /// Of the clock behind it.
  u64 nanoseconds() const { return clock_.now(); }
  /// CNTPCT, or CNTVCT: that minus CNTVOFF, which is zero after reset. Takes no lock.
  u64 count(unsigned cpu, Which which) const;

  // CNTx_CTL, CNTx_CVAL, CNTx_TVAL and CNTVOFF of one CPU. Any thread.
  u64 control(unsigned cpu, Which which) const;
  void set_control(unsigned cpu, Which which, u64 value);
  u64 compare(unsigned cpu, Which which) const;
  void set_compare(unsigned cpu, Which which, u64 value);
  u64 timer_value(unsigned cpu, Which which) const;
  void set_timer_value(unsigned cpu, Which which, u64 value);
  void set_virtual_offset(unsigned cpu, u64 value);

  void reset();
  /// After the clock.
  void serialize(Archive& state);
  /// The clock's time of this CPU's next interrupt, or Clock::kNever.
  u64 next_deadline(unsigned cpu) const;

 private:
  struct Timer {
    u64 compare = 0;
    bool enabled = false, masked = false;
    IrqLine line;
    Clock::TimerId alarm = 0;
  };
  struct Cpu {
    std::array<Timer, 2> timers;
    std::atomic<u64> offset{0};  // CNTVOFF
  };

  u64 ticks() const;
  u64 count_of(const Cpu& cpu, Which which) const { return ticks() - (which == kVirtual ? cpu.offset.load() : 0); }
  bool due(const Cpu& cpu, Which which) const { return count_of(cpu, which) >= cpu.timers[which].compare; }
  u64 deadline(const Cpu& cpu, Which which) const;
  void update(unsigned cpu, Which which);

  Clock& clock_;
  u64 frequency_;
  u64 nanoseconds_;  // of a tick, or 0: not a whole number
  mutable std::mutex mutex_;
  std::vector<Cpu> cpus_;
};

}  // namespace tiercel::system
