#include "system/host/tap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tiercel::system {
namespace {

constexpr std::size_t kMostFrame = 65536;
constexpr int kMostFrames = 64;  // before others on the loop have their turn

class Tap final : public PacketPort {
 public:
  Tap(EventLoop& loop, int fd) : loop_(loop), fd_(fd) {
    loop_.watch(fd_, EPOLLIN, [this](u32) { receive(); });
  }
  ~Tap() override {
    loop_.unwatch(fd_);
    close(fd_);
  }
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  void send(std::span<const u8> frame) override {
    // The interface's queue may be full: then the frame is lost, as on a wire.
    [[maybe_unused]] const ssize_t sent = write(fd_, frame.data(), frame.size());
  }
  void on_receive(std::function<void(std::span<const u8>)> receive) override { receive_ = std::move(receive); }

 private:
  void receive() {
    for (int i = 0; i < kMostFrames; ++i) {
      const ssize_t size = read(fd_, frame_.data(), frame_.size());
      if (size <= 0) return;
      if (receive_) receive_({frame_.data(), static_cast<std::size_t>(size)});
    }
  }

  EventLoop& loop_;
  int fd_;
  std::function<void(std::span<const u8>)> receive_;
  std::array<u8, kMostFrame> frame_;
};

}  // namespace

Result<std::unique_ptr<PacketPort>> open_tap(EventLoop& loop, const std::string& name) {
  ifreq request = {};
  if (name.empty() || name.size() >= sizeof request.ifr_name)
    return fail(EINVAL, fmt::format("'{}' cannot be the name of a network interface", name));
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return fail(errno, fmt::format("cannot open /dev/net/tun: {}", std::strerror(errno)));
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(fd, TUNSETIFF, &request) != 0) {
    const int error = errno;
    close(fd);
    return fail(error, fmt::format("cannot attach to network interface {}: {}", name, std::strerror(error)));
  }
  return std::make_unique<Tap>(loop, fd);
}

}  // namespace tiercel::system
