// GICv2: distributor and CPU interfaces, both memory-mapped. Arm IHI 0048, "Programmers' Model".
//
// Without the Security Extensions; interrupts have two groups. Each CPU sees registers of its own: those of the CPU
// interface, and those of the distributor that are about SGIs and PPIs.
#pragma once

#include <memory>

#include "system/interrupt/gic.h"

namespace tiercel::system {

class Gic2 final : public Gic {
 public:
  static constexpr unsigned kMostCpus = 8;
  static constexpr u64 kDistributorBytes = 0x10000, kInterfaceBytes = 0x10000;

  Gic2(unsigned cpus, unsigned spis, CpuInterrupts& out);
  ~Gic2() override;

  Device& distributor() override;
  Device& interfaces();

 private:
  friend class Gic2Distributor;
  friend class Gic2Interfaces;

  /// What only a GICv2 has of each CPU.
  struct Own {
    bool group0_as_fiq = false;       // GICC_CTLR.FIQEn
    bool either_group = false;        // GICC_CTLR.AckCtl: GICC_IAR and GICC_EOIR are for both groups
    u32 bypass = 0;                   // GICC_CTLR: what interfaces to other controllers pass on; there are none
    std::array<u8, 16> senders = {};  // of each pending SGI, a bit per CPU
    void serialize(Archive& state) { state(group0_as_fiq, either_group, bypass, senders); }
  };

  // All of the rest with the lock held.
  bool goes_to(unsigned cpu, u32 intid) const override {
    return cpus_.size() == 1 || (targets_[intid - kFirstSpi] >> cpu & 1);
  }
  bool is_fiq(unsigned cpu, unsigned group) const override { return group == 0 && own_[cpu].group0_as_fiq; }
  void on_reset() override;
  void on_serialize(Archive& state) override;

  /// What the CPU reads of GICC_IAR (group 0, or both) or GICC_AIAR (group 1).
  u32 take(unsigned cpu, unsigned group);
  /// The same without taking it, for GICC_HPPIR.
  u32 peek(unsigned cpu) const;
  void send_sgi(unsigned sender, u32 value);
  void set_senders(unsigned cpu, u32 sgi, u8 senders);
  u32 control(unsigned cpu) const;
  void set_control(unsigned cpu, u32 value);

  std::vector<u8> targets_;  // GICD_ITARGETSR, by SPI
  std::vector<Own> own_;
  std::unique_ptr<Device> distributor_, interfaces_;
};

class Gic2Distributor final : public Device {
 public:
  explicit Gic2Distributor(Gic2& gic) : gic_(gic) {}
  u64 read(u64 offset, unsigned bytes) override;
  void write(u64 offset, unsigned bytes, u64 value) override;
  void reset() override { gic_.reset(); }
  void serialize(Archive& state) override { gic_.serialize(state); }
  void describe(FdtNode& node) const override;

 private:
  u32 read32(unsigned cpu, u64 offset) const;
  void write32(unsigned cpu, u64 offset, unsigned bytes, u32 value);
  u8 read_byte(unsigned cpu, u64 offset) const;
  void write_byte(unsigned cpu, u64 offset, u8 value);
  Gic2& gic_;
};

/// Reset and saved with the distributor.
class Gic2Interfaces final : public Device {
 public:
  explicit Gic2Interfaces(Gic2& gic) : gic_(gic) {}
  u64 read(u64 offset, unsigned bytes) override;
  void write(u64 offset, unsigned bytes, u64 value) override;
  void reset() override {}
  void serialize(Archive&) override {}

 private:
  u32 read32(unsigned cpu, u64 offset);
  void write32(unsigned cpu, u64 offset, u32 value);
  Gic2& gic_;
};

}  // namespace tiercel::system
