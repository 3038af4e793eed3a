// One address space with its translations: what a user process or a machine owns exactly one of.
#pragma once

#include <functional>
#include <memory>

#include "engine/address_space.h"
#include "engine/options.h"
#include "engine/profile.h"
#include "engine/regions.h"
#include "engine/vcpu.h"

namespace tiercel::engine {

/// Counters for --stats; the sum over all vCPUs.
struct Statistics {
  u64 blocks_translated = 0, insns_translated = 0, host_bytes = 0, translate_ns = 0;
  u64 link_misses = 0, indirect_misses = 0, interrupts = 0, faults = 0, invalidations = 0, cache_flushes = 0,
      cache_evictions = 0;
  u64 unimplemented = 0;
  u64 hot_exits = 0, region_faults = 0;
  u64 insns_interpreted = 0, insns_fast = 0, insns_in_regions = 0;  // executed
  u64 region_exits = 0;  // ways out of regions taken, but for faults and requests
  u64 code_ns = 0;       // CPU time in generated code and the interpreter
  RegionStatistics regions;
};

/// A block with what became of it.
struct ExecutedBlock {
  Profile::Block counts;
  Refusal refusal = Refusal::None;  // of a region that begins here
  bool pending = false;             // a region with it is being compiled
};

class Engine {
 public:
  /// `frontend` and `memory` outlive the engine. `service` compiles hot code when the options want that; it may be
  /// null.
  Engine(guest::Frontend& frontend, AddressSpace& memory, const Options& options,
         std::unique_ptr<RegionService> service = nullptr);
  ~Engine();

  /// A vCPU in reset state.
  std::unique_ptr<Vcpu> make_vcpu();
  /// A vCPU with a copy of another's state (clone, fork, vfork).
  std::unique_ptr<Vcpu> copy_vcpu(Vcpu& from);

  /// The process that ran `vcpu` in this one's memory (a vfork child) has ended, perhaps killed in the middle of
  /// anything: what it held is released, and translations that it may have left half made are dropped.
  void abandon(Vcpu& vcpu);

  /// Guest code in [start, start + size) may have changed or gone: its translations are dropped. Any thread.
  void invalidate(VAddr start, u64 size);
  /// The same for a machine; `size` 0: all of its code.
  void invalidate_physical(PAddr start, u64 size);

  /// Makes run() stop at the insns at these addresses, and only these. May wait until all vCPUs have left translated
  /// code.
  void set_breakpoints(const std::vector<u64>& pcs);
  bool has_breakpoint(u64 pc) const;

  /// Around fork(): the code cache is private to a process. prepare in the parent, then exactly one of the others.
  void fork_prepare();
  void fork_parent();
  void fork_child();

  /// Called first from the personality's handler of SIGSEGV, SIGBUS and SIGFPE, which are never blocked while a vCPU
  /// runs. True: dealt with (the context was redirected, the handler just returns): a fault in generated code, which
  /// makes run() return Stop::Fault, or in a guarded access; a floating-point exception that tells something. False:
  /// not ours.
  static bool handle_host_fault(const void* siginfo, void* ucontext);
  /// Handlers for SIGSEGV, SIGBUS and SIGFPE that do only that, for programs without a personality. A fault that is not
  /// ours happens again, with the default action.
  static void catch_host_faults();

  Statistics statistics() const;
  /// What was executed and how often, when the options ask for statistics.
  std::vector<ExecutedBlock> executed_blocks() const;
  guest::Frontend& frontend();
  const Options& options() const;

  struct Private;  // engine_private.h; for the engine's own files

 private:
  friend class Vcpu;
  std::unique_ptr<Private> private_;
};

}  // namespace tiercel::engine
