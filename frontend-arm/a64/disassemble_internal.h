// What the two halves of the disassembler share: disassemble.cpp (notation, integer operands) and disassemble_simd.cpp.
#pragma once

#include <span>
#include <string>

#include "base/check.h"
#include "frontend-arm/isa_row.h"

namespace tiercel::arm::detail {

/// One word with the row that claims it.
struct Context {
  const Row& row;
  u32 word;
  u64 pc;

  const FieldSpec* find(std::string_view name) const {
    for (const FieldSpec& f : row.pattern->span())
      if (f.name == name) return &f;
    return nullptr;
  }
  u32 field(std::string_view name) const {
    const FieldSpec* f = find(name);
    CHECK_MSG(f != nullptr, row.pattern->text.data());
    return f->of(word);
  }
  /// A field that some rows fix instead: then `otherwise`.
  u32 field_or(std::string_view name, u32 otherwise) const {
    const FieldSpec* f = find(name);
    return f ? f->of(word) : otherwise;
  }
};

/// A printer that a text names with @.
struct Printer {
  std::string_view name;
  std::string (*print)(const Context&);
};

std::string x_name(u32 n, bool is64, bool is_sp);

std::span<const Printer> simd_printers();
/// Register `n` in one of the SIMD formats of disassemble.h; empty if `format` is none of them.
std::string simd_register(std::string_view format, u32 n, const Context& c);

}  // namespace tiercel::arm::detail
