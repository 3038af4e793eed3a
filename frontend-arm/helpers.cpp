#include "frontend-arm/helpers.h"

#include <ctime>

namespace tiercel::arm {
namespace {

u64 counter(guest::Env&, u64, u64, u64, u64) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

constexpr guest::HelperDecl kHelpers[] = {
    {.name = "counter", .function = counter, .reads_state = false, .writes_state = false},
};

}  // namespace

std::span<const guest::HelperDecl> a64_helpers() {
  return kHelpers;
}

}  // namespace tiercel::arm
