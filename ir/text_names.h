// The words of the text form that are not opcode names. Shared by printer and parser.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "ir/opcode.h"

namespace tiercel::ir::text {

inline constexpr std::string_view kTypes[] = {"none", "i1", "i8", "i16", "i32", "i64", "f32", "f64", "v128", "flags"};
inline constexpr std::string_view kArrs[] = {"none", "b8", "b16", "h4", "h8", "s2", "s4", "d1", "d2"};
inline constexpr std::string_view kConds[] = {"eq", "ne", "hs", "lo", "mi", "pl", "vs",
                                              "vc", "hi", "ls", "ge", "lt", "gt", "le"};
inline constexpr std::string_view kRounds[] = {"tieeven", "posinf", "neginf", "zero", "tieaway", "current", "odd"};
inline constexpr std::string_view kRmws[] = {"add", "clear", "xor", "set", "smax", "smin", "umax", "umin", "swap"};
inline constexpr std::string_view kFences[] = {"full", "load", "store"};
inline constexpr std::string_view kExits[] = {"syscall",    "breakpoint", "undefined", "unimplemented", "invalidate",
                                              "modechange", "yield",      "system",    "unmask"};
static_assert(std::size(kExits) == static_cast<std::size_t>(ExitKind::Unmask) + 1);
inline constexpr std::string_view kFpRules[] = {"x86_nans", "default_nan", "flush", "alt_half",
                                                "host_flush"};                // FpRules::pack
inline constexpr std::string_view kSizes[] = {"8", "16", "32", "64", "128"};  // after u or s, by MemAttr::size_log2

template <typename E>
std::string_view name(std::span<const std::string_view> names, E value) {
  const auto i = static_cast<std::size_t>(value);
  return i < names.size() ? names[i] : "?";
}
inline std::optional<unsigned> find(std::span<const std::string_view> names, std::string_view word) {
  for (unsigned i = 0; i < names.size(); ++i)
    if (names[i] == word) return i;
  return std::nullopt;
}

/// Does the instruction's text carry Inst::type? Only where the opcode leaves it open.
constexpr bool shows_type(const OpInfo& op) {
  return op.result == 'T' || op.result == 'I' || op.result == 'F';
}
/// Does it carry Inst::arr?
constexpr bool may_have_arr(const OpInfo& op) {
  return op.attr == Attr::Arr || op.attr == Attr::ArrImm || op.attr == Attr::Lane || op.attr == Attr::Round ||
         op.attr == Attr::FToI || op.attr == Attr::Sat;
}

}  // namespace tiercel::ir::text
