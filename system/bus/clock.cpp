#include "system/bus/clock.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/check.h"
#include "base/time.h"

namespace tiercel::system {

Clock::TimerId Clock::add_timer(std::function<void()> fire) {
  const std::scoped_lock lock(mutex_);
  timers_.push_back({kNever, std::move(fire)});
  return static_cast<TimerId>(timers_.size() - 1);
}

void Clock::arm(TimerId timer, u64 deadline) {
  {
    const std::scoped_lock lock(mutex_);
    CHECK(timer < timers_.size());
    const u64 before = earliest();
    timers_[timer].deadline = deadline;
    if (deadline >= before) return;
  }
  tell_sleeper();
}

u64 Clock::earliest() const {
  u64 best = kNever;
  for (const Timer& timer : timers_) best = std::min(best, timer.deadline);
  return best;
}

u64 Clock::next_deadline() const {
  const std::scoped_lock lock(mutex_);
  return earliest();
}

void Clock::run_due() {
  while (true) {
    std::function<void()> fire;
    {
      const std::scoped_lock lock(mutex_);
      const auto first = std::min_element(timers_.begin(), timers_.end(),
                                          [](const Timer& a, const Timer& b) { return a.deadline < b.deadline; });
      if (first == timers_.end() || first->deadline == kNever || first->deadline > now()) return;
      first->deadline = kNever;
      fire = first->fire;
    }
    fire();
  }
}

RealClock::RealClock() : zero_(monotonic_ns()) {}

u64 RealClock::now() const {
  const u64 paused_at = paused_at_;
  return paused_at != kNever ? paused_at : monotonic_ns() - zero_;
}

u64 RealClock::wall_seconds() const {
  return clock_ns(CLOCK_REALTIME) / kNanosecondsPerSecond;
}

void RealClock::pause() {
  if (paused_at_ == kNever) paused_at_ = now();
}

void RealClock::resume() {
  if (paused_at_ == kNever) return;
  zero_ = monotonic_ns() - paused_at_;
  paused_at_ = kNever;
  tell_sleeper();
}

bool RealClock::stands_still() const {
  return paused_at_ != kNever;
}

void RealClock::serialize(Archive& state) {
  u64 time = now();
  state(time);
  state.require(time < kNever / 2);
  if (state.loads()) zero_ = monotonic_ns() - time;
  if (state.loads() && paused_at_ != kNever) paused_at_ = time;
}

void InsnClock::skip_to(u64 deadline) {
  if (deadline < kNever / 1000) picoseconds_ = std::max(picoseconds_, deadline * 1000);
}

u64 InsnClock::insns_until(u64 deadline) const {
  if (deadline >= kNever / 1000 || deadline <= now()) return deadline <= now() ? 1 : kNever;
  return std::max<u64>(1, (deadline * 1000 - picoseconds_ + rate_ - 1) / rate_);
}

}  // namespace tiercel::system
