// System calls on descriptors that are not passed through unchanged.
#pragma once

#include "user/syscalls/dispatch.h"

namespace tiercel::user {

s64 sys_openat(Thread& t, const SystemCall& c);
s64 sys_openat2(Thread& t, const SystemCall& c);
s64 sys_open_by_handle_at(Thread& t, const SystemCall& c);
s64 sys_close(Thread& t, const SystemCall& c);
s64 sys_close_range(Thread& t, const SystemCall& c);
s64 sys_dup3(Thread& t, const SystemCall& c);
s64 sys_pipe2(Thread& t, const SystemCall& c);
s64 sys_fcntl(Thread& t, const SystemCall& c);
s64 sys_fstat(Thread& t, const SystemCall& c);
s64 sys_newfstatat(Thread& t, const SystemCall& c);
s64 sys_epoll_ctl(Thread& t, const SystemCall& c);
s64 sys_epoll_pwait(Thread& t, const SystemCall& c);
s64 sys_epoll_pwait2(Thread& t, const SystemCall& c);
s64 sys_ppoll(Thread& t, const SystemCall& c);
s64 sys_pselect6(Thread& t, const SystemCall& c);

}  // namespace tiercel::user
