// System calls that make, change and end processes and threads.
#pragma once

#include "user/syscalls/dispatch.h"

namespace tiercel::user {

// clone.cpp
s64 sys_clone(Thread& t, const SystemCall& c);
s64 sys_clone3(Thread& t, const SystemCall& c);
// execute.cpp
s64 sys_execve(Thread& t, const SystemCall& c);
s64 sys_execveat(Thread& t, const SystemCall& c);
// process_calls.cpp
s64 sys_exit(Thread& t, const SystemCall& c);
s64 sys_exit_group(Thread& t, const SystemCall& c);
s64 sys_prctl(Thread& t, const SystemCall& c);
s64 sys_uname(Thread& t, const SystemCall& c);
s64 sys_getrlimit(Thread& t, const SystemCall& c);
s64 sys_setrlimit(Thread& t, const SystemCall& c);
s64 sys_prlimit64(Thread& t, const SystemCall& c);
s64 sys_personality(Thread& t, const SystemCall& c);
s64 sys_futex(Thread& t, const SystemCall& c);
s64 sys_clock_gettime(Thread& t, const SystemCall& c);
s64 sys_gettimeofday(Thread& t, const SystemCall& c);

}  // namespace tiercel::user
