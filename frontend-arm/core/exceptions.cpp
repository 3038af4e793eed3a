// Exception entry and return. Arm ARM (DDI 0487), "The AArch64 System Level Programmers' Model"; syndromes: "ESR_EL1".
#include "base/check.h"
#include "frontend-arm/a64/cpu_models.h"
#include "frontend-arm/a64/system_registers.h"
#include "frontend-arm/core/pmu.h"
#include "frontend-arm/core/syndrome.h"
#include "frontend-arm/mmu/walker.h"

namespace tiercel::arm {
namespace {

constexpr u64 kSctlrSpan = 1 << 23;
constexpr u32 kIl = 1u << 25;                  // a 32-bit insn
constexpr u32 kFpTrap = 1u << 24 | 0xe << 20;  // ISS: CV, COND = always

}  // namespace

void A64Core::reset(u64 entry, u64 affinity) {
  s_ = A64SystemState{};
  report_overflow();
  for (const SystemRegister& r : system_registers()) r.in(s_) = r.reset;
  affinity_ = affinity;
  s_.pc = entry;
}

u32 A64Core::spsr() const {
  return read_nzcv(s_) | s_.daif | s_.pstate;
}

/// Makes EL, SPSel, PAN, UAO and IL those of `mode`, and `sp` the stack pointer that goes with them.
void A64Core::set_mode(u32 mode) {
  const bool filtered = s_.pmu.filter != 0 && ((mode ^ s_.pstate) & pstate::kEl1);
  if (filtered) count_cycles(s_.pmu, s_.el(), platform_.cycles());
  (s_.uses_sp_el0() ? s_.sp_el0 : s_.sp_el1) = s_.sp;
  s_.pstate = mode;
  s_.sp = s_.uses_sp_el0() ? s_.sp_el0 : s_.sp_el1;
  if (filtered) report_overflow();
}

void A64Core::report_overflow() {
  const Overflow overflow = next_overflow(s_.pmu, s_.el());
  if (!overflow.interrupts && overflow.at == ~u64{0} && !reports_overflow_) return;
  reports_overflow_ = overflow.interrupts || overflow.at != ~u64{0};
  platform_.cycle_overflow(overflow.interrupts, overflow.at);
}

void A64Core::enter_el1(Vector vector, u64 return_pc) {
  s_.spsr_el1 = spsr();
  s_.elr_el1 = return_pc;
  u32 offset = static_cast<u32>(vector);
  if (s_.el() == 0)
    offset += 0x400;
  else if (!s_.uses_sp_el0())
    offset += 0x200;
  u32 mode = pstate::kEl1 | pstate::kSpSel | (s_.pstate & pstate::kPan);
  if (model_.pan && !(s_.sctlr_el1 & kSctlrSpan)) mode |= pstate::kPan;
  set_mode(mode);
  s_.daif = pstate::kDaif;
  s_.excl_addr = ~u64{0};
  s_.pc = s_.vbar_el1 + offset;
  stepped_ = stepped_exclusive_ = false;
}

void A64Core::synchronous(u32 ec, u32 iss, u64 return_pc) {
  enter_el1(Vector::Sync, return_pc);
  s_.esr_el1 = u64{ec} << 26 | kIl | iss;
}

void A64Core::take_svc(u16 imm) {
  synchronous(ec::kSvc, imm, s_.pc);
}

void A64Core::take_breakpoint(u16 imm) {
  synchronous(ec::kBrk, imm, s_.pc);
}

void A64Core::take_undefined() {
  synchronous(ec::kUnknown, 0, s_.pc);
}

bool A64Core::take_illegal_state() {
  if (!(s_.pstate & pstate::kIl)) return false;
  synchronous(ec::kIllegalState, 0, s_.pc);
  return true;
}

void A64Core::take_fault(const guest::Fault& fault) {
  const u64 pc = s_.pc;
  const u32 lower = s_.el() == 0 ? 0 : 1;
  if (fault.access == guest::Access::Execute) {
    if (pc % 4 != 0)
      synchronous(ec::kPcAlignment, 0, pc);
    else
      synchronous(ec::kInsnAbort + lower, fault.status, pc);
  } else {
    const u32 write = fault.access == guest::Access::Write ? iss::kWnr : 0;
    synchronous(ec::kDataAbort + lower, write | (fault.misaligned ? fsc::kAlignment : fault.status), pc);
  }
  s_.far_el1 = fault.address.value;
}

bool A64Core::take_interrupt(bool irq, bool fiq) {
  if (fiq && !(s_.daif & pstate::kF))
    enter_el1(Vector::Fiq, s_.pc);
  else if (irq && !(s_.daif & pstate::kI))
    enter_el1(Vector::Irq, s_.pc);
  else
    return false;
  return true;
}

void A64Core::exception_return() {
  const u32 spsr = static_cast<u32>(s_.spsr_el1);
  const u32 mode = spsr & 0xf;
  const bool from_debugged = debug_enabled();
  write_nzcv(s_, spsr);
  s_.daif = spsr & pstate::kDaif;
  s_.excl_addr = ~u64{0};
  s_.pc = s_.elr_el1;
  u32 kept = spsr & pstate::kIl;
  if (model_.pan) kept |= spsr & pstate::kPan;
  const bool possible = !(spsr & pstate::kAarch32) && (mode == 0 || mode == 4 || mode == 5);
  if (possible)
    set_mode(mode | kept);
  else  // "Illegal return": PSTATE.IL, and EL and SP stay
    set_mode((s_.pstate & (pstate::kEl1 | pstate::kSpSel | pstate::kPan)) | pstate::kIl);
  // "Entering the active-not-pending state": whoever debugs allows one insn.
  if (!from_debugged && debugged()) s_.pstate |= spsr & pstate::kSs;
}

void A64Core::trap_system(u32 word) {
  if ((word >> 26 & 3) == 3 || is_fp_register(word)) return synchronous(ec::kFp, kFpTrap, s_.pc);
  synchronous(ec::kSystem, system_iss(word), s_.pc);
}

}  // namespace tiercel::arm
