// Runs one region in the interpreter, block by block, and as LLVM's code, from the same state, and compares what they
// leave: state block, memory, FP status, exit.
#pragma once

#include <memory>
#include <random>
#include <string>

#include "backend/llvm/region_compiler.h"
#include "frontend-arm/state.h"
#include "ir/region.h"

namespace tiercel::test {

/// A VmContext with its state block.
class RegionVm {
 public:
  RegionVm();
  ~RegionVm();
  RegionVm(const RegionVm&) = delete;
  RegionVm& operator=(const RegionVm&) = delete;
  backend::VmContext& context() { return *context_; }
  arm::A64State& state() { return *static_cast<arm::A64State*>(backend::guest_state(context_)); }
  void copy_from(RegionVm& other);

 private:
  backend::VmContext* context_;
  ir::FpEnv fp_env_;
};

class RegionTester {
 public:
  /// Guest memory, readable and writable; what lies around it is not accessible.
  static constexpr u64 kMemory = 0x2000'0000'0000, kMemorySize = 8192;

  explicit RegionTester(const backend::HostFeatures& features = backend::HostFeatures::detect(),
                        bool base_is_zero = true);
  ~RegionTester();

  /// The state, memory (`start_memory`) and FP environment the next run starts from.
  RegionVm& start() { return start_; }
  u8* start_memory() { return memory_start_.data(); }
  /// What the compiled code left.
  RegionVm& result() { return compiled_; }
  backend::RegionExit exit() const { return exit_; }
  const backend::RegionCode& code() const { return code_; }
  /// Guest address of memory.
  u64 guest_memory() const { return kMemory - base_; }

  /// Empty, or why it was refused.
  std::string compile(const ir::Region& region);
  /// Runs what was compiled last from start() in both ways; empty: they agree. Blocks of the interpreter are counted:
  /// after `max_blocks` it gives up, and so does this.
  std::string run(const ir::Region& region, u64 max_blocks = 100000);
  /// The region as text and the listing.
  std::string describe(const ir::Region& region);

 private:
  /// `rules`: those of the block executed last.
  backend::RegionExit interpret(const ir::Region& region, u64 max_blocks, ir::FpRules& rules);
  void run_compiled(ir::FpRules rules);
  std::string differences(const ir::Region& region, const backend::RegionExit& expected, ir::FpRules rules);
  bool underflow_excused(const ir::Region& region);

  u64 base_;
  std::unique_ptr<backend::RegionCompiler> compiler_;
  std::unique_ptr<backend::Backend> fast_tier_;  // makes the way in and the ways out
  backend::Runtime runtime_;
  backend::JumpCache misses_;
  backend::RegionCode code_;
  u8* host_code_;  // the runtime, then the region
  u8* region_at_ = nullptr;
  RegionVm start_, interpreted_, compiled_;
  std::vector<u8> memory_start_, memory_interpreted_;
  backend::RegionExit exit_;
};

/// The layout of the A64 state block.
std::span<const ir::SlotInfo> a64_slots();

}  // namespace tiercel::test
