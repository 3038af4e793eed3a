// From the ELF object LLVM wrote to the bytes of RegionCode.
#pragma once

#include <llvm/ADT/StringRef.h>

#include <string>

#include "backend/region_code.h"

namespace tiercel::backend::region {

/// Lays out the sections of `object`, applies its relocations and reads the table of faults. False: not something that
/// can run by itself, for the reason in `why`.
bool link_object(llvm::StringRef object, RegionCode& out, std::string& why);

}  // namespace tiercel::backend::region
