// The guest's signal dispositions: one table per kernel process (threads share it, a vfork child has a copy).
//
// The host's dispositions mirror it: ignored and default signals are ignored and default for the host as well, so the
// host kernel itself does what no handler has to see (terminate, stop, continue, discard). A signal with a guest
// handler gets our host handler, which only takes note. The guest's signal mask is the host thread's mask too. SIGSEGV,
// SIGBUS and SIGFPE are the exception: their host handler is always ours and they are never blocked, because guest
// memory faults arrive so, and what the host's floating point tells generated code.
#pragma once

#include <array>
#include <csignal>
#include <mutex>

#include "base/types.h"

namespace tiercel::user {

inline constexpr int kSignalCount = 64;
constexpr u64 signal_bit(int signal) {
  return u64{1} << (signal - 1);
}
/// Signals whose host handler is always ours.
inline constexpr std::array kOwnSignals = {SIGSEGV, SIGBUS, SIGFPE};
/// Signals the host never blocks on behalf of the guest.
inline constexpr u64 kHostUnblocked = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGFPE);
/// Which of kOwnSignals, from 1 on; 0: none.
constexpr unsigned own_signal_slot(int signal) {
  for (unsigned i = 0; i < kOwnSignals.size(); ++i)
    if (kOwnSignals[i] == signal) return i + 1;
  return 0;
}
constexpr bool is_own_signal(int signal) {
  return own_signal_slot(signal) != 0;
}
inline constexpr u64 kUnblockable = signal_bit(SIGKILL) | signal_bit(SIGSTOP);

/// struct sigaction as the kernel sees it; the same on arm64 and x86-64.
struct GuestAction {
  u64 handler = 0;  // 0: default, 1: ignore
  u64 flags = 0;
  u64 restorer = 0;
  u64 mask = 0;
  bool is_default() const { return handler == 0; }
  bool is_ignored() const { return handler == 1; }
  bool has_handler() const { return handler > 1; }
};

/// True if the default action of `signal` is to do nothing (or to continue).
bool ignored_by_default(int signal);

class SignalActions {
 public:
  /// Starts from what this process inherited: ignored signals stay ignored. `catch_defaults`: a debugger wants to see
  /// also the signals that would end or stop the guest, so the host's handler for them is ours.
  explicit SignalActions(bool catch_defaults);
  SignalActions(const SignalActions& other);
  SignalActions& operator=(const SignalActions&) = delete;

  GuestAction get(int signal) const;
  /// The action for delivering `signal` now; applies SA_RESETHAND.
  GuestAction take(int signal);
  /// rt_sigaction; `change` and `old` may be null. 0 or -errno.
  s64 exchange(int signal, const GuestAction* change, GuestAction* old);
  /// CLONE_CLEAR_SIGHAND: what has a handler becomes default. Only the table; the host's dispositions are not touched.
  void forget_handlers();
  /// Installs the present action's mirror for the host (again).
  void mirror(int signal) const;
  bool catches_defaults() const { return catch_defaults_; }
  /// Before the host executes another program: kOwnSignals as the guest has them.
  void prepare_exec() const;
  /// Around fork.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  void mirror_on_host(int signal, const GuestAction& action) const;

  mutable std::mutex mutex_;
  std::array<GuestAction, kSignalCount + 1> table_;
  const bool catch_defaults_;
};

}  // namespace tiercel::user
