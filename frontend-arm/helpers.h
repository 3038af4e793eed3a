// Out-of-line semantics of the Arm guests.
#pragma once

#include <span>

#include "guest/helper.h"

namespace tiercel::arm {

namespace helper {
inline constexpr unsigned kCounter = 0;  // () -> CNTVCT_EL0
}

std::span<const guest::HelperDecl> a64_helpers();

}  // namespace tiercel::arm
