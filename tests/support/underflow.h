// x86 looks for tiny results after rounding, Arm before (docs/ir.md): where a result rounds up to a least normal
// number, only Arm raises Underflow. That alone may differ between the interpreter and host instructions.
#pragma once

#include <functional>

#include "backend/interp/interp.h"
#include "ir/function.h"

namespace tiercel::test {

/// Whether a lane of some width is plus or minus the least normal number.
bool has_least_normal(const U128& v);

/// Interprets a function from the start state of the run in question, with the given memory on top of its own.
using InterpretFromStart = std::function<void(const ir::Function&, backend::InterpMemory&)>;

/// Whether every inst of `f` that raises Underflow makes a least normal number. `memory` is as it was at the start, and
/// is again when `run` begins.
bool underflows_are_least_normals(const ir::Function& f, backend::InterpMemory& memory, const InterpretFromStart& run);

}  // namespace tiercel::test
