#include "debug/all_stop.h"

#include <algorithm>

namespace tiercel::debug {

void AllStop::join(Member& member) {
  const std::lock_guard guard(mutex_);
  members_.push_back(&member);
  look();
}

void AllStop::leave(Member& member) {
  const std::lock_guard guard(mutex_);
  std::erase(members_, &member);
  const bool some_go_on =
      std::any_of(members_.begin(), members_.end(), [](const Member* m) { return m->resume.how != Resume::How::Hold; });
  // Nobody would ever have anything to report.
  if (attached_ && !stopping_ && !members_.empty() && !some_go_on)
    stop_all({.kind = StopEvent::Kind::Interrupted, .thread = members_.front()->id}, nullptr);
  look();
}

bool AllStop::runs() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member* m) { return m->state == Member::State::Running; });
}

/// A thread stands still, perhaps the last one.
void AllStop::look() {
  if ((!stopping_ && !frozen_) || (runs() && !ended_)) return;
  if (event_) stopped_();
  changed_.notify_all();  // detach, freeze
}

void AllStop::look_for_calm(bool watching) {
  calm_ = !stopping_ && !frozen_ && !watching && std::all_of(members_.begin(), members_.end(), [](const Member* m) {
    return m->resume.how == Resume::How::Continue && m->resume.signal == 0;
  });
}

void AllStop::poke_all(const Member* but) {
  calm_ = false;
  for (const Member* m : members_)
    if (m != but && m->state == Member::State::Running) m->vcpu->request_exit();
}

void AllStop::wait(Lock& lock, Member& member) {
  if (member.on_wait) member.on_wait(true);
  member.state = Member::State::Waiting;
  look();
  changed_.wait(lock, [&] { return !shall_wait(member); });
  member.state = Member::State::Running;
  if (member.on_wait) member.on_wait(false);
}

Resume AllStop::pause(Member& member) {
  Lock lock(mutex_);
  if (shall_wait(member)) wait(lock, member);
  const Resume how = member.resume;
  member.resume.signal = 0;
  return how;
}

void AllStop::hold() {
  const std::lock_guard guard(mutex_);
  stopping_ = true;
  calm_ = false;
}

void AllStop::freeze() {
  Lock lock(mutex_);
  frozen_ = true;
  poke_all(nullptr);
  changed_.wait(lock, [&] { return !runs() || gone_; });
}

void AllStop::thaw() {
  const std::lock_guard guard(mutex_);
  frozen_ = false;
  changed_.notify_all();
}

bool AllStop::frozen() const {
  const std::lock_guard guard(mutex_);
  return frozen_;
}

void AllStop::let_go() {
  const std::lock_guard guard(mutex_);
  gone_ = true;
  changed_.notify_all();
}

void AllStop::start_again() {
  const std::lock_guard guard(mutex_);
  gone_ = false;
}

void AllStop::stop_all(const StopEvent& event, const Member* by) {
  stopping_ = true;
  event_ = event;
  poke_all(by);
  look();
}

AllStop::Outcome AllStop::report(Member& member, const StopEvent& event) {
  Lock lock(mutex_);
  if (!attached_ || gone_) return Outcome::Unheard;
  const bool first = !stopping_;
  if (first) stop_all(event, &member);
  wait(lock, member);
  return first ? Outcome::Resumed : Outcome::Missed;
}

void AllStop::enter_call(Member& member) {
  const std::lock_guard guard(mutex_);
  member.state = Member::State::InCall;
  look();
}

void AllStop::leave_call(Member& member) {
  Lock lock(mutex_);
  changed_.wait(lock, [&] { return !shall_wait(member); });
  member.state = Member::State::Running;
}

void AllStop::end(Member* member, const StopEvent& event) {
  Lock lock(mutex_);
  if (!attached_) return;
  if (member && stopping_) wait(lock, *member);
  if (!attached_ || ended_) return;
  ended_ = true;
  stop_all(event, member);
  changed_.wait(lock, [&] { return end_known_; });
}

void AllStop::attach() {
  const std::lock_guard guard(mutex_);
  attached_ = true;
  end_known_ = false;
  constexpr int kTrap = 5;
  stop_all(
      {.kind = StopEvent::Kind::Interrupted, .thread = members_.empty() ? 0 : members_.front()->id, .number = kTrap},
      nullptr);
}

void AllStop::interrupt() {
  const std::lock_guard guard(mutex_);
  if (!attached_ || stopping_) return;
  stop_all({.kind = StopEvent::Kind::Interrupted, .thread = members_.empty() ? 0 : members_.front()->id}, nullptr);
}

std::optional<StopEvent> AllStop::take_event() {
  const std::lock_guard guard(mutex_);
  if (!event_ || ((runs() || members_.empty()) && !ended_)) return {};
  const std::optional<StopEvent> event = event_;
  event_.reset();
  return event;
}

void AllStop::resume(const std::function<Resume(ThreadId)>& how, bool watching) {
  const std::lock_guard guard(mutex_);
  for (Member* m : members_) m->resume = how(m->id);
  stopping_ = false;
  look_for_calm(watching);
  changed_.notify_all();
}

void AllStop::detach(const std::function<void()>& forget) {
  Lock lock(mutex_);
  attached_ = false;
  stopping_ = true;
  event_.reset();
  poke_all(nullptr);
  changed_.wait(lock, [&] { return !runs() || ended_ || gone_; });
  forget();
  for (Member* m : members_) m->resume = {.how = Resume::How::Continue};
  stopping_ = false;
  look_for_calm(false);
  end_known_ = true;
  changed_.notify_all();
}

void AllStop::end_is_known() {
  const std::lock_guard guard(mutex_);
  end_known_ = true;
  changed_.notify_all();
}

std::vector<ThreadId> AllStop::ids() const {
  const std::lock_guard guard(mutex_);
  std::vector<ThreadId> out;
  for (const Member* m : members_) out.push_back(m->id);
  return out;
}

engine::Vcpu* AllStop::vcpu(ThreadId id) const {
  const std::lock_guard guard(mutex_);
  const auto it = std::find_if(members_.begin(), members_.end(), [id](const Member* m) { return m->id == id; });
  return it == members_.end() ? nullptr : (*it)->vcpu;
}

bool AllStop::is_in_call(ThreadId id) const {
  const std::lock_guard guard(mutex_);
  return std::any_of(members_.begin(), members_.end(),
                     [id](const Member* m) { return m->id == id && m->state == Member::State::InCall; });
}

}  // namespace tiercel::debug
