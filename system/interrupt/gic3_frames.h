// The memory-mapped half of the GICv3, and the numbers both halves use. Arm IHI 0069, "Memory-mapped register summary".
#pragma once

#include "system/interrupt/gic3.h"

namespace tiercel::system {

// Register arrays that the distributor and the redistributors' SGI frames share.
enum GicBlock : u64 {
  kGroup = 0x080,
  kSetEnable = 0x100,
  kClearEnable = 0x180,
  kSetPending = 0x200,
  kClearPending = 0x280,
  kSetActive = 0x300,
  kClearActive = 0x380,
  kPriority = 0x400,
  kPriorityEnd = 0x800,
  kConfig = 0xc00,
  kConfigEnd = 0xd00,
};

constexpr u32 kEnableGroup0 = 1 << 0, kEnableGroup1 = 1 << 1;                              // GICD_CTLR
constexpr u32 kProcessorSleep = 1 << 1, kChildrenAsleep = 1 << 2;                          // GICR_WAKER
constexpr u32 kCommonBinaryPoint = 1 << 0, kEoiMode = 1 << 1, kPriorityMaskHint = 1 << 6;  // ICC_CTLR
constexpr u64 kRouteAffinity = 0xff'00ff'ffff;                                             // GICD_IROUTER
constexpr unsigned kPriorityBits = 5, kPriorityShift = 8 - kPriorityBits;
constexpr u8 kPriorityMask = 0xff << kPriorityShift & 0xff;
constexpr u8 kLeastBinaryPoint0 = kPriorityShift - 1, kLeastBinaryPoint1 = kPriorityShift;

class GicDistributor final : public Device {
 public:
  explicit GicDistributor(Gic3& gic) : gic_(gic) {}
  u64 read(u64 offset, unsigned bytes) override;
  void write(u64 offset, unsigned bytes, u64 value) override;
  void reset() override { gic_.reset(); }
  void serialize(Archive& state) override { gic_.serialize(state); }
  void describe(FdtNode& node) const override;

 private:
  u32 read32(u64 offset) const;
  void write32(u64 offset, u32 value);
  Gic3& gic_;
};

/// Reset and saved with the distributor.
class GicRedistributors final : public Device {
 public:
  explicit GicRedistributors(Gic3& gic) : gic_(gic) {}
  u64 read(u64 offset, unsigned bytes) override;
  void write(u64 offset, unsigned bytes, u64 value) override;
  void reset() override {}
  void serialize(Archive&) override {}

 private:
  u32 read32(unsigned cpu, u64 offset) const;
  void write32(unsigned cpu, u64 offset, u32 value);
  Gic3& gic_;
};

}  // namespace tiercel::system
