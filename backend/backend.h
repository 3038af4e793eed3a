// The contract of a tier that makes host code.
#pragma once

#include <memory>
#include <span>

#include "backend/compiled_code.h"
#include "backend/vm_context.h"
#include "ir/function.h"

namespace tiercel::backend {

/// Everything about the surroundings that generated code depends on. Plain data, the same for all vCPUs of an engine.
struct VmLayout {
  std::span<const ir::SlotInfo> slots;
  u32 state_size = 0;
  u32 pc_offset = 0;         // of the guest pc in the state block
  bool base_is_zero = true;  // flat memory: guest address = host address; otherwise VmContext::memory_base is added
  bool translated = false;   // a machine: addresses go through VmContext's TLB, and exits link only within their page
  bool return_stack = true;
  bool counts_insns = false;   // VmContext::budget
  bool profile = false;        // edges that go back are counted, see kHotCounters
  bool profile_calls = false;  // calls forward are, too
  u32 chaos_seed = 0;          // nonzero: randomise register choice and the like
};

/// Host features a backend may use. x86-64-v2 is the least.
struct HostFeatures {
  bool avx = false, avx2 = false, bmi1 = false, bmi2 = false, lzcnt = false, fma = false, f16c = false, aes = false,
       pclmul = false, sha = false, avx512vl = false /* with F, BW, DQ */, avx512vbmi = false, avx512bitalg = false,
       gfni = false, vpclmul = false;
  static HostFeatures detect();
  /// What of these a host of x86-64-v2, v3 or v4 may have.
  HostFeatures limited_to(u32 level) const;
};

/// The shared stubs, placed once at the start of the code cache.
struct Runtime {
  std::vector<u8> code;
  u32 enter;              // void enter(VmContext*, const void* host_code): runs until an exit; C ABI
  u32 common_exit;        // every exit of generated code ends here: pinned registers to state, back to enter's caller
  u32 indirect;           // target of indirect branches: pc in a fixed register; probes the jump cache
  u32 fault_exit;         // the host fault handler continues here after saving the guest registers itself
  u32 stubs[kStubCount];  // for VmContext::stubs
};

struct RegionCode;
struct RegionPlace;

/// As in the ir::Function of the block behind the gate; a relative pc is less than kPageSize.
struct GatePlace {
  u64 pc = 0;
  bool relative = false;
  u64 origin = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;

  virtual Runtime make_runtime() = 0;

  /// Compiles `f`, which went through the tier's passes, into `out` (cleared first). Total: every verified Function
  /// compiles. Not thread-safe; one Backend per compiling thread or under the engine's lock.
  virtual void compile(const ir::Function& f, bool want_listing, CompiledCode& out) = 0;

  /// A way in to the code at `place` that counts down one of kHotCounters and leaves with Reason::Hot below zero. Its
  /// only exit leads to place.pc.
  virtual void make_gate(const GatePlace& place, CompiledCode& out) = 0;

  /// Makes `region` enterable from this tier's code and leavable to it: the result is installed and linked like a
  /// compiled Function. Its entry is at offset 0.
  virtual void wrap_region(const RegionCode& region, const RegionPlace& place, CompiledCode& out) = 0;

  /// Copies the pinned guest registers of an interrupted host context into the guest state block. `gregs` and `fpregs`
  /// are the ucontext_t's (gregset_t and fpstate with its extended area). Async-signal-safe. Used by the fault handler.
  virtual void save_pinned(const void* ucontext, void* guest_state) const = 0;

  /// Makes an interrupted host context that stands at an access or a stop of the region entered last
  /// (VmContext::region_faults) go on to where that leads. False: it stands nowhere such. Async-signal-safe. Used by
  /// the fault handler.
  virtual bool leave_region(void* ucontext, VmContext& context) const = 0;

  /// Makes an interrupted host context that stands at a floating-point exception which mxcsr_for leaves unmasked go on.
  /// False: it stands at no such. Async-signal-safe.
  virtual bool settle_fp_trap(void* ucontext, VmContext& context) const = 0;
};

std::unique_ptr<Backend> make_x64_backend(const VmLayout& layout, const HostFeatures& features);

}  // namespace tiercel::backend
