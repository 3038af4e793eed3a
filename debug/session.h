// A guest as a debugger's target: threads, registers, breakpoints and running; what is left to user mode and machines
// is memory, names and the end.
#pragma once

#include <memory>

#include "debug/gdb/server.h"
#include "debug/gdb/target.h"
#include "debug/runner.h"

namespace tiercel::debug {

class Session : public gdb::Target {
 public:
  /// `calls_write_registers`: a thread inside a call is about to get results in its registers.
  Session(engine::Engine& engine, bool calls_write_registers);

  AllStop& world() { return world_; }
  const Traps& traps() const { return traps_; }
  /// Who is to hear of stops; before the guest runs.
  void set_server(gdb::Server* server) { server_ = server; }

  std::string_view description() const override { return cpu_.description(); }
  u32 registers() const override { return cpu_.count(); }
  std::span<const u32> expedited_registers() const override { return cpu_.expedited(); }
  std::size_t read_register(ThreadId thread, u32 number, std::span<u8> out) override;
  bool write_register(ThreadId thread, u32 number, std::span<const u8> value) override;
  std::vector<ThreadId> threads() override { return world_.ids(); }
  bool set_breakpoint(u64 address, bool on) override;
  bool set_watch(WatchKind kind, u64 address, u64 size, bool on) override;
  void attach() override { world_.attach(); }
  void interrupt() override { world_.interrupt(); }
  std::optional<StopEvent> take_event() override { return world_.take_event(); }
  void end_is_known() override { world_.end_is_known(); }
  void resume(std::span<const gdb::Action> actions) override;
  void pass_signals(u64 set) override { traps_.passed_signals = set; }
  void detach() override;

  /// Threads make themselves known by their runners.
  std::unique_ptr<Runner> make_runner(AllStop::Member thread);

 protected:
  engine::Engine& engine() { return engine_; }
  /// Null: there is no such thread.
  engine::Vcpu* vcpu(ThreadId thread) const { return world_.vcpu(thread); }

 private:
  engine::Engine& engine_;
  const guest::DebugRegisters& cpu_;
  const bool calls_write_registers_;
  gdb::Server* server_ = nullptr;
  AllStop world_;
  Traps traps_;  // changed only while the guest stands still
  // One per packet that set it: the engine hears of them when the guest goes on, because a debugger takes all of them
  // away at each stop and puts them back afterwards.
  std::vector<u64> breakpoints_;
};

}  // namespace tiercel::debug
