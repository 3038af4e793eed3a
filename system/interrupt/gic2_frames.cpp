// The registers of the GICv2. Arm IHI 0048, "Distributor register descriptions", "CPU interface register descriptions";
// identification as the GIC-400's (DDI 0471).
#include <algorithm>

#include "base/bits.h"
#include "system/boot/device_tree.h"
#include "system/interrupt/gic2.h"

namespace tiercel::system {
namespace {

constexpr u32 kDistributorIdentity = 0x0200'143b, kInterfaceIdentity = 0x0202'143b;

enum Distributor : u64 {
  kControl = 0x0,
  kType = 0x4,
  kIdentity = 0x8,
  kTargets = 0x800,
  kTargetsEnd = 0xc00,
  kSendSgi = 0xf00,
  kClearSenders = 0xf10,
  kSetSenders = 0xf20,
  kSendersEnd = 0xf30,
  kIdentification = 0xfd0,
  kIdentificationEnd = 0x1000,
};

enum Interface : u64 {
  kInterfaceControl = 0x0,
  kMask = 0x4,
  kBinaryPoint = 0x8,
  kAcknowledge = 0xc,
  kEnd = 0x10,
  kRunning = 0x14,
  kHighestPending = 0x18,
  kAliasBinaryPoint = 0x1c,
  kAliasAcknowledge = 0x20,
  kAliasEnd = 0x24,
  kAliasHighestPending = 0x28,
  kActivePriorities0 = 0xd0,
  kActivePriorities1 = 0xe0,
  kInterfaceId = 0xfc,
  kDeactivate = 0x1000,
};

/// PIDR4-7, PIDR0-3, CIDR0-3. PIDR2 names the architecture, GICv2.
u32 identification(u64 offset) {
  constexpr u8 kValues[12] = {0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};
  return kValues[(offset - kIdentification) / 4];
}

/// Registers of one byte for each INTID or SGI.
bool is_bytes(u64 offset) {
  return (offset >= kTargets && offset < kTargetsEnd) || (offset >= kClearSenders && offset < kSendersEnd);
}

}  // namespace

u64 Gic2Distributor::read(u64 offset, unsigned bytes) {
  const unsigned cpu = gic_.out_.current_cpu();
  const std::scoped_lock lock(gic_.mutex_);
  if (bytes == 8) return read32(cpu, offset) | u64{read32(cpu, offset + 4)} << 32;
  return u64{read32(cpu, align_down(offset, 4))} >> (8 * (offset & 3));
}

void Gic2Distributor::write(u64 offset, unsigned bytes, u64 value) {
  const unsigned cpu = gic_.out_.current_cpu();
  const std::scoped_lock lock(gic_.mutex_);
  write32(cpu, offset, std::min(bytes, 4u), static_cast<u32>(value));
  if (bytes == 8) write32(cpu, offset + 4, 4, static_cast<u32>(value >> 32));
  gic_.update_all();
}

u32 Gic2Distributor::read32(unsigned cpu, u64 offset) const {
  if (Gic2::array_bank(offset)) return gic_.read_array(cpu, offset);
  if (is_bytes(offset)) {
    u32 value = 0;
    for (unsigned i = 0; i < 4; ++i) value |= u32{read_byte(cpu, offset + i)} << (8 * i);
    return value;
  }
  switch (offset) {
    case kControl:
      return gic_.control_;
    case kType:
      return static_cast<u32>(gic_.spis_.size()) | (gic_.cpus() - 1) << 5;
    case kIdentity:
      return kDistributorIdentity;
    default:
      return offset >= kIdentification && offset < kIdentificationEnd ? identification(offset) : 0;
  }
}

void Gic2Distributor::write32(unsigned cpu, u64 offset, unsigned bytes, u32 value) {
  if (const auto bank = Gic2::array_bank(offset)) {
    // Only senders make SGIs pending.
    const u64 block = align_down(offset, 0x80);
    const bool pending = block == kSetPending || block == kClearPending;
    gic_.write_array(cpu, offset, bytes, pending && *bank == 0 ? value & ~Gic2::kSgis : value);
  } else if (is_bytes(offset)) {
    for (unsigned i = 0; i < bytes; ++i) write_byte(cpu, offset + i, static_cast<u8>(value >> (8 * i)));
  } else if (bytes != 4) {
    // The rest has no access by bytes.
  } else if (offset == kControl) {
    gic_.control_ = value & (Gic2::kEnableGroup0 | Gic2::kEnableGroup1);
  } else if (offset == kSendSgi) {
    gic_.send_sgi(cpu, value);
  }
}

u8 Gic2Distributor::read_byte(unsigned cpu, u64 offset) const {
  if (offset >= kClearSenders) return gic_.own_[cpu].senders[offset % 16];
  // A GIC for one CPU has no targets.
  const u64 intid = offset - kTargets;
  if (gic_.cpus() == 1 || !gic_.exists(static_cast<u32>(intid))) return 0;
  return intid < Gic2::kFirstSpi ? static_cast<u8>(1u << cpu) : gic_.targets_[intid - Gic2::kFirstSpi];
}

void Gic2Distributor::write_byte(unsigned cpu, u64 offset, u8 value) {
  value &= static_cast<u8>(low_mask(gic_.cpus()));
  if (offset >= kClearSenders) {
    const u32 sgi = static_cast<u32>(offset % 16);
    const u8 senders = gic_.own_[cpu].senders[sgi];
    gic_.set_senders(cpu, sgi, static_cast<u8>(offset >= kSetSenders ? senders | value : senders & ~value));
    return;
  }
  const u64 intid = offset - kTargets;
  if (intid >= Gic2::kFirstSpi && gic_.exists(static_cast<u32>(intid))) gic_.targets_[intid - Gic2::kFirstSpi] = value;
}

void Gic2Distributor::describe(FdtNode& node) const {
  node.set_string("compatible", "arm,cortex-a15-gic");
  node.set("interrupt-controller");
  node.set_cells("#interrupt-cells", {3});
  node.set_cells("phandle", {kInterruptController});
}

u64 Gic2Interfaces::read(u64 offset, unsigned bytes) {
  const unsigned cpu = gic_.out_.current_cpu();
  const std::scoped_lock lock(gic_.mutex_);
  const u64 value = read32(cpu, align_down(offset, 4));
  return bytes == 8 ? value | u64{read32(cpu, offset + 4)} << 32 : value >> (8 * (offset & 3));
}

void Gic2Interfaces::write(u64 offset, unsigned bytes, u64 value) {
  if (bytes < 4) return;
  const unsigned cpu = gic_.out_.current_cpu();
  const std::scoped_lock lock(gic_.mutex_);
  write32(cpu, offset, static_cast<u32>(value));
  if (bytes == 8) write32(cpu, offset + 4, static_cast<u32>(value >> 32));
  gic_.update(cpu);
}

u32 Gic2Interfaces::read32(unsigned cpu, u64 offset) {
  const Gic2::Cpu& c = gic_.cpus_[cpu];
  switch (offset) {
    case kInterfaceControl:
      return gic_.control(cpu);
    case kMask:
      return c.mask;
    case kBinaryPoint:
      return c.binary_point[0];
    case kAcknowledge:
    case kAliasAcknowledge: {
      const u32 taken = gic_.take(cpu, offset == kAcknowledge ? 0 : 1);
      gic_.update(cpu);
      return taken;
    }
    case kRunning:
      return gic_.running_priority(cpu);
    case kHighestPending:
      return gic_.peek(cpu);
    case kAliasBinaryPoint:
      return c.binary_point[1];
    case kAliasHighestPending:
      return gic_.highest_pending(cpu, 1);
    case kActivePriorities0:
      return c.active_priorities[0];
    case kActivePriorities1:
      return c.active_priorities[1];
    case kInterfaceId:
      return kInterfaceIdentity;
    default:
      return 0;
  }
}

void Gic2Interfaces::write32(unsigned cpu, u64 offset, u32 value) {
  Gic2::Cpu& c = gic_.cpus_[cpu];
  const u32 intid = value & 0x3ff;
  switch (offset) {
    case kInterfaceControl:
      gic_.set_control(cpu, value);
      break;
    case kMask:
      c.mask = static_cast<u8>(value & Gic2::kPriorityMask);
      break;
    case kBinaryPoint:
      c.binary_point[0] = std::max(static_cast<u8>(value & 7), Gic2::kLeastBinaryPoint0);
      break;
    case kAliasBinaryPoint:
      c.binary_point[1] = std::max(static_cast<u8>(value & 7), Gic2::kLeastBinaryPoint1);
      break;
    case kEnd:
      gic_.end(cpu, gic_.own_[cpu].either_group && gic_.exists(intid) ? gic_.group_of(cpu, intid) : 0, intid);
      break;
    case kAliasEnd:
      gic_.end(cpu, 1, intid);
      break;
    case kActivePriorities0:
      c.active_priorities[0] = value;
      break;
    case kActivePriorities1:
      c.active_priorities[1] = value;
      break;
    case kDeactivate:
      if (c.drop_only) gic_.deactivate(cpu, intid);
      break;
    default:
      break;
  }
}

}  // namespace tiercel::system
