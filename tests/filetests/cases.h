// A filetest is IR text with expectations in comments. The first line says what is tested:
//
//   ; test parser                       each block is parsed, printed and parsed again
//   ; test verifier                     each block is parsed and verified
//   ; test passes=fold,dead-code        the passes run over each block
//   ; test run tiers=interp,x64         each block is executed
//   ; layout a64                        the guest whose slots the text names
//
// A file holds any number of blocks, each followed by its own expectations:
//
//   ; check: text     appears in the output (the printed block), after the previous check
//   ; not: text       appears nowhere in it
//   ; error: text     parsing or verifying fails with a message that contains this; without one it must succeed
//   ; run: x1=3 -> x0=4 pc=0x8
//
// Left of the arrow of a run: slots (128-bit values in hex), `flags`-typed slots as NZCV (nzcv=0b0110),
// m8..m64[address]= for guest memory, round=zero for the FP rounding mode, fpstatus= for the cumulative exceptions.
// Right of it the same except round, and pc=, exit=<kind>, payload=, arg=, fault=<address> and misaligned=<address>.
// What is not named right is not compared, except that fpstatus must not change.
#pragma once

#include <string>
#include <vector>

#include "guest/frontend.h"

namespace tiercel::test {

struct Directive {
  std::string kind, text;  // "check", "x0"...
  unsigned line;
};

struct Case {
  std::string name;  // file:line of the block
  std::string text;  // the block
  std::vector<Directive> directives;
};

struct TestFile {
  std::string kind;                  // "parser", "passes", ...
  std::vector<std::string> options;  // of passes= or tiers=
  std::vector<Case> cases;
};

/// Aborts the program with a message when the file's head is not understood.
TestFile read_test_file(const std::string& path);

/// Complaints, one each; empty: passed.
std::vector<std::string> run_text_case(const TestFile& file, const Case& c, guest::Frontend& frontend);
std::vector<std::string> run_run_case(const TestFile& file, const Case& c, guest::Frontend& frontend);

}  // namespace tiercel::test
