// Floating-point exceptions that fp_control.h leaves unmasked.
#pragma once

#include "backend/vm_context.h"
#include "backend/x64/host_frame.h"

namespace tiercel::backend::x64 {

/// Makes the frame, which stands at such an exception, go on. False: it stands at none. Async-signal-safe.
bool settle_fp_trap(HostFrame frame, VmContext& context);

}  // namespace tiercel::backend::x64
