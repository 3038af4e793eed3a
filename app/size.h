// Sizes as people write them.
#pragma once

#include <string>

#include "base/types.h"

namespace tiercel::app {

/// "64K", "8M", "1G" or plain bytes. False: it is not a size.
bool parse_size(const std::string& text, u64& out);
/// --code-cache, unless empty. False: it is not a size from `least` to 1G.
bool parse_code_cache(const std::string& text, u64 least, u64& out);

}  // namespace tiercel::app
