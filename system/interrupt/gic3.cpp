#include "system/interrupt/gic3.h"

#include <algorithm>
#include <bit>

#include "base/bits.h"
#include "base/check.h"
#include "system/interrupt/gic3_frames.h"

namespace tiercel::system {
namespace {

// IrqLine numbers of PPIs: above those of SPIs, 16 for each CPU.
constexpr u32 kPpiLines = 0x10000;
constexpr u32 kSgis = 0xffff;
constexpr u8 kIdlePriority = 0xff;

}  // namespace

Gic3::Gic3(unsigned cpus, unsigned spis, CpuInterrupts& out)
    : out_(out),
      cpus_(cpus),
      spis_((spis + 31) / 32),
      routes_(32 * spis_.size()),
      distributor_(std::make_unique<GicDistributor>(*this)),
      redistributors_(std::make_unique<GicRedistributors>(*this)) {
  CHECK(cpus >= 1 && cpus <= 16 && spis >= 1 && spis_.size() <= 30);
  reset();
}

Gic3::~Gic3() = default;

Device& Gic3::distributor() {
  return *distributor_;
}
Device& Gic3::redistributors() {
  return *redistributors_;
}

IrqLine Gic3::ppi(unsigned cpu, u32 n) {
  CHECK(cpu < cpus_.size() && n < 16);
  return {*this, kPpiLines + 16 * cpu + n};
}

void Gic3::reset() {
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
    cpu.waker = kProcessorSleep | kChildrenAsleep;
    cpu.binary_point = {kLeastBinaryPoint0, kLeastBinaryPoint1};
    cpu.irq = irq, cpu.fiq = fiq;
  }
  std::for_each(spis_.begin(), spis_.end(), reset_bank);
  std::fill(routes_.begin(), routes_.end(), 0);
  update_all();
}

void Gic3::Cpu::serialize(Archive& state) {
  state(bank, waker, mask, binary_point, active_priorities, group_enabled, control);
  for (const u8 point : binary_point) state.require(point <= 7);
}

void Gic3::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  state(control_, cpus_, spis_, routes_);
  if (state.loads()) update_all();
}

void Gic3::set_line(u32 number, bool level) {
  const std::scoped_lock lock(mutex_);
  if (number >= kPpiLines) {
    const unsigned cpu = (number - kPpiLines) / 16;
    drive_edge(cpus_[cpu].bank, u32{1} << (kFirstPpi + number % 16), level);
    return update(cpu);
  }
  CHECK(number >= kFirstSpi && exists(number));
  drive_edge(spis_[number / 32 - 1], u32{1} << (number % 32), level);
  if (const unsigned cpu = target(number); cpu < cpus_.size()) update(cpu);
}

void Gic3::drive_edge(Bank& bank, u32 bit, bool level) {
  if (level && !(bank.line & bit) && (bank.edge & bit)) bank.latched |= bit;
  bank.line = level ? bank.line | bit : bank.line & ~bit;
}

unsigned Gic3::target(u32 intid) const {
  const u64 route = routes_[intid - kFirstSpi] & kRouteAffinity;
  return static_cast<unsigned>(std::min<u64>(route, cpus_.size()));
}

void Gic3::consider(const Bank& bank, u32 first, unsigned cpu, Candidate& best) const {
  u32 groups = 0;
  if (control_ & kEnableGroup0) groups |= ~bank.group;
  if (control_ & kEnableGroup1) groups |= bank.group;
  for (u32 ready = bank.pending() & bank.enabled & ~bank.active & groups; ready != 0; ready &= ready - 1) {
    const u32 n = static_cast<u32>(std::countr_zero(ready));
    const unsigned group = (bank.group >> n) & 1;
    // Equal priorities: the lowest INTID, which is met first.
    if (bank.priority[n] >= best.priority || !cpus_[cpu].group_enabled[group]) continue;
    if (first >= kFirstSpi && target(first + n) != cpu) continue;
    best = {first + n, bank.priority[n], group};
  }
}

Gic3::Candidate Gic3::best(unsigned cpu) const {
  Candidate best;
  consider(cpus_[cpu].bank, 0, cpu, best);
  for (u32 i = 0; i < spis_.size(); ++i) consider(spis_[i], kFirstSpi + 32 * i, cpu, best);
  return best;
}

u8 Gic3::running_priority(unsigned cpu) const {
  const u32 active = cpus_[cpu].active_priorities[0] | cpus_[cpu].active_priorities[1];
  return active == 0 ? kIdlePriority : static_cast<u8>(std::countr_zero(active) << kPriorityShift);
}

/// "Priority grouping": the bits of a priority that decide about preemption.
u8 Gic3::group_mask(const Cpu& cpu, unsigned group) const {
  const bool common = group == 1 && (cpu.control & kCommonBinaryPoint);
  // Group 0's binary point n splits after bit n, group 1's before it.
  const unsigned split = group == 0 || common ? cpu.binary_point[0] + 1u : cpu.binary_point[1];
  return static_cast<u8>(0xff << split);
}

bool Gic3::can_signal(unsigned cpu, const Candidate& candidate) const {
  if (candidate.intid == kSpurious || candidate.priority >= cpus_[cpu].mask) return false;
  return (candidate.priority & group_mask(cpus_[cpu], candidate.group)) < running_priority(cpu);
}

void Gic3::update(unsigned cpu) {
  const Candidate candidate = best(cpu);
  const bool signalled = can_signal(cpu, candidate);
  const bool irq = signalled && candidate.group == 1, fiq = signalled && candidate.group == 0;
  Cpu& c = cpus_[cpu];
  if (c.irq == irq && c.fiq == fiq) return;
  c.irq = irq, c.fiq = fiq;
  out_.set_interrupts(cpu, irq, fiq);
}

void Gic3::update_all() {
  for (unsigned cpu = 0; cpu < cpus_.size(); ++cpu) update(cpu);
}

/// IGROUPR, ISENABLER, ...: `block` is the offset of the register array's first word.
u32 Gic3::read_bank(const Bank& bank, u64 block) const {
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

void Gic3::write_bank(Bank& bank, u64 block, u32 value) {
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

/// Two bits for each INTID, of which the upper one says edge-triggered.
u32 Gic3::read_config(const Bank& bank, bool upper) {
  u32 value = 0;
  for (u32 i = 0; i < 16; ++i) value |= ((bank.edge >> (upper ? 16 + i : i)) & 1) << (2 * i + 1);
  return value;
}

void Gic3::write_config(Bank& bank, bool upper, u32 value, u32 fixed) {
  for (u32 i = 0; i < 16; ++i) {
    const u32 bit = u32{1} << (upper ? 16 + i : i);
    if (fixed & bit) continue;
    bank.edge = value & (2u << (2 * i)) ? bank.edge | bit : bank.edge & ~bit;
  }
}

}  // namespace tiercel::system
