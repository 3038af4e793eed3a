#include "user/thread.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "base/check.h"
#include "user/process.h"
#include "user/signals/host.h"
#include "user/syscalls/dispatch.h"

namespace tiercel::user {

namespace {

/// ESR_EL1 for a data or instruction abort from EL0. Arm ARM, "ISS encoding for an exception from a Data Abort".
u64 fault_syndrome(guest::Access access, bool mapped) {
  constexpr u64 kInsnAbort = 0x20, kDataAbort = 0x24, kTranslationLevel3 = 0x07, kPermissionLevel3 = 0x0f;
  const u64 status = mapped ? kPermissionLevel3 : kTranslationLevel3;
  const u64 cls = access == guest::Access::Execute ? kInsnAbort : kDataAbort;
  return cls << 26 | u64{1} << 25 | (access == guest::Access::Write ? 1u << 6 : 0) | status;
}

/// ESR_EL1 for a data access that must be aligned and was not: status 0b100001.
u64 alignment_syndrome(guest::Access access) {
  return u64{0x24} << 26 | u64{1} << 25 | (access == guest::Access::Write ? 1u << 6 : 0) | 0x21;
}

/// ESR_EL1 for a pc that is not a multiple of 4; no ISS.
constexpr u64 kPcAlignmentSyndrome = u64{0x22} << 26 | u64{1} << 25;

int prot_for(guest::Access access) {
  switch (access) {
    case guest::Access::Read:
      return PROT_READ;
    case guest::Access::Write:
      return PROT_WRITE;
    case guest::Access::Execute:
      return PROT_EXEC;
  }
  return 0;
}

}  // namespace

Thread::Thread(Process& process, SignalActions& actions, std::unique_ptr<engine::Vcpu> vcpu)
    : process_(process), actions_(actions), vcpu_(std::move(vcpu)) {}

Thread::~Thread() = default;

void Thread::run() {
  set_current_thread(this);
  vcpu_->attach();
  while (!ended_) {
    if (captured_ != 0) deliver_captured();
    if (!runner_) {
      serve(vcpu_->run());
    } else {
      serve(runner_->run());
      deliver_injected();
    }
  }
}

void Thread::start_debugging() {
  if (Debugger* debugger = process_.debugger())
    runner_ = debugger->make_runner({.id = static_cast<u64>(tid_), .vcpu = vcpu_.get(), .on_wait = {}});
}

void Thread::leave_debugger() {
  static_cast<void>(runner_.release());  // its locks may be in any state
  process_.leave_debugger();
}

void Thread::serve(const engine::Stop& stop) {
  using Kind = engine::Stop::Kind;
  switch (stop.kind) {
    case Kind::Syscall:
      return serve_system_call();
    case Kind::Fault:
      return serve_fault(stop.fault);
    case Kind::Breakpoint:
      return force_signal(SIGTRAP, TRAP_BRKPT, cpu().pc);
    case Kind::Undefined:
      report_undefined();
      return force_signal(SIGILL, ILL_ILLOPC, cpu().pc);
    case Kind::Unimplemented:
      report_unimplemented(stop.payload);
      return force_signal(SIGILL, ILL_ILLOPC, cpu().pc);
    case Kind::Interrupt:
      vcpu_->clear_exit_request();
      return;
    case Kind::DebugBreak:
      // Left by a debugger of the process whose memory this one borrows.
      if (const auto next = vcpu_->step({})) serve(*next);
      return;
    case Kind::DebugWatch:
    case Kind::System:  // of machines only
      UNREACHABLE();
  }
}

void Thread::serve_system_call() {
  arm::A64State& s = cpu();
  const SystemCall call{.number = s.x[8], .args = {s.x[0], s.x[1], s.x[2], s.x[3], s.x[4], s.x[5]}};
  const SystemCallRow& row = system_call_row(call.number);
  const s64 result = dispatch(*this, row, call);
  finish_system_call(result, row.restarts);
}

void Thread::finish_system_call(s64 result, bool restarts) {
  arm::A64State& s = cpu();
  if (result == kResultIsSet) {
    has_waiting_mask_ = false;
    return;
  }
  if (result == kRestart || (result == -EINTR && restarts && captured_ != 0 && waiting_signal_restarts())) {
    s.pc -= 4;  // x0 and x8 are as they were
    if (result == kRestart) has_waiting_mask_ = false;
    return;
  }
  s.x[0] = static_cast<u64>(result);
  if (result != -EINTR) has_waiting_mask_ = false;
}

void Thread::serve_fault(const guest::Fault& fault) {
  const u64 address = fault.address.value;
  const u64 esr = fault_syndrome(fault.access, true);
  // Before anything else, mapped or not. Linux describes it by the syndrome alone: the frame's fault address is 0.
  if (fault.access == guest::Access::Execute && (address & 3) != 0)
    return force_signal(SIGBUS, BUS_ADRALN, address, kPcAlignmentSyndrome);
  if (fault.misaligned) return force_signal(SIGBUS, BUS_ADRALN, address, alignment_syndrome(fault.access));
  switch (process_.memory().reach(address, prot_for(fault.access))) {
    case GuestMemory::Reach::Unmapped:
      return force_signal(SIGSEGV, SEGV_MAPERR, address, fault_syndrome(fault.access, false));
    case GuestMemory::Reach::Denied:
      return force_signal(SIGSEGV, SEGV_ACCERR, address, esr);
    case GuestMemory::Reach::Allowed:
      break;
  }
  // The guest may do this. Either another thread has just mapped the page, and the insn works when it is tried again,
  // or the page lies beyond the end of its file.
  if (doubtful_pc_ == cpu().pc && doubtful_address_ == address) {
    doubtful_pc_ = doubtful_address_ = 0;
    return force_signal(SIGBUS, BUS_ADRERR, address, esr);
  }
  doubtful_pc_ = cpu().pc;
  doubtful_address_ = address;
}

std::string Thread::insn_at_pc(bool* known) {
  const u64 pc = cpu().pc;
  const auto window = process_.memory().code_window(VAddr{pc});
  if (window.size() < 4) return fmt::format("pc {:#x}, not readable", pc);
  const u32 word = u32{window[0]} | u32{window[1]} << 8 | u32{window[2]} << 16 | u32{window[3]} << 24;
  const auto insn = process_.frontend().disassemble(pc, window.first(4), 0);
  if (known) *known = insn.known;
  return fmt::format("pc {:#x}: {:08x}  {}", pc, word, insn.text);
}

void Thread::report_undefined() {
  bool known = true;
  const std::string insn = insn_at_pc(&known);
  if (process_.options().strace) process_.trace("undefined insn: " + insn);
  // A program that tries whether an insn exists has a handler. One that dies of an extension deserves the reason; UDF
  // is meant, and needs none.
  if (!known && !actions_.get(SIGILL).has_handler())
    std::fprintf(stderr,
                 "tiercel: no insn of this CPU (see tiercel-irtool --isa-coverage): %s; the guest gets SIGILL\n",
                 insn.c_str());
}

void Thread::report_unimplemented(u64 row) {
  std::fprintf(stderr, "tiercel: not implemented: %s at %s; the guest gets SIGILL\n",
               process_.frontend().row_name(row).c_str(), insn_at_pc().c_str());
}

}  // namespace tiercel::user
