// What is printed straight from the tables.
#include <fmt/format.h>

#include <map>

#include "app/irtool/commands.h"
#include "frontend-arm/a64/isa_table.h"
#include "ir/opcode.h"

namespace tiercel::irtool {
namespace {

struct Count {
  unsigned implemented = 0, todo = 0;
};

std::string_view operand_word(char letter) {
  switch (letter) {
    case 'b':
      return "i1";
    case 'f':
      return "flags";
    case 'v':
      return "v128";
    case 'w':
      return "i32";
    case 'x':
      return "i64";
    case 'T':
      return "T";
    case 'U':
      return "U";
    case 'S':
      return "any";
    case 'I':
      return "T (integer)";
    case 'F':
      return "T (floating point)";
    case '?':
      return "[i64]";
    default:
      return "-";
  }
}

std::string effect_words(u16 effects) {
  constexpr std::pair<u16, std::string_view> kWords[] = {{ir::effect::kReadsState, "reads state"},
                                                         {ir::effect::kWritesState, "writes state"},
                                                         {ir::effect::kReadsMemory, "reads memory"},
                                                         {ir::effect::kWritesMemory, "writes memory"},
                                                         {ir::effect::kMayFault, "may fault"},
                                                         {ir::effect::kTerminal, "terminal"},
                                                         {ir::effect::kMarker, "marker"},
                                                         {ir::effect::kReadsFp, "FP environment"},
                                                         {ir::effect::kWritesFp, "sets FP environment"},
                                                         {ir::effect::kBarrier, "barrier"}};
  std::string out;
  for (const auto& [bit, word] : kWords)
    if (effects & bit) out += fmt::format("{}{}", out.empty() ? "" : ", ", word);
  return out.empty() ? "pure" : out;
}

std::string escaped(std::string_view s) {
  std::string out;
  for (const char c : s) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

}  // namespace

int isa_coverage() {
  std::map<std::string_view, Count> by_feature;
  Count total;
  const auto rows = arm::a64_table().rows();
  for (const arm::Row& row : rows) {
    Count& c = by_feature[arm::feature_name(row.feature)];
    if (row.kind == arm::RowKind::Implemented) ++c.implemented, ++total.implemented;
    if (row.kind == arm::RowKind::Todo) ++c.todo, ++total.todo;
  }
  fmt::print("{:10} {:>11} {:>5}\n", "feature", "implemented", "todo");
  for (const auto& [feature, c] : by_feature) fmt::print("{:10} {:>11} {:>5}\n", feature, c.implemented, c.todo);
  fmt::print("{:10} {:>11} {:>5}\n", "all", total.implemented, total.todo);
  for (const arm::Row& row : rows)
    if (row.kind == arm::RowKind::Todo)
      fmt::print("todo {:12} {:8} {}\n", row.mnemonic(), arm::feature_name(row.feature), row.manual);
  return 0;
}

int opcode_reference() {
  fmt::print("# IR opcodes\n\nPrinted by `tiercel-irtool --opcodes` from `ir/opcodes.def`.\n\n");
  fmt::print("| opcode | result | operands | effects | meaning |\n|---|---|---|---|---|\n");
  for (unsigned i = 0; i < ir::kOpcodeCount; ++i) {
    const ir::OpInfo& op = ir::info(static_cast<ir::Opcode>(i));
    std::string operands;
    for (const char letter : op.operands)
      operands += fmt::format("{}{}", operands.empty() ? "" : ", ", operand_word(letter));
    fmt::print("| `{}` | {} | {} | {} | {} |\n", op.text, operand_word(op.result), operands, effect_words(op.effects),
               escaped(op.meaning));
  }
  return 0;
}

}  // namespace tiercel::irtool
