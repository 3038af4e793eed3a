// Guest time, and things that happen at a time.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "base/types.h"
#include "system/snapshot/archive.h"

namespace tiercel::system {

inline constexpr u64 kNanosecondsPerSecond = 1'000'000'000;

/// Nanoseconds since the machine was switched on. Timers are set by any thread; whoever runs the clock calls run_due.
class Clock {
 public:
  static constexpr u64 kNever = ~u64{0};
  using TimerId = u32;

  virtual ~Clock() = default;
  virtual u64 now() const = 0;
  /// Nothing will become due while one waits for it, until on_earlier's function is called.
  virtual bool stands_still() const { return false; }
  /// Seconds since 1970 now, for real-time clocks.
  virtual u64 wall_seconds() const = 0;

  /// Its part of a snapshot; not the timers, which those who use them set again. While it stands still.
  virtual void serialize(Archive& state) = 0;

  /// `fire` runs in run_due, without any lock of the clock. It may run once more right after disarm or a later arm:
  /// a device looks at the time instead of trusting the call.
  TimerId add_timer(std::function<void()> fire);
  void arm(TimerId timer, u64 deadline);
  void disarm(TimerId timer) { arm(timer, kNever); }

  u64 next_deadline() const;
  /// Fires every timer whose deadline has come, the earliest first, equal ones in the order of their creation.
  void run_due();
  /// Called by arm when next_deadline became earlier, so that a sleeper can shorten its sleep.
  void on_earlier(std::function<void()> hook) { on_earlier_ = std::move(hook); }

 protected:
  void tell_sleeper() {
    if (on_earlier_) on_earlier_();
  }

 private:
  struct Timer {
    u64 deadline = kNever;
    std::function<void()> fire;
  };
  u64 earliest() const;

  mutable std::mutex mutex_;
  std::vector<Timer> timers_;  // a machine has a dozen: a scan is cheaper than a heap
  std::function<void()> on_earlier_;
};

/// The host's time, which stands still while the machine is paused.
class RealClock final : public Clock {
 public:
  RealClock();
  u64 now() const override;
  u64 wall_seconds() const override;
  bool stands_still() const override;
  void serialize(Archive& state) override;
  /// One thread pauses and resumes.
  void pause();
  void resume();

 private:
  // Guests ask for the time more often than for anything else: no lock. resume() sets zero_ first.
  std::atomic<u64> zero_;               // the host's time that counts as 0
  std::atomic<u64> paused_at_{kNever};  // our time while paused
};

/// Time driven by executed insns, for runs that repeat exactly. One thread.
class InsnClock final : public Clock {
 public:
  /// `wall_start`: what a real-time clock shows at power-on.
  InsnClock(u64 picoseconds_per_insn, u64 wall_start) : rate_(picoseconds_per_insn), wall_start_(wall_start) {}
  u64 now() const override { return picoseconds_ / 1000; }
  u64 wall_seconds() const override { return wall_start_ + now() / kNanosecondsPerSecond; }
  bool stands_still() const override { return true; }  // for all who wait
  void serialize(Archive& state) override { state(picoseconds_); }
  void retire(u64 insns) { picoseconds_ += insns * rate_; }
  /// Every vCPU sleeps: time jumps to what wakes one.
  void skip_to(u64 deadline);
  /// How many insns may run before `deadline`; at least 1.
  u64 insns_until(u64 deadline) const;

 private:
  u64 rate_;
  u64 wall_start_;
  u64 picoseconds_ = 0;  // good for half a year of guest time
};

}  // namespace tiercel::system
