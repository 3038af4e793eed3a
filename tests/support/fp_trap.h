// Generated code under rules that let the host flush subnormals: MXCSR as the engine sets it, and who answers SIGFPE.
#pragma once

#include <signal.h>

#include "backend/backend.h"
#include "backend/fp_control.h"
#include "backend/vm_context.h"

namespace tiercel::test {

/// What a function under `rules` may start with: `value`, or what lets the host flush.
constexpr u32 start_mxcsr(ir::FpRules rules, u32 value) {
  return rules.host_flush ? value & ~mxcsr::kRounding : value;
}

/// Around one execution of the backend's code.
class FpTrap {
 public:
  FpTrap(const backend::Backend& backend, backend::VmContext& context, ir::FpRules rules)
      : context_(context), host_flush_(rules.host_flush) {
    if (!host_flush_) return;
    context.mxcsr = backend::mxcsr_for(ir::Round::TieEven, true, context.mxcsr, context.fp_extra);
    backend_ = &backend;
    running_ = &context;
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t*, void* ucontext) {
      if (!backend_->settle_fp_trap(ucontext, *running_)) signal(SIGFPE, SIG_DFL);
    };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGFPE, &action, &old_);
  }
  FpTrap(const FpTrap&) = delete;
  FpTrap& operator=(const FpTrap&) = delete;
  ~FpTrap() {
    if (!host_flush_) return;
    sigaction(SIGFPE, &old_, nullptr);
    context_.mxcsr = mxcsr::plain(context_.mxcsr);
  }

 private:
  static inline const backend::Backend* backend_ = nullptr;
  static inline backend::VmContext* running_ = nullptr;
  backend::VmContext& context_;
  const bool host_flush_;
  struct sigaction old_ {};
};

}  // namespace tiercel::test
