// What GICv2 and GICv3 share: the state of each interrupt, priorities, and the CPU interfaces' state machine. Arm
// IHI 0048 and IHI 0069, "Interrupt Handling and Prioritization".
//
// One security state, 32 priorities. An INTID's state sits in one bit of each word of its Bank, as the registers show
// it.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "base/types.h"
#include "system/bus/device.h"
#include "system/bus/irq_line.h"

namespace tiercel::system {

/// The interrupt inputs of the CPUs.
class CpuInterrupts {
 public:
  virtual ~CpuInterrupts() = default;
  /// Called by any thread with the GIC's lock held, only when a level changes.
  virtual void set_interrupts(unsigned cpu, bool irq, bool fiq) = 0;
  /// The CPU whose access to a device the calling thread performs: a GICv2 shows each its own registers.
  virtual unsigned current_cpu() const = 0;
};

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

class Gic : public IrqSink {
 public:
  static constexpr u32 kFirstPpi = 16, kFirstSpi = 32, kSpurious = 1023;

  virtual Device& distributor() = 0;

  /// Wires: SPI n (INTID 32 + n), and PPI n (INTID 16 + n) of one CPU.
  IrqLine spi(u32 n) { return {*this, kFirstSpi + n}; }
  IrqLine ppi(unsigned cpu, u32 n);
  unsigned cpus() const { return static_cast<unsigned>(cpus_.size()); }

  void reset();
  /// With the levels of the wires.
  void serialize(Archive& state);

 protected:
  static constexpr u32 kEnableGroup0 = 1 << 0, kEnableGroup1 = 1 << 1;  // GICD_CTLR
  static constexpr unsigned kPriorityBits = 5, kPriorityShift = 8 - kPriorityBits;
  static constexpr u8 kPriorityMask = 0xff << kPriorityShift & 0xff;
  static constexpr u8 kLeastBinaryPoint0 = kPriorityShift - 1, kLeastBinaryPoint1 = kPriorityShift;
  static constexpr u32 kSgis = 0xffff;

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
  /// By group where there are two of something.
  struct Cpu {
    Bank bank;                                  // SGIs and PPIs
    u8 mask = 0;                                // the priority mask register
    std::array<u8, 2> binary_point = {};        // as the registers hold them
    std::array<u32, 2> active_priorities = {};  // a bit per priority
    std::array<bool, 2> group_enabled = {};
    bool common_binary_point = false;  // group 1 uses group 0's
    bool drop_only = false;            // EOI drops the priority, DIR deactivates
    bool irq = false, fiq = false;     // as the CPU was told
    void serialize(Archive& state);
  };

  /// `spis` is rounded up to a multiple of 32, at most 960. The constructor of what derives from it calls reset.
  Gic(unsigned cpus, unsigned spis, CpuInterrupts& out);

  // All of the rest with the lock held.
  /// Whether an SPI may interrupt that CPU.
  virtual bool goes_to(unsigned cpu, u32 intid) const = 0;
  /// Whether a group is signalled as FIQ.
  virtual bool is_fiq(unsigned cpu, unsigned group) const = 0;
  /// The rest of reset and serialize.
  virtual void on_reset() = 0;
  virtual void on_serialize(Archive& state) = 0;

  Bank& bank(unsigned cpu, u32 intid) { return intid < kFirstSpi ? cpus_[cpu].bank : spis_[intid / 32 - 1]; }
  bool exists(u32 intid) const { return intid < kFirstSpi + 32 * spis_.size(); }
  unsigned group_of(unsigned cpu, u32 intid) { return bank(cpu, intid).group >> (intid % 32) & 1; }

  /// Which 32 INTIDs the register at `offset` is about, if it is one of the arrays.
  static std::optional<u32> array_bank(u64 offset);
  static bool is_priority(u64 offset) { return offset >= kPriority && offset < kPriorityEnd; }
  /// A word of the arrays as `cpu` sees it, zero where there are no INTIDs; `offset` is a multiple of 4.
  u32 read_array(unsigned cpu, u64 offset);
  /// Bytes count for priorities only; other registers take words. The caller updates.
  void write_array(unsigned cpu, u64 offset, unsigned bytes, u32 value);

  Candidate best(unsigned cpu) const;
  u8 running_priority(unsigned cpu) const;
  u8 group_mask(const Cpu& cpu, unsigned group) const;
  bool can_signal(unsigned cpu, const Candidate& candidate) const;
  /// Makes the best candidate active, if it is of that group; or 1023.
  u32 acknowledge(unsigned cpu, unsigned group);
  void end(unsigned cpu, unsigned group, u32 intid);
  void deactivate(unsigned cpu, u32 intid);
  u32 highest_pending(unsigned cpu, unsigned group) const;
  void update(unsigned cpu);
  void update_all();

  CpuInterrupts& out_;
  std::mutex mutex_;
  u32 control_ = 0;  // GICD_CTLR: the two group enables
  std::vector<Cpu> cpus_;
  std::vector<Bank> spis_;

 private:
  void set_line(u32 number, bool level) override;
  void consider(const Bank& bank, u32 first, unsigned cpu, Candidate& best) const;
  Bank* find_bank(unsigned cpu, u32 n) {
    return n == 0 ? &cpus_[cpu].bank : n <= spis_.size() ? &spis_[n - 1] : nullptr;
  }
  void update_target(u32 intid);
  static void drive_edge(Bank& bank, u32 bit, bool level);
  static u32 read_bits(const Bank& bank, u64 block);
  static void write_bits(Bank& bank, u64 block, u32 value);
};

}  // namespace tiercel::system
