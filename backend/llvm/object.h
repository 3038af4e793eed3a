// From the ELF object LLVM wrote to the bytes of RegionCode.
#pragma once

#include <llvm/ADT/StringRef.h>

#include <string>

#include "backend/llvm/stackmaps.h"
#include "backend/region_code.h"

namespace tiercel::backend::region {

/// What a region's module calls the ways out: exits by their index.
inline constexpr llvm::StringLiteral kExitPrefix = "exit.";

/// Lays out the sections of `object`, applies its relocations and reads the tables of faults. False: not something that
/// can run by itself, for the reason in `why`.
bool link_object(llvm::StringRef object, const std::vector<RegionStop>& stops, RegionCode& out, std::string& why);

}  // namespace tiercel::backend::region
