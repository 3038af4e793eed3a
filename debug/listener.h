// Where a debugger, or whoever controls a machine, is waited for.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::debug {

class Listener {
 public:
  /// `tcp:PORT` (for this host only), `tcp:ADDRESS:PORT` or `unix:PATH`. `option` names the option that says so.
  static Result<Listener> open(const std::string& option, const std::string& where);
  /// One that has been opened before.
  static Listener adopt(int fd, std::string where, std::string file) {
    return Listener(fd, std::move(where), std::move(file));
  }
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  /// Closes it, and removes the socket's file.
  ~Listener();

  /// A connection, or -1 after shut_down.
  int accept() const;
  /// Makes accept return. Any thread.
  void shut_down() const;
  /// Nobody is to find it any more.
  void remove_file();
  int descriptor() const { return fd_; }
  /// How to reach it: `where`, with the port that was chosen for port 0.
  const std::string& where() const { return where_; }
  /// The socket's file; empty: there is none.
  const std::string& file() const { return file_; }

 private:
  Listener(int fd, std::string where, std::string file) : fd_(fd), where_(std::move(where)), file_(std::move(file)) {}

  int fd_ = -1;
  std::string where_, file_;
};

/// All of it. False: the other side has gone, or takes nothing for a while.
bool send_all(int socket, std::string_view bytes);

}  // namespace tiercel::debug
