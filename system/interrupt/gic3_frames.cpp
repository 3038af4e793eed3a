#include "system/interrupt/gic3_frames.h"

#include <algorithm>

#include "base/bits.h"
#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

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

}  // namespace

u64 GicDistributor::read(u64 offset, unsigned bytes) {
  const std::scoped_lock lock(gic_.mutex_);
  if (bytes == 8) return read32(offset) | u64{read32(offset + 4)} << 32;
  return u64{read32(align_down(offset, 4))} >> (8 * (offset & 3));
}

void GicDistributor::write(u64 offset, unsigned bytes, u64 value) {
  const std::scoped_lock lock(gic_.mutex_);
  write32(offset, std::min(bytes, 4u), static_cast<u32>(value));
  if (bytes == 8) write32(offset + 4, 4, static_cast<u32>(value >> 32));
  gic_.update_all();
}

u32 GicDistributor::read32(u64 offset) const {
  if (const auto n = Gic3::array_bank(offset)) return *n == 0 ? 0 : gic_.read_array(0, offset);
  if (offset >= kRoute && offset < kRouteEnd) {
    const u64 spi = (offset - kRoute) / 8;
    return spi < gic_.routes_.size() ? static_cast<u32>(gic_.routes_[spi] >> (offset & 4 ? 32 : 0)) : 0;
  }
  switch (offset) {
    case kControl:
      return gic_.control_ | kAffinityRouting | kSecurityDisabled;
    case kType:
      // ITLinesNumber, IDbits = 9 (INTIDs of 10 bits), A3V, No1N.
      return static_cast<u32>(gic_.spis_.size()) | 9 << 19 | 1 << 24 | 1 << 25;
    case kIdentity:
      return kImplementer;
    default:
      return identification(offset);
  }
}

void GicDistributor::write32(u64 offset, unsigned bytes, u32 value) {
  if (const auto n = Gic3::array_bank(offset)) {
    if (*n != 0) gic_.write_array(0, offset, bytes, value);
  } else if (bytes != 4) {
    // The rest has no access by bytes.
  } else if (offset >= kRoute && offset < kRouteEnd) {
    const u64 spi = (offset - kRoute) / 8;
    if (spi >= gic_.routes_.size()) return;
    const unsigned shift = offset & 4 ? 32 : 0;
    const u64 route = (gic_.routes_[spi] & ~(u64{0xffffffff} << shift)) | u64{value} << shift;
    gic_.routes_[spi] = route & Gic3::kRouteAffinity;
  } else if (offset == kControl) {
    gic_.control_ = value & (Gic3::kEnableGroup0 | Gic3::kEnableGroup1);
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
  write32(cpu, offset, std::min(bytes, 4u), static_cast<u32>(value));
  if (bytes == 8) write32(cpu, offset + 4, 4, static_cast<u32>(value >> 32));
  gic_.update(cpu);
}

u32 GicRedistributors::read32(unsigned cpu, u64 offset) const {
  if (offset >= kSgiFrame) {
    offset -= kSgiFrame;
    return Gic3::array_bank(offset) == 0u ? gic_.read_array(cpu, offset) : 0;
  }
  switch (offset) {
    case kRedistributorIdentity:
      return kImplementer;
    case kRedistributorType:
      return cpu << 8 | (cpu + 1 == gic_.cpus_.size() ? kLastRedistributor : 0);
    case kRedistributorTypeHigh:
      return cpu;  // Affinity_Value
    case kWaker:
      return gic_.wakers_[cpu];
    default:
      return identification(offset);
  }
}

void GicRedistributors::write32(unsigned cpu, u64 offset, unsigned bytes, u32 value) {
  if (offset == kWaker && bytes == 4) {
    // Children fall asleep and wake at once. Whether they sleep is not asked before an interrupt is signalled: a CPU
    // that sleeps has its interface disabled.
    gic_.wakers_[cpu] = value & Gic3::kProcessorSleep ? Gic3::kProcessorSleep | Gic3::kChildrenAsleep : 0;
  } else if (offset >= kSgiFrame && Gic3::array_bank(offset - kSgiFrame) == 0u) {
    gic_.write_array(cpu, offset - kSgiFrame, bytes, value);
  }
}

}  // namespace tiercel::system
