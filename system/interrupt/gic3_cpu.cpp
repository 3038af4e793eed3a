// The CPU interface of the GICv3: the ICC_* system registers. Arm IHI 0069, "AArch64 System register descriptions".
#include <algorithm>

#include "base/bits.h"
#include "system/interrupt/gic3.h"

namespace tiercel::system {
namespace {

constexpr u64 kSystemRegistersOnly = 7;  // ICC_SRE_EL1: SRE, DFB, DIB
// ICC_CTLR_EL1.
constexpr u64 kCommonBinaryPoint = 1 << 0, kEoiMode = 1 << 1, kPriorityMaskHint = 1 << 6, kAffinity3Valid = 1 << 15;

}  // namespace

/// "ICC_SGI1R_EL1": to the CPUs of a list within one cluster of 16, or to all but the sender.
void Gic3::send_sgi(unsigned sender, unsigned group, u64 value) {
  const u32 bit = u32{1} << bits(value, 24, 4);
  const bool all_but_sender = bits(value, 40, 1);
  // Affinities 3 to 1 and the range selector: all zero for every CPU of ours.
  const bool our_cluster =
      bits(value, 48, 8) == 0 && bits(value, 32, 8) == 0 && bits(value, 16, 8) == 0 && bits(value, 44, 4) == 0;
  for (unsigned cpu = 0; cpu < cpus_.size(); ++cpu) {
    const bool wanted = all_but_sender ? cpu != sender : our_cluster && ((value >> cpu) & 1);
    Bank& b = cpus_[cpu].bank;
    if (!wanted || ((b.group & bit) != 0) != (group == 1)) continue;
    b.latched |= bit;
    update(cpu);
  }
}

bool Gic3::has_icc(u32 encoding) {
  switch (static_cast<Icc>(encoding)) {
    case Icc::Pmr:
    case Icc::Iar0:
    case Icc::Eoir0:
    case Icc::Hppir0:
    case Icc::Bpr0:
    case Icc::Ap0r0:
    case Icc::Ap1r0:
    case Icc::Dir:
    case Icc::Rpr:
    case Icc::Sgi1r:
    case Icc::Asgi1r:
    case Icc::Sgi0r:
    case Icc::Iar1:
    case Icc::Eoir1:
    case Icc::Hppir1:
    case Icc::Bpr1:
    case Icc::Ctlr:
    case Icc::Sre:
    case Icc::Igrpen0:
    case Icc::Igrpen1:
      return true;
  }
  return false;
}

std::optional<u64> Gic3::read_icc(unsigned cpu, Icc reg) {
  const std::scoped_lock lock(mutex_);
  const Cpu& c = cpus_[cpu];
  switch (reg) {
    case Icc::Iar0:
    case Icc::Iar1: {
      const u32 intid = acknowledge(cpu, reg == Icc::Iar1);
      update(cpu);
      return intid;
    }
    case Icc::Hppir0:
      return highest_pending(cpu, 0);
    case Icc::Hppir1:
      return highest_pending(cpu, 1);
    case Icc::Pmr:
      return c.mask;
    case Icc::Bpr0:
      return c.binary_point[0];
    case Icc::Bpr1:
      return c.common_binary_point ? std::min(7, c.binary_point[0] + 1) : c.binary_point[1];
    case Icc::Ap0r0:
      return c.active_priorities[0];
    case Icc::Ap1r0:
      return c.active_priorities[1];
    case Icc::Rpr:
      return running_priority(cpu);
    case Icc::Ctlr:
      return u64{kPriorityBits - 1} << 8 | kAffinity3Valid | (c.common_binary_point ? kCommonBinaryPoint : 0) |
             (c.drop_only ? kEoiMode : 0) | (hints_[cpu] ? kPriorityMaskHint : 0);
    case Icc::Sre:
      return kSystemRegistersOnly;
    case Icc::Igrpen0:
      return c.group_enabled[0];
    case Icc::Igrpen1:
      return c.group_enabled[1];
    case Icc::Eoir0:
    case Icc::Eoir1:
    case Icc::Dir:
    case Icc::Sgi0r:
    case Icc::Sgi1r:
    case Icc::Asgi1r:
      return std::nullopt;
  }
  return std::nullopt;
}

bool Gic3::write_icc(unsigned cpu, Icc reg, u64 value) {
  const std::scoped_lock lock(mutex_);
  Cpu& c = cpus_[cpu];
  const u32 intid = static_cast<u32>(bits(value, 0, 24));
  switch (reg) {
    case Icc::Eoir0:
    case Icc::Eoir1:
      end(cpu, reg == Icc::Eoir1, intid);
      break;
    case Icc::Dir:
      if (c.drop_only) deactivate(cpu, intid);
      break;
    case Icc::Pmr:
      c.mask = static_cast<u8>(value & kPriorityMask);
      break;
    case Icc::Bpr0:
      c.binary_point[0] = std::max(static_cast<u8>(value & 7), kLeastBinaryPoint0);
      break;
    case Icc::Bpr1:
      if (!c.common_binary_point) c.binary_point[1] = std::max(static_cast<u8>(value & 7), kLeastBinaryPoint1);
      break;
    case Icc::Ap0r0:
      c.active_priorities[0] = static_cast<u32>(value);
      break;
    case Icc::Ap1r0:
      c.active_priorities[1] = static_cast<u32>(value);
      break;
    case Icc::Ctlr:
      c.common_binary_point = value & kCommonBinaryPoint;
      c.drop_only = value & kEoiMode;
      hints_[cpu] = (value & kPriorityMaskHint) != 0;
      break;
    case Icc::Sre:
      break;
    case Icc::Igrpen0:
      c.group_enabled[0] = value & 1;
      break;
    case Icc::Igrpen1:
      c.group_enabled[1] = value & 1;
      break;
    case Icc::Sgi0r:
      send_sgi(cpu, 0, value);
      break;
    case Icc::Sgi1r:
      send_sgi(cpu, 1, value);
      break;
    case Icc::Asgi1r:  // the other security state's group 1: there is none
      break;
    case Icc::Iar0:
    case Icc::Iar1:
    case Icc::Hppir0:
    case Icc::Hppir1:
    case Icc::Rpr:
      return false;
  }
  update(cpu);
  return true;
}

}  // namespace tiercel::system
