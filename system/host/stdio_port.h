// The terminal (or pipe, or file) that Tiercel was started on, as a serial line.
#pragma once

#include <termios.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "system/host/char_port.h"
#include "system/host/event_loop.h"

namespace tiercel::system {

/// A terminal passes every key to the guest while this lives, also Ctrl-C. Restores it in the end.
class RawTerminal {
 public:
  /// Does nothing if `fd` is not a terminal.
  explicit RawTerminal(int fd);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  int fd_;
  std::optional<termios> before_;
};

/// Reads and writes on the loop's thread; write() only fills a buffer. The program ignores SIGPIPE.
class StdioPort final : public CharPort {
 public:
  /// Ctrl-A is the escape: Ctrl-A twice sends it, Ctrl-A and another key calls `escape` with that key, and what that
  /// returns is typed. Null: no escape.
  /// The descriptors stay the caller's.
  StdioPort(EventLoop& loop, int in, int out, std::function<std::string(char key)> escape);
  ~StdioPort() override;

  std::size_t write(std::span<const u8> bytes) override;
  std::size_t read(std::span<u8> out) override;
  std::size_t available() const override;
  void on_change(std::function<void()> hook) override { changed_ = std::move(hook); }
  void drain() override;

 private:
  void receive();
  void flush();
  bool filter(u8 byte, std::string& keys);

  EventLoop& loop_;
  int in_, out_;
  int own_out_ = -1;        // a description of our own, which alone is non-blocking
  bool out_waits_ = false;  // the loop watches it
  EventLoop::Doorbell& written_;
  std::function<std::string(char)> escape_;
  std::function<void()> changed_;
  bool escaped_ = false;
  mutable std::mutex mutex_;
  std::deque<u8> input_, output_;
};

}  // namespace tiercel::system
