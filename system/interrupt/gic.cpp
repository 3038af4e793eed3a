#include "system/interrupt/gic.h"

#include <algorithm>
#include <bit>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {
namespace {

// IrqLine numbers of PPIs: above those of SPIs, 16 for each CPU.
constexpr u32 kPpiLines = 0x10000;
constexpr u8 kIdlePriority = 0xff;
// Special INTIDs, 1020 to 1023, name no interrupt.
constexpr u32 kFirstSpecial = 1020;

/// The start of the array a bit register belongs to.
u64 block_of(u64 offset) {
  return align_down(offset, 0x80);
}

/// Two bits for each INTID, of which the upper one says edge-triggered.
u32 read_config(u32 edge, bool upper) {
  u32 value = 0;
  for (u32 i = 0; i < 16; ++i) value |= ((edge >> (upper ? 16 + i : i)) & 1) << (2 * i + 1);
  return value;
}

/// The INTIDs in `fixed` stay as they are.
u32 written_config(u32 edge, bool upper, u32 value, u32 fixed) {
  for (u32 i = 0; i < 16; ++i) {
    const u32 bit = u32{1} << (upper ? 16 + i : i);
    if (!(fixed & bit)) edge = value & (2u << (2 * i)) ? edge | bit : edge & ~bit;
  }
  return edge;
}

}  // namespace

Gic::Gic(unsigned cpus, unsigned spis, CpuInterrupts& out) : out_(out), cpus_(cpus), spis_((spis + 31) / 32) {
  CHECK(cpus >= 1 && cpus <= 16 && spis >= 1 && spis_.size() <= 30);
}

IrqLine Gic::ppi(unsigned cpu, u32 n) {
  CHECK(cpu < cpus_.size() && n < 16);
  return {*this, kPpiLines + 16 * cpu + n};
}

void Gic::reset() {
  const std::scoped_lock lock(mutex_);
  control_ = 0;
  const auto reset_bank = [](Bank& bank) {
    const u32 line = bank.line;  // the wires belong to the devices
    bank = {};
    bank.line = line;
  };
  for (Cpu& cpu : cpus_) {
    reset_bank(cpu.bank);
    const Bank bank = cpu.bank;
    const bool irq = cpu.irq, fiq = cpu.fiq;
    cpu = {};
    cpu.bank = bank;
    cpu.bank.edge = kSgis;
    cpu.binary_point = {kLeastBinaryPoint0, kLeastBinaryPoint1};
    cpu.irq = irq, cpu.fiq = fiq;
  }
  std::for_each(spis_.begin(), spis_.end(), reset_bank);
  on_reset();
  update_all();
}

void Gic::Cpu::serialize(Archive& state) {
  state(bank, mask, binary_point, active_priorities, group_enabled, common_binary_point, drop_only);
  for (const u8 point : binary_point) state.require(point <= 7);
}

void Gic::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  state(control_, cpus_, spis_);
  on_serialize(state);
  if (state.loads() && state.good()) update_all();
}

void Gic::set_line(u32 number, bool level) {
  const std::scoped_lock lock(mutex_);
  if (number >= kPpiLines) {
    const unsigned cpu = (number - kPpiLines) / 16;
    drive_edge(cpus_[cpu].bank, u32{1} << (kFirstPpi + number % 16), level);
    return update(cpu);
  }
  CHECK(number >= kFirstSpi && exists(number));
  drive_edge(spis_[number / 32 - 1], u32{1} << (number % 32), level);
  update_target(number);
}

void Gic::update_target(u32 intid) {
  for (unsigned cpu = 0; cpu < cpus_.size(); ++cpu)
    if (goes_to(cpu, intid)) update(cpu);
}

void Gic::drive_edge(Bank& bank, u32 bit, bool level) {
  if (level && !(bank.line & bit) && (bank.edge & bit)) bank.latched |= bit;
  bank.line = level ? bank.line | bit : bank.line & ~bit;
}

void Gic::consider(const Bank& bank, u32 first, unsigned cpu, Candidate& best) const {
  u32 groups = 0;
  if (control_ & kEnableGroup0) groups |= ~bank.group;
  if (control_ & kEnableGroup1) groups |= bank.group;
  for (u32 ready = bank.pending() & bank.enabled & ~bank.active & groups; ready != 0; ready &= ready - 1) {
    const u32 n = static_cast<u32>(std::countr_zero(ready));
    const unsigned group = (bank.group >> n) & 1;
    // Equal priorities: the lowest INTID, which is met first.
    if (bank.priority[n] >= best.priority || !cpus_[cpu].group_enabled[group]) continue;
    if (first >= kFirstSpi && !goes_to(cpu, first + n)) continue;
    best = {first + n, bank.priority[n], group};
  }
}

Gic::Candidate Gic::best(unsigned cpu) const {
  Candidate best;
  consider(cpus_[cpu].bank, 0, cpu, best);
  for (u32 i = 0; i < spis_.size(); ++i) consider(spis_[i], kFirstSpi + 32 * i, cpu, best);
  return best;
}

u8 Gic::running_priority(unsigned cpu) const {
  const u32 active = cpus_[cpu].active_priorities[0] | cpus_[cpu].active_priorities[1];
  return active == 0 ? kIdlePriority : static_cast<u8>(std::countr_zero(active) << kPriorityShift);
}

/// "Priority grouping": the bits of a priority that decide about preemption.
u8 Gic::group_mask(const Cpu& cpu, unsigned group) const {
  const bool common = group == 1 && cpu.common_binary_point;
  // Group 0's binary point n splits after bit n, group 1's before it.
  const unsigned split = group == 0 || common ? cpu.binary_point[0] + 1u : cpu.binary_point[1];
  return static_cast<u8>(0xff << split);
}

bool Gic::can_signal(unsigned cpu, const Candidate& candidate) const {
  if (candidate.intid == kSpurious || candidate.priority >= cpus_[cpu].mask) return false;
  return (candidate.priority & group_mask(cpus_[cpu], candidate.group)) < running_priority(cpu);
}

void Gic::update(unsigned cpu) {
  const Candidate candidate = best(cpu);
  const bool signalled = can_signal(cpu, candidate);
  const bool as_fiq = is_fiq(cpu, candidate.group);
  const bool irq = signalled && !as_fiq, fiq = signalled && as_fiq;
  Cpu& c = cpus_[cpu];
  if (c.irq == irq && c.fiq == fiq) return;
  c.irq = irq, c.fiq = fiq;
  out_.set_interrupts(cpu, irq, fiq);
}

void Gic::update_all() {
  for (unsigned cpu = 0; cpu < cpus_.size(); ++cpu) update(cpu);
}

u32 Gic::acknowledge(unsigned cpu, unsigned group) {
  const Candidate candidate = best(cpu);
  if (!can_signal(cpu, candidate) || candidate.group != group) return kSpurious;
  Bank& b = bank(cpu, candidate.intid);
  const u32 bit = u32{1} << (candidate.intid % 32);
  b.active |= bit;
  b.latched &= ~bit;
  const u8 priority = candidate.priority & group_mask(cpus_[cpu], group);
  cpus_[cpu].active_priorities[group] |= u32{1} << (priority >> kPriorityShift);
  if (candidate.intid >= kFirstSpi) update_target(candidate.intid);
  return candidate.intid;
}

u32 Gic::highest_pending(unsigned cpu, unsigned group) const {
  const Candidate candidate = best(cpu);
  return candidate.intid != kSpurious && candidate.group == group ? candidate.intid : kSpurious;
}

/// Also tells the CPUs that an SPI goes to, which need not be this one.
void Gic::deactivate(unsigned cpu, u32 intid) {
  if (!exists(intid)) return;
  bank(cpu, intid).active &= ~(u32{1} << (intid % 32));
  if (intid >= kFirstSpi) update_target(intid);
}

void Gic::end(unsigned cpu, unsigned group, u32 intid) {
  if (intid >= kFirstSpecial) return;
  // Priority drop: the highest active priority, if it is of this group; anything else is the guest's mistake.
  std::array<u32, 2>& active = cpus_[cpu].active_priorities;
  if (active[group] == 0 || std::countr_zero(active[group]) > std::countr_zero(active[1 - group])) return;
  active[group] &= active[group] - 1;
  if (!cpus_[cpu].drop_only) deactivate(cpu, intid);
}

std::optional<u32> Gic::array_bank(u64 offset) {
  if (is_priority(offset)) return static_cast<u32>(offset - kPriority) / 32;
  if (offset >= kConfig && offset < kConfigEnd) return static_cast<u32>(offset - kConfig) / 8;
  if (offset >= kGroup && offset < kPriority) return static_cast<u32>(offset - block_of(offset)) / 4;
  return std::nullopt;
}

u32 Gic::read_bits(const Bank& bank, u64 block) {
  switch (block) {
    case kGroup:
      return bank.group;
    case kSetEnable:
    case kClearEnable:
      return bank.enabled;
    case kSetPending:
    case kClearPending:
      return bank.pending();
    case kSetActive:
    case kClearActive:
      return bank.active;
    default:
      return 0;
  }
}

void Gic::write_bits(Bank& bank, u64 block, u32 value) {
  switch (block) {
    case kGroup:
      bank.group = value;
      break;
    case kSetEnable:
      bank.enabled |= value;
      break;
    case kClearEnable:
      bank.enabled &= ~value;
      break;
    case kSetPending:
      bank.latched |= value;
      break;
    case kClearPending:
      bank.latched &= ~value;
      break;
    case kSetActive:
      bank.active |= value;
      break;
    case kClearActive:
      bank.active &= ~value;
      break;
    default:
      break;
  }
}

u32 Gic::read_array(unsigned cpu, u64 offset) {
  const Bank* b = find_bank(cpu, *array_bank(offset));
  if (!b) return 0;
  if (is_priority(offset)) {
    u32 value = 0;
    for (u64 i = 0; i < 4; ++i) value |= u32{b->priority[(offset - kPriority + i) % 32]} << (8 * i);
    return value;
  }
  return offset >= kConfig ? read_config(b->edge, offset & 4) : read_bits(*b, block_of(offset));
}

void Gic::write_array(unsigned cpu, u64 offset, unsigned bytes, u32 value) {
  Bank* b = find_bank(cpu, *array_bank(offset));
  if (!b) return;
  if (is_priority(offset)) {
    for (u64 i = 0; i < bytes; ++i)
      b->priority[(offset - kPriority + i) % 32] = static_cast<u8>((value >> (8 * i)) & kPriorityMask);
  } else if (bytes == 4) {
    if (offset >= kConfig)
      b->edge = written_config(b->edge, offset & 4, value, b == &cpus_[cpu].bank ? kSgis : 0);
    else
      write_bits(*b, block_of(offset), value);
  }
}

}  // namespace tiercel::system
