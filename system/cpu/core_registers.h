// The system registers of a CPU that are outside the core: timers and the GIC's CPU interface.
#pragma once

#include <optional>

#include "system/interrupt/generic_timer.h"
#include "system/interrupt/gic3.h"

namespace tiercel::system {

inline constexpr u32 kIsr = system_register(3, 0, 12, 1, 0);  // ISR_EL1, which needs the lines

/// `gic` may be null.
std::optional<u64> read_core_register(Gic3* gic, const GenericTimer& timer, unsigned cpu, u32 encoding);
bool write_core_register(Gic3* gic, GenericTimer& timer, unsigned cpu, u32 encoding, u64 value);

}  // namespace tiercel::system
