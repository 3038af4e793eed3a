// From the ELF object LLVM wrote to the bytes of RegionCode.
#pragma once

#include <llvm/ADT/StringRef.h>

#include <string>

#include "backend/region_code.h"

namespace tiercel::backend::region {

/// What a region's module calls the ways out: exits by their index, and the one that cold exits share.
inline constexpr llvm::StringLiteral kExitPrefix = "exit.", kSharedExit = "exit.shared";

/// Lays out the sections of `object`, applies its relocations and reads the table of faults. False: not something that
/// can run by itself, for the reason in `why`.
bool link_object(llvm::StringRef object, RegionCode& out, std::string& why);

}  // namespace tiercel::backend::region
