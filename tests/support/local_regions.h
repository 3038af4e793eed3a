// Regions compiled in the test's own process instead of by the translation service: at once, and repeatably.
#pragma once

#include <memory>

#include "engine/region_service.h"

namespace tiercel::test {

/// Compiles with LLVM.
std::unique_ptr<engine::RegionService> make_local_regions(const backend::VmLayout& layout,
                                                          const backend::HostFeatures& features);

}  // namespace tiercel::test
