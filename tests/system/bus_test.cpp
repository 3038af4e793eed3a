// Routing of physical addresses, RAM, time, and the event loop.
#include "system/bus/bus.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "system/bus/clock.h"
#include "system/bus/ram.h"
#include "system/host/event_loop.h"

namespace tiercel::system {
namespace {

/// Remembers its accesses; reads give the offset plus one.
class Echo final : public Device {
 public:
  u64 read(u64 offset, unsigned bytes) override {
    sizes.push_back(bytes);
    return offset + 1;
  }
  void write(u64 offset, unsigned bytes, u64 value) override {
    sizes.push_back(bytes);
    last_offset = offset;
    last_value = value;
  }
  void reset() override {}
  void serialize(Archive&) override {}
  std::vector<unsigned> sizes;
  u64 last_offset = 0, last_value = 0;
};

TEST(Bus, RoutesBySizeAndAddress) {
  Result<Ram> ram = Ram::create(2 * kPageSize);
  ASSERT_TRUE(ram);
  Echo device;
  Bus bus;
  bus.add_device(PAddr{0x1000}, 0x100, device);
  bus.add_ram(PAddr{0x10000}, ram->bytes());

  EXPECT_TRUE(bus.write(PAddr{0x10008}, 8, 0x1122334455667788));
  EXPECT_EQ(bus.read(PAddr{0x1000a}, 2), 0x5566u);
  EXPECT_EQ(bus.read(PAddr{0x1000b}, 4), 0x22334455u) << "RAM may be misaligned";
  EXPECT_EQ(bus.read(PAddr{0x1010}, 4), 0x11u);
  EXPECT_TRUE(bus.write(PAddr{0x10f8}, 8, ~u64{0}));
  EXPECT_EQ(device.last_offset, 0xf8u);
  EXPECT_TRUE(bus.write(PAddr{0x10fc}, 2, 0x12345678));
  EXPECT_EQ(device.last_value, 0x5678u) << "no bits beyond the access";
}

TEST(Bus, NothingThereIsNoValue) {
  Result<Ram> ram = Ram::create(1);
  Bus bus;
  bus.add_ram(PAddr{0x10000}, ram->bytes());
  EXPECT_FALSE(bus.read(PAddr{0}, 4));
  EXPECT_FALSE(bus.read(PAddr{0xfffe}, 4)) << "half of it is there";
  EXPECT_FALSE(bus.read(PAddr{0x10ffe}, 4));
  EXPECT_FALSE(bus.read(PAddr{~u64{0}}, 8)) << "wraps around";
  EXPECT_FALSE(bus.write(PAddr{0x11000}, 1, 0));
}

TEST(Bus, MisalignedDeviceAccessIsBytes) {
  Echo device;
  Bus bus;
  bus.add_device(PAddr{0x1000}, 0x10, device);
  EXPECT_EQ(bus.read(PAddr{0x1001}, 2), 0x0302u);
  EXPECT_EQ(device.sizes, (std::vector<unsigned>{1, 1}));
}

TEST(Bus, DmaStaysInRam) {
  Result<Ram> ram = Ram::create(kPageSize);
  Echo device;
  Bus bus;
  bus.add_ram(PAddr{0x10000}, ram->bytes());
  bus.add_device(PAddr{0x11000}, 0x1000, device);
  PAddr told{0};
  bus.on_written([&](PAddr at, u64) { told = at; });
  const u8 data[4] = {1, 2, 3, 4};
  EXPECT_TRUE(bus.store(PAddr{0x10ffc}, data));
  EXPECT_EQ(told, PAddr{0x10ffc});
  EXPECT_FALSE(bus.store(PAddr{0x10ffd}, data));
  EXPECT_FALSE(bus.store(PAddr{0x11000}, data)) << "a device is not memory";
  EXPECT_TRUE(bus.ram(PAddr{0x10000}, ~u64{0}).empty());
  EXPECT_TRUE(bus.ram(PAddr{~u64{0}}, 2).empty());
}

TEST(Bus, RomIsReadInPlaceUntilItsDeviceSaysNo) {
  Result<Ram> pages = Ram::create(kPageSize);
  pages->bytes()[8] = 42;
  Echo device;
  Bus bus;
  bus.add_rom(PAddr{0}, pages->bytes(), device);
  int remaps = 0;
  bus.on_remap([&] { ++remaps; });
  const Bus::Direct direct = bus.direct(PAddr{8});
  ASSERT_NE(direct.host, nullptr);
  EXPECT_EQ(*direct.host, 42);
  EXPECT_EQ(direct.bytes, kPageSize - 8);
  EXPECT_FALSE(direct.writable);
  EXPECT_TRUE(bus.ram(PAddr{0}, 8).empty()) << "DMA must not write flash";
  bus.set_readable(PAddr{0}, false);
  EXPECT_EQ(bus.direct(PAddr{8}).host, nullptr);
  bus.set_readable(PAddr{0}, false);
  EXPECT_EQ(remaps, 1);
}

TEST(Ram, RefusesAbsurdSizes) {
  EXPECT_FALSE(Ram::create(0));
  EXPECT_FALSE(Ram::create(~u64{0}));
  const Result<Ram> huge = Ram::create(u64{1} << 60);
  ASSERT_FALSE(huge);
  EXPECT_NE(huge.error().message.find("1152921504606846976"), std::string::npos) << huge.error().message;
}

TEST(Ram, ClearsToZero) {
  Result<Ram> ram = Ram::create(4 * kPageSize);
  ram->bytes()[5000] = 1;
  ram->clear();
  EXPECT_EQ(ram->bytes()[5000], 0);
}

TEST(Clock, FiresInOrderAndOnce) {
  InsnClock clock(500, 1'700'000'000);
  std::string order;
  const auto b = clock.add_timer([&] { order += 'b'; });
  const auto a = clock.add_timer([&] { order += 'a'; });
  const auto never = clock.add_timer([&] { order += 'n'; });
  clock.arm(b, 200);
  clock.arm(a, 100);
  clock.arm(never, 150);
  clock.disarm(never);
  clock.retire(199);
  EXPECT_EQ(clock.now(), 99u);
  clock.run_due();
  EXPECT_EQ(order, "");
  EXPECT_EQ(clock.insns_until(100), 1u);
  clock.skip_to(clock.next_deadline());
  clock.run_due();
  EXPECT_EQ(order, "a");
  clock.skip_to(1000);
  clock.run_due();
  clock.run_due();
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(clock.next_deadline(), Clock::kNever);
  EXPECT_EQ(clock.insns_until(Clock::kNever), Clock::kNever);
  clock.skip_to(Clock::kNever);
  clock.skip_to(u64{1} << 62);
  EXPECT_EQ(clock.now(), 1000u) << "centuries away: nothing wakes the machine";
}

TEST(Clock, StandsStillWhilePaused) {
  RealClock clock;
  clock.pause();
  const u64 at = clock.now();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(clock.now(), at);
  clock.resume();
  EXPECT_LT(clock.now() - at, 1'000'000u) << "the pause does not count";
}

TEST(EventLoop, RunsBellsDescriptorsAndTimersOnItsThread) {
  RealClock clock;
  Result<std::unique_ptr<EventLoop>> loop = EventLoop::create(&clock);
  ASSERT_TRUE(loop);
  std::atomic<int> rings{0}, bytes{0}, fired{0};
  auto& bell = (*loop)->add_doorbell([&] { ++rings; });
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  (*loop)->watch(ends[0], EPOLLIN, [&](u32) {
    char c;
    if (read(ends[0], &c, 1) == 1) ++bytes;
  });
  const auto timer = clock.add_timer([&] { ++fired; });
  (*loop)->start();
  bell.ring();
  EXPECT_EQ(write(ends[1], "x", 1), 1);
  clock.arm(timer, clock.now() + 300'000);
  for (int i = 0; i < 5000 && (rings == 0 || bytes == 0 || fired == 0); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  (*loop)->stop();
  EXPECT_EQ(rings, 1);
  EXPECT_EQ(bytes, 1);
  EXPECT_EQ(fired, 1);
  bell.ring();
  (*loop)->run_once(0);
  EXPECT_EQ(rings, 2) << "without a thread the caller runs it";
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace tiercel::system
