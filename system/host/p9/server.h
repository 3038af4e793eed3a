// A shared folder: a 9P2000.L server for one client. Its files are the host's, with the host's permissions.
//
// The client never leaves the folder: every fid holds a descriptor of its file (O_PATH), names are single components
// that are looked up from one without following links, and ".." is refused. Links are the guest's to follow.
#pragma once

#include <dirent.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "system/host/p9/message.h"
#include "system/snapshot/archive.h"

namespace tiercel::system::p9 {

class Server {
 public:
  /// An error if `folder` cannot be opened.
  static Result<std::unique_ptr<Server>> create(const std::string& folder, bool read_only);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The answer to a message, at most `room` bytes; empty if the message is too broken to have one.
  std::vector<u8> handle(std::span<const u8> message, u64 room);
  /// Forgets the client.
  void reset() { fids_.clear(); }
  /// Its part of a snapshot. The client's files are opened again by their names in the folder.
  void serialize(Archive& state);

 private:
  struct CloseDirectory {
    void operator()(DIR* d) const { closedir(d); }
  };
  struct Fid {
    Descriptor path;                                 // O_PATH: names the file
    Descriptor open;                                 // what Tlopen or Tlcreate made
    std::unique_ptr<DIR, CloseDirectory> directory;  // instead of `open` for a directory
  };

  static constexpr u32 kMostMessage = 1 << 20;  // Linux asks for 128 KiB unless told otherwise
  static constexpr u32 kLeastMessage = 4096;
  static constexpr std::size_t kMostFids = 1 << 16;  // each holds a descriptor or two

  Server(int root, bool read_only) : root_(root), read_only_(read_only) {}

  // Each reads the rest of its message and writes the rest of its answer. 0, or an errno.
  int dispatch(u8 type, Reader& in, Writer& out);
  int version(Reader& in, Writer& out);
  int attach(Reader& in, Writer& out);
  int walk(Reader& in, Writer& out);
  int clunk(Reader& in);
  int open(Reader& in, Writer& out);
  int create(Reader& in, Writer& out);
  int read(Reader& in, Writer& out);
  int write(Reader& in, Writer& out);
  int readdir(Reader& in, Writer& out);
  int fsync(Reader& in);
  int getattr(Reader& in, Writer& out);
  int setattr(Reader& in);
  int statfs(Reader& in, Writer& out);
  int readlink(Reader& in, Writer& out);
  int symlink(Reader& in, Writer& out);
  int mknod(Reader& in, Writer& out);
  int mkdir(Reader& in, Writer& out);
  int link(Reader& in);
  int rename(Reader& in);
  int unlink(Reader& in);
  int lock(Reader& in, Writer& out);
  int getlock(Reader& in, Writer& out);

  Fid* find(u32 fid);
  bool add(u32 number, Fid fid);
  int name_qid(const Fid& folder, const std::string& name, Writer& out);
  u64 payload(u32 wanted, u64 overhead) const;
  void save_fid(Archive& state, u32 number, const Fid& fid) const;
  void load_fid(Archive& state);
  Descriptor look_up(const std::string& name) const;

  Descriptor root_;
  bool read_only_;
  u32 message_size_ = 0;  // agreed on with the client
  u64 room_ = 0;          // for the answer at hand
  std::unordered_map<u32, Fid> fids_;
};

}  // namespace tiercel::system::p9
