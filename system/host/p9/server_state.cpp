// The shared folder's part of a snapshot: what the client has open, by name.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "system/host/p9/files.h"
#include "system/host/p9/server.h"

namespace tiercel::system::p9 {
namespace {

enum class Opened : u8 { No, File, Directory };

// Of an open file's flags, what it is opened with again.
constexpr int kKeptFlags = O_ACCMODE | O_SYNC | O_DSYNC;
constexpr int kOurFlags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

/// Where a descriptor's file is now; empty: nowhere.
std::string place_of(int fd) {
  std::string path(PATH_MAX, ' ');
  const ssize_t n = readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), path.data(), path.size());
  path.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return path;
}

}  // namespace

/// The file of that name below the folder, without following links; "" is the folder.
Descriptor Server::look_up(const std::string& name) const {
  Descriptor at(dup_path(root_.get()));
  for (std::size_t start = 0; at && start < name.size();) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    const std::string component = name.substr(start, end - start);
    at = Descriptor(is_name(component) ? openat(at.get(), component.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1);
    start = end + 1;
  }
  return at;
}

void Server::save_fid(Archive& state, u32 number, const Fid& fid) const {
  const std::string root = place_of(root_.get()), place = place_of(fid.path.get());
  const std::string prefix = root == "/" ? root : root + "/";
  std::string name = place.starts_with(prefix) ? place.substr(prefix.size()) : "";
  // A file that was renamed over or removed has no name any more.
  struct stat named = {}, open = {};
  const Descriptor found = look_up(name);
  if (!found || fstat(found.get(), &named) != 0 || fstat(fid.path.get(), &open) != 0 || named.st_dev != open.st_dev ||
      named.st_ino != open.st_ino)
    return state.refuse(fmt::format("the guest has {} open, which has no name in its shared folder any more", place));
  Opened opened = fid.directory ? Opened::Directory : fid.open ? Opened::File : Opened::No;
  int flags = fid.open ? fcntl(fid.open.get(), F_GETFL) & kKeptFlags : 0;
  state(number);
  state.list(name, PATH_MAX);
  state(opened, flags);
}

void Server::load_fid(Archive& state) {
  u32 number = 0;
  std::string name;
  Opened opened = Opened::No;
  int flags = 0;
  state(number);
  state.list(name, PATH_MAX);
  state(opened, flags);
  state.require(opened <= Opened::Directory && (flags & ~kKeptFlags) == 0);
  state.require(!read_only_ || (flags & O_ACCMODE) == O_RDONLY);
  if (!state.good()) return;
  Fid fid{look_up(name), Descriptor(), nullptr};
  const auto missing = [&] {
    state.refuse(fmt::format("the guest has '{}' of its shared folder open, which cannot be opened any more", name));
  };
  if (!fid.path) return missing();
  if (opened != Opened::No) {
    struct stat st = {};
    const bool directory = opened == Opened::Directory;
    if (fstat(fid.path.get(), &st) != 0 || !(directory ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode))) return missing();
    const std::string path = fmt::format("/proc/self/fd/{}", fid.path.get());
    Descriptor again(::open(path.c_str(), directory ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : flags | kOurFlags));
    if (!again) return missing();
    if (!directory) {
      fid.open = std::move(again);
    } else {
      const int copy = dup_path(again.get());  // the stream closes it
      fid.directory.reset(copy < 0 ? nullptr : fdopendir(copy));
      if (!fid.directory) return missing();
    }
  }
  state.require(add(number, std::move(fid)));
}

void Server::serialize(Archive& state) {
  u64 count = fids_.size();
  state(message_size_, count);
  state.require(message_size_ <= kMostMessage && count <= kMostFids);
  if (!state.loads()) {
    for (const auto& [number, fid] : fids_) save_fid(state, number, fid);
    return;
  }
  fids_.clear();
  for (u64 i = 0; i < count && state.good(); ++i) load_fid(state);
}

}  // namespace tiercel::system::p9
