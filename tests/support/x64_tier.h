// Compiles single Functions with the x64 backend and runs them on a Machine.
#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"
#include "engine/code_memory.h"
#include "tests/support/machine.h"

namespace tiercel::test {

class X64Tier {
 public:
  X64Tier(const guest::Layout& layout, const backend::HostFeatures& features);

  /// Replaces the code of the previous function.
  void compile(const ir::Function& f);
  /// Runs what was compiled last. A fault of the guest is a fault of this process: nobody catches it here.
  Outcome run(Machine& machine);
  /// The host code of `f`.
  std::string listing(const ir::Function& f);

 private:
  std::unique_ptr<backend::Backend> backend_;
  engine::CodeMemory memory_;
  backend::Runtime runtime_;
  backend::CompiledCode code_;
  u64 function_offset_ = 0;
  ir::FpRules rules_;
};

/// What every x86-64-v2 host has, and nothing more.
backend::HostFeatures least_features();
/// Without AVX-512, as most hosts are.
backend::HostFeatures without_avx512();

}  // namespace tiercel::test
