#pragma once

#include "backend/x64/registers.h"

namespace tiercel::backend::x64 {

Runtime make_runtime(const VmLayout& layout, const HostFeatures& cpu, const RegisterPlan& plan);

}  // namespace tiercel::backend::x64
