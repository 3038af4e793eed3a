// Compares the A64 table with LLVM's MC disassembler over random words and over random encodings of every row: each
// word is the same instruction on both sides, or none on both, or claimed by a `todo` row, or a known divergence.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <map>
#include <random>

#include "frontend-arm/a64/disassemble.h"
#include "frontend-arm/a64/isa_table.h"
#include "tests/decoder/known_divergences.h"
#include "tests/decoder/mc_oracle.h"

namespace tiercel::test {
namespace {

using arm::Row;
using arm::RowKind;

// MC prints branch targets as offsets: at 0 they are addresses too.
constexpr u64 kPc = 0;

struct Disagreement {
  u64 count = 0;
  std::string example;
};

class Checker {
 public:
  void check(u32 word);
  /// Exactly one most specific row may claim a word.
  void check_unique(u32 word, const Row& winner);
  int report();

  u64 words = 0, instructions = 0, todo = 0, diverging = 0;

 private:
  void disagree(const std::string& kind, u32 word, const std::string& ours, const std::string& theirs) {
    Disagreement& d = disagreements_[kind];
    if (d.count++ == 0) d.example = fmt::format("{:08x}  ours: {:<40} MC: {}", word, ours, theirs);
  }
  bool is_known(u32 word) {
    const auto list = known_divergences();
    for (std::size_t i = 0; i < list.size(); ++i)
      if ((word & list[i].mask) == list[i].value) return used_[i] = true;
    return false;
  }

  McOracle oracle_;
  const arm::A64Table& table_ = arm::a64_table();
  std::map<std::string, Disagreement> disagreements_;
  std::vector<bool> used_ = std::vector<bool>(known_divergences().size());
};

std::string mnemonic_of(const std::string& text) {
  return text.substr(0, text.find_first_of(" \t"));
}

void Checker::check(u32 word) {
  ++words;
  const Row* row = table_.decode(word);
  const bool theirs_valid = oracle_.decode(word, kPc);
  if (row == nullptr && !theirs_valid) return;
  if (row == nullptr || !theirs_valid) {
    if (row && row->kind == RowKind::Todo) {
      ++todo;
      return;
    }
    if (is_known(word)) {
      ++diverging;
      return;
    }
    if (row)
      disagree(fmt::format("only ours: {}", row->manual), word, disassemble(row, word, kPc), "-");
    else
      disagree(fmt::format("only MC: {}", mnemonic_of(normalised(oracle_.text()))), word, "-",
               normalised(oracle_.text()));
    return;
  }
  ++instructions;
  if (row->kind == RowKind::Todo) ++todo;
  check_unique(word, *row);
  const std::string ours = normalised(disassemble(row, word, kPc)), theirs = normalised(oracle_.text());
  const bool same = has_operand_text(*row) ? ours == theirs : mnemonic_of(ours) == mnemonic_of(theirs);
  if (same) return;
  if (is_known(word))
    ++diverging;
  else
    disagree(fmt::format("text: {}", row->manual), word, ours, theirs);
}

void Checker::check_unique(u32 word, const Row& winner) {
  for (const Row& other : table_.rows()) {
    if (std::popcount(other.mask) < std::popcount(winner.mask)) return;
    if (&other != &winner && std::popcount(other.mask) == std::popcount(winner.mask) && other.matches(word))
      disagree(fmt::format("two rows: {} and {}", winner.manual, other.manual), word, std::string(winner.text),
               std::string(other.text));
  }
}

int Checker::report() {
  u64 total = 0;
  for (const auto& [kind, d] : disagreements_) {
    total += d.count;
    fmt::print("{:>9} x {}\n            {}\n", d.count, kind, d.example);
  }
  u64 idle = 0;
  for (std::size_t i = 0; i < used_.size(); ++i) {
    if (used_[i]) continue;
    ++idle;
    fmt::print("known divergence no longer seen: {}\n", known_divergences()[i].what);
  }
  fmt::print("{} words, {} instructions on both sides, {} todo, {} known divergences, {} disagreements\n", words,
             instructions, todo, diverging, total);
  return total || idle ? 1 : 0;
}

int run(int argc, char** argv) {
  u64 count = 2'000'000, per_row = 2000, seed = 1;
  CLI::App app{"Compares the A64 table with LLVM's MC disassembler"};
  app.add_option("--words", count, "random words");
  app.add_option("--per-row", per_row, "random encodings of every row");
  app.add_option("--seed", seed);
  CLI11_PARSE(app, argc, argv);

  Checker checker;
  std::mt19937_64 random(seed);
  for (const Row& row : arm::a64_table().rows())
    for (u64 i = 0; i < per_row; ++i) checker.check((static_cast<u32>(random()) & ~row.mask) | row.value);
  for (u64 i = 0; i < count; ++i) checker.check(static_cast<u32>(random()));
  return checker.report();
}

}  // namespace
}  // namespace tiercel::test

int main(int argc, char** argv) {
  return tiercel::test::run(argc, argv);
}
