// GICv3, GICv2m, the generic timer, PSCI.
#include <gtest/gtest.h>

#include "system/interrupt/generic_timer.h"
#include "system/interrupt/gicv2m.h"
#include "system/interrupt/psci.h"
#include "tests/system/fakes.h"

namespace tiercel::system {
namespace {

/// Two CPUs whose interfaces are open, as Linux leaves them.
struct Gic {
  FakeCpus cpus{2};
  Gic3 gic{2, 64, cpus};
  Gic() {
    distributor(0x0, 3);
    distributor(0x84, ~0u);
    for (unsigned cpu = 0; cpu < 2; ++cpu) {
      redistributor(cpu, 0x10080, ~0u);
      gic.write_icc(cpu, Icc::Pmr, 0xf0);
      gic.write_icc(cpu, Icc::Igrpen1, 1);
    }
  }
  void distributor(u64 offset, u64 value, unsigned bytes = 4) { gic.distributor().write(offset, bytes, value); }
  u64 distributor(u64 offset) { return gic.distributor().read(offset, 4); }
  void redistributor(unsigned cpu, u64 offset, u64 value) {
    gic.redistributors().write(cpu * Gic3::kRedistributorBytes + offset, 4, value);
  }
  u64 acknowledge(unsigned cpu) { return gic.read_icc(cpu, Icc::Iar1).value(); }
  void end(unsigned cpu, u64 intid) { gic.write_icc(cpu, Icc::Eoir1, intid); }
};

TEST(Gic3, LevelSpiFromLineToEnd) {
  Gic g;
  const IrqLine line = g.gic.spi(1);
  line.set(true);
  EXPECT_FALSE(g.cpus.irq[0]) << "not enabled yet";
  g.distributor(0x104, 2);
  EXPECT_TRUE(g.cpus.irq[0]);
  EXPECT_FALSE(g.cpus.irq[1]);
  EXPECT_EQ(g.acknowledge(0), 33u);
  EXPECT_FALSE(g.cpus.irq[0]) << "active";
  EXPECT_EQ(g.acknowledge(0), 1023u);
  EXPECT_EQ(g.distributor(0x304), 2u);
  g.end(0, 33);
  EXPECT_TRUE(g.cpus.irq[0]) << "the line is still high";
  EXPECT_EQ(g.acknowledge(0), 33u);
  line.set(false);
  g.end(0, 33);
  EXPECT_FALSE(g.cpus.irq[0]);
}

TEST(Gic3, EdgeSpiIsRememberedOnce) {
  Gic g;
  g.distributor(0xc08, 2 << 10);  // SPI 5
  g.distributor(0x104, 1 << 5);
  g.gic.spi(5).pulse();
  g.gic.spi(5).pulse();
  EXPECT_EQ(g.acknowledge(0), 37u);
  g.gic.spi(5).pulse();
  g.end(0, 37);
  EXPECT_EQ(g.acknowledge(0), 37u) << "it came again while active";
  g.end(0, 37);
  EXPECT_EQ(g.acknowledge(0), 1023u);
}

TEST(Gic3, RoutesSpisByAffinity) {
  Gic g;
  g.distributor(0x104, 1);
  g.distributor(0x6100, 1, 8);
  g.gic.spi(0).set(true);
  EXPECT_FALSE(g.cpus.irq[0]);
  EXPECT_TRUE(g.cpus.irq[1]);
  g.distributor(0x6100, 0x77, 8);
  EXPECT_FALSE(g.cpus.irq[1]) << "no such CPU";
  g.distributor(0x6100, 0, 8);
  EXPECT_TRUE(g.cpus.irq[0]);
  EXPECT_EQ(g.acknowledge(0), 32u);
  g.distributor(0x6100, 1, 8);
  g.gic.write_icc(0, Icc::Eoir1, 32);
  EXPECT_TRUE(g.cpus.irq[1]) << "ended by one CPU, pending on another";
}

TEST(Gic3, PrioritiesPreemptByGroups) {
  Gic g;
  g.distributor(0x104, 7);
  g.distributor(0x420, 0xa0, 1);
  g.distributor(0x421, 0x80, 1);
  g.distributor(0x422, 0x87, 1);
  EXPECT_EQ(g.distributor(0x420), 0x008080a0u) << "five bits of priority";
  g.gic.spi(0).set(true);
  EXPECT_EQ(g.acknowledge(0), 32u);
  EXPECT_EQ(g.gic.read_icc(0, Icc::Rpr), 0xa0u);
  g.gic.spi(1).set(true);
  g.gic.spi(2).set(true);
  EXPECT_TRUE(g.cpus.irq[0]) << "more urgent";
  EXPECT_EQ(g.gic.read_icc(0, Icc::Hppir1), 33u);
  EXPECT_EQ(g.acknowledge(0), 33u) << "of equals the lower number";
  EXPECT_FALSE(g.cpus.irq[0]) << "an equal does not preempt";
  EXPECT_EQ(g.gic.read_icc(0, Icc::Ap1r0), u64{1} << 16 | u64{1} << 20);
  g.end(0, 33);
  g.gic.spi(1).set(false);
  EXPECT_EQ(g.gic.read_icc(0, Icc::Rpr), 0xa0u);
  g.end(0, 32);
  g.gic.write_icc(0, Icc::Bpr1, 6);  // 0x80 and 0xa0 are now one group
  EXPECT_EQ(g.acknowledge(0), 34u);
  g.gic.spi(1).set(true);
  EXPECT_FALSE(g.cpus.irq[0]);
  g.end(0, 34);
  EXPECT_TRUE(g.cpus.irq[0]);
  g.gic.write_icc(0, Icc::Bpr1, 0);
  EXPECT_EQ(g.gic.read_icc(0, Icc::Bpr1), 3u) << "the least that 32 priorities have";
  g.gic.write_icc(0, Icc::Pmr, 0x80);
  EXPECT_FALSE(g.cpus.irq[0]) << "masked";
}

TEST(Gic3, SplitEndOfInterrupt) {
  Gic g;
  g.gic.write_icc(0, Icc::Ctlr, 2);
  g.distributor(0x104, 1);
  g.gic.spi(0).set(true);
  EXPECT_EQ(g.acknowledge(0), 32u);
  g.end(0, 32);
  EXPECT_EQ(g.gic.read_icc(0, Icc::Rpr), 0xffu);
  EXPECT_FALSE(g.cpus.irq[0]) << "still active";
  g.gic.write_icc(0, Icc::Dir, 32);
  EXPECT_TRUE(g.cpus.irq[0]);
}

TEST(Gic3, SgisReachTheCpusNamed) {
  Gic g;
  g.redistributor(0, 0x10100, 0xffff);
  g.redistributor(1, 0x10100, 0xffff);
  g.gic.write_icc(0, Icc::Sgi1r, u64{3} << 24 | 2);
  EXPECT_FALSE(g.cpus.irq[0]);
  EXPECT_EQ(g.acknowledge(1), 3u);
  g.end(1, 3);
  g.gic.write_icc(1, Icc::Sgi1r, u64{1} << 40);
  EXPECT_EQ(g.acknowledge(0), 0u) << "all but the sender";
  EXPECT_FALSE(g.cpus.irq[1]);
  g.end(0, 0);
  g.gic.write_icc(0, Icc::Sgi1r, u64{1} << 16 | 3);
  EXPECT_EQ(g.acknowledge(1), 1023u) << "another cluster";
}

TEST(Gic3, GroupZeroIsFiq) {
  Gic g;
  g.gic.write_icc(0, Icc::Igrpen0, 1);
  g.distributor(0x84, ~1u);
  g.distributor(0x104, 1);
  g.gic.spi(0).set(true);
  EXPECT_TRUE(g.cpus.fiq[0]);
  EXPECT_FALSE(g.cpus.irq[0]);
  EXPECT_EQ(g.acknowledge(0), 1023u) << "by the other register";
  EXPECT_EQ(g.gic.read_icc(0, Icc::Iar0), 32u);
}

TEST(Gic3, FramesSayWhatTheyAre) {
  Gic g;
  EXPECT_EQ(g.distributor(0xffe8) & 0xf0, 0x30u);
  EXPECT_EQ(g.distributor(0x4) & 0x1f, 2u) << "96 INTIDs";
  EXPECT_EQ(g.gic.redistributors().read(0x8, 8), 0u);
  EXPECT_EQ(g.gic.redistributors().read(0x20008, 8), u64{1} << 32 | 1 << 8 | 1 << 4);
  EXPECT_EQ(g.gic.redistributors().read(0xffe8, 4) & 0xf0, 0x30u);
  EXPECT_FALSE(g.gic.read_icc(0, Icc::Eoir1));
  EXPECT_FALSE(g.gic.write_icc(0, Icc::Iar1, 0));
  EXPECT_TRUE(Gic3::has_icc(system_register(3, 0, 12, 12, 0)));
  EXPECT_FALSE(Gic3::has_icc(system_register(3, 0, 12, 12, 8)));
}

TEST(Gicv2m, MessagesBecomeEdges) {
  Wires wires(4);
  Gicv2mFrame frame(80, {wires.line(0), wires.line(1), wires.line(2)});
  EXPECT_EQ(frame.read(8, 4), u64{80} << 16 | 3);
  frame.write(0x40, 4, 81);
  frame.write(0x40, 4, 79);
  frame.write(0x40, 4, 83);
  EXPECT_EQ(wires.rises, (std::vector<int>{0, 1, 0, 0}));
}

TEST(GenericTimer, RaisesItsLineWhenTheCountComes) {
  InsnClock clock(1000, 0);
  Wires wires(2);
  GenericTimer timer(clock, 62'500'000, {{wires.line(0), wires.line(1)}});
  EXPECT_EQ(timer.next_deadline(0), Clock::kNever);
  timer.set_compare(0, GenericTimer::kVirtual, 100);
  timer.set_control(0, GenericTimer::kVirtual, 1);
  EXPECT_EQ(timer.next_deadline(0), 1600u);
  clock.skip_to(1599);
  clock.run_due();
  EXPECT_FALSE(wires.level[1]);
  EXPECT_EQ(timer.control(0, GenericTimer::kVirtual), 1u);
  EXPECT_EQ(timer.timer_value(0, GenericTimer::kVirtual), 1u);
  clock.skip_to(1600);
  clock.run_due();
  EXPECT_TRUE(wires.level[1]);
  EXPECT_FALSE(wires.level[0]);
  EXPECT_EQ(timer.control(0, GenericTimer::kVirtual), 5u);
  timer.set_control(0, GenericTimer::kVirtual, 3);
  EXPECT_FALSE(wires.level[1]) << "masked";
  timer.set_control(0, GenericTimer::kVirtual, 1);
  timer.set_timer_value(0, GenericTimer::kVirtual, 10);
  EXPECT_FALSE(wires.level[1]);
  EXPECT_EQ(timer.compare(0, GenericTimer::kVirtual), 110u);
  timer.set_timer_value(0, GenericTimer::kVirtual, 0xffffffff);
  EXPECT_TRUE(wires.level[1]) << "one tick ago";
}

TEST(GenericTimer, VirtualOffsetMovesOnlyTheVirtualCount) {
  InsnClock clock(1000, 0);
  Wires wires(2);
  GenericTimer timer(clock, 1'000'000'000, {{wires.line(0), wires.line(1)}});
  clock.skip_to(5000);
  timer.set_virtual_offset(0, 5000);
  EXPECT_EQ(timer.count(0, GenericTimer::kPhysical), 5000u);
  EXPECT_EQ(timer.count(0, GenericTimer::kVirtual), 0u);
  timer.set_compare(0, GenericTimer::kVirtual, 7);
  timer.set_control(0, GenericTimer::kVirtual, 1);
  EXPECT_EQ(timer.next_deadline(0), 5007u);
  timer.set_compare(0, GenericTimer::kVirtual, ~u64{0});
  EXPECT_EQ(timer.next_deadline(0), Clock::kNever) << "centuries away";
}

class FakeHost final : public PsciHost {
 public:
  unsigned cpus() const override { return 2; }
  Power power(unsigned cpu) const override { return state[cpu]; }
  bool can_execute(PAddr entry) const override { return entry >= PAddr{0x1000}; }
  bool start(unsigned cpu, PAddr entry, u64 context) override {
    state[cpu] = Power::On;
    log += "start " + std::to_string(entry.value) + " " + std::to_string(context);
    return true;
  }
  void stop_self(unsigned) override { log += "stop"; }
  void suspend_self(unsigned) override { log += "suspend"; }
  void power_off() override { log += "off"; }
  void reset(bool warm) override { log += warm ? "warm reset" : "reset"; }
  std::vector<Power> state{Power::On, Power::Off};
  std::string log;
};

TEST(Psci, StartsCpus) {
  FakeHost host;
  Psci psci(host);
  EXPECT_EQ(psci.call(0, 0x84000000, {}), 0x10001u);
  EXPECT_EQ(psci.call(0, 0xc4000004, {1, 0}), 1u);
  EXPECT_EQ(psci.call(0, 0xc4000003, {1, 0x100, 5}), static_cast<u64>(-9));
  EXPECT_EQ(psci.call(0, 0xc4000003, {2, 0x1000, 5}), static_cast<u64>(-2));
  EXPECT_EQ(psci.call(0, 0xc4000003, {1, 0x2000, 5}), 0u);
  EXPECT_EQ(host.log, "start 8192 5");
  EXPECT_EQ(psci.call(0, 0xc4000003, {1, 0x2000, 5}), static_cast<u64>(-4));
  EXPECT_EQ(psci.call(0, 0xc4000004, {1, 0}), 0u);
}

TEST(Psci, KnowsItsFunctions) {
  FakeHost host;
  Psci psci(host);
  EXPECT_EQ(psci.call(0, 0x8400000a, {0xc4000003}), 0u);
  EXPECT_EQ(psci.call(0, 0x8400000a, {0xc4000008}), static_cast<u64>(-1)) << "SYSTEM_OFF has no 64-bit form";
  EXPECT_EQ(psci.call(0, 0x80008000, {}), static_cast<u64>(-1));
  EXPECT_EQ(psci.call(0, 0x84000012, {0x80000000}), static_cast<u64>(-2));
  EXPECT_EQ(host.log, "");
  psci.call(0, 0x84000009, {});
  psci.call(0, 0xc4000012, {});
  psci.call(0, 0x84000008, {});
  EXPECT_EQ(host.log, "resetwarm resetoff");
}

}  // namespace
}  // namespace tiercel::system
