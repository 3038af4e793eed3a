#include "replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "backend/llvm/region_compiler.h"
#include "base/time.h"
#include "service/messages.h"

namespace tiercel::app {
namespace {

struct Sums {
  u64 blocks = 0, insns = 0, bytes = 0, exits = 0, faults = 0, ns = 0;
  unsigned refused = 0;
};

void print(const char* name, const Sums& s) {
  fmt::print("{:<40} {:>5} blocks {:>6} insns {:>8} bytes {:>5} exits {:>6} accesses {:>9.3f} ms\n", name, s.blocks,
             s.insns, s.bytes, s.exits, s.faults, static_cast<double>(s.ns) / 1e6);
}

bool replay_one(const std::string& file, const ReplayOptions& options, Sums& all) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<u8> bytes{std::istreambuf_iterator<char>(stream), {}};
  service::Request request;
  if (!stream || !service::decode_request(bytes, request)) {
    fmt::print(stderr, "tiercel-compiler: {} is not a request that this version kept\n", file);
    return false;
  }
  request.layout.slots = request.slots;
  const auto compiler = backend::make_llvm_compiler(request.layout, request.features);
  Sums one;
  backend::RegionCode code;
  std::string why;
  for (unsigned n = 0; n < options.times; ++n) {
    const u64 start = process_cpu_ns();
    if (!compiler->compile(request.region, {options.listing}, code, why)) {
      fmt::print("{} refused: {}\n", file, why);
      ++all.refused;
      return true;
    }
    const u64 spent = process_cpu_ns() - start;
    one.ns = n == 0 ? spent : std::min(one.ns, spent);
  }
  one.blocks = request.region.blocks.size();
  for (const auto& f : request.region.blocks) one.insns += f.insn_count;
  one.bytes = code.code.size(), one.exits = code.exits.size(), one.faults = code.faults.size();
  if (options.listing) fmt::print("{}\n", code.listing);
  print(file.substr(file.rfind('/') + 1).c_str(), one);
  all.blocks += one.blocks, all.insns += one.insns, all.bytes += one.bytes;
  all.exits += one.exits, all.faults += one.faults, all.ns += one.ns;
  return true;
}

}  // namespace

int replay(const ReplayOptions& options) {
  Sums all;
  for (const std::string& file : options.files)
    if (!replay_one(file, options, all)) return 1;
  if (options.files.size() > 1) print("all", all);
  return 0;
}

}  // namespace tiercel::app
