#include "system/interrupt/cycle_interrupts.h"

namespace tiercel::system {

CycleInterrupts::CycleInterrupts(Clock& clock, const std::vector<IrqLine>& lines) : clock_(clock), cpus_(lines.size()) {
  for (unsigned i = 0; i < lines.size(); ++i) {
    Cpu& cpu = cpus_[i];
    cpu.line = lines[i];
    cpu.alarm = clock.add_timer([this, &cpu] {
      const std::scoped_lock lock(mutex_);
      if (clock_.now() < cpu.overflow_at) return;
      cpu.overflow_at = Clock::kNever;
      cpu.line.set(true);
    });
  }
}

void CycleInterrupts::set(unsigned cpu, bool level, u64 overflow_at) {
  const std::scoped_lock lock(mutex_);
  Cpu& c = cpus_[cpu];
  c.line.set(level);
  if (c.overflow_at == overflow_at) return;
  c.overflow_at = overflow_at;
  clock_.arm(c.alarm, overflow_at);
}

void CycleInterrupts::reset() {
  for (unsigned i = 0; i < cpus_.size(); ++i) set(i, false, Clock::kNever);
}

}  // namespace tiercel::system
