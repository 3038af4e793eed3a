// decode: every stage of the translation of a few guest words.
#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "app/irtool/commands.h"
#include "backend/backend.h"
#include "frontend-arm/a64_frontend.h"
#include "ir/passes/pass.h"
#include "ir/printer.h"
#include "ir/verifier.h"

namespace tiercel::irtool {
namespace {

class Words final : public guest::CodeReader {
 public:
  explicit Words(u64 pc) : pc_(pc) {}
  bool append(std::string_view hex) {
    if (hex.starts_with("0x")) hex.remove_prefix(2);
    u32 word;
    const auto r = std::from_chars(hex.data(), hex.data() + hex.size(), word, 16);
    if (r.ec != std::errc() || r.ptr != hex.data() + hex.size()) return false;
    bytes_.resize(bytes_.size() + sizeof word);
    std::memcpy(bytes_.data() + bytes_.size() - sizeof word, &word, sizeof word);
    return true;
  }
  std::span<const u8> window(VAddr pc) override {
    const u64 offset = pc.value - pc_;
    return offset < bytes_.size() ? std::span<const u8>(bytes_).subspan(offset) : std::span<const u8>{};
  }
  std::size_t count() const { return bytes_.size() / sizeof(u32); }

 private:
  u64 pc_;
  std::vector<u8> bytes_;
};

}  // namespace

int decode(const std::vector<std::string>& words, u64 pc, u32 mode) {
  Words reader(pc);
  for (const std::string& w : words) {
    if (reader.append(w)) continue;
    fmt::print(stderr, "tiercel-irtool: {}: not a 32-bit hexadecimal word\n", w);
    return 1;
  }
  const auto frontend = arm::make_a64_frontend();
  const guest::Layout& layout = frontend->layout();
  fmt::print("-- guest\n");
  for (u64 at = pc; at < pc + 4 * reader.count(); at += 4)
    fmt::print("  {:#x}: {}\n", at, frontend->disassemble(at, reader.window(VAddr{at}), mode).text);

  ir::Function f;
  frontend->translate({pc, mode, 0}, reader, {static_cast<u32>(reader.count())}, f);
  fmt::print("-- ir\n{}", ir::print(f, layout.slots));
  for (const std::string& message : ir::verify(f, layout.slots)) fmt::print("  error: {}\n", message);
  for (const ir::Pass& pass : ir::fast_tier_passes()) pass.run(f, {layout.slots});
  fmt::print("-- optimised ir\n{}", ir::print(f, layout.slots));

  backend::VmLayout vm;
  vm.slots = layout.slots;
  vm.state_size = layout.state_size;
  vm.pc_offset = layout.pc_offset;
  const auto backend = backend::make_x64_backend(vm, backend::HostFeatures::detect());
  backend::CompiledCode code;
  backend->compile(f, true, code);
  fmt::print("-- host, {} bytes\n{}", code.code.size(), code.listing);
  return 0;
}

}  // namespace tiercel::irtool
