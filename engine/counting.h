// Which blocks are counted when an edge that may close a loop leads to them. Counting is done by a gate in front of the
// block (backend::Backend::make_gate), and costs a few per cent of the time where everything is counted: so nothing is
// that is decided for now, and of the heads that have to wait for a decision only a few.
//
// Everything here needs the engine's lock unless it says otherwise.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "base/time.h"
#include "engine/code_cache.h"

namespace tiercel::engine {

class Counting {
 public:
  /// Not `selective`: everything is counted, always, so that runs repeat.
  Counting(CodeCache& cache, bool selective) : cache_(cache), selective_(selective) {}

  /// `exit` is about to be linked to `target`, which gets a gate if it has none and may have to be counted, now or when
  /// it is looked at again.
  void prepare_link(const CachedExit& exit, CachedBlock& target, backend::Backend& backend);

  /// From now on `plain` is not counted: until then (monotonic_ns), or for ever (0).
  void settle(CachedBlock& plain, u64 until);
  /// It is counted from now on, for its survey.
  void resume(CachedBlock& plain);
  /// It was hot and has to wait, until then as far as is known. If enough others are counted, so that somebody will ask
  /// again, it is settled meanwhile.
  void wait(CachedBlock& plain, u64 until);

  /// Counts a few of the heads that were settled until now, the hottest first. Returns their gates'
  /// counters, as hot_counter_index.
  std::vector<u32> reconsider();
  /// Whether that is due, roughly. Any thread, without the lock.
  bool may_reconsider() const {
    const u64 next = next_.load(std::memory_order_relaxed);
    return next != kNever && coarse_monotonic_ns() >= next;
  }

  /// The blocks with these keys are gone.
  void forget(const std::function<bool(const guest::BlockKey&)>& gone);
  /// All blocks are gone.
  void forget();
  /// The same when what is here may be half changed: it is not destroyed.
  void abandon();

 private:
  static constexpr u64 kNever = ~u64{0};

  /// A head that waits and is counted.
  struct Clock {
    guest::BlockKey key;
    u64 asked = 0;  // monotonic_ns
  };
  struct Settled {
    guest::BlockKey key;
    u64 until;
    u64 asked_after;  // ns of counting; the less, the hotter
  };
  struct State {
    std::vector<Settled> settled;
    std::array<Clock, 4> clocks{};
    u64 resumed = 0;  // monotonic_ns: when some were counted again
  };

  void settle(CachedBlock& plain, u64 until, u64 asked_after);

  CodeCache& cache_;
  const bool selective_;
  std::unique_ptr<State> state_ = std::make_unique<State>();
  std::atomic<u64> next_{kNever};  // when something is to be reconsidered
  backend::CompiledCode gate_;
};

}  // namespace tiercel::engine
