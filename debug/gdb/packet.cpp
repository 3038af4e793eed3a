#include "debug/gdb/packet.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiercel::debug::gdb {
namespace {

constexpr char kEscape = '}', kFlip = 0x20;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

u8 sum_of(std::string_view bytes) {
  u8 sum = 0;
  for (const char c : bytes) sum = static_cast<u8>(sum + static_cast<u8>(c));
  return sum;
}

}  // namespace

PacketReader::Kind PacketReader::next() {
  while (at_ < input_.size()) {
    const char c = input_[at_];
    if (c == '$') return take_packet();
    ++at_;
    if (c == 3) return Kind::Interrupt;
    if (c == '-') return Kind::Resend;
  }
  input_.clear();
  at_ = 0;
  return Kind::None;
}

/// at_ is at the `$`.
PacketReader::Kind PacketReader::take_packet() {
  input_.erase(0, at_);
  at_ = 0;
  const std::size_t end = input_.find('#');
  // Escapes at most double what they stand for.
  if (std::min(end, input_.size()) > 2 * kMaxPayload) return Kind::Impossible;
  if (end == std::string::npos || input_.size() < end + 3) return Kind::None;
  const std::string_view raw = std::string_view(input_).substr(1, end - 1);
  const int high = digit(input_[end + 1]), low = digit(input_[end + 2]);
  at_ = end + 3;
  if (high < 0 || low < 0 || sum_of(raw) != high * 16 + low) return Kind::Damaged;
  payload_.clear();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool escaped = raw[i] == kEscape && i + 1 < raw.size();
    payload_ += escaped ? static_cast<char>(raw[++i] ^ kFlip) : raw[i];
  }
  return payload_.size() > kMaxPayload ? Kind::Impossible : Kind::Packet;
}

std::string frame(std::string_view payload) {
  std::string body;
  body.reserve(payload.size() + 4);
  for (const char c : payload) {
    if (c == '#' || c == '$' || c == kEscape || c == '*') {
      body += kEscape;
      body += static_cast<char>(c ^ kFlip);
    } else {
      body += c;
    }
  }
  return fmt::format("${}#{:02x}", body, sum_of(body));
}

std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    out += kDigits[static_cast<u8>(c) >> 4];
    out += kDigits[static_cast<u8>(c) & 15];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return {};
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = digit(digits[i]), low = digit(digits[i + 1]);
    if (high < 0 || low < 0) return {};
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::optional<u64> Cursor::number() {
  std::size_t length = 0;
  u64 value = 0;
  while (length < text_.size() && digit(text_[length]) >= 0) {
    if (length == 16) return {};
    value = value << 4 | static_cast<u64>(digit(text_[length++]));
  }
  if (length == 0) return {};
  text_.remove_prefix(length);
  return value;
}

std::string_view Cursor::until(char separator) {
  const std::size_t end = std::min(text_.find(separator), text_.size());
  const std::string_view word = text_.substr(0, end);
  text_.remove_prefix(std::min(end + 1, text_.size()));
  return word;
}

}  // namespace tiercel::debug::gdb
