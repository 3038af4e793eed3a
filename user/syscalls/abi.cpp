#include "user/syscalls/abi.h"

#include <fcntl.h>

namespace tiercel::user::abi {

namespace {

struct FlagPair {
  u64 guest, host;
};
// uapi/asm/fcntl.h of both. Everything else has the same value.
constexpr FlagPair kOpenFlags[] = {
    {040000, 0200000},   // O_DIRECTORY
    {0100000, 0400000},  // O_NOFOLLOW
    {0200000, 040000},   // O_DIRECT
    {0400000, 0100000},  // O_LARGEFILE
};
constexpr u64 kGuestBits = 040000 | 0100000 | 0200000 | 0400000;

}  // namespace

u64 host_open_flags(u64 guest) {
  u64 host = guest & ~kGuestBits;
  for (const FlagPair& p : kOpenFlags)
    if (guest & p.guest) host |= p.host;
  return host;
}

u64 guest_open_flags(u64 host) {
  u64 guest = host & ~kGuestBits;
  for (const FlagPair& p : kOpenFlags)
    if (host & p.host) guest |= p.guest;
  return guest;
}

GuestStat guest_stat(const struct stat& h) {
  return {.device = h.st_dev,
          .inode = h.st_ino,
          .mode = h.st_mode,
          .links = static_cast<u32>(h.st_nlink),
          .uid = h.st_uid,
          .gid = h.st_gid,
          .special_device = h.st_rdev,
          .pad1 = 0,
          .size = h.st_size,
          .block_size = static_cast<s32>(h.st_blksize),
          .pad2 = 0,
          .blocks = h.st_blocks,
          .atime = h.st_atim.tv_sec,
          .atime_ns = h.st_atim.tv_nsec,
          .mtime = h.st_mtim.tv_sec,
          .mtime_ns = h.st_mtim.tv_nsec,
          .ctime = h.st_ctim.tv_sec,
          .ctime_ns = h.st_ctim.tv_nsec,
          .unused = {}};
}

GuestSemaphoreSet guest_semaphore_set(const semid_ds& h) {
  return {.permissions = h.sem_perm,
          .operation_time = h.sem_otime,
          .change_time = h.sem_ctime,
          .count = h.sem_nsems,
          .unused = {}};
}

}  // namespace tiercel::user::abi
