#include "system/interrupt/generic_timer.h"

#include <algorithm>

#include "base/bits.h"

namespace tiercel::system {
namespace {

constexpr u64 kEnable = 1 << 0, kMask = 1 << 1, kStatus = 1 << 2;  // CNTx_CTL

}  // namespace

GenericTimer::GenericTimer(Clock& clock, u64 frequency, const std::vector<Lines>& lines)
    : clock_(clock),
      frequency_(frequency),
      nanoseconds_(kNanosecondsPerSecond % frequency == 0 ? kNanosecondsPerSecond / frequency : 0),
      cpus_(lines.size()) {
  for (unsigned cpu = 0; cpu < lines.size(); ++cpu) {
    cpus_[cpu].timers[kPhysical].line = lines[cpu].physical;
    cpus_[cpu].timers[kVirtual].line = lines[cpu].virtual_;
    for (const Which which : {kPhysical, kVirtual})
      cpus_[cpu].timers[which].alarm = clock.add_timer([this, cpu, which] {
        const std::scoped_lock lock(mutex_);
        update(cpu, which);
      });
  }
}

u64 GenericTimer::ticks() const {
  if (nanoseconds_ != 0) return clock_.now() / nanoseconds_;
  return static_cast<u64>(static_cast<unsigned __int128>(clock_.now()) * frequency_ / kNanosecondsPerSecond);
}

u64 GenericTimer::count(unsigned cpu, Which which) const {
  return count_of(cpus_[cpu], which);
}

u64 GenericTimer::control(unsigned cpu, Which which) const {
  const std::scoped_lock lock(mutex_);
  const Timer& t = cpus_[cpu].timers[which];
  // ISTATUS while disabled is UNKNOWN: here zero.
  return (t.enabled ? kEnable : 0) | (t.masked ? kMask : 0) | (t.enabled && due(cpus_[cpu], which) ? kStatus : 0);
}

void GenericTimer::set_control(unsigned cpu, Which which, u64 value) {
  const std::scoped_lock lock(mutex_);
  Timer& t = cpus_[cpu].timers[which];
  t.enabled = value & kEnable;
  t.masked = value & kMask;
  update(cpu, which);
}

u64 GenericTimer::compare(unsigned cpu, Which which) const {
  const std::scoped_lock lock(mutex_);
  return cpus_[cpu].timers[which].compare;
}

void GenericTimer::set_compare(unsigned cpu, Which which, u64 value) {
  const std::scoped_lock lock(mutex_);
  cpus_[cpu].timers[which].compare = value;
  update(cpu, which);
}

u64 GenericTimer::timer_value(unsigned cpu, Which which) const {
  const std::scoped_lock lock(mutex_);
  return bits(cpus_[cpu].timers[which].compare - count_of(cpus_[cpu], which), 0, 32);
}

void GenericTimer::set_timer_value(unsigned cpu, Which which, u64 value) {
  const std::scoped_lock lock(mutex_);
  Cpu& c = cpus_[cpu];
  c.timers[which].compare = count_of(c, which) + static_cast<u64>(sign_extend(value, 32));
  update(cpu, which);
}

void GenericTimer::set_virtual_offset(unsigned cpu, u64 value) {
  const std::scoped_lock lock(mutex_);
  cpus_[cpu].offset = value;
  update(cpu, kVirtual);
}

void GenericTimer::reset() {
  const std::scoped_lock lock(mutex_);
  for (unsigned cpu = 0; cpu < cpus_.size(); ++cpu) {
    cpus_[cpu].offset = 0;
    for (const Which which : {kPhysical, kVirtual}) {
      Timer& t = cpus_[cpu].timers[which];
      t.compare = 0;
      t.enabled = t.masked = false;
      update(cpu, which);
    }
  }
}

void GenericTimer::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  for (unsigned cpu = 0; cpu < cpus_.size(); ++cpu) {
    state(cpus_[cpu].offset);
    for (const Which which : {kPhysical, kVirtual}) {
      Timer& t = cpus_[cpu].timers[which];
      state(t.compare, t.enabled, t.masked);
      if (state.loads()) update(cpu, which);
    }
  }
}

/// When an enabled, unmasked timer that is not due yet will be.
u64 GenericTimer::deadline(const Cpu& cpu, Which which) const {
  const Timer& t = cpu.timers[which];
  if (!t.enabled || t.masked || due(cpu, which)) return Clock::kNever;
  using Wide = unsigned __int128;
  // From the distance: the comparison value and the offset may each have wrapped.
  const Wide target = Wide{ticks()} + (t.compare - count_of(cpu, which));
  const Wide time = (target * kNanosecondsPerSecond + frequency_ - 1) / frequency_;
  return time >= Clock::kNever ? Clock::kNever : static_cast<u64>(time);
}

void GenericTimer::update(unsigned cpu, Which which) {
  const Cpu& c = cpus_[cpu];
  const Timer& t = c.timers[which];
  // The deadline first: a tick between the two asks makes the alarm ring at once, it cannot be lost.
  clock_.arm(t.alarm, deadline(c, which));
  t.line.set(t.enabled && !t.masked && due(c, which));
}

u64 GenericTimer::next_deadline(unsigned cpu) const {
  const std::scoped_lock lock(mutex_);
  return std::min(deadline(cpus_[cpu], kPhysical), deadline(cpus_[cpu], kVirtual));
}

}  // namespace tiercel::system
