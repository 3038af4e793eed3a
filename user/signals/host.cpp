#include "user/signals/host.h"

#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/engine.h"
#include "user/signals/actions.h"
#include "user/thread.h"

extern "C" const char tiercel_blocking_begin[], tiercel_blocking_end[], tiercel_blocking_interrupted[];

namespace tiercel::user {

namespace {

// The one piece of per-thread state that a signal handler must find without an argument.
thread_local Thread* current = nullptr;

bool is_synchronous(int signal, const siginfo_t& info) {
  if (info.si_code <= 0) return false;
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP;
}

/// A fault in our own code: say so and die of it when the handler returns.
void report_own_fault(int signal, const siginfo_t& info, const ucontext_t& context) {
  char text[256];
  const u64 pc = static_cast<u64>(context.uc_mcontext.gregs[REG_RIP]);
  const u64 guest_pc = current ? current->cpu().pc : 0;
  const int n =
      std::snprintf(text, sizeof text,
                    "tiercel: internal error: %s at host pc %#llx (tiercel%+lld), address %p, near guest pc %#llx\n",
                    strsignal(signal), static_cast<unsigned long long>(pc),
                    static_cast<long long>(pc - reinterpret_cast<u64>(&report_own_fault)), info.si_addr,
                    static_cast<unsigned long long>(guest_pc));
  [[maybe_unused]] const ssize_t written = write(2, text, static_cast<std::size_t>(n));
  const HostAction none{};
  host_sigaction(signal, &none, nullptr);
}

}  // namespace

s64 host_sigaction(int signal, const HostAction* change, HostAction* old) {
  return syscall(SYS_rt_sigaction, signal, change, old, sizeof(u64)) < 0 ? -errno : 0;
}

u64 set_host_mask(u64 mask) {
  mask &= ~kHostUnblocked;
  u64 old = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof(u64));
  return old;
}

u64 host_mask() {
  u64 mask = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &mask, sizeof(u64));
  return mask;
}

Thread* current_thread() {
  return current;
}
void set_current_thread(Thread* thread) {
  current = thread;
}

void use_host_signal_stack(void* base, u64 size) {
  const stack_t stack{.ss_sp = base, .ss_flags = base ? 0 : SS_DISABLE, .ss_size = size};
  sigaltstack(&stack, nullptr);
}

void die_by_signal(int signal) {
  const HostAction none{};
  host_sigaction(signal, &none, nullptr);
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
  u64 mask = ~signal_bit(signal);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(u64));
}

void on_host_signal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  auto& host = *static_cast<ucontext_t*>(context);
  if (is_synchronous(signal, *info)) {
    if (!is_own_signal(signal) || !engine::Engine::handle_host_fault(info, context))
      report_own_fault(signal, *info, host);
    errno = saved_errno;
    return;
  }
  if (current) {
    const bool others_wait = current->capture(signal, *info);
    // One asynchronous signal at a time: until the guest has taken it, the kernel keeps the others.
    if (others_wait) std::memset(&host.uc_sigmask, 0xff, sizeof(u64));
    if (others_wait) reinterpret_cast<u64&>(host.uc_sigmask) &= ~kHostUnblocked;
    const u64 pc = static_cast<u64>(host.uc_mcontext.gregs[REG_RIP]);
    if (pc >= reinterpret_cast<u64>(tiercel_blocking_begin) && pc < reinterpret_cast<u64>(tiercel_blocking_end))
      host.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(reinterpret_cast<u64>(tiercel_blocking_interrupted));
  }
  errno = saved_errno;
}

}  // namespace tiercel::user
