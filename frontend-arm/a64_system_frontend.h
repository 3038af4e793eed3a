// The AArch64 CPU of a machine: EL0 and EL1. HVC and SMC call the machine's firmware.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "frontend-arm/a64_system_state.h"
#include "guest/frontend.h"

namespace tiercel::arm {

struct CpuModel;

/// Null: no such model. `gic_registers`: the interrupt controller has its CPU interface in system registers, a GICv3.
const CpuModel* find_cpu_model(std::string_view name, bool gic_registers = true);
/// The names of all models; the first one is the default.
std::span<const std::string_view> cpu_model_names();

/// Changes when a model's registers or features do.
u64 fingerprint(const CpuModel& model);

/// `model` is one of the frozen ones.
std::unique_ptr<guest::Frontend> make_a64_system_frontend(const CpuModel& model);

/// What surrounds a core, as it sees it. Called on the core's own thread.
class CorePlatform {
 public:
  virtual ~CorePlatform() = default;
  /// Timers and the interrupt controller's CPU interface, by system_encoding. Nothing, or false: no such register.
  virtual std::optional<u64> read_register(u32 encoding) = 0;
  virtual bool write_register(u32 encoding, u64 value) = 0;
  /// HVC and SMC: the firmware reads and writes the registers.
  virtual void firmware_call(A64SystemState& state) = 0;
  virtual void wait_for_interrupt() = 0;
  /// WFE: another core is to do something first. May return at any time.
  virtual void wait_for_event() = 0;
  /// CNTVCT_EL0.
  virtual u64 virtual_count() = 0;
  /// Cycles since power-on, for the performance monitors.
  virtual u64 cycles() = 0;
  /// Whether the performance monitors interrupt, and in which cycle they will if nothing changes; ~0: never.
  virtual void cycle_overflow(bool interrupts, u64 at) = 0;
  /// What the TLB's entries are tagged with may have changed.
  virtual void address_space_changed() = 0;

  /// TLB maintenance for this core or all of them (`everywhere`).
  struct TlbScope {
    bool everywhere = false;
    std::optional<u16> asid;     // nothing: all of them, and global entries
    std::optional<u64> address;  // nothing: all addresses
    u64 bytes = 4096;
  };
  virtual void invalidate_tlb(const TlbScope& scope) = 0;
  /// Instructions in [address, address + bytes) may have changed; `bytes` 0: everywhere.
  virtual void invalidate_code(PAddr address, u64 bytes) = 0;
  virtual guest::PhysicalMemory& memory() = 0;
};

/// The part of a core that is not translated: exceptions, and what touches system state.
class A64Core {
 public:
  A64Core(const CpuModel& model, const guest::Frontend& frontend, A64SystemState& state, CorePlatform& platform)
      : model_(model), mmu_(*frontend.mmu()), s_(state), platform_(platform) {}

  /// The state after reset, at `entry` in EL1. Affinity 0.0.0.`cpu`.
  void reset(u64 entry, u64 affinity);
  /// Instead: the state block was restored from a snapshot. False: no core of this model can be in that state.
  bool restore(u64 affinity);

  /// The insn at pc, for which translated code left: executes it and moves on, or takes the exception it causes.
  void execute(u32 word);

  // Synchronous exceptions.
  void take_svc(u16 imm);         // pc is behind the insn
  void take_breakpoint(u16 imm);  // BRK
  void take_undefined();
  void take_fault(const guest::Fault& fault);  // data and instruction aborts, misaligned pc
  /// PSTATE.IL makes every insn one.
  bool take_illegal_state();

  // The guest debugs itself.
  /// Whether it does at this EL: then insns are executed one by one, each between the two following calls.
  bool debugged() const;
  /// Takes the exception that comes before the insn at pc, if there is one.
  bool take_debug_exception();
  /// The insn `word` was executed, not refused by an exception.
  void note_step(u32 word);
  /// What is at pc; 0 if that cannot be known.
  u32 next_insn() const;
  /// Whose accesses by the insn are refused: take_watchpoint.
  struct WatchedData {
    u64 start, size;
    bool reads, writes;
  };
  std::vector<WatchedData> watched_data() const;
  void take_watchpoint(u64 address, bool write);

  /// Takes IRQ or FIQ if the lines and PSTATE say so. True: taken.
  bool take_interrupt(bool irq, bool fiq);
  /// Tells the platform of the cycle counter's next overflow: the core itself does when that changes.
  void report_overflow();

 private:
  enum class Vector : u32 { Sync = 0, Irq = 0x80, Fiq = 0x100 };

  void enter_el1(Vector vector, u64 return_pc);
  void synchronous(u32 ec, u32 iss, u64 return_pc);
  void set_mode(u32 spsr_mode);
  u32 spsr() const;
  void exception_return();
  void trap_system(u32 word);

  void move_to_register(u32 word);
  void move_from_register(u32 word);
  void move_immediate(u32 word);
  void system_operation(u32 word);
  std::optional<u64> read(u32 encoding) const;
  bool write(u32 encoding, u64 value);
  bool el0_may_read(u32 encoding) const;
  bool el0_may_write(u32 encoding) const;
  std::optional<u64> debug_register(u32 encoding) const;
  bool write_debug_register(u32 encoding, u64 value);
  void tlb_operation(u32 crm, u32 op2, u64 argument);
  bool cache_operation(u32 encoding, u64 argument);
  bool check_address(u64 address, guest::Access access);
  void address_translation(u32 op2, u64 address);
  bool debug_enabled() const;
  std::optional<u64> pmu_register(u32 encoding) const;
  bool breakpoint_matches(const A64SystemState::Breakpoint& b) const;
  bool context_matches(const A64SystemState::Breakpoint& b) const;
  u64 x(u32 r) const { return r == 31 ? 0 : s_.x[r]; }
  void next() { s_.pc += 4; }

  const CpuModel& model_;
  const guest::Mmu& mmu_;
  A64SystemState& s_;
  CorePlatform& platform_;
  u64 affinity_ = 0;
  bool reports_overflow_ = false;
  bool stepped_ = false, stepped_exclusive_ = false;  // for the syndrome of a software step
};

}  // namespace tiercel::arm
