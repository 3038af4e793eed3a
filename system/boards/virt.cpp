#include "system/boards/virt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "base/bits.h"
#include "base/check.h"
#include "system/devices/pci/pci_host.h"
#include "system/devices/pflash.h"
#include "system/devices/pl011.h"
#include "system/devices/pl031.h"
#include "system/devices/virtio/virtio_9p.h"
#include "system/devices/virtio/virtio_blk.h"
#include "system/devices/virtio/virtio_console.h"
#include "system/devices/virtio/virtio_mmio.h"
#include "system/devices/virtio/virtio_pci.h"
#include "system/interrupt/gic2.h"
#include "system/interrupt/gicv2m.h"

namespace tiercel::system {
namespace {

constexpr MemoryRange kDistributor{PAddr{0x0800'0000}, Gic3::kDistributorBytes};
constexpr MemoryRange kMessages{PAddr{0x0802'0000}, Gicv2mFrame::kBytes};
constexpr MemoryRange kInterfaces{PAddr{0x0801'0000}, Gic2::kInterfaceBytes};
constexpr PAddr kRedistributors{0x080a'0000};
constexpr MemoryRange kUart{PAddr{0x0900'0000}, 0x1000};
constexpr MemoryRange kClock{PAddr{0x0901'0000}, 0x1000};
constexpr MemoryRange kFwCfg{PAddr{0x0902'0000}, FwCfg::kBytes};
constexpr MemoryRange kButtons{PAddr{0x0903'0000}, 0x1000};
constexpr PAddr kVirtio{0x0a00'0000};
constexpr MemoryRange kPciMemory{PAddr{0x1000'0000}, 0x2eff'0000};
constexpr MemoryRange kPciIo{PAddr{0x3eff'0000}, 0x1'0000};
constexpr MemoryRange kPciConfig{PAddr{0x40'1000'0000}, PciHost::kEcamBytes};
constexpr PAddr kFlash{0};
constexpr PAddr kRam{0x4000'0000};
constexpr u64 kMostRam = u64{255} << 30;  // up to where PCIe's configuration space begins

// SPIs.
constexpr u32 kUartSpi = 1, kClockSpi = 2, kPciSpi = 3, kButtonsSpi = 7, kVirtioSpi = 16, kMessageSpi = 64;
constexpr unsigned kMessageCount = 64, kSpis = 128, kVirtioSlots = 32;
constexpr u32 kApbHz = 24'000'000;
constexpr u32 kKeyPower = 116;  // Linux's input event code

Result<void> check(const VirtOptions& o) {
  if (o.cpus < 1 || o.cpus > VirtOptions::kMostCpus)
    return fail(EINVAL, fmt::format("a virt board has 1 to {} CPUs, not {}", VirtOptions::kMostCpus, o.cpus));
  if (o.gic != 2 && o.gic != 3)
    return fail(EINVAL, fmt::format("a virt board has a GIC of version 2 or 3, not {}", o.gic));
  if (o.ram_bytes > kMostRam)
    return fail(EINVAL,
                fmt::format("a virt board has at most {} GiB of RAM, not {}", kMostRam >> 30, o.ram_bytes >> 30));
  const std::size_t virtio = 1 + o.disks.size() + o.shares.size() + o.networks.size() + (o.console ? 1 : 0);
  if (virtio > kVirtioSlots)
    return fail(EINVAL,
                fmt::format("a virt board has {} virtio slots, and {} devices were asked for", kVirtioSlots, virtio));
  for (const VirtOptions::Flash& f : o.flash)
    if (f.content.size() > VirtOptions::kFlashBytes)
      return fail(EINVAL, fmt::format("{} bytes of firmware do not fit into {} MiB of flash", f.content.size(),
                                      VirtOptions::kFlashBytes >> 20));
  if (o.flash.size() > 2) return fail(EINVAL, "a virt board has two banks of flash");
  return {};
}

void add_cpus(VirtMachine& m) {
  FdtNode& cpus = m.board.tree().child("cpus");
  cpus.set_cells("#address-cells", {1});
  cpus.set_cells("#size-cells", {0});
  for (unsigned i = 0; i < m.options.cpus; ++i) {
    FdtNode& cpu = cpus.child(fmt::format("cpu@{:x}", i));
    cpu.set_string("device_type", "cpu");
    cpu.set_string("compatible", "arm,armv8");
    cpu.set_cells("reg", {i});
    cpu.set_string("enable-method", "psci");
  }
  FdtNode& psci = m.board.tree().child("psci");
  psci.set_strings("compatible", {"arm,psci-1.0", "arm,psci-0.2"});
  psci.set_string("method", "hvc");
}

/// What a PCI function's message reaches: the GICv2m frame, and nothing else.
MessageSink message_sink(Gicv2mFrame& frame) {
  return [&frame](u64 address, u32 data) {
    if (address == (kMessages.base + Gicv2mFrame::kSetSpi).value) frame.signal(data);
  };
}

FdtNode& add_gic3(VirtMachine& m) {
  m.gic3 = &m.board.own(std::make_unique<Gic3>(m.options.cpus, kSpis, *m.options.interrupts));
  m.gic = m.gic3;
  FdtNode& node = m.board.attach("interrupt-controller", kDistributor, m.gic->distributor());
  const MemoryRange redistributors{kRedistributors, m.gic3->redistributor_bytes()};
  m.board.attach_unnamed(redistributors, m.gic3->redistributors());
  set_reg(node, {kDistributor, redistributors});
  return node;
}

FdtNode& add_gic2(VirtMachine& m) {
  auto& gic = m.board.own(std::make_unique<Gic2>(m.options.cpus, kSpis, *m.options.interrupts));
  m.gic = &gic;
  FdtNode& node = m.board.attach("interrupt-controller", kDistributor, gic.distributor());
  m.board.attach_unnamed(kInterfaces, gic.interfaces());
  set_reg(node, {kDistributor, kInterfaces});
  return node;
}

/// Gives the sink for PCI functions' messages.
MessageSink add_interrupt_controller(VirtMachine& m) {
  Board& board = m.board;
  board.tree().set_cells("interrupt-parent", {kInterruptController});
  FdtNode& node = m.options.gic == 2 ? add_gic2(m) : add_gic3(m);
  node.set_cells("#address-cells", {2});
  node.set_cells("#size-cells", {2});
  node.set("ranges");

  std::vector<IrqLine> lines;
  for (u32 i = 0; i < kMessageCount; ++i) lines.push_back(m.gic->spi(kMessageSpi + i));
  auto& frame = board.own(std::make_unique<Gicv2mFrame>(Gic::kFirstSpi + kMessageSpi, lines));
  board.attach("v2m", kMessages, frame, {}, &node);
  return message_sink(frame);
}

/// CPUs' own interrupts, as the tree names them.
std::vector<u32> ppi_cells(const VirtMachine& m, std::initializer_list<u32> ppis) {
  // The binding of a GICv2 has the CPUs in the flags as well.
  const u32 cpus = m.options.gic == 2 ? static_cast<u32>(low_mask(m.options.cpus)) << 8 : 0;
  constexpr u32 kPrivate = 1, kLevelHigh = 4;
  std::vector<u32> cells;
  for (const u32 ppi : ppis) cells.insert(cells.end(), {kPrivate, ppi, kLevelHigh | cpus});
  return cells;
}

void add_performance_monitors(VirtMachine& m) {
  std::vector<IrqLine> lines;
  for (unsigned cpu = 0; cpu < m.options.cpus; ++cpu) lines.push_back(m.gic->ppi(cpu, CycleInterrupts::kPpi));
  m.cycles = &m.board.own(std::make_unique<CycleInterrupts>(*m.options.clock, lines));
  FdtNode& node = m.board.tree().child("pmu");
  node.set_string("compatible", "arm,armv8-pmuv3");
  node.set_cells("interrupts", ppi_cells(m, {CycleInterrupts::kPpi}));
}

void add_timer(VirtMachine& m) {
  std::vector<GenericTimer::Lines> lines;
  for (unsigned cpu = 0; cpu < m.options.cpus; ++cpu)
    lines.push_back({m.gic->ppi(cpu, GenericTimer::kPhysicalPpi), m.gic->ppi(cpu, GenericTimer::kVirtualPpi)});
  m.timer = &m.board.own(std::make_unique<GenericTimer>(*m.options.clock, m.options.timer_frequency, lines));
  FdtNode& node = m.board.tree().child("timer");
  node.set_string("compatible", "arm,armv8-timer");
  constexpr u32 kSecurePpi = 13, kHypervisorPpi = 10;
  node.set_cells("interrupts",
                 ppi_cells(m, {kSecurePpi, GenericTimer::kPhysicalPpi, GenericTimer::kVirtualPpi, kHypervisorPpi}));
  node.set("always-on");
}

void add_peripherals(VirtMachine& m) {
  Board& board = m.board;
  FdtNode& apb = board.tree().child("apb-pclk");
  apb.set_string("compatible", "fixed-clock");
  apb.set_cells("#clock-cells", {0});
  apb.set_cells("clock-frequency", {kApbHz});
  apb.set_string("clock-output-names", "clk24mhz");
  apb.set_cells("phandle", {kApbClock});

  auto& uart = board.own(std::make_unique<Pl011>(*m.options.serial, m.gic->spi(kUartSpi)));
  board.attach("pl011", kUart, uart, {{kUartSpi}});
  auto& clock = board.own(std::make_unique<Pl031>(*m.options.clock, m.gic->spi(kClockSpi)));
  board.attach("pl031", kClock, clock, {{kClockSpi}});
  m.fw_cfg = &board.own(std::make_unique<FwCfg>(board.bus()));
  board.attach("fw-cfg", kFwCfg, *m.fw_cfg);
  m.buttons = &board.own(std::make_unique<Pl061>(m.gic->spi(kButtonsSpi)));
  board.attach("pl061", kButtons, *m.buttons, {{kButtonsSpi}}).set_cells("phandle", {kGpio});

  FdtNode& keys = board.tree().child("gpio-keys");
  keys.set_string("compatible", "gpio-keys");
  FdtNode& power = keys.child("poweroff");
  power.set_string("label", "Power button");
  power.set_cells("linux,code", {kKeyPower});
  power.set_cells("gpios", {kGpio, VirtMachine::kPowerButton, 0});
}

/// Copies without touching pages that are all zeroes: most of a firmware file is.
void copy_sparse(std::span<u8> to, std::span<const u8> from) {
  for (u64 at = 0; at < from.size(); at += kPageSize) {
    const std::span<const u8> page = from.subspan(at, std::min<u64>(kPageSize, from.size() - at));
    if (std::any_of(page.begin(), page.end(), [](u8 byte) { return byte != 0; }))
      std::copy(page.begin(), page.end(), to.begin() + static_cast<long>(at));
  }
}

Result<void> add_flash(VirtMachine& m) {
  PAddr at = kFlash;
  for (const VirtOptions::Flash& f : m.options.flash) {
    Result<Ram> made = Ram::create(VirtOptions::kFlashBytes);
    if (!made) return tl::unexpected(made.error());
    const std::span<u8> memory = m.board.own(std::make_unique<Ram>(std::move(*made))).bytes();
    copy_sparse(memory, f.content);
    Bus& bus = m.board.bus();
    Pflash::Hooks hooks{[&bus, at](bool readable) { bus.set_readable(at, readable); },
                        [&bus, at, memory, save = f.save](u64 offset, u64 bytes) {
                          bus.written(at + offset, bytes);
                          if (save) save(offset, memory.subspan(offset, bytes));
                        }};
    auto& flash = m.board.own(std::make_unique<Pflash>(memory, std::move(hooks), f.writable));
    m.board.attach_rom("flash", {at, VirtOptions::kFlashBytes}, memory, flash);
    at = at + VirtOptions::kFlashBytes;
  }
  return {};
}

/// The host bridge's properties in the tree. IEEE 1275 PCI binding; Linux's pci-host-ecam-generic.
void describe_pci(FdtNode& node) {
  constexpr u32 kIoSpace = 0x0100'0000, kMemorySpace = 0x0200'0000;
  const auto low = [](u64 number) { return static_cast<u32>(number); };
  node.set_string("compatible", "pci-host-ecam-generic");
  node.set_string("device_type", "pci");
  node.set_cells("#address-cells", {3});
  node.set_cells("#size-cells", {2});
  node.set_cells("bus-range", {0, 0});
  node.set_cells("linux,pci-domain", {0});
  node.set_cells(
      "ranges", {kIoSpace, 0, 0, 0, low(kPciIo.base.value), 0, low(kPciIo.bytes),  //
                 kMemorySpace, 0, low(kPciMemory.base.value), 0, low(kPciMemory.base.value), 0, low(kPciMemory.bytes)});
  node.set("dma-coherent");
  node.set_cells("msi-map", {0, kMsiController, 0, 0x10000});
  node.set_cells("#interrupt-cells", {1});
  constexpr u32 kLevelHigh = 4, kSlotShift = 11, kPins = 4;
  node.set_cells("interrupt-map-mask", {(PciHost::kIntxLines - 1) << kSlotShift, 0, 0, 7});
  std::vector<u32> map;
  for (u32 slot = 0; slot < PciHost::kIntxLines; ++slot)
    for (u32 pin = 1; pin <= kPins; ++pin)
      map.insert(map.end(), {slot << kSlotShift, 0, 0, pin, kInterruptController, 0, 0, 0,
                             kPciSpi + (slot + pin - 1) % PciHost::kIntxLines, kLevelHigh});
  node.set_cells("interrupt-map", map);
}

PciHost& add_pci(VirtMachine& m) {
  std::array<IrqLine, PciHost::kIntxLines> lines;
  for (u32 i = 0; i < lines.size(); ++i) lines[i] = m.gic->spi(kPciSpi + i);
  auto& host = m.board.own(std::make_unique<PciHost>(lines));
  describe_pci(m.board.attach("pcie", kPciConfig, host));
  m.board.attach_unnamed(kPciMemory, m.board.own(std::make_unique<PciHost::Window>(host, kPciMemory.base)));
  m.board.attach_unnamed(kPciIo, m.board.own(std::make_unique<PciHost::Window>(host, PAddr{0})));
  return host;
}

void add_virtio(VirtMachine& m, PciHost& pci, const MessageSink& messages) {
  const VirtOptions& o = m.options;
  Board& board = m.board;
  const VirtioDevice::Environment shared{board.bus(), *o.loop};
  std::vector<VirtioDevice*>& devices = m.virtio;
  for (std::size_t i = 0; i < o.disks.size(); ++i) {
    const VirtioDevice::Environment own{board.bus(), *o.disks[i].loop};
    devices.push_back(&board.own(std::make_unique<VirtioBlk>(own, *o.disks[i].store, fmt::format("tiercel-{}", i))));
  }
  for (const VirtOptions::Network& n : o.networks)
    devices.push_back(&board.own(std::make_unique<VirtioNet>(shared, *n.port, n.mac)));
  for (const VirtOptions::Share& f : o.shares) {
    const VirtioDevice::Environment own{board.bus(), *f.loop};
    devices.push_back(&board.own(std::make_unique<Virtio9p>(own, *f.server, f.tag)));
  }
  if (o.console) devices.push_back(&board.own(std::make_unique<VirtioConsole>(shared, *o.console)));
  devices.push_back(&board.own(std::make_unique<VirtioRng>(shared, o.entropy)));

  if (o.virtio_on_pci)
    for (u32 i = 0; i < devices.size(); ++i)
      // From 1: by custom slot 0 is the bridge itself.
      pci.add(i + 1, board.own(std::make_unique<VirtioPci>(*devices[i], messages)));
  // Linux numbers disks and cards in the order of the tree's nodes.
  const std::size_t in_slots = o.virtio_on_pci ? 0 : devices.size();
  for (u32 i = 0; i < kVirtioSlots; ++i) {
    auto& slot =
        board.own(std::make_unique<VirtioMmio>(m.gic->spi(kVirtioSpi + i), i < in_slots ? devices[i] : nullptr));
    board.attach("virtio_mmio", {kVirtio + i * VirtioMmio::kBytes, VirtioMmio::kBytes}, slot, {{kVirtioSpi + i}});
  }
}

/// /chosen: what the boot loader tells the kernel.
FdtNode& add_chosen(VirtMachine& m) {
  FdtNode& chosen = m.board.tree().child("chosen");
  chosen.set_string("stdout-path", fmt::format("/pl011@{:x}", kUart.base.value));
  std::vector<u8> seed(8), random(64);
  m.options.entropy(seed);
  m.options.entropy(random);
  chosen.set_bytes("kaslr-seed", seed);
  chosen.set_bytes("rng-seed", random);
  return chosen;
}

void copy_to_ram(VirtMachine& m, PAddr to, std::span<const u8> bytes) {
  const MemoryRange memory = m.board.main_memory();
  CHECK(to >= memory.base && to - memory.base <= memory.bytes && bytes.size() <= memory.bytes - (to - memory.base));
  std::copy(bytes.begin(), bytes.end(), m.board.main_ram().begin() + static_cast<long>(to - memory.base));
}

}  // namespace

Result<std::unique_ptr<VirtMachine>> build_virt(const VirtOptions& options) {
  if (const Result<void> good = check(options); !good) return tl::unexpected(good.error());
  Result<Ram> ram = Ram::create(options.ram_bytes);
  if (!ram) return tl::unexpected(ram.error());

  auto machine = std::make_unique<VirtMachine>();
  machine->options = options;
  machine->board.tree().set_string("compatible", "linux,dummy-virt");
  machine->board.tree().set_string("model", "linux,dummy-virt");
  machine->board.add_ram(kRam, std::move(*ram));
  add_cpus(*machine);
  const MessageSink messages = add_interrupt_controller(*machine);
  add_timer(*machine);
  add_performance_monitors(*machine);
  add_peripherals(*machine);
  if (const Result<void> flash = add_flash(*machine); !flash) return tl::unexpected(flash.error());
  add_virtio(*machine, add_pci(*machine), messages);
  return machine;
}

Result<void> serialize(VirtMachine& machine, Snapshot& snapshot) {
  if (Result<void> done = machine.board.serialize(snapshot); !done) return done;
  return snapshot.section("timer", [&machine](Archive& state) { machine.timer->serialize(state); });
}

Result<LoadPlan> load_kernel(VirtMachine& machine, const KernelFiles& files) {
  const MemoryRange memory = machine.board.main_memory();
  const Result<LoadPlan> plan = plan_load(memory.base, memory.bytes, files.kernel, files.initrd.size());
  if (!plan) return plan;
  FdtNode& chosen = add_chosen(machine);
  chosen.set_string("bootargs", files.command_line);
  if (plan->initrd_bytes != 0) {
    chosen.set_u64("linux,initrd-start", plan->initrd.value);
    chosen.set_u64("linux,initrd-end", (plan->initrd + plan->initrd_bytes).value);
    copy_to_ram(machine, plan->initrd, files.initrd);
  }
  const Result<std::vector<u8>> tree = flatten(machine.board.tree());
  if (!tree) return tl::unexpected(tree.error());
  copy_to_ram(machine, plan->kernel, files.kernel.bytes);
  copy_to_ram(machine, plan->device_tree, *tree);
  return plan;
}

Result<void> prepare_firmware(VirtMachine& machine) {
  add_chosen(machine);
  const Result<std::vector<u8>> tree = flatten(machine.board.tree());
  if (!tree) return tl::unexpected(tree.error());
  if (tree->size() > machine.board.main_memory().bytes)
    return fail(ENOMEM, "there is no room in RAM for the device tree");
  copy_to_ram(machine, machine.board.main_memory().base, *tree);
  return {};
}

}  // namespace tiercel::system
