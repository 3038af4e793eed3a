// opt and run: IR text in, IR text or effects out.
#include <fmt/format.h>
#include <xmmintrin.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "app/irtool/commands.h"
#include "backend/interp/interp.h"
#include "frontend-arm/a64_frontend.h"
#include "ir/parser.h"
#include "ir/passes/pass.h"
#include "ir/printer.h"
#include "ir/text_names.h"
#include "ir/verifier.h"

namespace tiercel::irtool {
namespace {

int complain(std::string_view where, std::string_view what) {
  fmt::print(stderr, "tiercel-irtool: {}: {}\n", where, what);
  return 1;
}

Result<ir::Function> read(const std::string& path, std::span<const ir::SlotInfo> slots) {
  std::ifstream file;
  if (path != "-") file.open(path);
  std::istream& in = path == "-" ? std::cin : file;
  if (!in) return fail(errno, "cannot be read");
  auto f = ir::parse(std::string(std::istreambuf_iterator<char>(in), {}), slots);
  if (!f) return f;
  for (const std::string& message : ir::verify(*f, slots)) return fail(0, message);
  return f;
}

class NoMemory final : public backend::InterpMemory {
 public:
  bool load(u64, ir::MemAttr, U128&) override { return false; }
  bool store(u64, ir::MemAttr, const U128&) override { return false; }
  bool cas(u64, ir::MemAttr, U128&, const U128&) override { return false; }
};

struct FreeMemory {
  void operator()(void* p) const { std::free(p); }
};

/// Slot values by name, in a state block behind its VmContext.
class State {
 public:
  explicit State(const guest::Layout& layout)
      : layout_(layout), memory_(std::aligned_alloc(64, (backend::kStateOffset + layout.state_size + 63) / 64 * 64)) {
    std::memset(memory_.get(), 0, backend::kStateOffset + layout.state_size);
    context_ = new (memory_.get()) backend::VmContext;
  }
  backend::VmContext& context() { return *context_; }

  bool assign(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) return false;
    for (const ir::SlotInfo& s : layout_.slots) {
      if (text.compare(0, equals, s.name) != 0) continue;
      const U128 v{std::strtoull(text.c_str() + equals + 1, nullptr, 0), 0};
      std::memcpy(at(s), &v, bytes(s));
      return true;
    }
    return false;
  }
  void print_changes(const State& before) const {
    for (const ir::SlotInfo& s : layout_.slots) {
      if (std::memcmp(at(s), before.at(s), bytes(s)) == 0) continue;
      U128 v;
      std::memcpy(&v, at(s), bytes(s));
      if (s.type == ir::Type::V128)
        fmt::print("{} = 0x{:016x}{:016x}\n", s.name, v.hi, v.lo);
      else if (s.type == ir::Type::Flags)
        fmt::print("{} = {:04b}\n", s.name, ir::nzcv_from_flags(v.lo));
      else
        fmt::print("{} = {:#x}\n", s.name, v.lo);
    }
  }

 private:
  static std::size_t bytes(const ir::SlotInfo& s) { return ir::type_bits(s.type) / 8; }
  u8* at(const ir::SlotInfo& s) const { return static_cast<u8*>(backend::guest_state(context_)) + s.offset; }

  const guest::Layout& layout_;
  std::unique_ptr<void, FreeMemory> memory_;
  backend::VmContext* context_;
};

}  // namespace

int optimise(const std::string& path, const std::string& passes) {
  const auto slots = arm::a64_layout().slots;
  auto f = read(path, slots);
  if (!f) return complain(path, f.error().message);
  const auto apply = [&](const ir::Pass& pass) {
    pass.run(*f, {slots});
    ir::verify_or_die(*f, slots, pass.name.data());
  };
  std::string_view rest = passes;
  if (passes == "fast") {
    for (const ir::Pass& pass : ir::fast_tier_passes()) apply(pass);
    rest = {};
  }
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    const ir::Pass* pass = ir::find_pass(rest.substr(0, end));
    if (pass == nullptr) return complain(rest.substr(0, end), "no such pass");
    apply(*pass);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  fmt::print("{}", ir::print(*f, slots));
  return 0;
}

int run(const std::string& path, const std::vector<std::string>& assignments) {
  const guest::Layout& layout = arm::a64_layout();
  const auto f = read(path, layout.slots);
  if (!f) return complain(path, f.error().message);
  State before(layout), state(layout);
  for (const std::string& a : assignments)
    if (!before.assign(a) || !state.assign(a)) return complain(a, "not a slot and a value");
  NoMemory memory;
  const u32 host = _mm_getcsr();
  const auto r = backend::interpret(*f, layout.slots, state.context(), memory);
  _mm_setcsr(host);
  state.print_changes(before);
  if (r.reason == backend::Reason::Fault) {
    fmt::print("fault at {:#x}, pc {:#x}\n", r.fault_address, state.context().exit_pc);
  } else if (r.reason == backend::Reason::Misaligned) {
    fmt::print("misaligned access at {:#x}, pc {:#x}\n", state.context().exit_arg, state.context().exit_pc);
  } else if (r.reason >= backend::Reason::kExitBase) {
    const auto kind = static_cast<u32>(r.reason) - static_cast<u32>(backend::Reason::kExitBase);
    fmt::print("exit {}, pc {:#x}, payload {:#x}\n", ir::text::name(ir::text::kExits, kind), state.context().exit_pc,
               state.context().exit_payload);
  } else {
    fmt::print("next pc {:#x}\n", state.context().exit_pc);
  }
  return 0;
}

}  // namespace tiercel::irtool
