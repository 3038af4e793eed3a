// --strace: system calls in words.
//
// One letter of a row's format describes one argument:
//   i signed number   u unsigned number   x bits   p address   s path or string   f descriptor   a directory descriptor
//   o open flags      m file mode         M PROT_  F MAP_      g signal           b bytes whose count is the next
//   argument h how of sigprocmask   k clock   c clone flags   e futex operation   S socket family   T socket type   t
//   timespec w lseek whence    E epoll_ctl operation   C fcntl command   q signal set   v argv   d madvise advice   n
//   ioctl request
#pragma once

#include <string>

#include "user/syscalls/dispatch.h"

namespace tiercel::user {

/// "openat(AT_FDCWD, "/etc/passwd", O_RDONLY)"
std::string describe_call(const SystemCallRow& row, const SystemCall& call);
/// " = 3" or " = -1 ENOENT (No such file or directory)"
std::string describe_result(const SystemCallRow& row, const SystemCall& call, s64 result);
/// Calls after which there may be nobody to write the line.
bool may_end_process(const SystemCallRow& row);

}  // namespace tiercel::user
