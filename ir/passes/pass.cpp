#include "ir/passes/pass.h"

#include <algorithm>

#include "ir/passes/passes.h"

namespace tiercel::ir {
namespace {

constexpr Pass kFastTier[] = {
#define FAST_TIER_PASS(name, function) {name, passes::function},
#include "ir/passes/passes.def"
#undef FAST_TIER_PASS
};

constexpr Pass kAll[] = {
#define FAST_TIER_PASS(name, function) {name, passes::function},
#define OTHER_PASS(name, function) {name, passes::function},
#include "ir/passes/passes.def"
#undef FAST_TIER_PASS
#undef OTHER_PASS
};

}  // namespace

std::span<const Pass> fast_tier_passes() {
  return kFastTier;
}

std::span<const Pass> all_passes() {
  return kAll;
}

const Pass* find_pass(std::string_view name) {
  const auto* it = std::ranges::find(kAll, name, &Pass::name);
  return it == std::end(kAll) ? nullptr : it;
}

}  // namespace tiercel::ir
