#include "system/host/p9/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "system/host/p9/files.h"

namespace tiercel::system::p9 {
namespace {

enum Type : u8 {
  kError = 7,
  kStatfs = 8,
  kOpen = 12,
  kCreate = 14,
  kSymlink = 16,
  kMknod = 18,
  kReadlink = 22,
  kGetattr = 24,
  kSetattr = 26,
  kReaddir = 40,
  kFsync = 50,
  kLock = 52,
  kGetlock = 54,
  kLink = 70,
  kMkdir = 72,
  kRename = 74,
  kUnlink = 76,
  kVersion = 100,
  kAttach = 104,
  kFlush = 108,
  kWalk = 110,
  kRead = 116,
  kWrite = 118,
  kClunk = 120,
};

constexpr u64 kHeader = 7;      // size, type, tag
constexpr u16 kMostNames = 16;  // of one walk: MAXWELEM
constexpr u32 kNoFid = ~u32{0};

bool changes_files(u8 type) {
  switch (type) {
    case kCreate:
    case kSymlink:
    case kMknod:
    case kSetattr:
    case kLink:
    case kMkdir:
    case kRename:
    case kUnlink:
    case kWrite:
      return true;
    default:
      return false;
  }
}

}  // namespace

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(const std::string& folder, bool read_only) {
  const int fd = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(errno, fmt::format("cannot share {}: {}", folder, std::strerror(errno)));
  return std::unique_ptr<Server>(new Server(fd, read_only));
}

std::vector<u8> Server::handle(std::span<const u8> message, u64 room) {
  Reader in(message);
  in.number<u32>();  // its size: the transport knows better
  const u8 type = in.number<u8>();
  const u16 tag = in.number<u16>();
  room_ = room;
  if (!in.good() || room < kHeader + 4) return {};
  Writer out;
  const auto start = [&](u8 answer) {
    out.bytes().clear();
    out.number(u32{0});
    out.number(answer);
    out.number(tag);
  };
  start(type + 1);
  int error = read_only_ && changes_files(type) ? EROFS : dispatch(type, in, out);
  if (error == 0 && out.bytes().size() > room) error = EMSGSIZE;
  if (error != 0) {
    start(kError);
    out.number(static_cast<u32>(error));
  }
  const u32 size = static_cast<u32>(out.bytes().size());
  std::memcpy(out.bytes().data(), &size, sizeof size);
  return std::move(out.bytes());
}

int Server::dispatch(u8 type, Reader& in, Writer& out) {
  switch (type) {
    case kVersion:
      return version(in, out);
    case kAttach:
      return attach(in, out);
    case kFlush:  // requests are answered in order: there is nothing left to flush
      return 0;
    case kWalk:
      return walk(in, out);
    case kClunk:
      return clunk(in);
    case kOpen:
      return open(in, out);
    case kCreate:
      return create(in, out);
    case kRead:
      return read(in, out);
    case kWrite:
      return write(in, out);
    case kReaddir:
      return readdir(in, out);
    case kFsync:
      return fsync(in);
    case kGetattr:
      return getattr(in, out);
    case kSetattr:
      return setattr(in);
    case kStatfs:
      return statfs(in, out);
    case kReadlink:
      return readlink(in, out);
    case kSymlink:
      return symlink(in, out);
    case kMknod:
      return mknod(in, out);
    case kMkdir:
      return mkdir(in, out);
    case kLink:
      return link(in);
    case kRename:
      return rename(in);
    case kUnlink:
      return unlink(in);
    case kLock:
      return lock(in, out);
    case kGetlock:
      return getlock(in, out);
    default:
      return EOPNOTSUPP;
  }
}

Server::Fid* Server::find(u32 fid) {
  const auto at = fids_.find(fid);
  return at == fids_.end() ? nullptr : &at->second;
}

/// False: the number is taken, or there are too many.
bool Server::add(u32 number, Fid fid) {
  return number != kNoFid && fids_.size() < kMostFids && fids_.emplace(number, std::move(fid)).second;
}

int Server::version(Reader& in, Writer& out) {
  const u32 size = in.number<u32>();
  const std::string name = in.text();
  if (!in.good() || size < kLeastMessage) return EINVAL;
  fids_.clear();
  message_size_ = std::min(size, kMostMessage);
  out.number(message_size_);
  out.text(name == "9P2000.L" ? name : "unknown");
  return 0;
}

int Server::attach(Reader& in, Writer& out) {
  const u32 number = in.number<u32>();
  if (!in.good()) return EINVAL;
  Fid fid{Descriptor(dup_path(root_.get())), Descriptor(), nullptr};
  struct stat st;
  if (!fid.path || fstat(fid.path.get(), &st) != 0) return errno;
  if (!add(number, std::move(fid))) return EBADF;
  out.qid(qid_of(st));
  return 0;
}

int Server::walk(Reader& in, Writer& out) {
  const u32 from = in.number<u32>(), to = in.number<u32>();
  const u16 names = in.number<u16>();
  const Fid* start = find(from);
  if (!in.good() || !start || names > kMostNames) return start ? EINVAL : EBADF;
  Descriptor at(dup_path(start->path.get()));
  if (!at) return errno;
  std::vector<Qid> qids;
  int error = 0;
  for (u16 i = 0; i < names && error == 0; ++i) {
    const std::string name = in.text();
    if (!in.good()) return EINVAL;
    struct stat st;
    Descriptor next(is_name(name) ? openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1);
    if (!next || fstat(next.get(), &st) != 0) {
      error = is_name(name) ? errno : EACCES;
      break;
    }
    qids.push_back(qid_of(st));
    at = std::move(next);
  }
  // Part of the way is an answer too, but the new fid then does not come to be.
  if (names != 0 && qids.empty()) return error;
  if (qids.size() == names) {
    if (to == from) fids_.erase(from);
    if (!add(to, {std::move(at), Descriptor(), nullptr})) return EBADF;
  }
  out.number(static_cast<u16>(qids.size()));
  for (const Qid& q : qids) out.qid(q);
  return 0;
}

int Server::clunk(Reader& in) {
  return fids_.erase(in.number<u32>()) != 0 ? 0 : EBADF;
}

/// How many bytes an answer may carry besides `overhead` of its own.
u64 Server::payload(u32 wanted, u64 overhead) const {
  const u64 most = std::min<u64>(room_, message_size_);
  return std::min<u64>(wanted, most - std::min(most, kHeader + overhead));
}

int Server::lock(Reader&, Writer& out) {
  out.number(u8{0});  // granted: the guest's kernel keeps its processes apart, and there is one guest
  return 0;
}

int Server::getlock(Reader& in, Writer& out) {
  in.number<u32>();
  in.number<u8>();
  const u64 start = in.number<u64>(), length = in.number<u64>();
  const u32 process = in.number<u32>();
  const std::string client = in.text();
  if (!in.good()) return EINVAL;
  constexpr u8 kUnlocked = 2;
  out.number(kUnlocked);
  out.number(start);
  out.number(length);
  out.number(process);
  out.text(client);
  return 0;
}

}  // namespace tiercel::system::p9
