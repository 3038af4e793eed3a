// What firmware uses: flash and fw_cfg.
#include <gtest/gtest.h>

#include <cstring>

#include "system/bus/ram.h"
#include "system/devices/fw_cfg.h"
#include "system/devices/pflash.h"

namespace tiercel::system {
namespace {

struct Flash {
  std::vector<u8> memory = std::vector<u8>(2 * Pflash::kBlockBytes, 0xff);
  bool readable = true;
  std::vector<std::pair<u64, u64>> changes;
  Pflash device;
  explicit Flash(bool writable = true)
      : device(memory,
               {[this](bool r) { readable = r; },
                [this](u64 o, u64 n) {
                  changes.push_back({o, n});
                }},
               writable) {}
  void set(u64 offset, u64 value) { device.write(offset, 4, value); }
  u64 get(u64 offset) { return device.read(offset, 4); }
};

TEST(Pflash, ProgramsWordsAndErasesBlocks) {
  Flash flash;
  EXPECT_EQ(flash.get(0x100), 0xffffffffu);
  flash.set(0x100, 0x00400040);
  EXPECT_FALSE(flash.readable);
  flash.set(0x100, 0x12345678);
  EXPECT_EQ(flash.get(0x100), 0x00800080u) << "both chips are ready";
  flash.set(0, 0x00ff00ff);
  EXPECT_TRUE(flash.readable);
  EXPECT_EQ(flash.get(0x100), 0x12345678u);
  flash.set(0x100, 0x00400040);
  flash.set(0x100, 0xffff0000);
  flash.set(0, 0x00ff00ff);
  EXPECT_EQ(flash.get(0x100), 0x12340000u) << "programming only clears bits";
  flash.set(0x40, 0x00200020);
  flash.set(0x40, 0x00d000d0);
  flash.set(0, 0x00ff00ff);
  EXPECT_EQ(flash.get(0x100), 0xffffffffu);
  EXPECT_EQ(flash.changes.back(), (std::pair<u64, u64>{0, Pflash::kBlockBytes}));
}

TEST(Pflash, ProgramsBuffers) {
  Flash flash;
  flash.set(0x1000, 0x00e800e8);
  EXPECT_EQ(flash.get(0x1000), 0x00800080u);
  flash.set(0x1000, 0x00010001);
  flash.set(0x1000, 0x11111111);
  flash.set(0x1004, 0x22222222);
  flash.set(0x1000, 0x00d000d0);
  EXPECT_EQ(flash.get(0x1000), 0x00800080u);
  flash.set(0, 0x00ff00ff);
  EXPECT_EQ(flash.get(0x1004), 0x22222222u);
  flash.set(0x1000, 0x00e800e8);
  flash.set(0x1000, 0xffffffff);
  EXPECT_EQ(flash.get(0x1000), 0x00b000b0u) << "a buffer has room for 1024 words";
}

TEST(Pflash, SaysWhatItIs) {
  Flash flash;
  flash.set(0x55 * 4, 0x00980098);
  EXPECT_EQ(flash.get(0x10 * 4), u64{'Q'} << 16 | 'Q');
  EXPECT_EQ(flash.get(0x27 * 4) & 0xff, 18u) << "each chip has 256 KiB";
  flash.set(0, 0x00900090);
  EXPECT_EQ(flash.get(0), 0x00890089u);
  flash.device.reset();
  EXPECT_TRUE(flash.readable);
}

TEST(Pflash, WriteProtectedIsAnError) {
  Flash flash(false);
  flash.set(0, 0x00400040);
  flash.set(0, 0);
  EXPECT_EQ(flash.get(0), 0x00900090u);
  EXPECT_EQ(flash.memory[0], 0xff);
}

TEST(Pflash, IgnoresWhatIsNoCommand) {
  Flash flash;
  flash.set(0x100, 0x17384);
  EXPECT_TRUE(flash.readable) << "firmware that runs in flash stores to its variables there";
  EXPECT_EQ(flash.get(0x100), 0xffffffffu);
}

TEST(FwCfg, GivesItemsByRegisterAndByDma) {
  Ram ram = std::move(*Ram::create(kPageSize));
  Bus bus;
  bus.add_ram(PAddr{0x1000}, ram.bytes());
  FwCfg device(bus);
  device.add_file("etc/name", {'a', 'b', 'c'});
  device.write(8, 2, 0x1900);
  std::string directory;
  for (int i = 0; i < 68; ++i) directory += static_cast<char>(device.read(0, 1));
  EXPECT_EQ(directory.substr(0, 10), std::string("\0\0\0\1\0\0\0\3\0\x20", 10));
  EXPECT_STREQ(directory.c_str() + 12, "etc/name");
  EXPECT_EQ(device.read(0, 1), 0u);
  EXPECT_EQ(device.read(16, 8), 0x4746432055'4d4551u) << "the DMA interface's signature";

  const u8 request[16] = {0, 0x20, 0, 8 | 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0x11, 0};
  std::memcpy(ram.bytes().data(), request, 16);
  std::memset(ram.bytes().data() + 0x100, 0xee, 8);
  device.write(16, 8, __builtin_bswap64(0x1000));
  EXPECT_EQ(std::string(reinterpret_cast<char*>(ram.bytes().data()) + 0x100, 6), std::string("abc\0\0\xee", 6));
  EXPECT_EQ(bus.read(PAddr{0x1000}, 4), 0u);

  ram.bytes()[3] = 2;
  ram.bytes()[14] = 0x40;
  device.write(16, 4, 0);
  device.write(20, 4, __builtin_bswap32(0x1000));
  EXPECT_EQ(bus.read(PAddr{0x1000}, 4), 0x01000000u) << "no RAM there";
  device.write(16, 8, __builtin_bswap64(0xffffffff));
}

}  // namespace
}  // namespace tiercel::system
