// The AArch64 EL0 guest CPU.
#pragma once

#include <memory>

#include "guest/frontend.h"

namespace tiercel::arm {

/// The slots of A64State, numbered as in state.h.
const guest::Layout& a64_layout();

std::unique_ptr<guest::Frontend> make_a64_frontend();

}  // namespace tiercel::arm
