// A serial line on a socket that others connect to, one at a time.
#pragma once

#include <deque>
#include <mutex>

#include "base/descriptor.h"
#include "system/host/char_port.h"
#include "system/host/event_loop.h"

namespace tiercel::system {

/// While nobody is connected, what the guest says is kept, the latest 64 KiB of it, for who comes. Reads and writes on
/// the loop's thread.
class SocketPort final : public CharPort {
 public:
  /// `listener` stays the caller's.
  SocketPort(EventLoop& loop, int listener);
  ~SocketPort() override;

  std::size_t write(std::span<const u8> bytes) override;
  std::size_t read(std::span<u8> out) override;
  std::size_t available() const override;
  void on_change(std::function<void()> hook) override { changed_ = std::move(hook); }
  void drain() override;

 private:
  void accept_one();
  void serve(u32 events);
  bool receive();
  bool send();
  void watch_connection();

  EventLoop& loop_;
  int listener_;
  Descriptor connection_;
  EventLoop::Doorbell& written_;
  std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::deque<u8> input_, output_;
};

}  // namespace tiercel::system
