// One guest thread: its vCPU, its signal state, and the loop that serves its system calls and faults.
#pragma once

#include <csignal>
#include <memory>
#include <string>

#include "debug/runner.h"
#include "engine/vcpu.h"
#include "frontend-arm/state.h"
#include "user/signals/actions.h"

namespace tiercel::user {

class Process;
struct ExecRequest;

/// Results of a system call that the guest never sees as such. Negative errno values end at -4095.
inline constexpr s64 kRestart = -512;          // nothing happened: run the insn again after the waiting signal
inline constexpr s64 kResultIsSet = -0x10000;  // the handler wrote the registers itself

/// The guest's alternate signal stack, stack_t of the kernel.
struct AltStack {
  u64 base = 0;
  s32 flags = SS_DISABLE;
  s32 pad = 0;
  u64 size = 0;
};

class Thread {
 public:
  Thread(Process& process, SignalActions& actions, std::unique_ptr<engine::Vcpu> vcpu);
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  /// Runs the guest until this thread ends (returns) or the process does (does not return).
  void run();
  /// Makes run() return: the guest called exit. Own thread only.
  void end() { ended_ = true; }

  Process& process() { return process_; }
  SignalActions& actions() { return actions_; }
  engine::Vcpu& vcpu() { return *vcpu_; }
  /// Null: nobody debugs this thread.
  debug::Runner* runner() { return runner_.get(); }
  /// The thread, whose id is known now, becomes one of the debugger's, if the process has one.
  void start_debugging();
  /// The thread has ended.
  void end_debugging() { runner_.reset(); }
  /// This is the child of a fork, which is not debugged.
  void leave_debugger();
  arm::A64State& cpu() { return *static_cast<arm::A64State*>(vcpu_->state()); }

  // Signals. The host thread's mask equals mask() (without kOwnSignals) whenever no signal is captured.

  /// From the host's signal handler: keeps the signal for delivery at the next block boundary. True if the kernel
  /// should hold back all others until then.
  bool capture(int signal, const siginfo_t& info);
  const volatile u32* captured() const { return &captured_; }
  u64 mask() const { return mask_; }
  /// Changes the guest's mask and the host's.
  void set_mask(u64 mask);
  /// Takes note of a mask the kernel has installed already.
  void adopt_mask(u64 mask);
  /// The mask a waiting call (ppoll, sigsuspend, ...) has put in place while it waited: the handler of a signal that
  /// ends it starts from this one. Forgotten when the call is over.
  void set_waiting_mask(u64 mask) { waiting_mask_ = mask, has_waiting_mask_ = true; }
  /// Delivers everything captured that the mask lets through.
  void deliver_captured();
  /// kOwnSignals sent by somebody while the guest blocks them: pending in the guest's eyes.
  u64 held_back() const { return held_back_; }

  /// True if the captured signal's handler asks for interrupted calls to start again (or nobody will see the signal).
  bool waiting_signal_restarts() const;

  AltStack& alt_stack() { return alt_stack_; }
  /// sigaltstack; addresses are the guest's, 0 for none.
  s64 change_alt_stack(u64 change, u64 old);
  /// rt_sigreturn; false: the frame is unreadable.
  bool return_from_signal();

  /// A signal caused by the insn at pc; it cannot be ignored or blocked. `esr` describes a memory fault, 0: none.
  void force_signal(int signal, int code, u64 address, u64 esr = 0);

  int tid() const { return tid_; }
  void set_tid(int tid) { tid_ = tid; }

  /// Where threads that clone made keep their host stack; null for the first thread.
  void* host_stack = nullptr;
  /// A vfork child, in its parent's memory until it executes a program or ends.
  bool borrows_memory = false;
  /// What a call of execve works with. The thread's, because a call that succeeds does not return to free it: for a
  /// vfork child, whose memory goes on living, its parent does when it destroys the thread.
  std::shared_ptr<ExecRequest> exec_request;

 private:
  void serve(const engine::Stop& stop);
  void serve_system_call();
  void serve_fault(const guest::Fault& fault);
  void report_unimplemented(u64 row);
  void report_undefined();
  /// The insn as text; `known` is false for one that this guest CPU does not have.
  std::string insn_at_pc(bool* known = nullptr);
  void finish_system_call(s64 result, bool restarts);
  void deliver_injected();
  void perform_default(int signal);
  void deliver(int signal, const siginfo_t& info, u64 esr);
  bool push_frame(int signal, const siginfo_t& info, const GuestAction& action, u64 saved_mask, u64 esr);

  Process& process_;
  SignalActions& actions_;
  std::unique_ptr<engine::Vcpu> vcpu_;
  std::unique_ptr<debug::Runner> runner_;
  bool ended_ = false;
  int tid_ = 0;

  // Bit 0: a signal in slot 0; from bit 1 on: kOwnSignals sent by a process. Written by the host handler.
  volatile u32 captured_ = 0;
  siginfo_t captured_info_[1 + kOwnSignals.size()];
  u64 held_back_ = 0;
  u64 mask_ = 0;
  u64 waiting_mask_ = 0;
  bool has_waiting_mask_ = false;
  AltStack alt_stack_;

  // The last fault on memory that the guest may access after all: another thread changed it, or it is beyond a file's
  // end.
  u64 doubtful_pc_ = 0, doubtful_address_ = 0;
};

}  // namespace tiercel::user
