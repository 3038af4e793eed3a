#include "system/cpu/tlb_requests.h"

namespace tiercel::system {
namespace {

/// A CPU that sleeps or is elsewhere for long forgets everything instead.
constexpr std::size_t kMany = 64;

}  // namespace

void TlbRequests::apply(const Scope& scope) {
  if (scope.address)
    tlb_.flush_range(*scope.address, scope.bytes, scope.asid);
  else if (scope.asid)
    tlb_.flush_space(*scope.asid);
  else
    tlb_.flush();
}

bool TlbRequests::concerns_present(const Scope& scope) const {
  if (!scope.asid || *scope.asid == present_) return true;
  // By address it is also about global entries.
  return scope.address && (*scope.address >> 55 & 1 || tlb_.low_globals());
}

TlbRequests::Ticket TlbRequests::ask(const Scope& scope) {
  const std::lock_guard guard(mutex_);
  if (scopes_.size() == kMany) scopes_ = {Scope{}};
  scopes_.push_back(scope);
  asked_.store(true, std::memory_order_relaxed);
  ++wanted_;
  return in_use_ && concerns_present(scope) ? wanted_ : kNothingToWaitFor;
}

void TlbRequests::wait(Ticket ticket) const {
  for (u64 done = done_.load(); done < ticket; done = done_.load()) done_.wait(done);
}

void TlbRequests::serve_locked() {
  if (scopes_.empty()) return;
  for (const Scope& scope : scopes_) apply(scope);
  scopes_.clear();
  asked_.store(false, std::memory_order_relaxed);
  done_.store(wanted_);
  done_.notify_all();
}

void TlbRequests::serve() {
  const std::lock_guard guard(mutex_);
  serve_locked();
}

void TlbRequests::enter_space(u16 asid) {
  const std::lock_guard guard(mutex_);
  present_ = asid;
  serve_locked();
}

void TlbRequests::pause() {
  const std::lock_guard guard(mutex_);
  serve_locked();
  in_use_ = false;
}

void TlbRequests::resume() {
  const std::lock_guard guard(mutex_);
  serve_locked();
  in_use_ = true;
}

}  // namespace tiercel::system
