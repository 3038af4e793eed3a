// What the server's parts share about host files.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <string>

#include "system/host/p9/message.h"

namespace tiercel::system::p9 {

inline int dup_path(int fd) {
  return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/// One component that stays in its folder.
inline bool is_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

inline u8 qid_type(mode_t mode) {
  constexpr u8 kDirectory = 0x80, kSymlink = 0x02;
  return S_ISDIR(mode) ? kDirectory : S_ISLNK(mode) ? kSymlink : 0;
}

inline Qid qid_of(const struct stat& st) {
  // Mounts within the folder have inode numbers of their own.
  const u64 path = static_cast<u64>(st.st_ino) ^ static_cast<u64>(st.st_dev) << 48;
  const u32 version = static_cast<u32>(st.st_mtim.tv_nsec) ^ static_cast<u32>(st.st_mtim.tv_sec) << 8;
  return {qid_type(st.st_mode), version, path};
}

}  // namespace tiercel::system::p9
