// Opening, reading and writing of the shared folder's files.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "system/host/p9/files.h"
#include "system/host/p9/server.h"

namespace tiercel::system::p9 {
namespace {

// Of a client's flags, which have Linux's numbers. Offsets come with each write, so appending is the client's.
constexpr int kOpenFlags = O_ACCMODE | O_TRUNC | O_DIRECTORY | O_SYNC | O_DSYNC;
// A FIFO that somebody put in a file's place must not hold us.
constexpr int kOurFlags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

bool writes(u32 flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

std::string by_descriptor(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

}  // namespace

int Server::open(Reader& in, Writer& out) {
  Fid* fid = find(in.number<u32>());
  const u32 flags = in.number<u32>();
  struct stat st;
  if (!in.good() || !fid) return EBADF;
  if (fid->open || fid->directory) return EBUSY;
  if (read_only_ && writes(flags)) return EROFS;
  if (fstat(fid->path.get(), &st) != 0) return errno;
  // Devices, sockets and FIFOs are the guest's own affair: only their names are here.
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return EACCES;
  Descriptor opened(::open(by_descriptor(fid->path.get()).c_str(), (static_cast<int>(flags) & kOpenFlags) | kOurFlags));
  if (!opened) return errno;
  if (S_ISDIR(st.st_mode)) {
    const int copy = dup_path(opened.get());  // the stream closes it
    if (copy < 0) return errno;
    fid->directory.reset(fdopendir(copy));
    if (!fid->directory) {
      const int error = errno;
      close(copy);
      return error;
    }
  } else {
    fid->open = std::move(opened);
  }
  out.qid(qid_of(st));
  out.number(u32{0});  // iounit: as the message size allows
  return 0;
}

int Server::create(Reader& in, Writer& out) {
  Fid* fid = find(in.number<u32>());
  const std::string name = in.text();
  const u32 flags = in.number<u32>(), mode = in.number<u32>();
  struct stat st;
  if (!fid) return EBADF;
  if (!in.good() || !is_name(name)) return EINVAL;
  if (fid->open || fid->directory) return EBUSY;
  const int how = (static_cast<int>(flags) & (kOpenFlags | O_EXCL)) | O_CREAT | O_NOFOLLOW | kOurFlags;
  Descriptor opened(openat(fid->path.get(), name.c_str(), how, mode & 07777));
  if (!opened || fstat(opened.get(), &st) != 0) return errno;
  if (!S_ISREG(st.st_mode)) return EACCES;
  Descriptor path(::open(by_descriptor(opened.get()).c_str(), O_PATH | O_CLOEXEC));
  if (!path) return errno;
  fid->path = std::move(path);
  fid->open = std::move(opened);
  out.qid(qid_of(st));
  out.number(u32{0});
  return 0;
}

int Server::read(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  const u64 offset = in.number<u64>();
  const u64 count = payload(in.number<u32>(), 4);
  if (!in.good() || !fid || !fid->open) return EBADF;
  const std::size_t at = out.bytes().size();
  out.bytes().resize(at + 4 + count);
  const ssize_t done = pread(fid->open.get(), out.bytes().data() + at + 4, count, static_cast<off_t>(offset));
  if (done < 0) return errno;
  const u32 got = static_cast<u32>(done);
  std::memcpy(out.bytes().data() + at, &got, sizeof got);
  out.bytes().resize(at + 4 + got);
  return 0;
}

int Server::write(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  const u64 offset = in.number<u64>();
  const std::span<const u8> data = in.data(in.number<u32>());
  if (!in.good() || !fid || !fid->open) return EBADF;
  const ssize_t done = pwrite(fid->open.get(), data.data(), data.size(), static_cast<off_t>(offset));
  if (done < 0) return errno;
  out.number(static_cast<u32>(done));
  return 0;
}

int Server::readdir(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  const u64 offset = in.number<u64>();
  const u64 room = payload(in.number<u32>(), 4);
  if (!in.good() || !fid || !fid->directory) return EBADF;
  DIR* directory = fid->directory.get();
  if (offset == 0)
    rewinddir(directory);
  else
    seekdir(directory, static_cast<long>(offset));
  Writer entries;
  while (const dirent* entry = ::readdir(directory)) {
    constexpr u64 kEntryOverhead = 13 + 8 + 1 + 2;
    const std::string_view name = entry->d_name;
    if (entries.bytes().size() + kEntryOverhead + name.size() > room) break;
    struct stat st;
    // ".." of the folder itself would name what lies outside.
    const char* of = name == ".." ? "." : entry->d_name;
    if (fstatat(dirfd(directory), of, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
    entries.qid(qid_of(st));
    entries.number(static_cast<u64>(entry->d_off));
    entries.number(u8{entry->d_type});
    entries.text(name);
  }
  out.number(static_cast<u32>(entries.bytes().size()));
  out.bytes().insert(out.bytes().end(), entries.bytes().begin(), entries.bytes().end());
  return 0;
}

int Server::fsync(Reader& in) {
  const Fid* fid = find(in.number<u32>());
  const u32 data_only = in.number<u32>();
  if (!fid) return EBADF;
  if (fid->directory) return ::fsync(dirfd(fid->directory.get())) == 0 ? 0 : errno;
  if (!fid->open) return EBADF;
  return (data_only ? fdatasync(fid->open.get()) : ::fsync(fid->open.get())) == 0 ? 0 : errno;
}

int Server::statfs(Reader& in, Writer& out) {
  const Fid* fid = find(in.number<u32>());
  struct statfs st;
  if (!fid) return EBADF;
  if (fstatfs(fid->path.get(), &st) != 0) return errno;
  constexpr u32 kV9fsMagic = 0x01021997;
  out.number(kV9fsMagic);
  out.number(static_cast<u32>(st.f_bsize));
  for (const u64 count : {st.f_blocks, st.f_bfree, st.f_bavail, st.f_files, st.f_ffree}) out.number(count);
  u64 id;
  static_assert(sizeof id == sizeof st.f_fsid);
  std::memcpy(&id, &st.f_fsid, sizeof id);
  out.number(id);
  out.number(static_cast<u32>(st.f_namelen));
  return 0;
}

}  // namespace tiercel::system::p9
