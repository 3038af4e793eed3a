// GICv3: distributor, redistributors and CPU interfaces. Arm IHI 0069, "Programmers' Model".
//
// One security state (GICD_CTLR.DS reads as one), affinity routing only, 32 priorities, no LPIs: message-signalled
// interrupts are SPIs, by Gicv2mFrame. An INTID's state sits in one bit of each word of its Bank, as the registers show
// it.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/types.h"
#include "system/bus/device.h"
#include "system/bus/irq_line.h"

namespace tiercel::system {

/// The interrupt inputs of the CPUs. Called by any thread with the GIC's lock held, only when a level changes.
class CpuInterrupts {
 public:
  virtual ~CpuInterrupts() = default;
  virtual void set_interrupts(unsigned cpu, bool irq, bool fiq) = 0;
};

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

class Gic3 final : public IrqSink {
 public:
  static constexpr u32 kFirstPpi = 16, kFirstSpi = 32, kSpurious = 1023;
  static constexpr u64 kDistributorBytes = 0x10000, kRedistributorBytes = 0x20000;

  /// `spis` is rounded up to a multiple of 32, at most 960. CPU n has affinity 0.0.0.n; at most 16 CPUs.
  Gic3(unsigned cpus, unsigned spis, CpuInterrupts& out);
  ~Gic3() override;

  Device& distributor();
  /// All CPUs' frames, one after the other.
  Device& redistributors();
  u64 redistributor_bytes() const { return cpus_.size() * kRedistributorBytes; }

  /// Wires: SPI n (INTID 32 + n), and PPI n (INTID 16 + n) of one CPU.
  IrqLine spi(u32 n) { return {*this, kFirstSpi + n}; }
  IrqLine ppi(unsigned cpu, u32 n);

  void reset();
  /// With the levels of the wires.
  void serialize(Archive& state);

  /// Whether `encoding` (see system_register) is one of Icc.
  static bool has_icc(u32 encoding);
  /// A CPU's access to its interface, on its own thread. No value, or false: the register does not exist or not for
  /// this direction, which is undefined.
  std::optional<u64> read_icc(unsigned cpu, Icc reg);
  bool write_icc(unsigned cpu, Icc reg, u64 value);

 private:
  friend class GicDistributor;
  friend class GicRedistributors;

  /// 32 INTIDs.
  struct Bank {
    u32 group = 0, enabled = 0, latched = 0, line = 0, edge = 0, active = 0;
    std::array<u8, 32> priority = {};
    u32 pending() const { return latched | (line & ~edge); }
    void serialize(Archive& state) { state(group, enabled, latched, line, edge, active, priority); }
  };
  struct Candidate {
    u32 intid = kSpurious;
    u8 priority = 0xff;
    unsigned group = 0;
  };
  struct Cpu {
    Bank bank;  // SGIs and PPIs
    u32 waker = 0;
    u8 mask = 0;                                // ICC_PMR
    std::array<u8, 2> binary_point = {};        // ICC_BPR0, ICC_BPR1
    std::array<u32, 2> active_priorities = {};  // ICC_AP0R0, ICC_AP1R0: a bit per priority
    std::array<bool, 2> group_enabled = {};
    u32 control = 0;                // ICC_CTLR: CBPR, EOImode and PMHE
    bool irq = false, fiq = false;  // as the CPU was told
    void serialize(Archive& state);
  };

  void set_line(u32 number, bool level) override;

  // All of the rest with the lock held.
  Bank& bank(unsigned cpu, u32 intid) { return intid < kFirstSpi ? cpus_[cpu].bank : spis_[intid / 32 - 1]; }
  bool exists(u32 intid) const { return intid < kFirstSpi + 32 * spis_.size(); }
  /// The CPU an SPI goes to; cpus_.size() if there is none of that affinity.
  unsigned target(u32 intid) const;
  Candidate best(unsigned cpu) const;
  void consider(const Bank& bank, u32 first, unsigned cpu, Candidate& best) const;
  u8 running_priority(unsigned cpu) const;
  u8 group_mask(const Cpu& cpu, unsigned group) const;
  bool can_signal(unsigned cpu, const Candidate& candidate) const;
  u32 acknowledge(unsigned cpu, unsigned group);
  void end(unsigned cpu, unsigned group, u32 intid);
  /// Also tells the CPU that the SPI goes to, which need not be this one.
  void deactivate(unsigned cpu, u32 intid);
  u32 highest_pending(unsigned cpu, unsigned group) const;
  void send_sgi(unsigned sender, unsigned group, u64 value);
  void drive_edge(Bank& bank, u32 bit, bool level);
  void update(unsigned cpu);
  void update_all();
  u32 read_bank(const Bank& bank, u64 block) const;
  void write_bank(Bank& bank, u64 block, u32 value);
  static u32 read_config(const Bank& bank, bool upper);
  /// The INTIDs in `fixed` stay as they are.
  static void write_config(Bank& bank, bool upper, u32 value, u32 fixed);

  CpuInterrupts& out_;
  std::mutex mutex_;
  u32 control_ = 0;  // GICD_CTLR: the two group enables
  std::vector<Cpu> cpus_;
  std::vector<Bank> spis_;
  std::vector<u64> routes_;  // GICD_IROUTER, by SPI
  std::unique_ptr<Device> distributor_, redistributors_;
};

}  // namespace tiercel::system
