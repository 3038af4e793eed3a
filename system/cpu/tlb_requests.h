// TLB invalidations that one CPU asks of another. TLBI with the Inner Shareable attribute is complete when no CPU uses
// what it invalidates any more (Arm ARM, "TLB maintenance instructions", "Ordering and completion").
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "engine/tlb.h"
#include "frontend-arm/a64_system_frontend.h"

namespace tiercel::system {

/// What is asked of one CPU. Its TLB is used by its own thread only, so the thread must do it; but only a CPU that is
/// in the address space concerned has to be waited for: any other does it before it uses its TLB there.
class TlbRequests {
 public:
  using Scope = arm::CorePlatform::TlbScope;
  using Ticket = u64;
  static constexpr Ticket kNothingToWaitFor = 0;

  explicit TlbRequests(engine::Tlb& tlb) : tlb_(tlb) {}

  /// Any thread but the owner's. After a ticket the CPU must be made to leave translated code, then waited for.
  Ticket ask(const Scope& scope);
  void wait(Ticket ticket) const;

  // The rest: own thread.
  void apply(const Scope& scope);
  void serve();
  bool asked() const { return asked_.load(std::memory_order_relaxed); }
  /// The CPU is in address space `asid` now. Before its TLB is used there.
  void enter_space(u16 asid);
  /// The TLB is not used until resume(): nobody waits meanwhile.
  void pause();
  void resume();

 private:
  bool concerns_present(const Scope& scope) const;
  void serve_locked();

  engine::Tlb& tlb_;
  std::mutex mutex_;  // guards the following
  std::vector<Scope> scopes_;
  u64 wanted_ = 0;
  bool in_use_ = false;
  u16 present_ = 0;  // address space
  std::atomic<bool> asked_{false};
  std::atomic<u64> done_{0};  // of `wanted_`
};

}  // namespace tiercel::system
