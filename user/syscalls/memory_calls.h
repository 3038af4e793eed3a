// System calls on the address space.
#pragma once

#include "user/syscalls/dispatch.h"

namespace tiercel::user {

s64 sys_brk(Thread& t, const SystemCall& c);
s64 sys_mmap(Thread& t, const SystemCall& c);
s64 sys_munmap(Thread& t, const SystemCall& c);
s64 sys_mprotect(Thread& t, const SystemCall& c);
s64 sys_pkey_mprotect(Thread& t, const SystemCall& c);
s64 sys_mremap(Thread& t, const SystemCall& c);
s64 sys_madvise(Thread& t, const SystemCall& c);
s64 sys_shmat(Thread& t, const SystemCall& c);
s64 sys_shmdt(Thread& t, const SystemCall& c);
s64 sys_semctl(Thread& t, const SystemCall& c);

}  // namespace tiercel::user
