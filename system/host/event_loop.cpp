#include "system/host/event_loop.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace tiercel::system {
namespace {

// epoll's user data: these two, and above them the generation of a watch.
constexpr u64 kWakeEvent = 0, kTimerEvent = 1;

bool add_input(int epoll, int fd, u64 data) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = data;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void drain(int fd) {
  u64 count;
  [[maybe_unused]] const ssize_t got = read(fd, &count, sizeof count);
}

}  // namespace

void EventLoop::Doorbell::ring() {
  if (!pending_.exchange(true)) loop_.wake();
}

Result<std::unique_ptr<EventLoop>> EventLoop::create(Clock* clock) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (!add_input(epoll, wake, kWakeEvent) || !add_input(epoll, timer, kTimerEvent)) {
    const int error = errno;
    for (const int fd : {epoll, wake, timer})
      if (fd >= 0) close(fd);
    return fail(error, fmt::format("cannot make an event loop: {}", std::strerror(error)));
  }
  return std::unique_ptr<EventLoop>(new EventLoop(clock, epoll, wake, timer));
}

EventLoop::EventLoop(Clock* clock, int epoll, int wake, int timer)
    : clock_(clock), epoll_(epoll), wake_(wake), timer_(timer) {
  if (clock_) clock_->on_earlier([this] { this->wake(); });
}

EventLoop::~EventLoop() {
  stop();
  if (clock_) clock_->on_earlier(nullptr);
  close(epoll_);
  close(wake_);
  close(timer_);
}

EventLoop::Doorbell& EventLoop::add_doorbell(std::function<void()> call) {
  CHECK(!thread_.joinable());
  doorbells_.push_back(std::unique_ptr<Doorbell>(new Doorbell(*this, std::move(call))));
  return *doorbells_.back();
}

void EventLoop::wake() const {
  const u64 one = 1;
  // Fails only when the counter is full, and then the loop is awake anyway.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

void EventLoop::watch(int fd, u32 events, std::function<void(u32)> ready) {
  auto at = std::find_if(watches_.begin(), watches_.end(), [&](const Watch& w) { return w.fd == fd; });
  epoll_event event = {};
  event.events = events;
  event.data.u64 = ++generation_;
  const int operation = at == watches_.end() ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  CHECK_MSG(epoll_ctl(epoll_, operation, fd, &event) == 0, "a descriptor cannot be watched");
  Watch watch{fd, generation_, std::move(ready)};
  if (at == watches_.end())
    watches_.push_back(std::move(watch));
  else
    *at = std::move(watch);
}

void EventLoop::unwatch(int fd) {
  if (std::erase_if(watches_, [&](const Watch& w) { return w.fd == fd; }) != 0)
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::set_timer() {
  const u64 deadline = clock_ && !clock_->stands_still() ? clock_->next_deadline() : Clock::kNever;
  if (deadline == timer_deadline_) return;
  timer_deadline_ = deadline;
  itimerspec time = {};
  if (deadline != Clock::kNever) {
    const u64 now = clock_->now();
    const u64 wait = deadline > now ? deadline - now : 1;  // all zero would mean never
    time.it_value.tv_sec = static_cast<time_t>(wait / kNanosecondsPerSecond);
    time.it_value.tv_nsec = static_cast<long>(wait % kNanosecondsPerSecond);
  }
  timerfd_settime(timer_, 0, &time, nullptr);
}

void EventLoop::run_once(int timeout_ms) {
  for (const auto& call : before_wait_) call();
  set_timer();
  std::array<epoll_event, 32> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const u64 generation = events[static_cast<std::size_t>(i)].data.u64;
    if (generation == kWakeEvent) {
      drain(wake_);
      continue;
    }
    if (generation == kTimerEvent) {
      drain(timer_);
      timer_deadline_ = Clock::kNever;  // it must be set again, also for the same deadline
      continue;
    }
    // An earlier handler of this round may have unwatched it: then the generation is gone.
    const auto at =
        std::find_if(watches_.begin(), watches_.end(), [&](const Watch& w) { return w.generation == generation; });
    if (at == watches_.end()) continue;
    const auto ready = at->ready;
    ready(events[static_cast<std::size_t>(i)].events);
  }
  for (const auto& doorbell : doorbells_)
    if (doorbell->pending_.exchange(false)) doorbell->call_();
  if (clock_) clock_->run_due();
}

void EventLoop::start() {
  CHECK(!thread_.joinable());
  stopping_ = false;
  thread_ = std::thread([this] {
    while (!stopping_) run_once(-1);
  });
}

void EventLoop::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wake();
  thread_.join();
}

}  // namespace tiercel::system
