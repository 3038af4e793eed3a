#include "user/signals/actions.h"

#include <cerrno>

#include "user/signals/host.h"

extern "C" void tiercel_signal_restorer();

namespace tiercel::user {

namespace {

constexpr u64 kSaRestorer = 0x04000000;
constexpr u64 kMirroredFlags = SA_NOCLDSTOP | SA_NOCLDWAIT;

}  // namespace

bool ignored_by_default(int signal) {
  return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT;
}

void SignalActions::mirror_on_host(int signal, const GuestAction& action) const {
  if (signal == SIGKILL || signal == SIGSTOP) return;
  HostAction host{.handler = reinterpret_cast<u64>(on_host_signal),
                  .flags = SA_SIGINFO | SA_ONSTACK | kSaRestorer | (action.flags & kMirroredFlags),
                  .restorer = tiercel_signal_restorer,
                  .mask = ~kHostUnblocked};
  const bool ours = is_own_signal(signal);
  if (ours) host.flags |= SA_NODEFER;
  const bool caught = catch_defaults_ && action.is_default() && !ignored_by_default(signal);
  if (!ours && !caught && !action.has_handler()) host.handler = action.handler;
  host_sigaction(signal, &host, nullptr);
}

void SignalActions::mirror(int signal) const {
  mirror_on_host(signal, get(signal));
}

SignalActions::SignalActions(bool catch_defaults) : catch_defaults_(catch_defaults) {
  for (int signal = 1; signal <= kSignalCount; ++signal) {
    HostAction host;
    if (host_sigaction(signal, nullptr, &host) == 0 && host.handler == 1) table_[signal].handler = 1;
    if (catch_defaults) mirror_on_host(signal, table_[signal]);
  }
  for (const int signal : kOwnSignals) mirror_on_host(signal, table_[static_cast<unsigned>(signal)]);
}

SignalActions::SignalActions(const SignalActions& other) : catch_defaults_(other.catch_defaults_) {
  std::lock_guard lock(other.mutex_);
  table_ = other.table_;
}

GuestAction SignalActions::get(int signal) const {
  std::lock_guard lock(mutex_);
  return table_[static_cast<unsigned>(signal)];
}

GuestAction SignalActions::take(int signal) {
  std::lock_guard lock(mutex_);
  GuestAction& entry = table_[static_cast<unsigned>(signal)];
  const GuestAction action = entry;
  if (action.has_handler() && (action.flags & static_cast<u64>(SA_RESETHAND))) {
    entry.handler = 0;
    mirror_on_host(signal, entry);
  }
  return action;
}

s64 SignalActions::exchange(int signal, const GuestAction* change, GuestAction* old) {
  if (signal < 1 || signal > kSignalCount) return -EINVAL;
  if (change && (signal == SIGKILL || signal == SIGSTOP)) return -EINVAL;
  std::lock_guard lock(mutex_);
  GuestAction& entry = table_[static_cast<unsigned>(signal)];
  if (old) *old = entry;
  if (!change) return 0;
  entry = *change;
  entry.mask &= ~kUnblockable;
  mirror_on_host(signal, entry);
  return 0;
}

void SignalActions::forget_handlers() {
  std::lock_guard lock(mutex_);
  for (GuestAction& action : table_)
    if (action.has_handler()) action = {};
}

void SignalActions::prepare_exec() const {
  std::lock_guard lock(mutex_);
  for (const int signal : kOwnSignals) {
    HostAction host{};
    host.handler = table_[static_cast<unsigned>(signal)].is_ignored();
    host_sigaction(signal, &host, nullptr);
  }
}

}  // namespace tiercel::user
