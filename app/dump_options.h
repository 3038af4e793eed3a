// What --dump and --only say.
#pragma once

#include <string>
#include <vector>

#include "engine/options.h"

namespace tiercel::app {

/// Stages and addresses as they were written, into `dump`; the error message, or empty.
std::string parse_dump(const std::vector<std::string>& stages, const std::vector<std::string>& only,
                       engine::DumpOptions& dump);

}  // namespace tiercel::app
