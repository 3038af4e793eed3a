#include "debug/session.h"

#include <algorithm>

#include "base/check.h"

namespace tiercel::debug {
namespace {

constexpr std::size_t kMaxBreakpoints = 1 << 16, kMaxWatches = 64;

const guest::DebugRegisters& registers_of(engine::Engine& engine) {
  const guest::DebugRegisters* registers = engine.frontend().debug_registers();
  CHECK_MSG(registers, "a guest CPU without registers for debuggers");
  return *registers;
}

}  // namespace

Session::Session(engine::Engine& engine, bool calls_write_registers)
    : engine_(engine), cpu_(registers_of(engine)), calls_write_registers_(calls_write_registers), world_([this] {
        if (server_) server_->notify();
      }) {}

std::unique_ptr<Runner> Session::make_runner(AllStop::Member thread) {
  return std::make_unique<Runner>(world_, traps_, engine_, std::move(thread));
}

std::size_t Session::read_register(ThreadId thread, u32 number, std::span<u8> out) {
  engine::Vcpu* cpu = vcpu(thread);
  return cpu ? cpu_.read(cpu->state(), cpu->fp_status(), number, out) : 0;
}

bool Session::write_register(ThreadId thread, u32 number, std::span<const u8> value) {
  engine::Vcpu* cpu = vcpu(thread);
  if (!cpu || (calls_write_registers_ && world_.is_in_call(thread))) return false;
  u32 fp_status = cpu->fp_status();
  if (!cpu_.write(cpu->state(), fp_status, number, value)) return false;
  cpu->set_fp_status(fp_status);
  return true;
}

bool Session::set_breakpoint(u64 address, bool on) {
  if (!on) {
    std::erase(breakpoints_, address);
    return true;
  }
  if (breakpoints_.size() >= kMaxBreakpoints) return false;
  if (std::find(breakpoints_.begin(), breakpoints_.end(), address) == breakpoints_.end())
    breakpoints_.push_back(address);
  return true;
}

bool Session::set_watch(WatchKind kind, u64 address, u64 size, bool on) {
  const auto is_it = [&](const engine::Watch& w) {
    return w.start == address && w.size == size && w.reads == kind.reads && w.writes == kind.writes;
  };
  if (!on) {
    std::erase_if(traps_.watches, is_it);
    return true;
  }
  if (size == 0 || traps_.watches.size() >= kMaxWatches) return false;
  if (std::none_of(traps_.watches.begin(), traps_.watches.end(), is_it))
    traps_.watches.push_back({address, size, kind.reads, kind.writes});
  return true;
}

void Session::resume(std::span<const gdb::Action> actions) {
  const auto how = [actions](ThreadId id) {
    for (const gdb::Action& a : actions)
      if (!a.thread || *a.thread == id) return a.resume;
    return Resume{};
  };
  // Only steps: breakpoints mean nothing to them, and a debugger takes them away before and puts them back after.
  const bool only_steps = std::all_of(actions.begin(), actions.end(), [](const gdb::Action& a) {
    return a.resume.how == Resume::How::Step && a.resume.range_start == a.resume.range_end;
  });
  if (!only_steps) engine_.set_breakpoints(breakpoints_);
  world_.resume(how, !traps_.watches.empty());
}

void Session::detach() {
  world_.detach([this] {
    breakpoints_.clear();
    traps_ = {};
    engine_.set_breakpoints({});
  });
}

}  // namespace tiercel::debug
