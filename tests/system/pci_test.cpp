// PCI functions, MSI-X, and virtio over them.
#include <gtest/gtest.h>

#include "system/devices/pci/pci_host.h"
#include "system/devices/virtio/virtio_pci.h"
#include "system/devices/virtio/virtio_rng.h"
#include "tests/system/virtio_driver.h"

namespace tiercel::system {
namespace {

void fill(std::span<u8> out) {
  std::fill(out.begin(), out.end(), u8{0xab});
}

struct Pci {
  static constexpr u64 kSlot = 1 << 15, kWindow = 0x10000000, kBar0 = 0x10004000, kBar1 = 0x10001000;
  VirtioWorld world;
  Wires wires{4};
  std::vector<std::pair<u64, u32>> messages;
  VirtioRng rng{world.environment(), fill};
  VirtioPci function{rng, [this](u64 address, u32 data) { messages.push_back({address, data}); }};
  PciHost host{{wires.line(0), wires.line(1), wires.line(2), wires.line(3)}};
  PciHost::Window window{host, PAddr{kWindow}};
  Pci() {
    host.add(1, function);
    config_write(0x10, 4, kBar0);
    config_write(0x14, 4, kBar1);
    config_write(4, 2, 6);
  }
  u64 config(u64 offset, unsigned bytes) { return host.read(kSlot + offset, bytes); }
  void config_write(u64 offset, unsigned bytes, u64 value) { host.write(kSlot + offset, bytes, value); }
  void set(u64 offset, unsigned bytes, u64 value) { window.write(kBar0 - kWindow + offset, bytes, value); }
  u64 get(u64 offset, unsigned bytes) { return window.read(kBar0 - kWindow + offset, bytes); }
  void msix(u64 offset, u64 value) { window.write(kBar1 - kWindow + offset, 4, value); }
  /// The configuration space offset of the capability with that ID whose byte 3 is `type`, or of any if type is -1.
  u64 capability(u8 id, int type) {
    for (u64 at = config(0x34, 1); at != 0; at = config(at + 1, 1))
      if (config(at, 1) == id && (type < 0 || config(at + 3, 1) == static_cast<u64>(type))) return at;
    return 0;
  }
  void start() {
    set(0x14, 1, 3);
    set(0x08, 4, 1), set(0x0c, 4, 1);
    set(0x14, 1, 11);
    set(0x16, 2, 0);
    set(0x18, 2, 16);
    set(0x20, 8, VirtioDriver::descriptors(0));
    set(0x28, 4, VirtioDriver::driver_area(0)), set(0x2c, 4, 0);
    set(0x30, 8, VirtioDriver::device_area(0));
    set(0x1c, 2, 1);
    set(0x14, 1, 15);
  }
  void request() {
    const u64 data = VirtioDriver::data(0);
    world.put<u64>(VirtioDriver::descriptors(0), data);
    world.put<u32>(VirtioDriver::descriptors(0) + 8, 4);
    world.put<u16>(VirtioDriver::descriptors(0) + 12, 2);
    world.put<u16>(VirtioDriver::driver_area(0) + 2,
                   static_cast<u16>(world.get<u16>(VirtioDriver::driver_area(0) + 2) + 1));
    set(0x3000, 2, 0);
    world.loop->run_once(0);
  }
};

TEST(Pci, ConfigurationSpaceSaysWhatIsThere) {
  Pci pci;
  EXPECT_EQ(pci.config(0, 4), 0x10441af4u);
  EXPECT_EQ(pci.host.read(2 * Pci::kSlot, 4) & 0xffffffff, 0xffffffffu) << "an empty slot";
  EXPECT_EQ(pci.host.read(Pci::kSlot + 0x1000, 2) & 0xffff, 0xffffu) << "no function 1";
  pci.config_write(0, 4, 0);
  EXPECT_EQ(pci.config(0, 2), 0x1af4u);
  pci.config_write(0x10, 4, 0xffffffff);
  EXPECT_EQ(pci.config(0x10, 4), 0xffffc000u) << "16 KiB";
  pci.config_write(0x18, 4, 0xffffffff);
  EXPECT_EQ(pci.config(0x18, 4), 0u) << "no such BAR";
  for (int type = 1; type <= 5; ++type) EXPECT_NE(pci.capability(9, type), 0u) << type;
  EXPECT_EQ(pci.config(pci.capability(0x11, -1) + 2, 2), 1u) << "two vectors";
}

TEST(Pci, BarsAnswerWhereTheyAreMapped) {
  Pci pci;
  EXPECT_EQ(pci.get(0x12, 2), 1u) << "one queue";
  pci.config_write(4, 2, 0);
  EXPECT_EQ(pci.get(0x12, 2), ~u64{0}) << "memory space is off";
  pci.config_write(4, 2, 2);
  pci.config_write(0x10, 4, 0x20000000);
  EXPECT_EQ(pci.window.read(0x20000012 - Pci::kWindow, 2), 1u);
}

TEST(VirtioPci, RunsARequestWithIntx) {
  Pci pci;
  EXPECT_EQ((pci.set(0x16, 2, 0), pci.get(0x18, 2)), 64u) << "the largest size, before the driver chose";
  EXPECT_EQ((pci.set(0x16, 2, 1), pci.get(0x18, 2)), 0u);
  pci.start();
  pci.request();
  EXPECT_EQ(*pci.world.at(VirtioDriver::data(0)), 0xab);
  EXPECT_TRUE(pci.wires.level[1]) << "slot 1";
  EXPECT_EQ(pci.config(6, 1) & 8, 8u);
  pci.config_write(4, 2, 0x406);
  EXPECT_FALSE(pci.wires.level[1]) << "disabled";
  pci.config_write(4, 2, 6);
  EXPECT_EQ(pci.get(0x1000, 1), 1u);
  EXPECT_FALSE(pci.wires.level[1]) << "reading the ISR acknowledges";
  EXPECT_EQ(pci.get(0x1000, 1), 0u);
}

TEST(VirtioPci, RunsRequestsWithMessages) {
  Pci pci;
  const u64 msix = pci.capability(0x11, -1);
  pci.msix(0x10, 0x8020040), pci.msix(0x14, 0), pci.msix(0x18, 99);
  pci.config_write(msix + 2, 2, 0x8000);
  pci.set(0x16, 2, 0), pci.set(0x1a, 2, 1);
  EXPECT_EQ(pci.get(0x1a, 2), 1u);
  pci.set(0x1a, 2, 7);
  EXPECT_EQ(pci.get(0x1a, 2), 0xffffu) << "there is no such vector";
  pci.set(0x1a, 2, 1);
  pci.start();
  pci.request();
  EXPECT_TRUE(pci.messages.empty()) << "masked";
  EXPECT_EQ(pci.window.read(Pci::kBar1 + 0x800 - Pci::kWindow, 4), 2u) << "and pending";
  pci.msix(0x1c, 0);
  EXPECT_EQ(pci.messages, (std::vector<std::pair<u64, u32>>{{0x8020040, 99}}));
  pci.request();
  EXPECT_EQ(pci.messages.size(), 2u);
  EXPECT_FALSE(pci.wires.level[1]);
  pci.host.reset();
  EXPECT_EQ(pci.config(msix + 2, 2), 1u);
  pci.config_write(4, 2, 2);
  EXPECT_EQ(pci.config(0x10, 4), 0u);
}

TEST(VirtioPci, TheConfigurationWindowReachesTheBar) {
  Pci pci;
  const u64 window = pci.capability(9, 5);
  pci.config_write(window + 8, 4, 0x14);
  pci.config_write(window + 12, 4, 1);
  pci.config_write(window + 16, 1, 3);
  EXPECT_EQ(pci.get(0x14, 1), 3u);
  EXPECT_EQ(pci.config(window + 16, 1), 3u);
  pci.config_write(window + 8, 4, 0xfffffff0);
  pci.config_write(window + 12, 4, 4);
  pci.config_write(window + 16, 4, 1);
  pci.config_write(window + 12, 4, 3);
  pci.config(window + 16, 4);
}

}  // namespace
}  // namespace tiercel::system
