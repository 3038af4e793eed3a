#include "frontend-arm/a64/disassemble.h"

#include <fmt/format.h>

namespace tiercel::arm {

std::string disassemble(const Row* row, u32 word, u64 pc) {
  static_cast<void>(pc);
  if (row == nullptr || row->kind == RowKind::Undefined) return fmt::format(".word 0x{:08x}", word);
  std::string out(row->mnemonic());
  const char* separator = " ";
  for (const FieldSpec& f : row->pattern->span()) {
    out += fmt::format("{}{}={:#x}", separator, f.name, f.of(word));
    separator = ", ";
  }
  return out;
}

}  // namespace tiercel::arm
