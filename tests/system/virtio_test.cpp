// The virtio core, its MMIO transport, and the simple devices.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "system/devices/virtio/virtio_blk.h"
#include "system/devices/virtio/virtio_console.h"
#include "system/devices/virtio/virtio_net.h"
#include "system/devices/virtio/virtio_rng.h"
#include "system/host/qcow2.h"
#include "tests/system/virtio_driver.h"

namespace tiercel::system {
namespace {

void fill(std::span<u8> out) {
  std::fill(out.begin(), out.end(), u8{0xab});
}

struct Rng {
  VirtioWorld world;
  VirtioRng device{world.environment(), fill};
  VirtioDriver driver{world, device};
  /// Offers the chain at 0 and says whether the device gave up.
  bool broken_by_chain() {
    driver.offer(0, 0);
    driver.notify(0);
    return driver.get(0x70) & 0x40;
  }
};

TEST(VirtioMmio, NegotiatesAndAnswers) {
  Rng rng;
  EXPECT_EQ(rng.driver.get(0), 0x74726976u);
  EXPECT_EQ(rng.driver.get(4), 2u);
  EXPECT_EQ(rng.driver.get(8), 4u);
  rng.driver.start();
  EXPECT_EQ(rng.driver.get(0x70), 15u);
  EXPECT_EQ(rng.driver.request(0, "", 10), 10u);
  EXPECT_EQ(rng.driver.answer(0, 11), std::string(10, '\xab') + '\0');
  EXPECT_TRUE(rng.world.wires.level[0]);
  EXPECT_EQ(rng.driver.get(0x60), 1u);
  rng.driver.set(0x64, 1);
  EXPECT_FALSE(rng.world.wires.level[0]);
}

TEST(VirtioMmio, RefusesWhatWasNotOffered) {
  Rng rng;
  rng.driver.set(0x24, 0);
  rng.driver.set(0x20, 1 << 3);
  rng.driver.set(0x24, 1);
  rng.driver.set(0x20, 1);
  rng.driver.set(0x70, 11);
  EXPECT_EQ(rng.driver.get(0x70), 3u);
  rng.driver.set(0x24, 0);
  rng.driver.set(0x20, 0);
  rng.driver.set(0x70, 11);
  EXPECT_EQ(rng.driver.get(0x70), 11u);
}

TEST(VirtioMmio, AnEmptySlotHasNoDevice) {
  VirtioMmio slot(IrqLine{}, nullptr);
  EXPECT_EQ(slot.read(0, 4), 0x74726976u);
  EXPECT_EQ(slot.read(8, 4), 0u);
  EXPECT_EQ(slot.read(0x100, 1), 0u);
  slot.write(0x70, 4, 1);
  EXPECT_EQ(slot.read(0x70, 4), 0u);
  slot.reset();
}

TEST(Virtqueue, ChainsAndIndirectTablesAreFollowed) {
  Rng rng;
  rng.driver.start();
  const u64 data = VirtioDriver::data(0);
  rng.driver.descriptor(0, 0, data, 3, 3, 5);
  rng.driver.descriptor(0, 5, data + 0x100, 0, 3, 7);
  rng.driver.descriptor(0, 7, data + 0x200, 4, 2, 0);
  EXPECT_FALSE(rng.broken_by_chain());
  EXPECT_EQ(rng.driver.used(0), 1);
  EXPECT_EQ(*rng.world.at(data + 0x203), 0xab);
  EXPECT_EQ(*rng.world.at(data + 3), 0);

  // Sixteen entries, as many as the queue has, in a table of their own.
  for (u16 i = 0; i < 16; ++i) {
    rng.world.put<u64>(data + 0x1000 + 16 * i, data + 0x300 + i);
    rng.world.put<u32>(data + 0x1008 + 16 * i, 1);
    rng.world.put<u16>(data + 0x100c + 16 * i, i < 15 ? 3 : 2);
    rng.world.put<u16>(data + 0x100e + 16 * i, static_cast<u16>(i + 1));
  }
  rng.driver.descriptor(0, 0, data + 0x1000, 256, 4, 0);
  EXPECT_FALSE(rng.broken_by_chain());
  EXPECT_EQ(rng.world.get<u32>(VirtioDriver::device_area(0) + 4 + 8 + 4), 16u);
}

TEST(Virtqueue, LiesNeedAReset) {
  struct Lie {
    const char* what;
    u64 address;
    u32 length;
    u16 flags, next;
  };
  const u64 data = VirtioDriver::data(0), end = VirtioWorld::kRam + VirtioWorld::kRamBytes;
  const Lie lies[] = {
      {"a loop", data, 1, 3, 0},
      {"a next beyond the table", data, 1, 3, 16},
      {"an address outside RAM", 0x1000, 1, 2, 0},
      {"an end outside RAM", end - 4, 5, 2, 0},
      {"a length that wraps", ~u64{0} - 3, 8, 2, 0},
      {"an indirect table outside RAM", 0x1000, 16, 4, 0},
      {"half an indirect entry", data, 24, 4, 0},
      {"no indirect entry", data, 0, 4, 0},
      {"indirect and next", data, 16, 5, 1},
  };
  for (const Lie& lie : lies) {
    Rng rng;
    rng.driver.start();
    rng.driver.descriptor(0, 0, lie.address, lie.length, lie.flags, lie.next);
    EXPECT_TRUE(rng.broken_by_chain()) << lie.what;
    EXPECT_EQ(rng.driver.get(0x60), 2u) << lie.what << ": a configuration change tells the driver";
    EXPECT_EQ(rng.driver.used(0), 0) << lie.what;
    rng.driver.start();
    EXPECT_EQ(rng.driver.request(0, "", 4), 4u) << "a reset mends it";
  }
}

TEST(Virtqueue, NestedTablesAndImpossibleIndicesNeedAReset) {
  Rng rng;
  rng.driver.start();
  const u64 data = VirtioDriver::data(0);
  rng.world.put<u64>(data, data);
  rng.world.put<u32>(data + 8, 16);
  rng.world.put<u16>(data + 12, 4);
  rng.driver.descriptor(0, 0, data, 16, 4, 0);
  EXPECT_TRUE(rng.broken_by_chain()) << "indirect in indirect";

  rng.driver.start();
  rng.world.put<u16>(VirtioDriver::driver_area(0) + 2, 17);
  rng.driver.notify(0);
  EXPECT_TRUE(rng.driver.get(0x70) & 0x40) << "more requests than the queue has room for";

  rng.driver.start();
  rng.driver.descriptor(0, 0, data, 4, 3, 1);
  rng.driver.descriptor(0, 1, data, 4, 0, 0);
  EXPECT_TRUE(rng.broken_by_chain()) << "the driver's bytes behind the device's";
}

TEST(Virtqueue, AreasMustBeAlignedRam) {
  for (const u64 address : {u64{0x1000}, VirtioDriver::descriptors(0) + 8, ~u64{0} - 15}) {
    Rng rng;
    rng.driver.start();
    rng.driver.set(0x30, 0);
    rng.driver.set(0x44, 0);
    rng.driver.set(0x38, 16);
    rng.driver.set(0x80, static_cast<u32>(address));
    rng.driver.set(0x84, static_cast<u32>(address >> 32));
    rng.driver.set(0x44, 1);
    EXPECT_EQ(rng.driver.get(0x44), 0u);
    EXPECT_TRUE(rng.driver.get(0x70) & 0x40);
  }
  Rng rng;
  rng.driver.start();
  rng.driver.set(0x30, 0);
  rng.driver.set(0x44, 0);
  rng.driver.set(0x38, 24);
  rng.driver.set(0x44, 1);
  EXPECT_EQ(rng.driver.get(0x44), 0u) << "not a power of two";
}

TEST(Virtqueue, EventIndicesHoldBackInterrupts) {
  Rng rng;
  rng.driver.start(0);
  const u64 used_event = VirtioDriver::driver_area(0) + 4 + 2 * VirtioDriver::kSize;
  rng.world.put<u16>(used_event, 1);
  rng.driver.request(0, "", 1);
  EXPECT_FALSE(rng.world.wires.level[0]);
  rng.driver.request(0, "", 1);
  EXPECT_TRUE(rng.world.wires.level[0]);
  const u64 available_event = VirtioDriver::device_area(0) + 4 + 8 * VirtioDriver::kSize;
  EXPECT_EQ(rng.world.get<u16>(available_event), 2) << "the device says what it waits for";
}

TEST(Virtqueue, DmaIsAnnounced) {
  Rng rng;
  u64 announced = 0;
  rng.world.bus.on_written([&](PAddr, u64 bytes) { announced += bytes; });
  rng.driver.start();
  rng.driver.request(0, "", 10);
  EXPECT_EQ(announced, 10u);
}

struct Disk {
  std::string path = testing::TempDir() + "/tiercel-disk-test";
  std::unique_ptr<BlockStore> store;
  VirtioWorld world;
  std::unique_ptr<VirtioBlk> device;
  std::unique_ptr<VirtioDriver> driver;
  explicit Disk(bool read_only = false) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    EXPECT_EQ(pwrite(fd, "hello", 5, 512), 5);
    EXPECT_EQ(ftruncate(fd, 8192), 0);
    close(fd);
    store = std::move(*open_disk(path, read_only));
    device = std::make_unique<VirtioBlk>(world.environment(), *store, "serial-1");
    driver = std::make_unique<VirtioDriver>(world, *device);
    driver->start();
  }
  ~Disk() { unlink(path.c_str()); }
  static std::string header(u32 type, u64 sector) {
    std::string h(16, 0);
    std::memcpy(h.data(), &type, 4);
    std::memcpy(h.data() + 8, &sector, 8);
    return h;
  }
  int status(u32 room) { return driver->answer(0, room)[room - 1]; }
};

TEST(VirtioBlk, ReadsAndWrites) {
  Disk disk;
  EXPECT_EQ(disk.driver->get(0x100), 16u) << "capacity in sectors";
  EXPECT_EQ(disk.driver->request(0, Disk::header(0, 1), 513), 513u);
  EXPECT_EQ(disk.driver->answer(0, 5), "hello");
  EXPECT_EQ(disk.status(513), 0);
  EXPECT_EQ(disk.driver->request(0, Disk::header(1, 3) + std::string(1024, 'w'), 1), 1u);
  EXPECT_EQ(disk.status(1), 0);
  EXPECT_EQ(disk.driver->request(0, Disk::header(4, 0), 1), 1u);
  EXPECT_EQ(disk.driver->request(0, Disk::header(0, 4), 513), 513u);
  EXPECT_EQ(disk.driver->answer(0, 512), std::string(512, 'w'));
  EXPECT_EQ(disk.driver->request(0, Disk::header(8, 0), 31), 20u) << "a shorter answer than its room";
  EXPECT_EQ(disk.driver->answer(0, 8), "serial-1");
}

TEST(VirtioBlk, StaysOnTheDisk) {
  Disk disk;
  disk.driver->request(0, Disk::header(0, 16), 513);
  EXPECT_EQ(disk.status(513), 1);
  disk.driver->request(0, Disk::header(0, 15), 1025);
  EXPECT_EQ(disk.status(1025), 1);
  disk.driver->request(0, Disk::header(0, ~u64{0}), 513);
  EXPECT_EQ(disk.status(513), 1);
  disk.driver->request(0, Disk::header(0, 0), 101);
  EXPECT_EQ(disk.status(101), 1) << "no part of a sector";
  disk.driver->request(0, Disk::header(99, 0), 1);
  EXPECT_EQ(disk.status(1), 2);
  disk.driver->request(0, "short", 1);
  EXPECT_EQ(disk.status(1), 1);
  disk.driver->request(0, Disk::header(0, 0), 0);
  EXPECT_TRUE(disk.driver->get(0x70) & 0x40) << "no room for a status";
}

TEST(VirtioBlk, ZeroesRanges) {
  Disk disk;
  const auto range = [](u64 sector, u32 sectors, u32 flags) {
    std::string r(16, 0);
    std::memcpy(r.data(), &sector, 8);
    std::memcpy(r.data() + 8, &sectors, 4);
    std::memcpy(r.data() + 12, &flags, 4);
    return r;
  };
  disk.driver->request(0, Disk::header(13, 0) + range(1, 1, 1), 1);
  EXPECT_EQ(disk.status(1), 0);
  disk.driver->request(0, Disk::header(0, 1), 513);
  EXPECT_EQ(disk.driver->answer(0, 512), std::string(512, 0));
  disk.driver->request(0, Disk::header(11, 0) + range(0, 1, 1), 1);
  EXPECT_EQ(disk.status(1), 2) << "discard has no flags";
  disk.driver->request(0, Disk::header(13, 0) + range(15, 2, 0), 1);
  EXPECT_EQ(disk.status(1), 1);
}

TEST(VirtioBlk, ReadOnlyDisksAreNotWritten) {
  Disk disk(true);
  disk.driver->set(0x14, 0);
  EXPECT_TRUE(disk.driver->get(0x10) & 0x20);
  disk.driver->request(0, Disk::header(1, 1) + std::string(512, 'w'), 1);
  EXPECT_EQ(disk.status(1), 1);
}

TEST(RawDisk, IsNotOpenedTwiceForWriting) {
  Disk disk;
  const auto second = open_disk(disk.path, false);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("in use"), std::string::npos);
  EXPECT_FALSE(open_disk("/nonexistent/disk", true));
}

TEST(VirtioConsole, PassesBytesBothWays) {
  VirtioWorld world;
  FakePort port;
  VirtioConsole device(world.environment(), port);
  VirtioDriver driver(world, device);
  driver.start();
  EXPECT_EQ(driver.request(1, "hello", 0), 0u);
  EXPECT_EQ(port.sent, "hello");
  EXPECT_EQ(driver.request(0, "", 8), ~u32{0}) << "nothing typed yet: the buffer stays";
  port.type("abc");
  EXPECT_EQ(driver.used(0), 1);
  EXPECT_EQ(driver.answer(0, 3), "abc");
  port.type("more");
  EXPECT_EQ(port.input, "more") << "waits for a buffer";
  EXPECT_EQ(driver.request(0, "", 8), 4u);
  port.room = 2;
  driver.request(1, "wxyz", 0);
  driver.request(1, "again", 0);
  EXPECT_EQ(port.sent, "hellowx");
  port.room = 100;
  port.changed();
  EXPECT_EQ(port.sent, "hellowxyzagain");
  device.resize(80, 25);
  EXPECT_EQ(driver.get(0x100), u32{25} << 16 | 80);
}

class FakeCable final : public PacketPort {
 public:
  void send(std::span<const u8> frame) override { sent.emplace_back(frame.begin(), frame.end()); }
  void on_receive(std::function<void(std::span<const u8>)> hook) override { receive = std::move(hook); }
  std::vector<std::string> sent;
  std::function<void(std::span<const u8>)> receive;
};

TEST(VirtioNet, PassesFramesBothWays) {
  VirtioWorld world;
  FakeCable cable;
  VirtioNet device(world.environment(), cable, {2, 0, 0, 0, 0, 1});
  VirtioDriver driver(world, device);
  driver.start();
  EXPECT_EQ(driver.get(0x100), 2u);
  driver.request(1, std::string(12, 0) + "frame", 0);
  EXPECT_EQ(cable.sent, std::vector<std::string>{"frame"});
  driver.request(1, "short", 0);
  EXPECT_EQ(cable.sent.size(), 1u);
  const std::string frame = "to the guest";
  const std::span<const u8> bytes{reinterpret_cast<const u8*>(frame.data()), frame.size()};
  cable.receive(bytes);
  EXPECT_EQ(driver.request(0, "", 100), 24u) << "it waited for a buffer";
  EXPECT_EQ(driver.answer(0, 24).substr(12), frame);
  EXPECT_EQ(driver.answer(0, 1), "\x02");
  cable.receive(bytes);
  EXPECT_EQ(driver.request(0, "", 20), 0u) << "too small a buffer";
  for (int i = 0; i < 1000; ++i) cable.receive(bytes);
}

}  // namespace
}  // namespace tiercel::system
