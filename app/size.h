// Sizes as people write them.
#pragma once

#include <string>

#include "base/types.h"

namespace tiercel::app {

/// "64K", "8M", "1G" or plain bytes. False: it is not a size.
bool parse_size(const std::string& text, u64& out);

}  // namespace tiercel::app
