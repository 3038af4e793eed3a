// Runs one guest thread's vCPU as its debugger wants it: until breakpoints, insn by insn, or not at all.
#pragma once

#include "debug/all_stop.h"
#include "engine/debug.h"
#include "engine/engine.h"

namespace tiercel::debug {

/// What the threads of a guest share. Changed only while they stand still.
struct Traps {
  std::vector<engine::Watch> watches;
  u64 passed_signals = 0;  // bit n - 1: signal n is none of the debugger's business
};

class Runner {
 public:
  Runner(AllStop& world, const Traps& traps, engine::Engine& engine, AllStop::Member thread);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// As Vcpu::run, but that breakpoints, watches and steps are dealt with inside. Interrupt also when signal_to_deliver
  /// has something to say.
  engine::Stop run();
  /// A signal that the debugger wants the guest to have, once; 0: none.
  int signal_to_deliver() { return std::exchange(injected_, 0); }
  /// The debugger's decision about a signal for the guest: another one, or 0, none.
  int filter_signal(int signal);
  /// The guest went on elsewhere without an insn of its own: a signal handler begins.
  void note_step() { stepped_ = stepping_; }
  /// True while the debugger wants a single insn of this thread.
  bool stepping() const { return stepping_; }

  void enter_call() { world_.enter_call(member_); }
  void leave_call() { world_.leave_call(member_); }
  /// Around a call that may wait.
  class Call {
   public:
    explicit Call(Runner* runner) : runner_(runner) {
      if (runner_) runner_->enter_call();
    }
    ~Call() {
      if (runner_) runner_->leave_call();
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Runner* runner_;
  };

  /// The guest ends now, by this thread's doing.
  void report_end(const StopEvent& event) { world_.end(&member_, event); }

 private:
  StopEvent event(StopEvent::Kind kind) const { return {.kind = kind, .thread = member_.id}; }
  std::optional<engine::Stop> run_by_insns(const Resume& how);
  void report_watch(const engine::Stop& stop);

  AllStop& world_;
  const Traps& traps_;
  engine::Engine& engine_;
  AllStop::Member member_;
  engine::Vcpu& vcpu_;
  bool stepping_ = false, stepped_ = false;
  int injected_ = 0;
};

}  // namespace tiercel::debug
