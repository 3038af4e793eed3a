#include "engine/translator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/guarded_access.h"
#include "ir/passes/pass.h"
#include "ir/printer.h"
#include "ir/verifier.h"

namespace tiercel::engine {
namespace {

constexpr u32 kChaosInterprets = 32;  // with chaos one block in so many is left to the interpreter

class Reader final : public guest::CodeReader {
 public:
  Reader(AddressSpace& memory, const guest::BlockKey& key, const Breakpoints& until)
      : memory_(memory), key_(key), until_(until) {}
  std::span<const u8> window(VAddr pc) override {
    return until_.cut(pc.value, memory_.code_of({pc.value, key_.mode, key_.space}));
  }

 private:
  AddressSpace& memory_;
  const guest::BlockKey& key_;
  const Breakpoints& until_;
};

/// Reads code that nobody is about to execute: another thread may have unmapped it, and not said so yet.
class GuardedReader final : public guest::CodeReader {
 public:
  GuardedReader(AddressSpace& memory, const guest::BlockKey& key, const Breakpoints& until)
      : memory_(memory), key_(key), until_(until) {}
  std::span<const u8> window(VAddr pc) override {
    const std::span<const u8> window = until_.cut(pc.value, memory_.code_of({pc.value, key_.mode, key_.space}));
    const std::size_t size = std::min(window.size(), copy_.size());
    return {copy_.data(), size - guarded_copy(copy_.data(), window.data(), size)};
  }

 private:
  AddressSpace& memory_;
  const guest::BlockKey& key_;
  const Breakpoints& until_;
  std::array<u8, 4096> copy_;
};

void verify(const ir::Function& f, const guest::Layout& layout, const char* when) {
#ifdef TIERCEL_VERIFY
  ir::verify_or_die(f, layout.slots, when);
#else
  static_cast<void>(f), static_cast<void>(layout), static_cast<void>(when);
#endif
}

}  // namespace

backend::VmLayout vm_layout(const guest::Frontend& frontend, const AddressSpace& memory, const Options& options) {
  const guest::Layout& layout = frontend.layout();
  backend::VmLayout vm;
  vm.slots = layout.slots;
  vm.state_size = layout.state_size;
  vm.pc_offset = layout.pc_offset;
  vm.base_is_zero = memory.flat_base() == 0;
  vm.translated = frontend.mmu() != nullptr;
  vm.counts_insns = options.counts_insns;
  vm.chaos_seed = options.chaos_seed;
  vm.profile = options.wants_regions();
  vm.profile_calls = vm.profile && options.tier == Tier::Llvm;  // more code gets there; otherwise not worth its cost
  return vm;
}

backend::HostFeatures host_features(const Options& options) {
  return backend::HostFeatures::detect().limited_to(options.host_level);
}

Translator::Translator(guest::Frontend& frontend, AddressSpace& memory, const Options& options)
    : frontend_(frontend),
      memory_(memory),
      options_(options),
      backend_(backend::make_x64_backend(vm_layout(frontend, memory, options), host_features(options))),
      chaos_(options.chaos_seed, 0) {}

Translator::Translator(const Translator& old) : Translator(old.frontend_, old.memory_, old.options_) {
  breakpoints = old.breakpoints;
  translations_ = old.translations_;
  profile_ = Profile(old.profile_.next());
  passes_run_ = old.passes_run_;
  chaos_ = old.chaos_;
}

u32 Translator::block_limit() {
  return chaos_.active() ? 1 + chaos_.below(options_.max_block_insns) : options_.max_block_insns;
}

void Translator::run_passes() {
  const ir::PassContext context{frontend_.layout().slots};
  for (const ir::Pass& pass : ir::fast_tier_passes()) {
    if (passes_run_ >= options_.pass_limit) return;
    ++passes_run_;
    pass.run(function_, context);
    verify(function_, frontend_.layout(), pass.name.data());
  }
}

Translator::Outcome Translator::translate(const guest::BlockKey& key) {
  Reader reader(memory_, key, breakpoints);
  if (!frontend_.translate(key, reader, {block_limit()}, function_)) return Outcome::NotExecutable;
  verify(function_, frontend_.layout(), "translation");
  ++translations_;
  const bool dump = wants_dump(key);
  if (dump && options_.dump.guest) dump_guest(key);
  if (dump && options_.dump.ir) dump_ir("ir");
  const bool interpreted =
      options_.tier == Tier::Interp || translations_ > options_.tier_limit || chaos_.one_in(kChaosInterprets);
  if (options_.stats) function_.counter = profile_.add(key, function_, interpreted);
  if (interpreted) return Outcome::Interpreted;
  run_passes();
  if (dump && options_.dump.opt) dump_ir("optimised ir");
  backend_->compile(function_, dump && options_.dump.host, code_);
  if (dump && options_.dump.host) fmt::print(stderr, "-- host, {} bytes\n{}\n", code_.code.size(), code_.listing);
  return Outcome::Compiled;
}

bool Translator::translate_raw(const guest::BlockKey& key, u32 max_insns) {
  const Breakpoints none;
  Reader reader(memory_, key, none);
  return frontend_.translate(key, reader, {max_insns}, function_);
}

bool Translator::translate_for_region(const guest::BlockKey& key, u32 max_insns) {
  if (translations_ > options_.tier_limit) return false;
  GuardedReader reader(memory_, key, breakpoints);
  if (!frontend_.translate(key, reader, {max_insns}, function_)) return false;
  run_passes();
  return true;
}

const backend::CompiledCode& Translator::compile(const ir::Function& f) {
  backend_->compile(f, false, code_);
  return code_;
}

bool Translator::wants_dump(const guest::BlockKey& key) const {
  const DumpOptions& d = options_.dump;
  const u64 mask = key.relative() ? kPageSize - 1 : ~u64{0};
  return d.any() && (d.only.empty() ||
                     std::any_of(d.only.begin(), d.only.end(), [&](u64 pc) { return (pc & mask) == (key.pc & mask); }));
}

void Translator::dump_guest(const guest::BlockKey& key) {
  fmt::print(stderr, "== block {} at {}{:#x}, mode {:#x}\n-- guest\n", translations_,
             key.relative() ? "physical address " : "", key.origin() + key.pc, key.mode);
  for (u64 pc = key.pc; pc < function_.end_pc;) {
    const auto bytes = memory_.code_of({pc, key.mode, key.space});
    if (bytes.empty()) break;
    const auto line = frontend_.disassemble(pc, bytes, key.mode);
    fmt::print(stderr, "  {:#x}: {}\n", pc, line.text);
    pc += std::max(line.length, 1u);
  }
}

void Translator::dump_ir(const char* title) const {
  fmt::print(stderr, "-- {}\n{}", title, ir::print(function_, frontend_.layout().slots));
}

}  // namespace tiercel::engine
