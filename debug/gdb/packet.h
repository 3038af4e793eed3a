// The frames of GDB's remote serial protocol: `$payload#checksum`, acknowledgements, and the byte that interrupts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace tiercel::debug::gdb {

/// The longest payload that is taken, as PacketSize announces it.
inline constexpr std::size_t kMaxPayload = 1 << 16;

class PacketReader {
 public:
  enum class Kind : u8 {
    None,        // more bytes are needed
    Packet,      // payload(), escapes resolved
    Damaged,     // its checksum is wrong
    Interrupt,   // the byte 3
    Resend,      // `-`
    Impossible,  // longer than announced: not worth talking to
  };
  void feed(std::string_view bytes) { input_.append(bytes); }
  Kind next();
  const std::string& payload() const { return payload_; }

 private:
  Kind take_packet();

  std::string input_, payload_;
  std::size_t at_ = 0;
};

/// The frame around a payload.
std::string frame(std::string_view payload);

std::string to_hex(std::string_view bytes);
/// Nothing: an odd number of digits, or something else.
std::optional<std::string> from_hex(std::string_view digits);

/// Reads a packet from left to right.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  std::string_view rest() const { return text_; }
  bool skip(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  /// 1 to 16 hexadecimal digits.
  std::optional<u64> number();
  /// Up to the separator, which is skipped, or to the end.
  std::string_view until(char separator);

 private:
  std::string_view text_;
};

}  // namespace tiercel::debug::gdb
