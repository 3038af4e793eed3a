// /proc/self as the guest: files whose host content would describe Tiercel.
#pragma once

#include "user/syscalls/dispatch.h"

namespace tiercel::user {

/// Opens the guest's version of /proc/self/`entry`. -ENOSYS: the host's own file is right.
s64 open_own_proc_file(Thread& t, const char* entry, u64 host_flags);

/// Opens the guest's version of a machine-wide file such as /proc/cpuinfo; -ENOSYS: the host's own file is right.
s64 open_machine_file(const char* path, u64 host_flags);

}  // namespace tiercel::user
