// Any text: the parser gives a function or a message. What the verifier accepts must print and read back the same, and
// every pass must leave it sound.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "frontend-arm/a64_frontend.h"
#include "ir/parser.h"
#include "ir/passes/pass.h"
#include "ir/printer.h"
#include "ir/verifier.h"

extern "C" int LLVMFuzzerTestOneInput(const tiercel::u8* data, std::size_t size) {
  namespace ir = tiercel::ir;
  const auto slots = tiercel::arm::a64_layout().slots;
  auto parsed = ir::parse(std::string_view(reinterpret_cast<const char*>(data), size), slots);
  if (!parsed) return 0;
  if (!ir::verify(*parsed, slots).empty()) return 0;
  const std::string text = ir::print(*parsed, slots);
  const auto again = ir::parse(text, slots);
  CHECK_MSG(again.has_value(),
            fmt::format("what was printed does not parse: {}\n{}", again.error().message, text).c_str());
  const std::string text_again = ir::print(*again, slots);
  CHECK_MSG(text_again == text, fmt::format("printed:\n{}\nread back and printed:\n{}", text, text_again).c_str());
  for (const ir::Pass& pass : ir::all_passes()) {
    pass.run(*parsed, {slots});
    const auto problems = ir::verify(*parsed, slots);
    CHECK_MSG(problems.empty(), fmt::format("after {}: {}\nbefore:\n{}", pass.name, problems[0], text).c_str());
  }
  return 0;
}
