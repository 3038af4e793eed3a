// Kernel files, where they are loaded, the device tree, and the virt board.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <libfdt.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>

#include "system/boards/virt.h"
#include "system/boot/kernel_image.h"
#include "tests/system/fakes.h"

namespace tiercel::system {
namespace {

using Bytes = std::vector<u8>;

Bytes image(u64 size = 4096, u64 text_offset = 0, u64 image_size = 0x10000, u64 flags = 0xa) {
  Bytes b(size, 0x1f);
  std::memcpy(b.data() + 8, &text_offset, 8);
  std::memcpy(b.data() + 16, &image_size, 8);
  std::memcpy(b.data() + 24, &flags, 8);
  std::memcpy(b.data() + 0x38, "ARM\x64", 4);
  return b;
}

Bytes gzip(const Bytes& in) {
  z_stream s = {};
  deflateInit2(&s, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&s, in.size()));
  s.next_in = const_cast<u8*>(in.data()), s.avail_in = static_cast<uInt>(in.size());
  s.next_out = out.data(), s.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&s, Z_FINISH), Z_STREAM_END);
  out.resize(s.total_out);
  deflateEnd(&s);
  return out;
}

Bytes zstd(const Bytes& in) {
  Bytes out(ZSTD_compressBound(in.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 3));
  return out;
}

Bytes zboot(const Bytes& payload, const char* method) {
  Bytes b(64 + payload.size() + 4);
  const u32 header[] = {64, static_cast<u32>(payload.size())};
  std::memcpy(b.data(), "MZ\0\0zimg", 8);
  std::memcpy(b.data() + 8, header, 8);
  std::memcpy(b.data() + 24, method, std::strlen(method));
  std::memcpy(b.data() + 64, payload.data(), payload.size());
  return b;
}

std::string refusal(Bytes file) {
  const Result<KernelImage> kernel = read_kernel_image("vmlinuz", std::move(file));
  return kernel ? "" : kernel.error().message;
}

TEST(KernelImage, IsFoundInEachWrapping) {
  const Bytes plain = image();
  for (const Bytes& file : {plain, gzip(plain), zboot(gzip(plain), "gzip"), zboot(zstd(plain), "zstd22")}) {
    const Result<KernelImage> kernel = read_kernel_image("vmlinuz", file);
    ASSERT_TRUE(kernel) << kernel.error().message;
    EXPECT_EQ(kernel->bytes, plain);
    EXPECT_EQ(kernel->memory_bytes, 0x10000u);
    EXPECT_EQ(kernel->text_offset, 0u);
  }
  EXPECT_EQ(read_kernel_image("k", image(4096, 77, 0))->text_offset, 0x80000u) << "an old kernel";
}

TEST(KernelImage, OthersAreRefusedByName) {
  const auto says = [](Bytes file, const char* what) {
    const std::string message = refusal(std::move(file));
    EXPECT_NE(message.find(what), std::string::npos) << "'" << message << "' lacks '" << what << "'";
  };
  says({}, "empty");
  says(Bytes(5000), "no known header");
  Bytes b(5000);
  std::memcpy(b.data() + 0x202, "HdrS", 4);
  says(b, "x86 kernel");
  b = Bytes(5000);
  std::memcpy(b.data(),
              "\x7f"
              "ELF",
              4);
  b[18] = 62;
  says(b, "x86-64 ELF");
  b = Bytes(64);
  std::memcpy(b.data() + 0x24, "\x18\x28\x6f\x01", 4);
  says(b, "32-bit Arm");
  says(image(4096, 0, 0x10000, 1), "big-endian");
  says(image(4096, 0, u64{1} << 40), "header asks");
  says(zboot(Bytes(10), "lzma"), "\"lzma\"");
  Bytes cut = gzip(image());
  cut.resize(cut.size() / 2);
  says(cut, "cut off");
  Bytes corrupt = gzip(image());
  corrupt[15] ^= 0xff;
  EXPECT_NE(refusal(corrupt), "");
  Bytes outside = zboot(gzip(image()), "gzip");
  outside[11] = 0x7f;
  says(outside, "outside the file");
  Bytes cut_zstd = zstd(image());
  cut_zstd.resize(cut_zstd.size() - 5);
  says(zboot(cut_zstd, "zstd22"), "zstd data");
}

TEST(LoadPlan, PutsEverythingApart) {
  const KernelImage kernel = *read_kernel_image("k", image(4096, 0, 0x300000));
  const PAddr ram{0x40000000};
  const Result<LoadPlan> plan = plan_load(ram, 64 << 20, kernel, 1 << 20);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->kernel, ram);
  EXPECT_EQ(plan->device_tree, ram + 0x400000);
  EXPECT_EQ(plan->initrd, ram + 0x600000);
  EXPECT_TRUE(plan_load(ram, (6 << 20) + 100, kernel, 100));
  EXPECT_FALSE(plan_load(ram, (6 << 20) + 99, kernel, 100));
  EXPECT_FALSE(plan_load(ram, 4 << 20, kernel, 0));
  EXPECT_FALSE(plan_load(ram, 64 << 20, kernel, ~u64{0}));
}

struct Virt {
  InsnClock clock{1000, 0};
  FakeCpus cpus{8};
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(&clock));
  FakePort serial, console;
  std::unique_ptr<VirtMachine> machine;
  explicit Virt(VirtOptions options = {}) {
    options.clock = &clock;
    options.interrupts = &cpus;
    options.loop = loop.get();
    options.serial = &serial;
    options.console = &console;
    options.entropy = [](std::span<u8> out) { std::fill(out.begin(), out.end(), u8{7}); };
    machine = std::move(*build_virt(options));
  }
  Bus& bus() { return machine->board.bus(); }
};

struct Tree {
  Bytes blob;
  std::string text(const char* path, const char* property) const {
    int length = 0;
    const void* value = fdt_getprop(blob.data(), fdt_path_offset(blob.data(), path), property, &length);
    return value ? std::string(static_cast<const char*>(value), static_cast<std::size_t>(length)) : "absent";
  }
  std::vector<u32> cells(const char* path, const char* property) const {
    const std::string bytes = text(path, property);
    std::vector<u32> out;
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      u32 cell;
      std::memcpy(&cell, bytes.data() + i, 4);
      out.push_back(fdt32_to_cpu(cell));
    }
    return out;
  }
};

TEST(Virt, TheTreeSaysWhatTheBoardHas) {
  VirtOptions options;
  options.cpus = 3;
  options.ram_bytes = 512 << 20;
  Virt virt(options);
  KernelFiles files{*read_kernel_image("k", image()), Bytes(100, 0x69), "console=ttyAMA0"};
  ASSERT_TRUE(load_kernel(*virt.machine, files));
  const Result<LoadPlan> plan = load_kernel(*virt.machine, files);  // again, as after a reset
  ASSERT_TRUE(plan);
  EXPECT_EQ(virt.bus().read(plan->kernel + 0x38, 4), 0x644d5241u);
  EXPECT_EQ(virt.bus().read(plan->initrd, 1), 0x69u);
  const std::span<u8> at = virt.bus().ram(plan->device_tree, 0x10000);
  const Tree tree{{at.begin(), at.end()}};
  ASSERT_EQ(fdt_check_full(tree.blob.data(), tree.blob.size()), 0);
  EXPECT_EQ(tree.text("/chosen", "bootargs"), std::string("console=ttyAMA0") + '\0');
  EXPECT_EQ(tree.text("/chosen", "stdout-path"), std::string("/pl011@9000000") + '\0');
  EXPECT_EQ(tree.cells("/chosen", "linux,initrd-end"),
            (std::vector<u32>{0, static_cast<u32>(plan->initrd.value) + 100}));
  EXPECT_EQ(tree.cells("/memory@40000000", "reg"), (std::vector<u32>{0, 0x40000000, 0, 512 << 20}));
  EXPECT_EQ(tree.cells("/cpus/cpu@2", "reg"), std::vector<u32>{2});
  EXPECT_EQ(tree.text("/cpus/cpu@3", "reg"), "absent");
  EXPECT_EQ(tree.cells("/pl011@9000000", "interrupts"), (std::vector<u32>{0, 1, 4}));
  EXPECT_EQ(tree.cells("/interrupt-controller@8000000", "reg"),
            (std::vector<u32>{0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0x60000}));
  EXPECT_EQ(tree.text("/virtio_mmio@a003e00", "compatible"), std::string("virtio,mmio") + '\0');
}

TEST(Virt, DevicesAnswerWhereTheTreeSays) {
  Virt virt;
  virt.bus().write(PAddr{0x9000000}, 1, 'x');
  EXPECT_EQ(virt.serial.sent, "x");
  EXPECT_EQ(virt.bus().read(PAddr{0xa000000}, 4), 0x74726976u);
  EXPECT_EQ(virt.bus().read(PAddr{0xa000008}, 4), 3u) << "the console";
  EXPECT_EQ(virt.bus().read(PAddr{0xa000208}, 4), 4u) << "random bytes";
  EXPECT_EQ(virt.bus().read(PAddr{0xa000408}, 4), 0u);
  EXPECT_EQ(virt.bus().read(PAddr{0x9020000}, 4), 0x554d4551u);
  EXPECT_FALSE(virt.bus().read(PAddr{0x9100000}, 4));
  virt.machine->timer->set_control(0, GenericTimer::kVirtual, 1);
  EXPECT_EQ(virt.bus().read(PAddr{0x80b0200}, 4), u64{1} << 27) << "compare 0 has passed: INTID 27 pends";
  virt.machine->board.reset();
  virt.machine->buttons->set_input(VirtMachine::kPowerButton, true);
  EXPECT_EQ(virt.bus().read(PAddr{0x9030020}, 4), 8u);
}

TEST(Virt, FirmwareRunsFromFlash) {
  VirtOptions options;
  std::string saved;
  Bytes firmware(8192);
  firmware[5000] = 42;
  options.flash.push_back({firmware, false, nullptr});
  options.flash.push_back({Bytes(300 << 10, 0xff), true, [&](u64 offset, std::span<const u8> bytes) {
                             saved = fmt::format("{} {}", offset, bytes.size());
                           }});
  Virt virt(options);
  ASSERT_TRUE(prepare_firmware(*virt.machine));
  EXPECT_EQ(virt.bus().read(PAddr{5000}, 1), 42u);
  EXPECT_NE(virt.bus().direct(PAddr{0}).host, nullptr);
  EXPECT_EQ(virt.bus().read(PAddr{0x40000000}, 4), 0xedfe0dd0u) << "the device tree";
  virt.bus().write(PAddr{0x4000000}, 4, 0x00400040);
  virt.bus().write(PAddr{0x4000000}, 4, 0x12345678);
  EXPECT_EQ(saved, "0 4");
  EXPECT_EQ(virt.bus().direct(PAddr{0x4000000}).host, nullptr) << "it shows its status";
  virt.machine->board.reset();
  EXPECT_EQ(*virt.bus().direct(PAddr{0x4000000}).host, 0x78);
}

TEST(Virt, RefusesAbsurdMachines) {
  VirtOptions options;
  options.cpus = 0;
  EXPECT_FALSE(build_virt(options));
  options.cpus = 9;
  EXPECT_FALSE(build_virt(options));
  options.cpus = 1;
  options.ram_bytes = u64{1} << 50;
  EXPECT_FALSE(build_virt(options));
  options.ram_bytes = 1 << 20;
  options.flash.resize(3);
  EXPECT_FALSE(build_virt(options));
  options.flash = {{Bytes(VirtOptions::kFlashBytes + 1), false, nullptr}};
  EXPECT_FALSE(build_virt(options));
  options.flash.clear();
  options.disks.resize(40);
  EXPECT_FALSE(build_virt(options));
}

}  // namespace
}  // namespace tiercel::system
