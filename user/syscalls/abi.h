// Where arm64 Linux differs from x86-64 Linux: flags and structures. Both follow the generic definitions
// (uapi/asm-generic) except where x86-64 kept older ones.
#pragma once

#include <sys/sem.h>
#include <sys/stat.h>

#include "base/types.h"

namespace tiercel::user::abi {

u64 host_open_flags(u64 guest);
u64 guest_open_flags(u64 host);

/// struct stat of asm-generic.
struct GuestStat {
  u64 device, inode;
  u32 mode, links, uid, gid;
  u64 special_device, pad1;
  s64 size;
  s32 block_size, pad2;
  s64 blocks;
  s64 atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
  u32 unused[2];
};
static_assert(sizeof(GuestStat) == 128);
GuestStat guest_stat(const struct stat& host);

/// struct epoll_event is packed on x86-64 only.
struct GuestEpollEvent {
  u32 events, pad;
  u64 data;
};

/// struct semid64_ds: x86-64 has padding after each time.
struct GuestSemaphoreSet {
  ipc_perm permissions;
  s64 operation_time, change_time;
  u64 count, unused[2];
};
GuestSemaphoreSet guest_semaphore_set(const semid_ds& host);

}  // namespace tiercel::user::abi
