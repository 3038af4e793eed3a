// The CPUs of an AArch64 machine: one engine, a vCPU and a thread for each, and what joins them to the board.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "debug/session.h"
#include "engine/engine.h"
#include "frontend-arm/a64_system_frontend.h"
#include "system/bus/bus.h"
#include "system/bus/clock.h"
#include "system/interrupt/cycle_interrupts.h"
#include "system/interrupt/generic_timer.h"
#include "system/interrupt/gic3.h"
#include "system/interrupt/psci.h"
#include "system/snapshot/snapshot.h"

namespace tiercel::system {

class ArmCpus final : public CpuInterrupts, public PsciHost {
 public:
  enum class Ended : u8 { PowerOff, Reset, WarmReset, Stopped, Paused };

  /// `model` lives on. Before the board is built, which wants the interrupt inputs. `make_service`: of who compiles hot
  /// code, if the options want that.
  ArmCpus(unsigned cpus, const arm::CpuModel& model, const engine::Options& options,
          const engine::MakeRegionService& make_service = {});
  ~ArmCpus() override;

  /// The rest of the machine; all of it outlives this. `gic` has CPU interfaces in system registers; null: it is none
  /// that has.
  void connect(Bus& bus, Gic3* gic, GenericTimer& timer, CycleInterrupts& cycles);

  /// CPU 0 is to begin at `entry` in EL1 with x0 = `argument`, the others when PSCI starts them.
  void power_on(PAddr entry, u64 argument);
  /// Runs the machine from where its CPUs are. Returns when the guest switches it off or resets it, or somebody calls
  /// stop or pause.
  Ended run();
  /// The same on the calling thread, one CPU after the other, with time that passes by insns: what happens repeats
  /// exactly. The engine counts insns. `serve` lets devices work; it may wait so many milliseconds for something to do,
  /// -1: as long as it takes.
  Ended run_in_turns(InsnClock& clock, const std::function<void(int)>& serve);
  /// Of all registers.
  u64 state_hash() const;
  /// Any thread. Before run is called, it ends that run.
  void stop() { end(Ended::Stopped); }
  /// As stop, but the machine is to go on: when run is called again.
  void pause() { end(Ended::Paused); }
  /// All CPUs: their part of a snapshot. They do not run; when they do, it is from there.
  Result<void> serialize(Snapshot& snapshot);

  /// Any thread: from now on CPUs are watched for only_spun.
  void watch();
  /// Whether since then no CPU has been in EL0, and one that is on never in WFI: a kernel that does nothing any more.
  bool only_spun() const;

  engine::Statistics statistics() const { return engine_->statistics(); }
  engine::Engine& engine() { return *engine_; }
  guest::PhysicalMemory& physical();

  /// From now on the CPUs stop, step and go on as `session` says; CPU n is its thread n + 1. Before they run.
  void join(debug::Session& session);
  /// The session ends. After they ran.
  void part();

  void set_interrupts(unsigned cpu, bool irq, bool fiq) override;
  unsigned current_cpu() const override;

  // PsciHost
  unsigned cpus() const override { return static_cast<unsigned>(cpus_.size()); }
  Power power(unsigned cpu) const override;
  bool can_execute(PAddr entry) const override;
  bool start(unsigned cpu, PAddr entry, u64 context) override;
  void stop_self(unsigned cpu) override;
  void suspend_self(unsigned cpu) override;
  void power_off() override { end(Ended::PowerOff); }
  void reset(bool warm) override { end(warm ? Ended::WarmReset : Ended::Reset); }

 private:
  class Memory;
  class Space;
  struct Cpu;

  void end(Ended how);
  Ended how_it_ended();
  u64 layout_hash() const;
  void invalidate_tlbs(unsigned by, const arm::CorePlatform::TlbScope& scope);

  std::unique_ptr<guest::Frontend> frontend_;
  const arm::CpuModel& model_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<Space> space_;
  std::unique_ptr<engine::Engine> engine_;
  Psci psci_{*this};
  Bus* bus_ = nullptr;
  Gic3* gic_ = nullptr;
  GenericTimer* timer_ = nullptr;
  CycleInterrupts* cycles_ = nullptr;
  std::vector<std::unique_ptr<Cpu>> cpus_;
  debug::Session* session_ = nullptr;
  InsnClock* turns_ = nullptr;  // while CPUs take turns
  std::atomic<bool> ended_{false};
  Ended how_ = Ended::Stopped;
};

}  // namespace tiercel::system
