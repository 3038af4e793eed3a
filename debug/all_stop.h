// Guest threads that stop together and go on together. A thread that has something to say stops the others, waits until
// the debugger lets it go on, and does what it is told.
//
// A thread inside a call that may wait (a system call, WFI) counts as standing still: it touches no guest register, and
// when the call is over it waits before it goes on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "debug/event.h"
#include "engine/vcpu.h"

namespace tiercel::debug {

class AllStop {
 public:
  /// A guest thread. Once it has joined, only AllStop looks inside.
  struct Member {
    ThreadId id = 0;
    engine::Vcpu* vcpu = nullptr;
    std::function<void(bool waits)> on_wait;  // around waiting, but not for the end of a call; may be empty
    Resume resume{.how = Resume::How::Continue};
    enum class State : u8 { Running, Waiting, InCall } state = State::Running;
  };

  /// `stopped` is called when take_event may have something to tell; it may not call back.
  explicit AllStop(std::function<void()> stopped) : stopped_(std::move(stopped)) {}

  // For guest threads, about themselves.
  void join(Member& member);
  void leave(Member& member);
  /// Waits while the thread shall not run. How it shall; the signal in it is named once.
  Resume pause(Member& member);
  enum class Outcome : u8 {
    Resumed,  // the debugger knows; pause says how to go on
    Missed,   // others had stopped for another reason; it is to be looked at again
    Unheard,  // there is no debugger
  };
  Outcome report(Member& member, const StopEvent& event);
  /// Nothing is asked of any thread: pause would return at once and say Continue.
  bool calm() const { return calm_.load(); }
  void enter_call(Member& member);
  void leave_call(Member& member);
  /// The guest ends now; returns when the debugger knows. `member`: the calling thread, if it is the guest's.
  void end(Member* member, const StopEvent& event);

  // For whoever rules the guest besides the debugger.
  /// No thread runs until thaw. Returns when none does.
  void freeze();
  void thaw();
  bool frozen() const;
  /// No thread waits any more: the guest is ending, until start_again.
  void let_go();
  void start_again();

  // For the debugger.
  /// No thread runs until one attaches.
  void hold();
  void attach();
  void interrupt();
  std::optional<StopEvent> take_event();
  /// `how(id)` for each thread. `watching`: each has to look where it is at every insn.
  void resume(const std::function<Resume(ThreadId)>& how, bool watching);
  /// Without a debugger from now on. `forget` is called while no thread runs.
  void detach(const std::function<void()>& forget);
  void end_is_known();
  std::vector<ThreadId> ids() const;
  /// Null: there is no such thread. For use while the guest stands still.
  engine::Vcpu* vcpu(ThreadId id) const;
  /// True if the thread's registers are about to be changed by the call it is in.
  bool is_in_call(ThreadId id) const;

 private:
  using Lock = std::unique_lock<std::mutex>;
  bool runs() const;
  bool shall_wait(const Member& member) const {
    return !gone_ && (stopping_ || frozen_ || member.resume.how == Resume::How::Hold);
  }
  void wait(Lock& lock, Member& member);
  void poke_all(const Member* but);
  void look_for_calm(bool watching);
  void stop_all(const StopEvent& event, const Member* by);
  void look();

  const std::function<void()> stopped_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Member*> members_;
  std::optional<StopEvent> event_;  // not taken yet
  bool attached_ = false;
  bool stopping_ = false;  // and stopped, until resume
  bool frozen_ = false, gone_ = false;
  bool ended_ = false, end_known_ = false;
  std::atomic<bool> calm_{true};
};

}  // namespace tiercel::debug
