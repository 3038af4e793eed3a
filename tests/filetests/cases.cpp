#include "tests/filetests/cases.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "ir/parser.h"
#include "ir/passes/pass.h"
#include "ir/printer.h"
#include "ir/verifier.h"

namespace tiercel::test {
namespace {

std::string trimmed(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? "" : std::string(s.substr(first, s.find_last_not_of(" \t\r") - first + 1));
}

std::vector<std::string> split(std::string_view s, char separator) {
  std::vector<std::string> parts;
  while (!s.empty()) {
    const auto end = std::min(s.find(separator), s.size());
    parts.push_back(trimmed(s.substr(0, end)));
    s.remove_prefix(std::min(end + 1, s.size()));
  }
  return parts;
}

[[noreturn]] void bad_file(const std::string& path, std::string_view what) {
  fmt::print(stderr, "{}: {}\n", path, what);
  std::exit(2);
}

void read_head(const std::string& path, std::string_view line, TestFile& file) {
  constexpr std::string_view kStart = "; test ";
  if (!line.starts_with(kStart)) bad_file(path, "the first line must be '; test ...'");
  std::string rest = trimmed(line.substr(kStart.size()));
  if (const auto equals = rest.find('='); equals != std::string::npos) {
    file.options = split(std::string_view(rest).substr(equals + 1), ',');
    rest = rest.substr(0, equals);
  }
  file.kind = split(rest, ' ').front();
}

/// "; check: text" -> {"check", "text"}
bool read_directive(std::string_view line, unsigned number, Case& c) {
  if (!line.starts_with("; ")) return false;
  for (const std::string_view kind : {"check", "not", "error", "run"}) {
    const std::string prefix = fmt::format("; {}:", kind);
    if (!line.starts_with(prefix)) continue;
    c.directives.push_back({std::string(kind), trimmed(line.substr(prefix.size())), number});
    return true;
  }
  return false;
}

bool has_directive(const Case& c, std::string_view kind) {
  for (const Directive& d : c.directives)
    if (d.kind == kind) return true;
  return false;
}

void check_output(const Case& c, const std::string& output, std::vector<std::string>& complaints) {
  std::size_t from = 0;
  for (const Directive& d : c.directives) {
    if (d.kind == "check") {
      const auto at = output.find(d.text, from);
      if (at == std::string::npos)
        complaints.push_back(fmt::format("line {}: '{}' is not in\n{}", d.line, d.text, output));
      else
        from = at + d.text.size();
    } else if (d.kind == "not" && output.find(d.text) != std::string::npos) {
      complaints.push_back(fmt::format("line {}: '{}' is in\n{}", d.line, d.text, output));
    }
  }
}

void check_errors(const Case& c, const std::vector<std::string>& errors, std::vector<std::string>& complaints) {
  std::string all;
  for (const std::string& e : errors) all += e + "\n";
  if (!errors.empty() && !has_directive(c, "error")) complaints.push_back("unexpected error: " + all);
  for (const Directive& d : c.directives)
    if (d.kind == "error" && all.find(d.text) == std::string::npos)
      complaints.push_back(fmt::format("line {}: no error '{}', only: {}", d.line, d.text, all));
}

void check_round_trip(const std::string& printed, std::span<const ir::SlotInfo> slots,
                      std::vector<std::string>& complaints) {
  const auto again = ir::parse(printed, slots);
  if (!again)
    complaints.push_back(fmt::format("the printed text does not parse: {}\n{}", again.error().message, printed));
  else if (const std::string twice = ir::print(*again, slots); twice != printed)
    complaints.push_back(fmt::format("printing changes the text:\n{}became\n{}", printed, twice));
}

}  // namespace

TestFile read_test_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) bad_file(path, "cannot be read");
  TestFile file;
  std::string line;
  for (unsigned number = 1; std::getline(in, line); ++number) {
    if (number == 1) {
      read_head(path, line, file);
      continue;
    }
    if (line.starts_with("block")) file.cases.push_back({fmt::format("{}:{}", path, number), "", {}});
    if (file.cases.empty()) continue;
    Case& c = file.cases.back();
    if (!read_directive(line, number, c)) c.text += line + "\n";
  }
  if (file.cases.empty()) bad_file(path, "no block");
  return file;
}

std::vector<std::string> run_text_case(const TestFile& file, const Case& c, guest::Frontend& frontend) {
  std::vector<std::string> complaints;
  const auto slots = frontend.layout().slots;
  auto f = ir::parse(c.text, slots);
  if (!f || file.kind == "parser") {
    check_errors(c, f ? std::vector<std::string>{} : std::vector{f.error().message}, complaints);
    if (!f) return complaints;
  } else {
    check_errors(c, ir::verify(*f, slots), complaints);
  }
  if (!complaints.empty() || has_directive(c, "error")) return complaints;
  if (file.kind == "passes") {
    for (const std::string& name : file.options) {
      const ir::Pass* pass = ir::find_pass(name);
      if (pass == nullptr) return {fmt::format("no pass '{}'", name)};
      pass->run(*f, {slots});
      for (const std::string& m : ir::verify(*f, slots)) complaints.push_back(fmt::format("after {}: {}", name, m));
    }
  }
  const std::string printed = ir::print(*f, slots);
  check_output(c, printed, complaints);
  check_round_trip(printed, slots, complaints);
  return complaints;
}

}  // namespace tiercel::test
