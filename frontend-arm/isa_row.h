// One line of an ISA table: pattern, semantics, mnemonic, feature and manual heading.
//
// A pattern is text that the compiler parses, from bit 31 down, blanks ignored:
//   0110        fixed bits
//   sf          a field of one bit, called sf
//   imm:12      a field of 12 bits
//   size:2!=3   a field that must not hold the value 3 (decimal); the row does not match then
//   ...         three bits that may hold anything and concern nobody (the manual's "should be" bits)
// Together they make 32 bits. The fields go to the semantics function in their order of appearance; a function whose
// parameters do not fit the fields does not compile.
//
// The text of an instruction is its mnemonic and, after a blank, its operands; see disassemble.h for the notation.
#pragma once

#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/bits.h"
#include "base/types.h"

namespace tiercel::arm {

struct Translate;

/// Architecture extensions. BASE, FP and ASIMD are Armv8.0.
enum class Feature : u8 {
  BASE,
  FP,
  ASIMD,
  CRC32,
  AES,
  PMULL,
  SHA1,
  SHA256,
  LSE,
  RDM,
  // Not advertised; rows of these are `todo` or absent.
  FP16,
  DOTPROD,
  RCPC,
  JSCVT,
  FCMA,
  FLAGM,
  FHM,
  SHA3,
  SHA512,
  SM4,
  PAUTH,
  MTE,
};
std::string_view feature_name(Feature f);

/// A general register number, 0..31; the semantics decide whether 31 is the zero register or SP.
struct Reg {
  u8 n;
  friend constexpr bool operator==(Reg, Reg) = default;
};

/// A vector register number, 0..31.
struct VReg {
  u8 n;
  friend constexpr bool operator==(VReg, VReg) = default;
};

/// An immediate field of N bits.
template <unsigned N>
struct Imm {
  u32 bits;
  constexpr u64 zext() const { return bits; }
  constexpr s64 sext() const { return sign_extend(bits, N); }
};

/// The text of a pattern as a template argument.
template <std::size_t N>
struct Pattern {
  char text[N];
  // NOLINTNEXTLINE: implicit on purpose, row<"..."> needs it.
  consteval Pattern(const char (&s)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = s[i];
  }
};

struct FieldSpec {
  std::string_view name;
  u8 lsb = 0, width = 0;
  u8 excluded = kNothing;  // the value this field must not have
  static constexpr u8 kNothing = 0xff;
  constexpr u32 of(u32 word) const { return word >> lsb & static_cast<u32>(low_mask(width)); }
};

struct ParsedPattern {
  u32 mask = 0, value = 0;
  u8 count = 0;
  bool excludes = false;
  FieldSpec fields[12] = {};
  std::string_view text;
  constexpr std::span<const FieldSpec> span() const { return {fields, count}; }
};

enum class RowKind : u8 {
  Implemented,
  Todo,       // decodes and disassembles, but translates to Exit Unimplemented
  Undefined,  // a reserved part of the encoding space that a wider row would otherwise claim
};

struct Row {
  u32 mask, value;
  bool (*translate)(Translate& t, u32 word);  // true: go on with the next insn. Null unless Implemented.
  bool (*valid)(u32 word);                    // null: every word that matches mask and value
  std::string_view text;                      // "add" or "add {Rd}, {Rn}, #{imm}"
  std::string_view manual;                    // the heading of the manual section
  const ParsedPattern* pattern;
  Feature feature;
  RowKind kind;

  std::string_view mnemonic() const { return text.substr(0, text.find(' ')); }
  bool matches(u32 word) const { return (word & mask) == value && (valid == nullptr || valid(word)); }
};

namespace detail {

constexpr bool is_blank(char c) {
  return c == ' ';
}

// Not constexpr: reaching it while parsing a pattern stops the compiler at that line.
void pattern_error(const char* what);

constexpr unsigned parse_number(std::string_view s, std::size_t& i) {
  unsigned n = 0;
  if (i >= s.size() || s[i] < '0' || s[i] > '9') pattern_error("a number is missing");
  for (; i < s.size() && s[i] >= '0' && s[i] <= '9'; ++i) n = n * 10 + static_cast<unsigned>(s[i] - '0');
  return n;
}

constexpr ParsedPattern parse_pattern(std::string_view s) {
  ParsedPattern p;
  p.text = s;
  unsigned at = 32;  // the lowest bit already described
  const auto take = [&](unsigned width) {
    if (width == 0 || width > at) pattern_error("more than 32 bits");
    at -= width;
  };
  for (std::size_t i = 0; i < s.size();) {
    const char c = s[i];
    if (is_blank(c)) {
      ++i;
    } else if (c == '0' || c == '1') {
      take(1);
      p.mask |= u32{1} << at;
      p.value |= static_cast<u32>(c - '0') << at;
      ++i;
    } else if (c == '.') {
      take(1);
      ++i;
    } else {
      const std::size_t start = i;
      while (i < s.size() && !is_blank(s[i]) && s[i] != ':' && s[i] != '!') ++i;
      FieldSpec f;
      f.name = s.substr(start, i - start);
      f.width = 1;
      if (i < s.size() && s[i] == ':') f.width = static_cast<u8>(parse_number(s, ++i));
      take(f.width);
      f.lsb = static_cast<u8>(at);
      if (i < s.size() && s[i] == '!') {
        if (i + 1 >= s.size() || s[i + 1] != '=') pattern_error("'!=' expected");
        i += 2;
        f.excluded = static_cast<u8>(parse_number(s, i));
        p.excludes = true;
      }
      if (p.count == std::size(p.fields)) pattern_error("too many fields");
      p.fields[p.count++] = f;
    }
  }
  if (at != 0) pattern_error("fewer than 32 bits");
  return p;
}

template <Pattern P>
inline constexpr ParsedPattern kParsed = parse_pattern(P.text[0] ? std::string_view(P.text, sizeof(P.text) - 1) : "");

/// How a parameter type is filled from a field of `width` bits.
template <typename T>
struct Param {  // any enum: the field's value
  static constexpr bool accepts(unsigned) { return std::is_enum_v<T>; }
  static constexpr T from(u32 v) { return static_cast<T>(v); }
};
template <>
struct Param<u32> {
  static constexpr bool accepts(unsigned) { return true; }
  static constexpr u32 from(u32 v) { return v; }
};
template <>
struct Param<bool> {
  static constexpr bool accepts(unsigned width) { return width == 1; }
  static constexpr bool from(u32 v) { return v != 0; }
};
template <>
struct Param<Reg> {
  static constexpr bool accepts(unsigned width) { return width == 5; }
  static constexpr Reg from(u32 v) { return {static_cast<u8>(v)}; }
};
template <>
struct Param<VReg> {
  static constexpr bool accepts(unsigned width) { return width == 5 || width == 4; }
  static constexpr VReg from(u32 v) { return {static_cast<u8>(v)}; }
};
template <unsigned N>
struct Param<Imm<N>> {
  static constexpr bool accepts(unsigned width) { return width == N; }
  static constexpr Imm<N> from(u32 v) { return {v}; }
};

template <typename F>
struct Signature;
template <typename... A>
struct Signature<bool (*)(Translate&, A...)> {
  using Fields = std::tuple<A...>;
};
template <typename... A>
struct Signature<bool (*)(A...)> {
  using Fields = std::tuple<A...>;
};

template <Pattern P, typename Fields, std::size_t I>
constexpr auto extract(u32 word) {
  constexpr FieldSpec f = kParsed<P>.fields[I];
  using T = std::tuple_element_t<I, Fields>;
  static_assert(Param<T>::accepts(f.width), "a parameter does not fit its field");
  return Param<T>::from(f.of(word));
}

template <Pattern P, typename Fields, typename Call>
constexpr bool with_fields(u32 word, Call call) {
  static_assert(std::tuple_size_v<Fields> == kParsed<P>.count, "one parameter per field");
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return call(extract<P, Fields, I>(word)...);
  }
  (std::make_index_sequence<kParsed<P>.count>{});
}

template <Pattern P, auto Fn>
bool translate_word(Translate& t, u32 word) {
  return with_fields<P, typename Signature<decltype(Fn)>::Fields>(word,
                                                                  [&](auto... fields) { return Fn(t, fields...); });
}

/// `Predicate` takes the fields, or the whole word as its only u32.
template <Pattern P, auto Predicate>
bool valid_word(u32 word) {
  constexpr ParsedPattern p = kParsed<P>;
  if constexpr (p.excludes) {
    for (unsigned i = 0; i < p.count; ++i)
      if (p.fields[i].excluded != FieldSpec::kNothing && p.fields[i].of(word) == p.fields[i].excluded) return false;
  }
  if constexpr (std::is_same_v<decltype(Predicate), bool (*)(u32)>)
    return Predicate(word);
  else if constexpr (!std::is_same_v<decltype(Predicate), std::nullptr_t>)
    return with_fields<P, typename Signature<decltype(Predicate)>::Fields>(word, Predicate);
  return true;
}

template <Pattern P, auto Predicate>
constexpr auto validity() -> bool (*)(u32) {
  if constexpr (kParsed<P>.excludes || !std::is_same_v<decltype(Predicate), std::nullptr_t>)
    return valid_word<P, Predicate>;
  else
    return nullptr;
}

template <Pattern P, auto Predicate>
constexpr Row make_row(RowKind kind, bool (*translate)(Translate&, u32), std::string_view text, Feature feature,
                       std::string_view manual) {
  return {kParsed<P>.mask, kParsed<P>.value, translate, validity<P, Predicate>(), text, manual,
          &kParsed<P>,     feature,          kind};
}

}  // namespace detail

/// An instruction. `Fn` is bool(Translate&, fields...): emits IR, returns true to go on with the next insn.
/// `Valid`, if given, is bool(fields...) or bool(u32 word): false means the word is not this instruction (unallocated,
/// unless another row claims it).
template <Pattern P, auto Fn, auto Valid = nullptr>
constexpr Row row(std::string_view text, std::string_view manual) {
  return detail::make_row<P, Valid>(RowKind::Implemented, detail::translate_word<P, Fn>, text, Feature::BASE, manual);
}
template <Pattern P, auto Fn, auto Valid = nullptr>
constexpr Row row(std::string_view text, Feature feature, std::string_view manual) {
  return detail::make_row<P, Valid>(RowKind::Implemented, detail::translate_word<P, Fn>, text, feature, manual);
}

/// An instruction we know of but do not translate yet.
template <Pattern P, auto Valid = nullptr>
constexpr Row todo(std::string_view text, Feature feature, std::string_view manual) {
  return detail::make_row<P, Valid>(RowKind::Todo, nullptr, text, feature, manual);
}

/// A reserved encoding inside the space of a less specific row.
template <Pattern P, auto Valid = nullptr>
constexpr Row undefined(std::string_view manual) {
  return detail::make_row<P, Valid>(RowKind::Undefined, nullptr, "undefined", Feature::BASE, manual);
}

}  // namespace tiercel::arm
