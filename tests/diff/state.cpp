#include "tests/diff/state.h"

#include <fmt/format.h>

#include <cstring>

namespace tiercel::test {

const char* name(End e) {
  switch (e) {
    case End::Done:
      return "done";
    case End::Fault:
      return "fault";
    case End::Unimplemented:
      return "unimplemented";
    case End::Undefined:
      return "undefined";
    case End::Failed:
      return "failed";
  }
  return "?";
}

std::vector<std::string> differences(const CpuState& a, const Data& a_data, const CpuState& b, const Data& b_data) {
  std::vector<std::string> out;
  const auto compare = [&](const std::string& what, u64 l, u64 r) {
    if (l != r) out.push_back(fmt::format("{:<6} {:016x}  {:016x}", what, l, r));
  };
  for (int i = 0; i < 31; ++i)
    if (a.x[i] != b.x[i]) compare(fmt::format("x{}", i), a.x[i], b.x[i]);
  compare("sp", a.sp, b.sp);
  compare("pc", a.pc, b.pc);
  compare("nzcv", a.nzcv, b.nzcv);
  compare("fpcr", a.fpcr, b.fpcr);
  compare("fpsr", a.fpsr, b.fpsr);
  compare("tpidr", a.tpidr, b.tpidr);
  for (int i = 0; i < 32; ++i)
    if (!(a.v[i] == b.v[i]))
      out.push_back(
          fmt::format("v{:<5} {:016x}_{:016x}  {:016x}_{:016x}", i, a.v[i].hi, a.v[i].lo, b.v[i].hi, b.v[i].lo));
  if (std::memcmp(a_data.data(), b_data.data(), kDataBytes) != 0)
    for (u64 i = 0; i < kDataBytes; i += 8) {
      u64 l, r;
      std::memcpy(&l, &a_data[i], 8);
      std::memcpy(&r, &b_data[i], 8);
      if (l != r) compare(fmt::format("[{:#x}]", kDataBase + i), l, r);
    }
  return out;
}

}  // namespace tiercel::test
