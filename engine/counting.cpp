#include "engine/counting.h"

#include <algorithm>

namespace tiercel::engine {
namespace {

constexpr u64 kMillisecond = 1'000'000;
// Between a clock's questions: one that asks more often costs more than it needs to; one that has not asked for so long
// is not executed any more.
constexpr u64 kHasty = 20 * kMillisecond, kGone = 100 * kMillisecond;
constexpr std::ptrdiff_t kAtOnce = 16;  // counted again: each costs some links and a question
constexpr u64 kLeastWait = 20 * kMillisecond, kLongestWait = 500 * kMillisecond;

}  // namespace

void Counting::prepare_link(const CachedExit& exit, CachedBlock& target, backend::Backend& backend) {
  CachedBlock& plain = plain_of(target);
  if (!exit.counted || plain.details().gate) return;
  backend.make_gate({plain.key.pc, plain.key.relative(), plain.key.origin()}, gate_);
  if (cache_.has_room(gate_.code.size() + gate_.alignment)) cache_.add_gate(plain, gate_);
}

void Counting::settle(CachedBlock& plain, u64 until) {
  settle(plain, until, 0);
  for (Clock& c : state_->clocks)  // its place is for one that still asks
    if (c.key == plain.key) c = {};
}

void Counting::settle(CachedBlock& plain, u64 until, u64 asked_after) {
  if (!selective_) return;
  // Each once: an edge between a machine's pages asks although the head is settled, as does another vCPU.
  std::erase_if(state_->settled, [&plain](const Settled& s) { return s.key == plain.key; });
  if (until != 0) {
    state_->settled.push_back({plain.key, until, asked_after});
    next_ = std::min(next_.load(), until);
  }
  cache_.set_counting(plain, false);
}

void Counting::resume(CachedBlock& plain) {
  std::erase_if(state_->settled, [&plain](const Settled& s) { return s.key == plain.key; });
  cache_.set_counting(plain, true);
}

void Counting::wait(CachedBlock& plain, u64 until) {
  const u64 now = monotonic_ns();
  auto& clocks = state_->clocks;
  const auto gone = [now](const Clock& c) { return now - c.asked > kGone; };
  auto place = std::find_if(clocks.begin(), clocks.end(), [&](const Clock& c) { return c.key == plain.key; });
  const bool hasty =
      place != clocks.end() && now - place->asked < kHasty && std::none_of(clocks.begin(), clocks.end(), gone);
  if (place == clocks.end()) place = std::find_if(clocks.begin(), clocks.end(), gone);
  if (place != clocks.end()) *place = {plain.key, hasty ? 0 : now};
  if (place == clocks.end() || hasty)
    settle(plain, std::clamp(until, now + kLeastWait, now + kLongestWait), now - state_->resumed);
}

std::vector<u32> Counting::reconsider() {
  const u64 now = monotonic_ns();
  if (now < next_) return {};
  std::vector<u32> counters;
  auto& settled = state_->settled;
  const auto due = std::partition(settled.begin(), settled.end(), [now](const Settled& s) { return s.until > now; });
  std::sort(due, settled.end(), [](const Settled& a, const Settled& b) { return a.asked_after > b.asked_after; });
  const auto few = settled.end() - std::min<std::ptrdiff_t>(settled.end() - due, kAtOnce);
  for (auto s = few; s != settled.end(); ++s) {
    counters.push_back(backend::hot_counter_index(s->key.origin() + s->key.pc));
    if (CachedBlock* block = cache_.find(s->key)) cache_.set_counting(plain_of(*block), true);
  }
  settled.erase(few, settled.end());
  next_ = settled.empty() ? kNever : now + kLeastWait;
  state_->resumed = now;
  return counters;
}

void Counting::forget(const std::function<bool(const guest::BlockKey&)>& gone) {
  std::erase_if(state_->settled, [&gone](const Settled& s) { return gone(s.key); });
}

void Counting::forget() {
  *state_ = {};
  next_ = kNever;
}

void Counting::abandon() {
  static_cast<void>(state_.release());
  state_ = std::make_unique<State>();
  next_ = kNever;
}

}  // namespace tiercel::engine
