// Tier 0: executes IR directly. The meaning of every opcode in its plainest form.
#pragma once

#include <span>
#include "backend/vm_context.h"

#include "ir/function.h"

namespace tiercel::backend {

/// How the interpreter reaches guest memory. Every call may refuse: false, and the access is the guest's fault.
class InterpMemory {
 public:
  virtual ~InterpMemory() = default;
  virtual bool load(u64 address, ir::MemAttr attr, U128& out) = 0;  // `out`: the accessed bytes, rest zero
  virtual bool store(u64 address, ir::MemAttr attr, const U128& value) = 0;
  /// Atomic; `expected` receives the old memory value.
  virtual bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) = 0;
};

struct InterpResult {
  Reason reason = Reason::None;  // None: continue at exit_pc
  u64 fault_address = 0;         // Reason::Fault: also exit_pc = pc of the insn
  bool fault_is_write = false;
};

/// Runs `f` once on the state block behind `context`, with the calling thread's MXCSR holding the guest's.
/// Fills context.exit_pc (and exit_arg, exit_payload for Exit terminals). Stops at the first fault, all earlier effects
/// done.
InterpResult interpret(const ir::Function& f, std::span<const ir::SlotInfo> slots, VmContext& context,
                       InterpMemory& memory);

}  // namespace tiercel::backend
