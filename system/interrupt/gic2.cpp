#include "system/interrupt/gic2.h"

#include <algorithm>
#include <bit>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {
namespace {

// GICC_CTLR.
constexpr u32 kEnable0 = 1 << 0, kEnable1 = 1 << 1, kAckCtl = 1 << 2, kFiqEnable = 1 << 3, kCommonBinaryPoint = 1 << 4,
              kBypass = 0xf << 5, kEoiMode = 1 << 9;
constexpr u32 kOtherGroup = 1022;  // read instead of an interrupt of group 1

}  // namespace

Gic2::Gic2(unsigned cpus, unsigned spis, CpuInterrupts& out)
    : Gic(cpus, spis, out),
      targets_(32 * spis_.size()),
      own_(cpus),
      distributor_(std::make_unique<Gic2Distributor>(*this)),
      interfaces_(std::make_unique<Gic2Interfaces>(*this)) {
  CHECK(cpus <= kMostCpus);
  reset();
}

Gic2::~Gic2() = default;

Device& Gic2::distributor() {
  return *distributor_;
}
Device& Gic2::interfaces() {
  return *interfaces_;
}

void Gic2::on_reset() {
  std::fill(targets_.begin(), targets_.end(), u8{0});
  std::fill(own_.begin(), own_.end(), Own{});
}

void Gic2::on_serialize(Archive& state) {
  state(targets_, own_);
  const u64 others = ~low_mask(cpus());
  for (const Own& own : own_)
    for (const u8 senders : own.senders) state.require((senders & others) == 0);
}

u32 Gic2::take(unsigned cpu, unsigned group) {
  const Candidate candidate = best(cpu);
  if (group == 0 && candidate.group == 1 && can_signal(cpu, candidate) && !own_[cpu].either_group) return kOtherGroup;
  const u32 intid = acknowledge(cpu, group == 0 && own_[cpu].either_group ? candidate.group : group);
  if (intid >= kFirstPpi) return intid;
  // One sender at a time.
  const u8 senders = own_[cpu].senders[intid];
  const u32 sender = senders == 0 ? 0 : static_cast<u32>(std::countr_zero(senders));
  set_senders(cpu, intid, static_cast<u8>(senders & (senders - 1)));
  return intid | sender << 10;
}

u32 Gic2::peek(unsigned cpu) const {
  const Candidate candidate = best(cpu);
  if (candidate.intid == kSpurious) return kSpurious;
  if (candidate.group == 1 && !own_[cpu].either_group) return kOtherGroup;
  if (candidate.intid >= kFirstPpi) return candidate.intid;
  return candidate.intid | static_cast<u32>(std::countr_zero(own_[cpu].senders[candidate.intid])) << 10;
}

void Gic2::set_senders(unsigned cpu, u32 sgi, u8 senders) {
  own_[cpu].senders[sgi] = senders;
  u32& latched = cpus_[cpu].bank.latched;
  latched = senders != 0 ? latched | u32{1} << sgi : latched & ~(u32{1} << sgi);
}

/// "GICD_SGIR".
void Gic2::send_sgi(unsigned sender, u32 value) {
  const u32 sgi = value & 15, filter = value >> 24 & 3, list = value >> 16 & 0xff;
  const u32 self = u32{1} << sender;
  const u32 to = filter == 0 ? list : filter == 1 ? ~self : filter == 2 ? self : 0;
  for (unsigned cpu = 0; cpu < cpus_.size(); ++cpu)
    if (to >> cpu & 1) set_senders(cpu, sgi, static_cast<u8>(own_[cpu].senders[sgi] | self));
}

u32 Gic2::control(unsigned cpu) const {
  const Cpu& c = cpus_[cpu];
  const Own& own = own_[cpu];
  return (c.group_enabled[0] ? kEnable0 : 0) | (c.group_enabled[1] ? kEnable1 : 0) | (own.either_group ? kAckCtl : 0) |
         (own.group0_as_fiq ? kFiqEnable : 0) | (c.common_binary_point ? kCommonBinaryPoint : 0) | own.bypass |
         (c.drop_only ? kEoiMode : 0);
}

void Gic2::set_control(unsigned cpu, u32 value) {
  Cpu& c = cpus_[cpu];
  c.group_enabled = {(value & kEnable0) != 0, (value & kEnable1) != 0};
  c.common_binary_point = value & kCommonBinaryPoint;
  c.drop_only = value & kEoiMode;
  own_[cpu] = {(value & kFiqEnable) != 0, (value & kAckCtl) != 0, value & kBypass, own_[cpu].senders};
}

}  // namespace tiercel::system
