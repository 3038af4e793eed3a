// From LLVM's stack maps (section .llvm_stackmaps) to where guest values are at each stop of a region.
#pragma once

#include <llvm/Pass.h>

#include <string>
#include <vector>

#include "backend/region_code.h"

namespace tiercel::backend::region {

/// What a stackmap tells; its id is the index.
struct RegionStop {
  u32 exit = 0;
  u32 flags = 0;           // a kind of lazy flags
  std::vector<u8> what{};  // ValuePlace::what of the stackmap's operands
};

/// A pass behind instruction selection: stackmaps do not want a frame pointer.
llvm::Pass* make_frameless();

/// Reads the section. `out.code` is complete. False, with the reason: some value is where nobody can fetch it from.
bool read_stackmaps(llvm::ArrayRef<u8> section, const std::vector<RegionStop>& stops, RegionCode& out,
                    std::string& why);

}  // namespace tiercel::backend::region
