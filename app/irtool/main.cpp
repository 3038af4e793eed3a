// tiercel-irtool: looks at tables, IR text and translations from the command line.
#include <CLI/CLI.hpp>

#include "app/irtool/commands.h"

int main(int argc, char** argv) {
  using namespace tiercel;
  CLI::App app("Looks at Tiercel's tables, IR text and translations");
  app.require_subcommand(0, 1);
  bool coverage = false, opcodes = false;
  app.add_flag("--isa-coverage", coverage, "Count A64 rows and list those not translated yet");
  app.add_flag("--opcodes", opcodes, "Print the IR opcode reference as Markdown");

  std::string file, passes = "fast";
  auto* opt = app.add_subcommand("opt", "Run passes over an IR file and print it");
  opt->add_option("--passes", passes, "Comma-separated pass names; 'fast': the fast tier's list")
      ->capture_default_str();
  opt->add_option("file", file, "IR text; - reads standard input")->required();

  std::vector<std::string> assignments;
  auto* run = app.add_subcommand("run", "Interpret an IR file once");
  run->add_option("--set,-s", assignments, "Slot values, as x1=3");
  run->add_option("file", file, "IR text; - reads standard input")->required();

  std::vector<std::string> words;
  std::string pc = "0x4000";
  u32 mode = 0;
  auto* decode = app.add_subcommand("decode", "Translate A64 words and show every stage");
  decode->add_option("--pc", pc, "Address of the first word")->capture_default_str();
  decode->add_option("--mode", mode, "Mode bits of the block key")->capture_default_str();
  decode->add_option("words", words, "Instruction words in hexadecimal")->required();

  CLI11_PARSE(app, argc, argv);
  if (coverage) return irtool::isa_coverage();
  if (opcodes) return irtool::opcode_reference();
  if (*opt) return irtool::optimise(file, passes);
  if (*run) return irtool::run(file, assignments);
  if (*decode) return irtool::decode(words, std::strtoull(pc.c_str(), nullptr, 0), mode);
  std::fputs(app.help().c_str(), stdout);
  return 0;
}
