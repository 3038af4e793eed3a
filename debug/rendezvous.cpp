#include "debug/rendezvous.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <utility>
#include <vector>

namespace tiercel::debug {
namespace {

constexpr int kType = SOCK_SEQPACKET | SOCK_CLOEXEC;
constexpr std::size_t kMost = 250;  // the kernel takes 253 at a time

/// One byte, and room for descriptors beside it.
struct Message {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  std::vector<char> control;
  msghdr head = {};

  explicit Message(std::size_t descriptors) : control(CMSG_SPACE(descriptors * sizeof(int))) {
    head.msg_iov = &data;
    head.msg_iovlen = 1;
    head.msg_control = control.data();
    head.msg_controllen = control.size();
  }
};

bool is_ours(int socket) {
  ucred other = {};
  socklen_t size = sizeof other;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &other, &size) == 0 && other.pid == getpid();
}

}  // namespace

std::optional<Rendezvous> Rendezvous::open() {
  const int fd = socket(AF_UNIX, kType, 0);
  if (fd < 0) return {};
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof address;
  // An address that the kernel chooses, in no folder.
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) < 0 || listen(fd, 4) < 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) < 0) {
    close(fd);
    return {};
  }
  return Rendezvous(fd, address, size);
}

Rendezvous::Rendezvous(Rendezvous&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), address_(other.address_), size_(other.size_) {}

Rendezvous::~Rendezvous() {
  if (fd_ >= 0) close(fd_);
}

bool Rendezvous::give(std::span<const int> descriptors) const {
  if (descriptors.empty() || descriptors.size() > kMost) return false;
  const int fd = socket(AF_UNIX, kType, 0);
  if (fd < 0) return false;
  Message message(descriptors.size());
  cmsghdr* part = CMSG_FIRSTHDR(&message.head);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  const bool done = connect(fd, reinterpret_cast<const sockaddr*>(&address_), size_) == 0 &&
                    sendmsg(fd, &message.head, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
  close(fd);
  return done;
}

bool Rendezvous::take(std::span<int> descriptors) const {
  int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  while (fd >= 0 && !is_ours(fd)) {
    close(fd);
    fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  }
  if (fd < 0) return false;
  Message message(descriptors.size());
  const ssize_t n = recvmsg(fd, &message.head, 0);
  close(fd);
  const cmsghdr* part = n == 1 ? CMSG_FIRSTHDR(&message.head) : nullptr;
  if (!part || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return false;
  std::vector<int> got((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  std::memcpy(got.data(), CMSG_DATA(part), got.size() * sizeof(int));
  if (got.size() != descriptors.size()) {  // there was no room for all
    for (const int one : got) close(one);
    return false;
  }
  std::memcpy(descriptors.data(), got.data(), descriptors.size_bytes());
  return true;
}

}  // namespace tiercel::debug
