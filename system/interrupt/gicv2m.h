// GICv2m: a frame of registers whose writes raise SPIs, for message-signalled interrupts without an ITS. Arm DEN 0029
// (Server Base System Architecture), "GICv2m Architecture"; Linux uses it with a GICv3 that has no LPIs as well.
#pragma once

#include <vector>

#include "system/bus/irq_line.h"
#include "system/devices/registers32.h"

namespace tiercel::system {

class Gicv2mFrame final : public Registers32 {
 public:
  static constexpr u64 kBytes = 0x1000;
  /// `lines` are SPIs of consecutive INTIDs, the first of which is `first_intid`; all edge-triggered by the guest.
  Gicv2mFrame(u32 first_intid, std::vector<IrqLine> lines) : first_(first_intid), lines_(std::move(lines)) {}
  void reset() override {}
  void serialize(Archive&) override {}
  void describe(FdtNode& node) const override;

  /// What a device's message does: a write of `data` to MSI_SETSPI_NS.
  void signal(u32 data);
  static constexpr u64 kSetSpi = 0x40;

 protected:
  u32 read32(u64 offset) override;
  void write32(u64 offset, u32 value) override;

 private:
  u32 first_;
  std::vector<IrqLine> lines_;
};

}  // namespace tiercel::system
