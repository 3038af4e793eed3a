// What a backend returns for one Function. All offsets are in bytes from the start of `code`.
#pragma once

#include <string>
#include <vector>

#include "base/types.h"

namespace tiercel::backend {

/// A patchable direct exit: a `jmp rel32` whose 4-byte displacement at `patch_offset` does not cross an 8-byte
/// boundary. Unlinked it leads to a stub that stores exit_pc and exit_site and leaves with Reason::LinkMiss.
struct DirectExit {
  u32 patch_offset;  // of the rel32; exit_site reported to the engine = code address + patch_offset
  u32 stub_offset;   // where it leads when unlinked
  u64 target_pc;
  bool counted = false;  // an edge that may close a loop: may lead through Backend::make_gate's code
};

/// A host instruction that accesses guest memory. A host fault there is a guest fault of the insn at `guest_pc`.
struct FaultSite {
  u32 host_offset;  // of the faulting host instruction's first byte
  u64 guest_pc;
};

struct CompiledCode {
  std::vector<u8> code;  // position-independent, entered at offset 0
  u32 alignment = 16;    // of the code, at most 64
  std::vector<DirectExit> exits;
  std::vector<FaultSite> faults;  // sorted by host_offset
  std::string listing;            // only when asked for
  void clear() {
    code.clear();
    alignment = 16;
    exits.clear();
    faults.clear();
    listing.clear();
  }
};

}  // namespace tiercel::backend
