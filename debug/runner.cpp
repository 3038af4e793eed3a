#include "debug/runner.h"

#include <algorithm>

namespace tiercel::debug {

using engine::Stop;

Runner::Runner(AllStop& world, const Traps& traps, engine::Engine& engine, AllStop::Member thread)
    : world_(world), traps_(traps), engine_(engine), member_(std::move(thread)), vcpu_(*member_.vcpu) {
  world_.join(member_);
}

Runner::~Runner() {
  world_.leave(member_);
}

Stop Runner::run() {
  for (;;) {
    Resume how{.how = Resume::How::Continue};
    if (stepping_ || !world_.calm()) {
      if (std::exchange(stepped_, false)) world_.report(member_, event(StopEvent::Kind::Stepped));
      how = world_.pause(member_);
      const bool stepped_before = std::exchange(stepping_, how.how == Resume::How::Step);
      if (how.signal != 0) injected_ = how.signal;
      // What a step puts off (a machine's interrupts) is due now.
      if (injected_ != 0 || (stepped_before && !stepping_)) return {};
    }
    if (stepping_ || !traps_.watches.empty()) {
      if (const auto stop = run_by_insns(how)) return *stop;
      continue;
    }
    const Stop stop = vcpu_.run();
    if (stop.kind != Stop::Kind::DebugBreak) return stop;
    world_.report(member_, event(StopEvent::Kind::Breakpoint));
  }
}

/// Nothing: the debugger is to be asked again.
std::optional<Stop> Runner::run_by_insns(const Resume& how) {
  for (bool first = true;; first = false) {
    // A step begins at the insn it is for, whatever else is there.
    if (!(first && stepping_) && engine_.has_breakpoint(vcpu_.pc())) {
      world_.report(member_, event(StopEvent::Kind::Breakpoint));
      return {};
    }
    const u64 before = vcpu_.pc();
    const std::optional<Stop> stop = vcpu_.step(traps_.watches);
    if (stop && stop->kind == Stop::Kind::DebugWatch) {
      report_watch(*stop);
      return {};
    }
    if (stop) {
      // An insn that unmasks interrupts ends like a request to leave, but has been executed.
      stepped_ = stepping_ && (stop->kind != Stop::Kind::Interrupt || vcpu_.pc() != before);
      return stop;
    }
    if (stepping_ && vcpu_.pc() - how.range_start >= how.range_end - how.range_start) {
      stepped_ = true;
      return {};
    }
  }
}

void Runner::report_watch(const Stop& stop) {
  StopEvent e = event(StopEvent::Kind::Watch);
  e.address = stop.fault.address.value;
  for (const engine::Watch& w : traps_.watches) {
    if (w.start != e.address) continue;
    e.reads = w.reads;
    e.writes = w.writes;
  }
  world_.report(member_, e);
}

int Runner::filter_signal(int signal) {
  if (traps_.passed_signals >> (signal - 1) & 1) return signal;
  StopEvent e = event(StopEvent::Kind::Signal);
  e.number = signal;
  for (;;) {
    switch (world_.report(member_, e)) {
      case AllStop::Outcome::Unheard:
        return signal;
      case AllStop::Outcome::Resumed:
        stepped_ = false;
        return world_.pause(member_).signal;
      case AllStop::Outcome::Missed:
        // The debugger has not heard of this signal; what it wants to be delivered besides is later than it.
        if (const int other = world_.pause(member_).signal) injected_ = other;
        break;
    }
  }
}

}  // namespace tiercel::debug
