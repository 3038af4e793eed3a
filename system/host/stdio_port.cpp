#include "system/host/stdio_port.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tiercel::system {
namespace {

constexpr std::size_t kMostOutput = 64 << 10;  // then the guest's transmitter is full
constexpr std::size_t kMostInput = 64 << 10;   // then input waits in the kernel
constexpr std::size_t kChunk = 4096;
constexpr u8 kEscape = 1;  // Ctrl-A

bool is_regular(int fd) {
  struct stat st = {};
  return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/// Files, /dev/null and their like: epoll does not take them, reading never waits.
bool never_waits(int fd) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event = {};
  const bool refused = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EPERM;
  close(epoll);
  return refused;
}

}  // namespace

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  termios state;
  if (tcgetattr(fd, &state) != 0) return;
  before_ = state;
  cfmakeraw(&state);
  tcsetattr(fd, TCSADRAIN, &state);
}

RawTerminal::~RawTerminal() {
  if (before_) tcsetattr(fd_, TCSADRAIN, &*before_);
}

StdioPort::StdioPort(EventLoop& loop, int in, int out, std::function<std::string(char)> escape)
    : loop_(loop), in_(in), out_(out), written_(loop.add_doorbell([this] { flush(); })), escape_(std::move(escape)) {
  // O_NONBLOCK belongs to the open file, which our parent and others have as well: so it is opened once more. What
  // cannot be opened again (a socket) or never blocks (a file, whose position must stay) is used as it is.
  if (!is_regular(out))
    own_out_ = open(fmt::format("/proc/self/fd/{}", out).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (never_waits(in)) {
    // All of it is there already. What never ends (/dev/zero) fills the buffer.
    const bool finite = is_regular(in);
    std::array<u8, kChunk> bytes;
    for (ssize_t n; (finite || input_.size() < kMostInput) && (n = ::read(in, bytes.data(), bytes.size())) > 0;)
      input_.insert(input_.end(), bytes.begin(), bytes.begin() + n);
    loop.add_doorbell([this] {
          if (changed_) changed_();
        })
        .ring();
  } else if (in >= 0) {
    loop.watch(in, EPOLLIN, [this](u32) { receive(); });
  }
}

StdioPort::~StdioPort() {
  drain();
  if (own_out_ >= 0) close(own_out_);
}

std::size_t StdioPort::write(std::span<const u8> bytes) {
  const std::scoped_lock lock(mutex_);
  const std::size_t n = std::min(bytes.size(), kMostOutput - std::min(kMostOutput, output_.size()));
  const bool first = output_.empty();
  output_.insert(output_.end(), bytes.begin(), bytes.begin() + static_cast<long>(n));
  if (first && n != 0) written_.ring();
  return n;
}

std::size_t StdioPort::read(std::span<u8> out) {
  const std::scoped_lock lock(mutex_);
  const std::size_t n = std::min(out.size(), input_.size());
  std::copy_n(input_.begin(), n, out.begin());
  input_.erase(input_.begin(), input_.begin() + static_cast<long>(n));
  return n;
}

std::size_t StdioPort::available() const {
  const std::scoped_lock lock(mutex_);
  return input_.size();
}

/// Whether the guest gets the byte. If not, it may be the second one of an escape: that goes to `keys`.
bool StdioPort::filter(u8 byte, std::string& keys) {
  if (!escape_) return true;
  if (!escaped_ && byte == kEscape) {
    escaped_ = true;
    return false;
  }
  if (!std::exchange(escaped_, false) || byte == kEscape) return true;
  keys += static_cast<char>(byte);
  return false;
}

void StdioPort::receive() {
  std::array<u8, kChunk> bytes;
  const ssize_t n = ::read(in_, bytes.data(), bytes.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return loop_.unwatch(in_);  // the other end is gone; the machine runs on
  std::string keys;
  {
    const std::scoped_lock lock(mutex_);
    // Keys pressed while nobody reads are lost one day, as on a serial line; the escape still works.
    for (ssize_t i = 0; i < n; ++i)
      if (filter(bytes[static_cast<std::size_t>(i)], keys) && input_.size() < kMostInput)
        input_.push_back(bytes[static_cast<std::size_t>(i)]);
  }
  for (const char key : keys) {
    const std::string typed = escape_(key);  // without the lock: it may write here
    const std::scoped_lock lock(mutex_);
    input_.insert(input_.end(), typed.begin(), typed.end());
  }
  if (changed_) changed_();
}

void StdioPort::flush() {
  const int fd = own_out_ >= 0 ? own_out_ : out_;
  bool blocked = false, was_full = false;
  {
    const std::scoped_lock lock(mutex_);
    was_full = output_.size() >= kMostOutput;
    std::array<u8, kChunk> bytes;
    while (!output_.empty()) {
      const std::size_t n = std::min(output_.size(), bytes.size());
      std::copy_n(output_.begin(), n, bytes.begin());
      const ssize_t done = ::write(fd, bytes.data(), n);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0 && errno == EAGAIN) {
        blocked = true;
        break;
      }
      // Nobody reads any more: what the guest says is lost, and it goes on.
      const std::size_t gone = done < 0 ? output_.size() : static_cast<std::size_t>(done);
      output_.erase(output_.begin(), output_.begin() + static_cast<long>(gone));
    }
  }
  if (blocked && !out_waits_) loop_.watch(fd, EPOLLOUT, [this](u32) { flush(); });
  if (!blocked && out_waits_) loop_.unwatch(fd);
  out_waits_ = blocked;
  if (was_full && changed_) changed_();
}

void StdioPort::drain() {
  const std::scoped_lock lock(mutex_);
  const int fd = own_out_ >= 0 ? own_out_ : out_;
  while (!output_.empty()) {
    const u8 byte = output_.front();
    pollfd ready{fd, POLLOUT, 0};
    constexpr int kPatienceMs = 1000;  // a terminal that was stopped by Ctrl-S does not keep us
    if (poll(&ready, 1, kPatienceMs) <= 0 || ::write(fd, &byte, 1) != 1) break;
    output_.pop_front();
  }
  output_.clear();
}

}  // namespace tiercel::system
