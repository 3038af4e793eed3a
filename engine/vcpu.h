// One guest CPU: its state block, its context for generated code, and the loop that runs it.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "backend/vm_context.h"
#include "guest/frontend.h"

namespace tiercel::engine {

class Engine;
class Tlb;
struct Watch;

/// What made Vcpu::run return. The state block is exact: the pc in it is where the guest continues (Syscall: after the
/// insn; all others: at the insn).
struct Stop {
  enum class Kind : u8 {
    Syscall,        // payload: the insn's immediate
    Fault,          // `fault`
    Breakpoint,     // payload: the insn's immediate
    Undefined,      // architecturally undefined insn
    Unimplemented,  // our gap; payload: ISA row
    Interrupt,      // request_exit was called
    System,         // payload: the insn, which the machine executes
    DebugBreak,     // a breakpoint of Engine::set_breakpoints is at pc
    DebugWatch,     // the insn accesses watched data: `fault` says where the data begins; payload: what is accessed
  };
  Kind kind = Kind::Interrupt;
  u64 payload = 0;
  guest::Fault fault = {};
};

/// What a machine does about stops without ending Vcpu::run.
class StopHandler {
 public:
  virtual ~StopHandler() = default;
  /// Acts on it, on the vCPU's own thread: the state block says where the guest goes on. False: run() is to return
  /// Interrupt.
  virtual bool handle(const Stop& stop) = 0;
};

class Vcpu {
 public:
  ~Vcpu();
  Vcpu(const Vcpu&) = delete;
  Vcpu& operator=(const Vcpu&) = delete;

  /// The guest state block, e.g. arm::A64State.
  void* state() { return backend::guest_state(context_); }

  /// Runs until something happens that the personality must see. The calling thread becomes this vCPU's thread.
  Stop run();

  /// A machine's: `handler` gets all stops but those of debuggers and of request_exit; `platform` is for helpers.
  void attach_machine(StopHandler& handler, void* platform);
  /// Whether an interrupt waits that the guest has masked. Own thread only.
  void set_masked_request(bool waits) { context_->masked_request = waits; }

  /// With Options::counts_insns: run() returns Interrupt when so many insns have been executed, or a few more, for a
  /// block counts as a whole when it begins.
  void set_budget(s64 insns) { context_->budget = insns; }
  s64 budget() const { return context_->budget; }

  /// For debuggers: runs the insn at pc, breakpoint or not. Nothing: pc is at the next one.
  std::optional<Stop> step(std::span<const Watch> watches);
  u64 pc() const;

  /// Makes run() return Interrupt soon. Any thread, also from a signal handler.
  void request_exit();
  /// Withdraws a request. Own thread only.
  void clear_exit_request();

  /// The guest's cumulative FP exceptions (fpstatus bits) while the vCPU is stopped.
  u32 fp_status() const;
  void set_fp_status(u32 bits);

  /// The vCPU the calling thread is running or ran last, or null. Async-signal-safe.
  static Vcpu* current();
  /// Makes this vCPU the calling thread's (threads and vfork children).
  void attach();
  /// What its thread is for OwnerLock.
  u32 owner() const;

  /// True if the interrupted host context was executing generated code (not C++).
  static bool in_generated_code(const void* ucontext);

  backend::VmContext* context() { return context_; }
  /// A machine's. Own thread only.
  Tlb* tlb();

 private:
  friend class Engine;
  explicit Vcpu(Engine& engine);
  struct Run;

  /// Makes generated code leave at its next check point, without a request of the personality.
  void poke();
  static bool settle_fp_trap(void* ucontext);
  void forget_predictions();
  /// Finds the guest insn that has faulted in generated code, if one has. Needs the engine's lock.
  void locate_fault();
  /// Makes generated code use the jump cache of the present mode (a machine).
  void adopt_jumps();
  std::span<s32, backend::kHotCounters> hot_counters();
  void add_statistics(struct Statistics& total) const;

  Engine& engine_;
  backend::VmContext* context_ = nullptr;
  struct Private;
  std::unique_ptr<Private> private_;
};

}  // namespace tiercel::engine
