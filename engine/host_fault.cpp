// Host SIGSEGV, SIGBUS and SIGFPE: which are the guest's, and where the thread goes on.
#include <signal.h>
#include <ucontext.h>

#include "engine/engine_private.h"
#include "engine/guarded_ranges.h"

namespace tiercel::engine {
namespace {

constexpr u64 kPageFaultIsWrite = 2;  // x86 page fault error code, bit 1
// si_code for a non-canonical address, which the kernel is not told: SIGSEGV, but SIGBUS with rsp or rbp as the base.
constexpr int kSiKernel = 0x80;

}  // namespace

bool Vcpu::in_generated_code(const void* ucontext) {
  const auto* uc = static_cast<const ucontext_t*>(ucontext);
  const Vcpu* vcpu = current();
  return vcpu && vcpu->engine_.private_->cache.memory().contains(static_cast<u64>(uc->uc_mcontext.gregs[REG_RIP]));
}

/// In generated code or what it called.
bool Vcpu::settle_fp_trap(void* ucontext) {
  Vcpu* vcpu = current();
  if (!vcpu || vcpu->private_->in_code.load(std::memory_order_relaxed) == 0) return false;
  return vcpu->engine_.private_->translator->backend().settle_fp_trap(ucontext, *vcpu->context_);
}

bool Engine::handle_host_fault(const void* siginfo, void* ucontext) {
  auto* uc = static_cast<ucontext_t*>(ucontext);
  const auto* info = static_cast<const siginfo_t*>(siginfo);
  if (info->si_signo == SIGFPE) return Vcpu::settle_fp_trap(ucontext);
  greg_t& rip = uc->uc_mcontext.gregs[REG_RIP];
  Vcpu* vcpu = Vcpu::current();
  if (const u64 next = guarded_fixup(static_cast<u64>(rip))) {
    if (vcpu && info->si_code != kSiKernel) vcpu->private_->guarded_fault = reinterpret_cast<u64>(info->si_addr);
    rip = static_cast<greg_t>(next);
    return true;
  }
  if (!vcpu || !Vcpu::in_generated_code(ucontext)) return false;
  Engine::Private& e = *vcpu->engine_.private_;
  if (e.translator->backend().leave_region(ucontext, *vcpu->context_)) return true;
  if (vcpu->context_->tlb != nullptr) return false;  // a machine's code accesses what it has found in the TLB
  Vcpu::Private& p = *vcpu->private_;
  e.translator->backend().save_pinned(ucontext, vcpu->state());
  p.fault_host_pc = static_cast<u64>(rip);
  p.fault_located = false;
  p.fault_address_known = info->si_code != kSiKernel;
  p.fault_address = reinterpret_cast<u64>(info->si_addr) - vcpu->context_->memory_base;
  p.fault_is_write = (static_cast<u64>(uc->uc_mcontext.gregs[REG_ERR]) & kPageFaultIsWrite) != 0;
  vcpu->context_->reason = backend::Reason::Fault;
  rip = static_cast<greg_t>(e.fault_exit);
  return true;
}

void Engine::catch_host_faults() {
  struct sigaction action {};
  action.sa_sigaction = [](int signal, siginfo_t* info, void* context) {
    if (!handle_host_fault(info, context)) ::signal(signal, SIG_DFL);
  };
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE}) sigaction(signal, &action, nullptr);
}

}  // namespace tiercel::engine
