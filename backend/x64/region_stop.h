// The way out of a region that stopped (backend/region_code.h).
#pragma once

#include "backend/x64/host_frame.h"

namespace tiercel::backend::x64 {

/// See Backend::leave_region.
bool leave_region(HostFrame frame, const VmLayout& layout, VmContext& context);

}  // namespace tiercel::backend::x64
