// GICv3: distributor, redistributors and CPU interfaces. Arm IHI 0069, "Programmers' Model".
//
// One security state (GICD_CTLR.DS reads as one), affinity routing only, no LPIs: message-signalled interrupts are
// SPIs, by Gicv2mFrame.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "system/interrupt/gic.h"

namespace tiercel::system {

/// Op0, Op1, CRn, CRm, Op2 of a system register as MSR and MRS hold them (bits 20 to 5 of the insn).
constexpr u32 system_register(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2) {
  return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
}

/// The registers of the CPU interface, by their encodings.
enum class Icc : u32 {
  Pmr = system_register(3, 0, 4, 6, 0),
  Iar0 = system_register(3, 0, 12, 8, 0),
  Eoir0 = system_register(3, 0, 12, 8, 1),
  Hppir0 = system_register(3, 0, 12, 8, 2),
  Bpr0 = system_register(3, 0, 12, 8, 3),
  Ap0r0 = system_register(3, 0, 12, 8, 4),
  Ap1r0 = system_register(3, 0, 12, 9, 0),
  Dir = system_register(3, 0, 12, 11, 1),
  Rpr = system_register(3, 0, 12, 11, 3),
  Sgi1r = system_register(3, 0, 12, 11, 5),
  Asgi1r = system_register(3, 0, 12, 11, 6),
  Sgi0r = system_register(3, 0, 12, 11, 7),
  Iar1 = system_register(3, 0, 12, 12, 0),
  Eoir1 = system_register(3, 0, 12, 12, 1),
  Hppir1 = system_register(3, 0, 12, 12, 2),
  Bpr1 = system_register(3, 0, 12, 12, 3),
  Ctlr = system_register(3, 0, 12, 12, 4),
  Sre = system_register(3, 0, 12, 12, 5),
  Igrpen0 = system_register(3, 0, 12, 12, 6),
  Igrpen1 = system_register(3, 0, 12, 12, 7),
};

class Gic3 final : public Gic {
 public:
  static constexpr u64 kDistributorBytes = 0x10000, kRedistributorBytes = 0x20000;

  /// CPU n has affinity 0.0.0.n; at most 16 CPUs.
  Gic3(unsigned cpus, unsigned spis, CpuInterrupts& out);
  ~Gic3() override;

  Device& distributor() override;
  /// All CPUs' frames, one after the other.
  Device& redistributors();
  u64 redistributor_bytes() const { return cpus_.size() * kRedistributorBytes; }

  /// Whether `encoding` (see system_register) is one of Icc.
  static bool has_icc(u32 encoding);
  /// A CPU's access to its interface, on its own thread. No value, or false: the register does not exist or not for
  /// this direction, which is undefined.
  std::optional<u64> read_icc(unsigned cpu, Icc reg);
  bool write_icc(unsigned cpu, Icc reg, u64 value);

 private:
  friend class GicDistributor;
  friend class GicRedistributors;

  // All of the rest with the lock held.
  bool goes_to(unsigned cpu, u32 intid) const override { return (routes_[intid - kFirstSpi] & kRouteAffinity) == cpu; }
  bool is_fiq(unsigned, unsigned group) const override { return group == 0; }
  void on_reset() override;
  void on_serialize(Archive& state) override { state(routes_, wakers_, hints_); }
  void send_sgi(unsigned sender, unsigned group, u64 value);

  static constexpr u64 kRouteAffinity = 0xff'00ff'ffff;                     // GICD_IROUTER
  static constexpr u32 kProcessorSleep = 1 << 1, kChildrenAsleep = 1 << 2;  // GICR_WAKER

  std::vector<u64> routes_;  // GICD_IROUTER, by SPI
  std::vector<u32> wakers_;  // GICR_WAKER, by CPU
  std::vector<u8> hints_;    // ICC_CTLR.PMHE, by CPU: kept, without effect
  std::unique_ptr<Device> distributor_, redistributors_;
};

}  // namespace tiercel::system
