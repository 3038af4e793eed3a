// Frontend -> passes -> backend for one key, with the dumps and limits of the debugging aids.
#pragma once

#include <memory>

#include "backend/backend.h"
#include "engine/address_space.h"
#include "engine/chaos.h"
#include "engine/debug.h"
#include "engine/options.h"
#include "engine/profile.h"
#include "guest/frontend.h"

namespace tiercel::engine {

/// What generated code of `options`' tiers depends on.
backend::VmLayout vm_layout(const guest::Frontend& frontend, const AddressSpace& memory, const Options& options);

/// What generated code may use of the host.
backend::HostFeatures host_features(const Options& options);

class Translator {
 public:
  Translator(guest::Frontend& frontend, AddressSpace& memory, const Options& options);
  /// Goes on counting where `old` ended; takes nothing else from it, as it may be in any state.
  Translator(const Translator& old);

  enum class Outcome : u8 { NotExecutable, Interpreted, Compiled };

  /// Translates the block at `key` into function() and, when the outcome is Compiled, code(); both are valid until the
  /// next call. Needs the engine's lock.
  Outcome translate(const guest::BlockKey& key);

  /// The IR of up to `max_insns` insns at `key` as the frontend makes it, in function(). False: not executable.
  bool translate_raw(const guest::BlockKey& key, u32 max_insns);

  /// The same after the passes. False also when limits forbid compiling.
  bool translate_for_region(const guest::BlockKey& key, u32 max_insns);

  /// Neither translate nor translate_for_region goes past one; to translate_raw they mean nothing.
  Breakpoints breakpoints;

  /// Compiles `f`, which went through the passes before, into code().
  const backend::CompiledCode& compile(const ir::Function& f);

  bool wants_dump(const guest::BlockKey& key) const;

  const ir::Function& function() const { return function_; }
  const backend::CompiledCode& code() const { return code_; }
  backend::Backend& backend() { return *backend_; }
  u64 translations() const { return translations_; }
  /// Of the blocks translated so far, when the options ask for statistics.
  Profile& profile() { return profile_; }

 private:
  u32 block_limit();
  void run_passes();
  void dump_guest(const guest::BlockKey& key);
  void dump_ir(const char* title) const;

  guest::Frontend& frontend_;
  AddressSpace& memory_;
  const Options& options_;
  std::unique_ptr<backend::Backend> backend_;
  ir::Function function_;
  backend::CompiledCode code_;
  Profile profile_;
  u64 translations_ = 0;
  u64 passes_run_ = 0;
  Chaos chaos_;
};

}  // namespace tiercel::engine
