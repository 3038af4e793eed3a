// System calls on signals.
#pragma once

#include "user/syscalls/dispatch.h"

namespace tiercel::user {

s64 sys_rt_sigaction(Thread& t, const SystemCall& c);
s64 sys_rt_sigprocmask(Thread& t, const SystemCall& c);
s64 sys_rt_sigpending(Thread& t, const SystemCall& c);
s64 sys_rt_sigsuspend(Thread& t, const SystemCall& c);
s64 sys_rt_sigreturn(Thread& t, const SystemCall& c);
s64 sys_sigaltstack(Thread& t, const SystemCall& c);
s64 sys_restart_syscall(Thread& t, const SystemCall& c);

}  // namespace tiercel::user
