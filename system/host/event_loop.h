// The I/O thread: everything that waits for the outside world, so that no vCPU does.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "system/bus/clock.h"

namespace tiercel::system {

/// Runs handlers for descriptors and doorbells, one at a time. A machine may have several: a disk that waits in pread
/// has its own. With a clock it also fires that clock's timers (one loop per clock does).
class EventLoop {
 public:
  /// Asks the loop to call a function soon. Many rings before the call are one call.
  class Doorbell {
   public:
    /// Any thread; async-signal-safe.
    void ring();

   private:
    friend class EventLoop;
    Doorbell(EventLoop& loop, std::function<void()> call) : loop_(loop), call_(std::move(call)) {}
    EventLoop& loop_;
    std::function<void()> call_;
    std::atomic<bool> pending_{false};
  };

  static Result<std::unique_ptr<EventLoop>> create(Clock* clock = nullptr);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Made before the loop starts; lives as long as the loop.
  Doorbell& add_doorbell(std::function<void()> call);
  /// Calls `ready` with what epoll reported, as long as `events` (EPOLLIN, EPOLLOUT; level-triggered) hold. Watching a
  /// descriptor again replaces events and function. Before the loop starts, or from a handler.
  void watch(int fd, u32 events, std::function<void(u32)> ready);
  void unwatch(int fd);

  /// Called on the loop's thread each time before it waits. Before the loop starts.
  void before_wait(std::function<void()> call) { before_wait_.push_back(std::move(call)); }

  /// A thread of its own until stop.
  void start();
  /// Returns when the thread has ended. Handlers never run afterwards.
  void stop();
  /// Without a thread (deterministic runs): runs what is ready now, waiting at most `timeout_ms` for something (-1: as
  /// long as it takes).
  void run_once(int timeout_ms);

 private:
  EventLoop(Clock* clock, int epoll, int wake, int timer);
  void wake() const;
  void set_timer();

  struct Watch {
    int fd;
    u64 generation;
    std::function<void(u32)> ready;
  };

  Clock* clock_;
  int epoll_;
  int wake_;   // an eventfd
  int timer_;  // a timerfd: epoll's own timeout counts milliseconds, guests ask for microseconds
  u64 timer_deadline_ = Clock::kNever;
  u64 generation_ = 1;
  std::vector<std::unique_ptr<Doorbell>> doorbells_;
  std::vector<Watch> watches_;
  std::vector<std::function<void()>> before_wait_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tiercel::system
