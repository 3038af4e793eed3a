// The memory-mapped half of the GICv3. Arm IHI 0069, "Memory-mapped register summary".
#pragma once

#include "system/interrupt/gic3.h"

namespace tiercel::system {

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
  void write32(u64 offset, unsigned bytes, u32 value);
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
  void write32(unsigned cpu, u64 offset, unsigned bytes, u32 value);
  Gic3& gic_;
};

}  // namespace tiercel::system
