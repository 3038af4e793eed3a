// The registers of the performance monitors, by their encodings. Before each access, and wherever the EL changes while
// a filter is set, cycles are counted up to now.
#pragma once

#include "frontend-arm/a64_system_state.h"

namespace tiercel::arm {

bool is_pmu_register(u32 encoding);
bool pmu_can_read(u32 encoding);
bool pmu_can_write(u32 encoding);
bool el0_may_use_pmu(const PmuState& p, u32 encoding, bool write);
/// Since the last time the CPU was at `el`; `now` in cycles.
void count_cycles(PmuState& p, unsigned el, u64 now);
/// The state of its interrupt.
struct Overflow {
  bool interrupts = false;
  u64 at = ~u64{0};  // the cycle in which the counter overflows if nothing changes
};
/// At `el`, having counted up to now.
Overflow next_overflow(const PmuState& p, unsigned el);
u64 read_pmu(const PmuState& p, u32 encoding);
void write_pmu(PmuState& p, u32 encoding, u64 value);
/// Of a state that was restored.
bool pmu_is_sane(const PmuState& p);

}  // namespace tiercel::arm
