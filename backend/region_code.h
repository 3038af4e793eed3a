// What the optimising tier returns for one ir::Region, and the compiler's interface.
//
// The code is one host function that the fast tier's runtime calls with the VmContext's address in r12 and the return
// address on the stack; on entry rsp is 8 modulo 16. It may change every register but rsp. It finds all guest state in
// the state block (no guest register is in a host register), MXCSR holds the guest's floating-point environment and
// stays the guest's all the time. It returns the index of the exit it took in eax, with the guest's state complete in
// the state block; the guest's pc is not stored there: exits name it.
//
// Faults are side exits. Each host instruction that accesses guest memory has a landing: when it faults, the host fault
// handler continues there with all registers as they were. The landing writes the state block as of the last IR inst
// before the access and returns the exit whose pc is the faulting insn's, so that the fast tier executes that insn
// again, faults in turn and reports it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "ir/region.h"

namespace tiercel::backend {

struct RegionExit {
  enum class Kind : u8 {
    Direct,     // continue at `pc`
    Interrupt,  // a back edge saw VmContext::exit_request; continue at `pc`
    Indirect,   // continue at VmContext::exit_pc; `pc` is 0
    Fault,      // a landing: execute the insn at `pc` again, outside regions
  };
  Kind kind = Kind::Direct;
  u64 pc = 0;
  friend bool operator==(const RegionExit&, const RegionExit&) = default;
};

/// A host instruction that may fault and where control goes on then; offsets from the start of RegionCode::code.
struct RegionFault {
  u32 host_offset = 0;
  u32 landing_offset = 0;
  friend bool operator==(const RegionFault&, const RegionFault&) = default;
};

struct RegionCode {
  std::vector<u8> code;  // position-independent: instructions and their constants; needs an alignment of 64
  u32 entry = 0;
  std::vector<RegionExit> exits;    // at most kMaxRegionExits
  std::vector<RegionFault> faults;  // sorted by host_offset
  std::string listing;              // LLVM IR and host code, only when asked for
};
inline constexpr u32 kMaxRegionExits = 1 << 16;

/// What is asked for besides the region.
struct RegionRequest {
  bool want_listing = false;
};

class RegionCompiler {
 public:
  virtual ~RegionCompiler() = default;
  /// Compiles `region` into `out` (replaced). False: refused, for the reason in `why`, a sentence. Not thread-safe.
  virtual bool compile(const ir::Region& region, const RegionRequest& request, RegionCode& out, std::string& why) = 0;
};

}  // namespace tiercel::backend
