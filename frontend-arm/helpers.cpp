#include "frontend-arm/helpers.h"

#include "base/time.h"

namespace tiercel::arm {
namespace {

u64 counter(guest::Env&, u64, u64, u64, u64) {
  return monotonic_ns();
}

constexpr guest::HelperDecl kHelpers[] = {
    {.name = "counter", .function = counter, .reads_state = false, .writes_state = false},
};

}  // namespace

std::span<const guest::HelperDecl> a64_helpers() {
  return kHelpers;
}

}  // namespace tiercel::arm
