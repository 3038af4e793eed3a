// Any bytes as A64 code: translation ends, gives a sound function, its text reads back, and disassembly does not fail.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

#include "base/check.h"
#include "frontend-arm/a64_frontend.h"
#include "frontend-arm/state.h"
#include "ir/parser.h"
#include "ir/passes/pass.h"
#include "ir/printer.h"
#include "ir/verifier.h"

namespace {

using namespace tiercel;

constexpr u64 kBase = 0x10000;

class Bytes final : public guest::CodeReader {
 public:
  explicit Bytes(std::span<const u8> bytes) : bytes_(bytes) {}
  std::span<const u8> window(VAddr pc) override {
    const u64 offset = pc.value - kBase;
    if (offset >= bytes_.size()) return {};
    return bytes_.subspan(offset, std::min<u64>(bytes_.size() - offset, 4096 - offset % 4096));
  }

 private:
  std::span<const u8> bytes_;
};

/// The block at `pc`: sound after translation and after each pass, and its text reads back.
void check_block(guest::Frontend& frontend, Bytes& code, const arm::A64State& state) {
  const auto slots = frontend.layout().slots;
  ir::Function f;
  if (!frontend.translate(frontend.key(&state), code, {}, f)) return;
  const auto problems = ir::verify(f, slots);
  CHECK_MSG(problems.empty(), fmt::format("{}\n{}", problems[0], ir::print(f, slots)).c_str());
  const auto again = ir::parse(ir::print(f, slots), slots);
  CHECK_MSG(again.has_value(), fmt::format("{}\n{}", again.error().message, ir::print(f, slots)).c_str());
  for (const ir::Pass& pass : ir::all_passes()) {
    pass.run(f, {slots});
    const auto after = ir::verify(f, slots);
    CHECK_MSG(after.empty(), fmt::format("after {}: {}\n{}", pass.name, after[0], ir::print(f, slots)).c_str());
  }
}

}  // namespace

// The first two bytes say where in the rest to begin, so that a small input reaches all of a large one.
extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  static const std::unique_ptr<guest::Frontend> frontend = arm::make_a64_frontend();
  if (size < 8) return 0;
  const std::span<const u8> words(data + 4, (size - 4) & ~std::size_t{3});
  const u64 first = (data[0] | data[1] << 8) * u64{4} % words.size();
  Bytes code(words);
  arm::A64State state;
  frontend->reset(&state);
  for (u64 at = first; at < words.size() && at < first + 512; at += 64) {
    for (const u32 fpcr : {0u, 3u << 24}) {
      state.fpcr = fpcr;
      state.pc = kBase + at;
      check_block(*frontend, code, state);
    }
    CHECK_MSG(!frontend->disassemble(kBase + at, words.subspan(at, 4), 0).text.empty(), "no disassembly");
  }
  return 0;
}
