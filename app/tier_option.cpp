#include "app/tier_option.h"

#include <unistd.h>

#include "service/place.h"

namespace tiercel::app {

std::string choose_tier(const std::string& text, bool repeats, engine::Options& options) {
  if (text.empty()) {
    const bool served = access(service::compiler_path().c_str(), X_OK) == 0;
    options.tier = served && !repeats ? engine::Tier::Auto : engine::Tier::Fast;
    return {};
  }
  if (engine::parse_tier(text, options.tier)) return {};
  return "--tier: '" + text + "' is not auto, interp, fast or llvm";
}

}  // namespace tiercel::app
