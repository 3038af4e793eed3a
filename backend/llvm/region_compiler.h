// The optimising tier: regions through LLVM. The only folder that includes LLVM.
#pragma once

#include "backend/region_code.h"

namespace tiercel::backend {

/// A compiler of regions for this layout and host. Creating the first one of a process takes some milliseconds.
std::unique_ptr<RegionCompiler> make_llvm_compiler(const VmLayout& layout, const HostFeatures& features);

/// The insts of `region` that have no host form and always call ir::eval.
std::vector<ir::Opcode> evaluated_insts(const ir::Region& region, const VmLayout& layout, const HostFeatures& features);

}  // namespace tiercel::backend
