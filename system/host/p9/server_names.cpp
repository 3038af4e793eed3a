// Names and attributes in the shared folder.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "system/host/p9/files.h"
#include "system/host/p9/server.h"

namespace tiercel::system::p9 {
namespace {

enum : u32 {  // P9_SETATTR_*
  kMode = 1,
  kUser = 2,
  kGroup = 4,
  kSize = 8,
  kAccessTime = 0x10,
  kModifyTime = 0x20,
  kAccessTimeGiven = 0x80,
  kModifyTimeGiven = 0x100,
};
constexpr u64 kBasicAttributes = 0x7ff;  // P9_GETATTR_BASIC

std::string by_descriptor(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

int result(int status) {
  return status == 0 ? 0 : errno;
}

/// Guests chown what they unpack; without privileges the host's file keeps its owner, and that is no error.
int change_owner(int fd, uid_t user, gid_t group) {
  if (fchownat(fd, "", user, group, AT_EMPTY_PATH) == 0) return 0;
  return errno == EPERM && geteuid() != 0 ? 0 : errno;
}

timespec new_time(u32 valid, u32 change, u32 given, u64 seconds, u64 nanoseconds) {
  if (!(valid & change)) return {0, UTIME_OMIT};
  if (!(valid & given)) return {0, UTIME_NOW};
  return {static_cast<time_t>(seconds), static_cast<long>(nanoseconds)};
}

}  // namespace

int Server::getattr(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  struct stat st;
  if (!fid) return EBADF;
  if (fstat(fid->path.get(), &st) != 0) return errno;
  out.number(kBasicAttributes);
  out.qid(qid_of(st));
  for (const u32 n : {u32{st.st_mode}, u32{st.st_uid}, u32{st.st_gid}}) out.number(n);
  for (const u64 n : {static_cast<u64>(st.st_nlink), static_cast<u64>(st.st_rdev), static_cast<u64>(st.st_size),
                      static_cast<u64>(st.st_blksize), static_cast<u64>(st.st_blocks)})
    out.number(n);
  for (const timespec& t : {st.st_atim, st.st_mtim, st.st_ctim}) {
    out.number(static_cast<u64>(t.tv_sec));
    out.number(static_cast<u64>(t.tv_nsec));
  }
  for (int i = 0; i < 4; ++i) out.number(u64{0});  // time of birth, generation, data version: not given
  return 0;
}

int Server::setattr(Reader& in) {
  const Fid* fid = find(in.number<u32>());
  const u32 valid = in.number<u32>(), mode = in.number<u32>(), user = in.number<u32>(), group = in.number<u32>();
  const u64 size = in.number<u64>();
  std::array<u64, 4> times;
  for (u64& t : times) t = in.number<u64>();
  struct stat st;
  if (!fid) return EBADF;
  if (!in.good()) return EINVAL;
  const int fd = fid->path.get();
  if (fstat(fd, &st) != 0) return errno;
  // What goes by name would follow a link of the guest's making, or wait for a FIFO's other end.
  const bool plain = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
  if ((valid & (kMode | kSize)) && !plain) return EOPNOTSUPP;
  const std::string name = by_descriptor(fd);
  int error = 0;
  if (valid & kMode) error = result(chmod(name.c_str(), mode & 07777));
  if (error == 0 && (valid & (kUser | kGroup)))
    error = change_owner(fd, valid & kUser ? user : ~uid_t{0}, valid & kGroup ? group : ~gid_t{0});
  if (error == 0 && (valid & kSize)) error = result(truncate(name.c_str(), static_cast<off_t>(size)));
  if (error == 0 && (valid & (kAccessTime | kModifyTime))) {
    const timespec both[2] = {new_time(valid, kAccessTime, kAccessTimeGiven, times[0], times[1]),
                              new_time(valid, kModifyTime, kModifyTimeGiven, times[2], times[3])};
    error = result(plain ? utimensat(AT_FDCWD, name.c_str(), both, 0) : utimensat(fd, "", both, AT_EMPTY_PATH));
  }
  return error;
}

int Server::readlink(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  if (!fid) return EBADF;
  std::array<char, PATH_MAX> target;
  const ssize_t size = readlinkat(fid->path.get(), "", target.data(), target.size());
  if (size < 0) return errno == ENOENT ? EINVAL : errno;  // it is no link
  out.text({target.data(), static_cast<std::size_t>(size)});
  return 0;
}

/// The qid of what was just made.
int Server::name_qid(const Fid& folder, const std::string& name, Writer& out) {
  struct stat st;
  if (fstatat(folder.path.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  out.qid(qid_of(st));
  return 0;
}

int Server::symlink(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  const std::string name = in.text(), target = in.text();
  if (!fid) return EBADF;
  if (!in.good() || !is_name(name) || target.find('\0') != std::string::npos) return EINVAL;
  if (symlinkat(target.c_str(), fid->path.get(), name.c_str()) != 0) return errno;
  return name_qid(*fid, name, out);
}

int Server::mknod(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  const std::string name = in.text();
  const u32 mode = in.number<u32>(), major = in.number<u32>(), minor = in.number<u32>();
  if (!fid) return EBADF;
  if (!in.good() || !is_name(name)) return EINVAL;
  // A device of the host's would be a way out of the folder for whoever on the host opens it.
  if (S_ISCHR(mode) || S_ISBLK(mode)) return EPERM;
  if (mknodat(fid->path.get(), name.c_str(), mode, makedev(major, minor)) != 0) return errno;
  return name_qid(*fid, name, out);
}

int Server::mkdir(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  const std::string name = in.text();
  const u32 mode = in.number<u32>();
  if (!fid) return EBADF;
  if (!in.good() || !is_name(name)) return EINVAL;
  if (mkdirat(fid->path.get(), name.c_str(), mode & 07777) != 0) return errno;
  return name_qid(*fid, name, out);
}

int Server::link(Reader& in) {
  const Fid* folder = find(in.number<u32>());
  const Fid* file = find(in.number<u32>());
  const std::string name = in.text();
  if (!folder || !file) return EBADF;
  if (!in.good() || !is_name(name)) return EINVAL;
  // AT_EMPTY_PATH needs a privilege; the way by /proc does not, and its link is the only one that is followed.
  return result(
      linkat(AT_FDCWD, by_descriptor(file->path.get()).c_str(), folder->path.get(), name.c_str(), AT_SYMLINK_FOLLOW));
}

int Server::rename(Reader& in) {
  const Fid* from = find(in.number<u32>());
  const std::string old_name = in.text();
  const Fid* to = find(in.number<u32>());
  const std::string new_name = in.text();
  if (!from || !to) return EBADF;
  if (!in.good() || !is_name(old_name) || !is_name(new_name)) return EINVAL;
  return result(renameat(from->path.get(), old_name.c_str(), to->path.get(), new_name.c_str()));
}

int Server::unlink(Reader& in) {
  const Fid* fid = find(in.number<u32>());
  const std::string name = in.text();
  const u32 flags = in.number<u32>();
  if (!fid) return EBADF;
  if (!in.good() || !is_name(name)) return EINVAL;
  return result(unlinkat(fid->path.get(), name.c_str(), static_cast<int>(flags) & AT_REMOVEDIR));
}

}  // namespace tiercel::system::p9
