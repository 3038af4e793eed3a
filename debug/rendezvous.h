// Where a thread gets descriptors from another one of this process whose descriptor table is its own.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <span>

namespace tiercel::debug {

class Rendezvous {
 public:
  /// Of the thread that is to get them.
  static std::optional<Rendezvous> open();
  Rendezvous(Rendezvous&& other) noexcept;
  Rendezvous& operator=(Rendezvous&&) = delete;
  ~Rendezvous();

  /// For the other thread. Waits for nobody.
  bool give(std::span<const int> descriptors) const;
  /// After give: as many descriptors as were given, which stay open when a program is executed. False: none is open.
  bool take(std::span<int> descriptors) const;

 private:
  Rendezvous(int fd, const sockaddr_un& address, socklen_t size) : fd_(fd), address_(address), size_(size) {}

  int fd_;
  sockaddr_un address_;
  socklen_t size_;
};

}  // namespace tiercel::debug
