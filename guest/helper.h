// Out-of-line semantics of a guest CPU: ir::Opcode::CallHelper with imm = index into the frontend's table.
#pragma once

#include "ir/types.h"

namespace tiercel::guest {

/// What a helper may touch besides its operands.
struct Env {
  void* state;               // the guest state block
  void* platform = nullptr;  // a machine: what surrounds the vCPU, as Vcpu::attach_machine was told
};

using HelperFn = u64 (*)(Env&, u64 a, u64 b, u64 c, u64 d);

struct HelperDecl {
  const char* name;
  HelperFn function;
  bool reads_state;   // looks at the state block: every Set must be in memory before the call
  bool writes_state;  // changes the state block: no slot value survives the call
};

}  // namespace tiercel::guest
