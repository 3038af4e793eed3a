// Out-of-line semantics of the Arm guests.
#pragma once

#include <span>

#include "guest/helper.h"

namespace tiercel::arm {

namespace helper {
inline constexpr unsigned kCounter = 0;  // () -> CNTVCT_EL0
}

std::span<const guest::HelperDecl> a64_helpers();
/// The same of a machine, whose Env::platform is a CorePlatform.
std::span<const guest::HelperDecl> a64_system_helpers();

}  // namespace tiercel::arm
