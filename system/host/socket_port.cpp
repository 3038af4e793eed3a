#include "system/host/socket_port.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tiercel::system {
namespace {

constexpr std::size_t kMostBytes = 64 << 10;  // in each direction
constexpr std::size_t kChunk = 4096;

bool is_temporary(int error) {
  return error == EAGAIN || error == EINTR;
}

}  // namespace

SocketPort::SocketPort(EventLoop& loop, int listener)
    : loop_(loop), listener_(listener), written_(loop.add_doorbell([this] { serve(EPOLLOUT); })) {
  loop_.watch(listener_, EPOLLIN, [this](u32) { accept_one(); });
}

SocketPort::~SocketPort() {
  loop_.unwatch(listener_);
  if (connection_) loop_.unwatch(connection_.get());
}

std::size_t SocketPort::write(std::span<const u8> bytes) {
  const std::scoped_lock lock(mutex_);
  output_.insert(output_.end(), bytes.begin(), bytes.end());
  // Who is connected and does not read loses the oldest bytes too: the guest does not wait for them.
  if (output_.size() > kMostBytes) output_.erase(output_.begin(), output_.end() - static_cast<long>(kMostBytes));
  written_.ring();
  return bytes.size();
}

std::size_t SocketPort::read(std::span<u8> out) {
  const std::scoped_lock lock(mutex_);
  const std::size_t n = std::min(out.size(), input_.size());
  std::copy_n(input_.begin(), n, out.begin());
  input_.erase(input_.begin(), input_.begin() + static_cast<long>(n));
  return n;
}

std::size_t SocketPort::available() const {
  const std::scoped_lock lock(mutex_);
  return input_.size();
}

/// Others wait in the listener's queue until the one that is connected has gone.
void SocketPort::accept_one() {
  connection_ = Descriptor(accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection_) return;
  loop_.unwatch(listener_);
  serve(EPOLLOUT);
}

void SocketPort::serve(u32 events) {
  if (!connection_) return;
  if (((events & ~u32{EPOLLOUT}) == 0 || receive()) && send()) return watch_connection();
  loop_.unwatch(connection_.get());
  connection_ = Descriptor();
  loop_.watch(listener_, EPOLLIN, [this](u32) { accept_one(); });
}

/// False: the other side has gone.
bool SocketPort::receive() {
  std::array<u8, kChunk> bytes;
  const ssize_t n = recv(connection_.get(), bytes.data(), bytes.size(), 0);
  if (n == 0 || (n < 0 && !is_temporary(errno))) return false;
  {
    const std::scoped_lock lock(mutex_);
    // What nobody reads is lost one day, as on a serial line.
    const std::size_t room = kMostBytes - input_.size();
    if (n > 0) input_.insert(input_.end(), bytes.begin(), bytes.begin() + std::min(n, static_cast<ssize_t>(room)));
  }
  if (changed_) changed_();
  return true;
}

bool SocketPort::send() {
  const std::scoped_lock lock(mutex_);
  std::array<u8, kChunk> bytes;
  while (!output_.empty()) {
    const std::size_t n = std::min(output_.size(), bytes.size());
    std::copy_n(output_.begin(), n, bytes.begin());
    const ssize_t done = ::send(connection_.get(), bytes.data(), n, MSG_NOSIGNAL);
    if (done < 0) return is_temporary(errno);
    output_.erase(output_.begin(), output_.begin() + done);
  }
  return true;
}

void SocketPort::drain() {
  if (connection_) send();
}

void SocketPort::watch_connection() {
  const std::scoped_lock lock(mutex_);
  const u32 events = EPOLLIN | (output_.empty() ? 0 : u32{EPOLLOUT});
  loop_.watch(connection_.get(), events, [this](u32 got) { serve(got); });
}

}  // namespace tiercel::system
