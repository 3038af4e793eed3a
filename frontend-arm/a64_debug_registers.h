// AArch64's registers for debuggers, with the names and features that GDB knows.
#pragma once

#include "guest/debug_registers.h"

namespace tiercel::arm {

const guest::DebugRegisters& a64_debug_registers();
/// And the system registers, which can only be read.
const guest::DebugRegisters& a64_system_debug_registers();

}  // namespace tiercel::arm
