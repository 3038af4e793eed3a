// A stream of bytes from and to the outside, as serial devices see it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "base/types.h"

namespace tiercel::system {

/// Any thread. Nothing here waits, but drain.
class CharPort {
 public:
  virtual ~CharPort() = default;
  /// Takes as many bytes as there is room for, and says how many.
  virtual std::size_t write(std::span<const u8> bytes) = 0;
  /// Gives what has arrived, at most out.size() bytes, and says how many.
  virtual std::size_t read(std::span<u8> out) = 0;
  /// How many bytes read would give, at most.
  virtual std::size_t available() const = 0;
  /// `hook` is called, without any lock of the port, on the I/O thread when input has arrived or room came back.
  virtual void on_change(std::function<void()> hook) = 0;
  /// Writes what waits, as long as the other side takes it: when the machine has ended. May wait.
  virtual void drain() {}
};

}  // namespace tiercel::system
