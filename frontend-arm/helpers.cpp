#include "frontend-arm/helpers.h"

#include "base/time.h"
#include "frontend-arm/a64_system_frontend.h"

namespace tiercel::arm {
namespace {

u64 counter(guest::Env&, u64, u64, u64, u64) {
  return monotonic_ns();
}

u64 machine_counter(guest::Env& env, u64, u64, u64, u64) {
  return static_cast<CorePlatform*>(env.platform)->virtual_count();
}

constexpr guest::HelperDecl kHelpers[] = {
    {.name = "counter", .function = counter, .reads_state = false, .writes_state = false},
};
constexpr guest::HelperDecl kSystemHelpers[] = {
    {.name = "counter", .function = machine_counter, .reads_state = false, .writes_state = false},
};

}  // namespace

std::span<const guest::HelperDecl> a64_helpers() {
  return kHelpers;
}
std::span<const guest::HelperDecl> a64_system_helpers() {
  return kSystemHelpers;
}

}  // namespace tiercel::arm
