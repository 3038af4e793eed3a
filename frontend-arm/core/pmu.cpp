// The performance monitors: PMUv3 with the cycle counter alone, and no event counters. Arm ARM
// (DDI 0487), "The Performance Monitors Extension". A cycle is a nanosecond of the machine's clock.
#include "frontend-arm/core/pmu.h"
#include "base/bits.h"

namespace tiercel::arm {
namespace {

constexpr u32 pmu(u32 crm, u32 op2) {
  return system_encoding(3, 3, 9, crm, op2);
}
constexpr u32 kControl = pmu(12, 0), kEnableSet = pmu(12, 1), kEnableClear = pmu(12, 2), kOverflowClear = pmu(12, 3),
              kIncrement = pmu(12, 4), kSelect = pmu(12, 5), kEvents0 = pmu(12, 6), kEvents1 = pmu(12, 7),
              kCycles = pmu(13, 0), kSelectedType = pmu(13, 1), kSelectedCounter = pmu(13, 2), kUserEnable = pmu(14, 0),
              kOverflowSet = pmu(14, 3), kInterruptSet = system_encoding(3, 0, 9, 14, 1),
              kInterruptClear = system_encoding(3, 0, 9, 14, 2), kCycleFilter = system_encoding(3, 3, 14, 15, 7);

constexpr u64 kCycleBit = u64{1} << 31;                                       // of the cycle counter in all masks
constexpr u64 kE = 1 << 0, kC = 1 << 2, kD = 1 << 3, kLc = 1 << 6;            // PMCR_EL0
constexpr u64 kControlBits = kE | kD | 1 << 4 | 1 << 5 | kLc;                 // besides X and DP
constexpr u64 kCpuCycles = u64{1} << 0x11;                                    // PMCEID0_EL0
constexpr u64 kUserAll = 1 << 0, kUserCycles = 1 << 2, kUserEvents = 1 << 3;  // PMUSERENR_EL0: EN, CR, ER
constexpr u64 kNotAtEl1 = u64{1} << 31, kNotAtEl0 = u64{1} << 30;             // PMCCFILTR_EL0
constexpr u64 kCycleSelected = 31;                                            // PMSELR_EL0

bool counts_at(const PmuState& p, unsigned el) {
  return (p.control & kE) && (p.enabled & kCycleBit) && !(p.filter & (el == 0 ? kNotAtEl0 : kNotAtEl1));
}
/// Every 64th cycle.
bool is_slow(const PmuState& p) {
  return (p.control & (kD | kLc)) == kD;
}

}  // namespace

bool is_pmu_register(u32 encoding) {
  switch (encoding) {
    case kControl:
    case kEnableSet:
    case kEnableClear:
    case kOverflowClear:
    case kIncrement:
    case kSelect:
    case kEvents0:
    case kEvents1:
    case kCycles:
    case kSelectedType:
    case kSelectedCounter:
    case kUserEnable:
    case kOverflowSet:
    case kInterruptSet:
    case kInterruptClear:
    case kCycleFilter:
      return true;
    default:
      return false;
  }
}

bool el0_may_use_pmu(const PmuState& p, u32 encoding, bool write) {
  if (encoding == kUserEnable) return !write;
  if (encoding == kInterruptSet || encoding == kInterruptClear) return false;
  if (p.user & kUserAll) return true;
  if (encoding == kCycles) return !write && (p.user & kUserCycles);
  return (encoding == kSelect || (encoding == kSelectedCounter && !write)) && (p.user & kUserEvents);
}

void count_cycles(PmuState& p, unsigned el, u64 now) {
  const u64 past = now - p.since;
  const bool counts = counts_at(p, el), slow = is_slow(p);
  const u64 cycles = !counts ? 0 : slow ? past / 64 : past;
  p.since = counts && slow ? now - past % 64 : now;
  const u64 before = p.cycles;
  p.cycles += cycles;
  const bool wrapped = p.control & kLc ? p.cycles < before : (p.cycles >> 32) != (before >> 32);
  if (wrapped) p.overflowed |= kCycleBit;
}

Overflow next_overflow(const PmuState& p, unsigned el) {
  Overflow o;
  if (!(p.interrupts & kCycleBit)) return o;
  o.interrupts = (p.control & kE) && (p.overflowed & kCycleBit);
  const u64 left = p.control & kLc ? 0 - p.cycles : (u64{1} << 32) - bits(p.cycles, 0, 32);
  constexpr u64 kFar = u64{1} << 56;  // years
  if (counts_at(p, el) && left != 0 && left < kFar) o.at = p.since + (is_slow(p) ? 64 * left : left);
  return o;
}

u64 read_pmu(const PmuState& p, u32 encoding) {
  switch (encoding) {
    case kControl:
      return p.control;
    case kEnableSet:
    case kEnableClear:
      return p.enabled;
    case kOverflowSet:
    case kOverflowClear:
      return p.overflowed;
    case kInterruptSet:
    case kInterruptClear:
      return p.interrupts;
    case kSelect:
      return p.selected;
    case kEvents0:
      return kCpuCycles;
    case kCycles:
      return p.cycles;
    case kSelectedType:
      return p.selected == kCycleSelected ? p.filter : 0;
    case kUserEnable:
      return p.user;
    case kCycleFilter:
      return p.filter;
    default:  // PMCEID1_EL0, and the counter that is selected of none; PMSWINC_EL0 has its own answer
      return 0;
  }
}

void write_pmu(PmuState& p, u32 encoding, u64 value) {
  const u64 cycle = value & kCycleBit;
  switch (encoding) {
    case kControl:
      p.control = value & kControlBits;
      if (value & kC) p.cycles = 0;
      break;
    case kEnableSet:
      p.enabled |= cycle;
      break;
    case kEnableClear:
      p.enabled &= ~cycle;
      break;
    case kOverflowSet:
      p.overflowed |= cycle;
      break;
    case kOverflowClear:
      p.overflowed &= ~cycle;
      break;
    case kInterruptSet:
      p.interrupts |= cycle;
      break;
    case kInterruptClear:
      p.interrupts &= ~cycle;
      break;
    case kSelect:
      p.selected = value & 31;
      break;
    case kCycles:
      p.cycles = value;
      break;
    case kSelectedType:
      if (p.selected == kCycleSelected) p.filter = value & (kNotAtEl1 | kNotAtEl0);
      break;
    case kCycleFilter:
      p.filter = value & (kNotAtEl1 | kNotAtEl0);
      break;
    case kUserEnable:
      p.user = value & 0xf;
      break;
    default:  // there are no event counters to increment or to write
      break;
  }
}

bool pmu_can_read(u32 encoding) {
  return encoding != kIncrement;
}
bool pmu_can_write(u32 encoding) {
  return encoding != kEvents0 && encoding != kEvents1;
}
bool pmu_is_sane(const PmuState& p) {
  const u64 masks = p.enabled | p.overflowed | p.interrupts;
  return (p.control & ~kControlBits) == 0 && (masks & ~kCycleBit) == 0 && p.selected <= 31 && p.user <= 0xf &&
         (p.filter & ~(kNotAtEl1 | kNotAtEl0)) == 0;
}

}  // namespace tiercel::arm
