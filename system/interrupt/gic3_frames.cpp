#include "system/interrupt/gic3_frames.h"

#include <algorithm>

#include "base/bits.h"
#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

constexpr u32 kSgis = 0xffff;
constexpr u32 kImplementer = 0x43b;  // GICD_IIDR, GICR_IIDR: Arm, as software expects of a GICv3
constexpr u64 kIdentification = 0xffd0;

// Distributor.
constexpr u64 kControl = 0x0, kType = 0x4, kIdentity = 0x8, kRoute = 0x6100, kRouteEnd = 0x8000;
constexpr u32 kAffinityRouting = 1 << 4, kSecurityDisabled = 1 << 6;

// Redistributor: RD_base, and 64 KiB on SGI_base.
constexpr u64 kRedistributorIdentity = 0x4, kRedistributorType = 0x8, kRedistributorTypeHigh = 0xc, kWaker = 0x14,
              kSgiFrame = 0x10000;
constexpr u32 kLastRedistributor = 1 << 4;

/// "Identification registers": PIDR4-7, PIDR0-3, CIDR0-3. PIDR2 names the architecture, GICv3.
u32 identification(u64 offset) {
  constexpr u8 kValues[12] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};
  return offset >= kIdentification ? kValues[(offset - kIdentification) / 4] : 0;
}

/// The start of the array a bit register belongs to.
u64 block_of(u64 offset) {
  return align_down(offset, 0x80);
}
bool is_bit_register(u64 offset) {
  return offset >= kGroup && offset < kPriority;
}
bool is_priority(u64 offset) {
  return offset >= kPriority && offset < kPriorityEnd;
}
bool is_config(u64 offset) {
  return offset >= kConfig && offset < kConfigEnd;
}

template <typename Bank>
u32 read_priorities(const Bank& bank, u64 first) {
  u32 value = 0;
  for (u64 i = 0; i < 4; ++i) value |= u32{bank.priority[(first + i) % 32]} << (8 * i);
  return value;
}

template <typename Bank>
void write_priorities(Bank& bank, u64 first, unsigned bytes, u64 value) {
  for (u64 i = 0; i < bytes; ++i) bank.priority[(first + i) % 32] = static_cast<u8>((value >> (8 * i)) & kPriorityMask);
}

}  // namespace

u64 GicDistributor::read(u64 offset, unsigned bytes) {
  const std::scoped_lock lock(gic_.mutex_);
  if (bytes == 8) return read32(offset) | u64{read32(offset + 4)} << 32;
  return u64{read32(align_down(offset, 4))} >> (8 * (offset & 3));
}

void GicDistributor::write(u64 offset, unsigned bytes, u64 value) {
  const std::scoped_lock lock(gic_.mutex_);
  if (is_priority(offset)) {
    // The only registers with byte access.
    const u32 intid = static_cast<u32>(offset - kPriority);
    if (intid >= Gic3::kFirstSpi && gic_.exists(intid)) write_priorities(gic_.bank(0, intid), intid, bytes, value);
  } else if (bytes >= 4) {
    write32(offset, static_cast<u32>(value));
    if (bytes == 8) write32(offset + 4, static_cast<u32>(value >> 32));
  }
  gic_.update_all();
}

u32 GicDistributor::read32(u64 offset) const {
  const u32 banks = static_cast<u32>(gic_.spis_.size());
  if (is_bit_register(offset)) {
    const u64 n = (offset - block_of(offset)) / 4;
    return n >= 1 && n <= banks ? gic_.read_bank(gic_.spis_[n - 1], block_of(offset)) : 0;
  }
  if (is_priority(offset)) {
    const u32 intid = static_cast<u32>(offset - kPriority);
    return intid >= Gic3::kFirstSpi && gic_.exists(intid) ? read_priorities(gic_.bank(0, intid), intid) : 0;
  }
  if (is_config(offset)) {
    const u64 n = (offset - kConfig) / 4;
    return n >= 2 && n / 2 <= banks ? Gic3::read_config(gic_.spis_[n / 2 - 1], n & 1) : 0;
  }
  if (offset >= kRoute && offset < kRouteEnd) {
    const u64 spi = (offset - kRoute) / 8;
    return spi < gic_.routes_.size() ? static_cast<u32>(gic_.routes_[spi] >> (offset & 4 ? 32 : 0)) : 0;
  }
  switch (offset) {
    case kControl:
      return gic_.control_ | kAffinityRouting | kSecurityDisabled;
    case kType:
      // ITLinesNumber, IDbits = 9 (INTIDs of 10 bits), A3V, No1N.
      return banks | 9 << 19 | 1 << 24 | 1 << 25;
    case kIdentity:
      return kImplementer;
    default:
      return identification(offset);
  }
}

void GicDistributor::write32(u64 offset, u32 value) {
  const u64 banks = gic_.spis_.size();
  if (is_bit_register(offset)) {
    const u64 n = (offset - block_of(offset)) / 4;
    if (n >= 1 && n <= banks) gic_.write_bank(gic_.spis_[n - 1], block_of(offset), value);
  } else if (is_config(offset)) {
    const u64 n = (offset - kConfig) / 4;
    if (n >= 2 && n / 2 <= banks) Gic3::write_config(gic_.spis_[n / 2 - 1], n & 1, value, 0);
  } else if (offset >= kRoute && offset < kRouteEnd) {
    const u64 spi = (offset - kRoute) / 8;
    if (spi >= gic_.routes_.size()) return;
    const unsigned shift = offset & 4 ? 32 : 0;
    const u64 route = (gic_.routes_[spi] & ~(u64{0xffffffff} << shift)) | u64{value} << shift;
    gic_.routes_[spi] = route & kRouteAffinity;
  } else if (offset == kControl) {
    gic_.control_ = value & (kEnableGroup0 | kEnableGroup1);
  }
}

void GicDistributor::describe(FdtNode& node) const {
  node.set_string("compatible", "arm,gic-v3");
  node.set("interrupt-controller");
  node.set_cells("#interrupt-cells", {3});
  node.set_cells("#redistributor-regions", {1});
  node.set_cells("phandle", {kInterruptController});
}

u64 GicRedistributors::read(u64 offset, unsigned bytes) {
  const std::scoped_lock lock(gic_.mutex_);
  const unsigned cpu = static_cast<unsigned>(offset / Gic3::kRedistributorBytes);
  offset %= Gic3::kRedistributorBytes;
  if (bytes == 8) return read32(cpu, offset) | u64{read32(cpu, offset + 4)} << 32;
  return u64{read32(cpu, align_down(offset, 4))} >> (8 * (offset & 3));
}

void GicRedistributors::write(u64 offset, unsigned bytes, u64 value) {
  const std::scoped_lock lock(gic_.mutex_);
  const unsigned cpu = static_cast<unsigned>(offset / Gic3::kRedistributorBytes);
  offset %= Gic3::kRedistributorBytes;
  if (const u64 in_frame = offset - kSgiFrame; in_frame >= kPriority && in_frame < kPriority + 32) {
    write_priorities(gic_.cpus_[cpu].bank, in_frame - kPriority, bytes, value);
  } else if (bytes >= 4) {
    write32(cpu, offset, static_cast<u32>(value));
    if (bytes == 8) write32(cpu, offset + 4, static_cast<u32>(value >> 32));
  }
  gic_.update(cpu);
}

u32 GicRedistributors::read32(unsigned cpu, u64 offset) const {
  if (offset >= kSgiFrame) {
    const Gic3::Bank& bank = gic_.cpus_[cpu].bank;
    offset -= kSgiFrame;
    if (is_bit_register(offset)) return offset == block_of(offset) ? gic_.read_bank(bank, offset) : 0;
    if (offset >= kPriority && offset < kPriority + 32) return read_priorities(bank, offset - kPriority);
    if (offset == kConfig || offset == kConfig + 4) return Gic3::read_config(bank, offset != kConfig);
    return 0;
  }
  switch (offset) {
    case kRedistributorIdentity:
      return kImplementer;
    case kRedistributorType:
      return cpu << 8 | (cpu + 1 == gic_.cpus_.size() ? kLastRedistributor : 0);
    case kRedistributorTypeHigh:
      return cpu;  // Affinity_Value
    case kWaker:
      return gic_.cpus_[cpu].waker;
    default:
      return identification(offset);
  }
}

void GicRedistributors::write32(unsigned cpu, u64 offset, u32 value) {
  Gic3::Bank& bank = gic_.cpus_[cpu].bank;
  if (offset == kWaker) {
    // Children fall asleep and wake at once. Whether they sleep is not asked before an interrupt is signalled: a CPU
    // that sleeps has its interface disabled.
    gic_.cpus_[cpu].waker = value & kProcessorSleep ? kProcessorSleep | kChildrenAsleep : 0;
  } else if (offset >= kSgiFrame) {
    offset -= kSgiFrame;
    if (is_bit_register(offset) && offset == block_of(offset))
      gic_.write_bank(bank, offset, value);
    else if (offset == kConfig || offset == kConfig + 4)
      Gic3::write_config(bank, offset != kConfig, value, kSgis);
  }
}

}  // namespace tiercel::system
