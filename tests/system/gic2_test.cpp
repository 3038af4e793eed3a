// GICv2.
#include "system/interrupt/gic2.h"

#include <gtest/gtest.h>

#include "tests/system/fakes.h"

namespace tiercel::system {
namespace {

/// Two CPUs as Linux sets them up: everything in group 0, signalled as IRQ.
struct Two {
  FakeCpus cpus;
  Gic2 gic;
  explicit Two(unsigned count = 2) : cpus(count), gic(count, 64, cpus) {
    set(0, 1);
    for (unsigned cpu = 0; cpu < count; ++cpu) {
      cpus.current = cpu;
      interface(4, 0xf0);
      interface(0, 1);
      set(0x100, 0xffff);
    }
    cpus.current = 0;
  }
  void set(u64 offset, u64 value, unsigned bytes = 4) { gic.distributor().write(offset, bytes, value); }
  u64 distributor(u64 offset, unsigned bytes = 4) {
    return gic.distributor().read(offset, bytes) & (bytes == 8 ? ~u64{0} : (u64{1} << 8 * bytes) - 1);
  }
  void interface(u64 offset, u64 value) { gic.interfaces().write(offset, 4, value); }
  u64 interface(u64 offset) { return gic.interfaces().read(offset, 4); }
  u64 acknowledge() { return interface(0xc); }
};

TEST(Gic2, LevelSpiFromLineToEnd) {
  Two g;
  g.set(0x821, 1, 1);  // SPI 1 to CPU 0
  const IrqLine line = g.gic.spi(1);
  line.set(true);
  EXPECT_FALSE(g.cpus.irq[0]) << "not enabled yet";
  g.set(0x104, 2);
  EXPECT_TRUE(g.cpus.irq[0]);
  EXPECT_FALSE(g.cpus.irq[1]);
  EXPECT_EQ(g.interface(0x18), 33u);
  EXPECT_EQ(g.acknowledge(), 33u);
  EXPECT_FALSE(g.cpus.irq[0]) << "active";
  EXPECT_EQ(g.acknowledge(), 1023u);
  EXPECT_EQ(g.interface(0xd0), 1u);
  line.set(false);
  g.interface(0x10, 33);
  EXPECT_EQ(g.interface(0x14), 0xffu);
  EXPECT_FALSE(g.cpus.irq[0]);
}

TEST(Gic2, TheFirstOfSeveralTargetsGetsIt) {
  Two g;
  g.set(0x820, 3, 1);
  g.set(0x104, 1);
  g.gic.spi(0).set(true);
  EXPECT_TRUE(g.cpus.irq[0] && g.cpus.irq[1]);
  g.cpus.current = 1;
  EXPECT_EQ(g.acknowledge(), 32u);
  EXPECT_FALSE(g.cpus.irq[0]) << "it is active";
  g.cpus.current = 0;
  EXPECT_EQ(g.acknowledge(), 1023u);
}

TEST(Gic2, SgisNameTheirSenders) {
  Two g;
  g.set(0xf00, 2u << 16 | 5);
  g.cpus.current = 1;
  g.set(0xf00, 2u << 24 | 5);  // to itself
  EXPECT_TRUE(g.cpus.irq[1]);
  EXPECT_EQ(g.distributor(0xf14), 3u << 8);
  EXPECT_EQ(g.distributor(0x200), 1u << 5);
  EXPECT_EQ(g.acknowledge(), 5u);
  g.interface(0x10, 5);
  EXPECT_TRUE(g.cpus.irq[1]) << "the other sender's";
  EXPECT_EQ(g.acknowledge(), 1u << 10 | 5u);
  g.interface(0x10, 1u << 10 | 5);
  EXPECT_FALSE(g.cpus.irq[1]);
  g.set(0xf00, 1u << 24 | 6);  // to all others
  EXPECT_TRUE(g.cpus.irq[0]);
  EXPECT_FALSE(g.cpus.irq[1]);
  g.cpus.current = 0;
  g.set(0xf16, 2, 1);
  EXPECT_FALSE(g.cpus.irq[0]) << "taken back";
  g.set(0xf26, 1, 1);
  EXPECT_EQ(g.acknowledge(), 6u) << "as if sent by itself";
  g.set(0x200, 1);
  EXPECT_EQ(g.acknowledge(), 1023u) << "only senders make SGIs pending";
}

TEST(Gic2, EachCpuHasItsOwnPrivateInterrupts) {
  Two g;
  g.cpus.current = 1;
  g.set(0x100, 1 << 27);
  g.set(0x400 + 27, 0xa7, 1);
  EXPECT_EQ(g.distributor(0x400 + 27, 1), 0xa0u) << "five bits of priority";
  g.cpus.current = 0;
  EXPECT_EQ(g.distributor(0x100), 0xffffu);
  EXPECT_EQ(g.distributor(0x400 + 27, 1), 0u);
  g.gic.ppi(0, 11).set(true);
  g.gic.ppi(1, 11).set(true);
  EXPECT_FALSE(g.cpus.irq[0]);
  EXPECT_TRUE(g.cpus.irq[1]);
  EXPECT_EQ(g.distributor(0x800), 0x0101'0101u);
  g.cpus.current = 1;
  EXPECT_EQ(g.distributor(0x800), 0x0202'0202u);
}

TEST(Gic2, GroupsAndFiq) {
  Two g;
  g.set(0, 3);
  g.set(0x80, 1 << 4);  // SGI 4 in group 1
  g.interface(0, 0xb);  // both groups, group 0 as FIQ
  g.set(0xf00, 2u << 24 | 3);
  EXPECT_TRUE(g.cpus.fiq[0] && !g.cpus.irq[0]);
  EXPECT_EQ(g.acknowledge(), 3u);
  g.interface(0x10, 3);
  g.set(0xf00, 2u << 24 | 4);
  EXPECT_TRUE(!g.cpus.fiq[0] && g.cpus.irq[0]);
  EXPECT_EQ(g.acknowledge(), 1022u) << "of the other group";
  EXPECT_EQ(g.interface(0x18), 1022u);
  EXPECT_EQ(g.interface(0x28), 4u);
  EXPECT_EQ(g.interface(0x20), 4u);
  g.interface(0x24, 4);
  EXPECT_EQ(g.interface(0x14), 0xffu);
  g.interface(0, 7);  // either group by GICC_IAR
  g.set(0xf00, 2u << 24 | 4);
  EXPECT_EQ(g.acknowledge(), 4u);
  g.interface(0x10, 4);
  EXPECT_EQ(g.interface(0x14), 0xffu);
}

TEST(Gic2, PrioritiesPreempt) {
  Two g;
  g.set(0x400, 0x40'80'80'80);
  g.set(0xf00, 2u << 24 | 1);
  EXPECT_EQ(g.acknowledge(), 1u);
  g.set(0xf00, 2u << 24 | 2);
  EXPECT_FALSE(g.cpus.irq[0]) << "the same priority";
  g.set(0xf00, 2u << 24 | 3);
  EXPECT_TRUE(g.cpus.irq[0]);
  EXPECT_EQ(g.acknowledge(), 3u);
  EXPECT_EQ(g.interface(0x14), 0x40u);
  g.interface(0x10, 3);
  EXPECT_EQ(g.interface(0x14), 0x80u);
  g.interface(0, 0x201);  // EOI drops the priority only
  g.interface(0x10, 1);
  EXPECT_EQ(g.distributor(0x300), 2u) << "still active";
  g.interface(0x1000, 1);
  EXPECT_EQ(g.distributor(0x300), 0u);
}

TEST(Gic2, IdentifiesItself) {
  Two g;
  EXPECT_EQ(g.distributor(4), 2u | 1 << 5);
  EXPECT_EQ(g.distributor(0xfe8), 0x2bu);
  EXPECT_EQ(g.interface(0xfc) >> 16 & 15, 2u);
  Two one(1);
  EXPECT_EQ(one.distributor(0x800, 8), 0u) << "one CPU: no targets";
  one.set(0x104, 1);
  one.gic.spi(0).set(true);
  EXPECT_TRUE(one.cpus.irq[0]);
}

TEST(Gic2, IsSavedAndRestored) {
  Two first, second;
  first.set(0x820, 3, 1);
  first.set(0x104, 1);
  first.set(0xf00, 1u << 24 | 6);
  first.gic.spi(0).set(true);
  EXPECT_EQ(first.acknowledge(), 32u);
  Archive out;
  first.gic.serialize(out);
  Archive in(out.collected());
  second.gic.serialize(in);
  EXPECT_TRUE(in.good() && in.at_end());
  EXPECT_TRUE(second.cpus.irq[1]) << "the SGI";
  EXPECT_EQ(second.interface(0xd0), 1u);
  second.interface(0x10, 32);
  EXPECT_TRUE(second.cpus.irq[0]) << "the line is high";
  std::vector<u8> wrong = out.collected();
  wrong.back() = 0x80;  // a sender that does not exist
  Archive bad(wrong);
  second.gic.serialize(bad);
  EXPECT_FALSE(bad.good());
}

}  // namespace
}  // namespace tiercel::system
