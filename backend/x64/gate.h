// What counts how often a block is reached by edges that may close loops: see Backend::make_gate.
#pragma once

#include "backend/backend.h"

namespace tiercel::backend::x64 {

void make_gate(const GatePlace& place, CompiledCode& out);

}  // namespace tiercel::backend::x64
