// What --tier says.
#pragma once

#include <string>

#include "engine/options.h"

namespace tiercel::app {

/// `text` into `options`. Empty, nobody said: auto, or fast if the run is to repeat exactly (`repeats`) or no
/// translation service is installed. The error message, or empty.
std::string choose_tier(const std::string& text, bool repeats, engine::Options& options);

}  // namespace tiercel::app
