#include "ir/lexer.h"

namespace tiercel::ir::text {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_word_part(char c) {
  return is_letter(c) || is_digit(c) || c == '.';
}
constexpr int digit_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

/// v * base + digit; false when it does not fit 128 bits.
bool append_digit(U128& v, unsigned base, unsigned digit) {
  __extension__ typedef unsigned __int128 Wide;
  const Wide wide = static_cast<Wide>(v.hi) << 64 | v.lo;
  if (wide > (~Wide{0} - digit) / base) return false;
  const Wide next = wide * base + digit;
  v = {static_cast<u64>(next), static_cast<u64>(next >> 64)};
  return true;
}

}  // namespace

void Lexer::skip_blanks() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ';') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

void Lexer::finish(TokenKind kind, std::size_t length) {
  token_.kind = kind;
  token_.text = text_.substr(at_, length);
  at_ += length;
}

void Lexer::bad(std::string_view why, std::size_t length) {
  token_.kind = TokenKind::Bad;
  token_.text = why;
  at_ += length;
}

void Lexer::number() {
  const bool hex = text_.substr(at_).starts_with("0x");
  const unsigned base = hex ? 16 : 10;
  std::size_t end = at_ + (hex ? 2 : 0);
  const std::size_t first = end;
  for (; end < text_.size() && is_word_part(text_[end]); ++end) {
    const auto digit = static_cast<unsigned>(digit_value(text_[end]));
    if (digit >= base) return bad("not a number", end - at_);
    if (!append_digit(token_.number, base, digit)) return bad("the number exceeds 128 bits", end - at_);
  }
  if (end == first) return bad("not a number", end - at_);
  finish(TokenKind::Number, end - at_);
}

void Lexer::advance() {
  skip_blanks();
  token_ = Token{};
  token_.line = line_;
  token_.column = static_cast<unsigned>(at_ - line_start_) + 1;
  if (at_ >= text_.size()) return;
  const char c = text_[at_];
  if (c == '\n') {
    finish(TokenKind::NewLine, 1);
    ++line_;
    line_start_ = at_;
  } else if (is_letter(c)) {
    std::size_t length = 1;
    while (at_ + length < text_.size() && is_word_part(text_[at_ + length])) ++length;
    finish(TokenKind::Word, length);
  } else if (is_digit(c)) {
    number();
  } else if (c == '%') {
    ++at_;
    if (at_ < text_.size() && is_digit(text_[at_])) {
      number();
      if (token_.kind == TokenKind::Number) token_.kind = TokenKind::Value;
    } else {
      bad("expected a number after %", 0);
    }
  } else if (text_.substr(at_).starts_with("<<")) {
    finish(TokenKind::Punctuation, 2);
  } else if (std::string_view("=,:()+-").find(c) != std::string_view::npos) {
    finish(TokenKind::Punctuation, 1);
  } else {
    bad("unexpected character", 1);
  }
}

}  // namespace tiercel::ir::text
