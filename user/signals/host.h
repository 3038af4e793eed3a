// The host side of signals: raw system calls with 64-bit masks (libc hides the two signals the guest's libc uses) and
// the handler that takes note of signals for the guest.
#pragma once

#include <csignal>

#include "base/types.h"

namespace tiercel::user {

class Thread;

/// struct sigaction of the x86-64 kernel.
struct HostAction {
  u64 handler;  // address of a function, or 0 (default), 1 (ignore)
  u64 flags;
  void (*restorer)();
  u64 mask;
};

/// Raw rt_sigaction; returns 0 or -errno.
s64 host_sigaction(int signal, const HostAction* change, HostAction* old);
/// Raw rt_sigprocmask(SIG_SETMASK); returns the old mask. kHostUnblocked stay unblocked.
u64 set_host_mask(u64 mask);
/// The calling thread's mask.
u64 host_mask();

/// The host handler for every signal that has a guest handler, and for kOwnSignals.
void on_host_signal(int signal, siginfo_t* info, void* context);

/// The guest thread that the calling host thread runs, or null. Set by Thread.
Thread* current_thread();
void set_current_thread(Thread* thread);

/// Gives the calling thread a host signal stack at [base, base + size).
void use_host_signal_stack(void* base, u64 size);

/// Ends the process by `signal`, as if it had its default action. Does not return unless the signal cannot kill.
void die_by_signal(int signal);

}  // namespace tiercel::user
