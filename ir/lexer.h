// Tokens of the IR text form. Private to ir/parser.cpp.
#pragma once

#include <string>
#include <string_view>

#include "base/types.h"

namespace tiercel::ir::text {

enum class TokenKind : u8 { End, NewLine, Word, Value, Number, Punctuation, Bad };

/// A word is letters, digits, `_` and `.`; a value is `%` and a number; `;` starts a comment that ends with the line.
struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text;  // for a Value without the %; for Bad what is wrong
  U128 number;            // of a Number or Value
  unsigned line = 1, column = 1;

  bool is(char punctuation) const { return kind == TokenKind::Punctuation && text.front() == punctuation; }
  bool is_word(std::string_view w) const { return kind == TokenKind::Word && text == w; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { advance(); }
  const Token& peek() const { return token_; }
  Token take() {
    const Token t = token_;
    advance();
    return t;
  }

 private:
  void advance();
  void skip_blanks();
  void number();
  void finish(TokenKind kind, std::size_t length);
  void bad(std::string_view why, std::size_t length);

  std::string_view text_;
  std::size_t at_ = 0, line_start_ = 0;
  unsigned line_ = 1;
  Token token_;
};

}  // namespace tiercel::ir::text
