// PL011, PL031, PL061.
#include <gtest/gtest.h>

#include "system/devices/pl011.h"
#include "system/devices/pl031.h"
#include "system/devices/pl061.h"
#include "tests/system/fakes.h"

namespace tiercel::system {
namespace {

struct Uart {
  Wires wires{1};
  FakePort port;
  Pl011 device{port, wires.line(0)};
  void set(u64 offset, u64 value) { device.write(offset, 4, value); }
  u64 get(u64 offset) { return device.read(offset, 4); }
};

TEST(Pl011, SendsAndInterrupts) {
  Uart uart;
  uart.set(0x2c, 0x70);
  uart.device.write(0, 1, 'h');
  uart.device.write(0, 2, 'i');
  EXPECT_EQ(uart.port.sent, "hi");
  EXPECT_EQ(uart.get(0x18), 0x97u) << "both FIFOs are empty, the modem is ready";
  EXPECT_FALSE(uart.wires.level[0]);
  uart.set(0x38, 0x20);
  EXPECT_TRUE(uart.wires.level[0]);
  uart.set(0x44, 0x20);
  EXPECT_FALSE(uart.wires.level[0]);
}

TEST(Pl011, KeepsWhatTheOutsideHasNoRoomFor) {
  Uart uart;
  uart.set(0x2c, 0x10);
  uart.port.room = 1;
  for (int i = 0; i < 40; ++i) uart.set(0, 'a' + static_cast<u64>(i) % 26);
  EXPECT_EQ(uart.get(0x18) & 0xa8, 0x28u) << "full and busy";
  uart.port.room = 100;
  uart.port.changed();
  EXPECT_EQ(uart.port.sent, "abcdefghijklmnopqrstuvwxyzabcdefg") << "what came while it was full is lost";
  EXPECT_EQ(uart.get(0x18) & 0xa8, 0x80u);
}

TEST(Pl011, AsksForMoreOnlyWhenThereIsRoom) {
  Uart uart;
  uart.set(0x2c, 0x10);
  uart.port.room = 0;
  for (int i = 0; i < 32; ++i) uart.set(0, 'a');
  uart.port.room = 10;
  uart.port.changed();
  EXPECT_EQ(uart.get(0x3c) & 0x20, 0u) << "22 bytes still wait";
  uart.port.room = 10;
  uart.port.changed();
  EXPECT_EQ(uart.get(0x3c) & 0x20, 0x20u);
}

TEST(Pl011, ReceivesIntoTheFifo) {
  Uart uart;
  uart.set(0x2c, 0x10);
  uart.set(0x38, 0x50);
  uart.port.type("x");
  EXPECT_TRUE(uart.wires.level[0]);
  EXPECT_EQ(uart.get(0x3c), 0x40u) << "below the level of half: the timeout";
  EXPECT_EQ(uart.get(0), u64{'x'});
  EXPECT_FALSE(uart.wires.level[0]);
  EXPECT_EQ(uart.get(0), 0u);

  uart.port.type(std::string(50, 'y'));
  EXPECT_EQ(uart.get(0x3c), 0x50u);
  EXPECT_EQ(uart.get(0x18) & 0x50, 0x40u);
  int read = 0;
  while (!(uart.get(0x18) & 0x10)) read += uart.get(0) == 'y';
  EXPECT_EQ(read, 50) << "the rest waited outside";
}

TEST(Pl011, IdentifiesAsAPrimeCell) {
  Uart uart;
  u64 peripheral = 0, cell = 0;
  for (u64 i = 0; i < 4; ++i) {
    peripheral |= uart.get(0xfe0 + 4 * i) << (8 * i);
    cell |= uart.get(0xff0 + 4 * i) << (8 * i);
  }
  EXPECT_EQ(peripheral & 0xfffff, 0x41011u);
  EXPECT_EQ(cell, 0xb105f00du);
  EXPECT_EQ(uart.get(0xf00), 0u);
}

TEST(Pl031, CountsLoadsAndMatches) {
  InsnClock clock(1000, 1'000'000);
  Wires wires(1);
  Pl031 rtc(clock, wires.line(0));
  EXPECT_EQ(rtc.read(0, 4), 1'000'000u);
  clock.skip_to(3 * kNanosecondsPerSecond);
  EXPECT_EQ(rtc.read(0, 4), 1'000'003u);
  rtc.write(8, 4, 500);
  EXPECT_EQ(rtc.read(0, 4), 500u);
  rtc.write(0x10, 4, 1);
  rtc.write(4, 4, 502);
  clock.run_due();
  EXPECT_FALSE(wires.level[0]);
  clock.skip_to(5 * kNanosecondsPerSecond);
  clock.run_due();
  EXPECT_TRUE(wires.level[0]);
  EXPECT_EQ(rtc.read(0x18, 4), 1u);
  rtc.write(0x1c, 4, 1);
  EXPECT_FALSE(wires.level[0]);
}

TEST(Pl061, AButtonInterrupts) {
  Wires wires(1);
  Pl061 gpio(wires.line(0));
  gpio.write(0x40c, 4, 8);
  gpio.write(0x410, 4, 8);
  gpio.set_input(3, true);
  EXPECT_TRUE(wires.level[0]);
  EXPECT_EQ(gpio.read(8 << 2, 4), 8u);
  EXPECT_EQ(gpio.read(7 << 2, 4), 0u) << "the address masks pins";
  gpio.write(0x41c, 4, 8);
  EXPECT_FALSE(wires.level[0]) << "an edge, not a level";
  gpio.set_input(3, false);
  EXPECT_FALSE(wires.level[0]);
}

}  // namespace
}  // namespace tiercel::system
