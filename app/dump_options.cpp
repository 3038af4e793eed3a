#include "app/dump_options.h"

#include <cstdlib>

namespace tiercel::app {
namespace {

/// "pc:0x4000" or "0x4000"
bool parse_pc(std::string text, u64& out) {
  if (text.rfind("pc:", 0) == 0) text.erase(0, 3);
  char* end = nullptr;
  out = std::strtoull(text.c_str(), &end, 0);
  return !text.empty() && *end == '\0';
}

}  // namespace

std::string parse_dump(const std::vector<std::string>& stages, const std::vector<std::string>& only,
                       engine::DumpOptions& dump) {
  for (const std::string& stage : stages) {
    if (stage == "guest")
      dump.guest = true;
    else if (stage == "ir")
      dump.ir = true;
    else if (stage == "opt")
      dump.opt = true;
    else if (stage == "host")
      dump.host = true;
    else if (stage == "llvm")
      dump.llvm = true;
    else
      return "--dump: unknown stage '" + stage + "'; known are guest, ir, opt, host and llvm";
  }
  for (const std::string& pc : only) {
    u64 value = 0;
    if (!parse_pc(pc, value)) return "--only: '" + pc + "' is not an address like pc:0x4000";
    dump.only.push_back(value);
  }
  if (!dump.any() && !only.empty()) return "--only: goes with --dump";
  return {};
}

}  // namespace tiercel::app
