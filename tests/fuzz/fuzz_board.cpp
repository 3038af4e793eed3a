// Any sequence of guest accesses to the virt board: device registers, system registers, PSCI calls, hostile virtqueues
// in RAM, and time that passes. Nothing but RAM may be read or written, and every call returns.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "system/interrupt/psci.h"
#include "tests/fuzz/board_world.h"

namespace {

using namespace tiercel;
using namespace tiercel::system;
using namespace tiercel::test;

class Cpus final : public CpuInterrupts, public PsciHost {
 public:
  void set_interrupts(unsigned cpu, bool, bool) override { CHECK(cpu < 2); }
  unsigned current_cpu() const override { return current; }
  unsigned current = 0;
  unsigned cpus() const override { return 2; }
  Power power(unsigned cpu) const override { return cpu == 0 ? Power::On : Power::Off; }
  bool can_execute(PAddr entry) const override { return entry >= PAddr{1 << 30}; }
  bool start(unsigned cpu, PAddr, u64) override { return cpu == 1; }
  void stop_self(unsigned) override {}
  void suspend_self(unsigned) override {}
  void power_off() override {}
  void reset(bool) override {}
};

// The board's device regions, and one address that is nothing.
constexpr u64 kRegions[] = {0x0800'0000, 0x0802'0000, 0x080a'0000, 0x080b'0000, 0x080c'0000, 0x0900'0000, 0x0901'0000,
                            0x0902'0000, 0x0903'0000, 0x0a00'0000, 0x0a00'0200, 0x0a00'0400, 0x0a00'0600, 0x0b00'0000,
                            // PCI: BARs and configuration space of slots 1 to 3.
                            0x1001'0000, 0x1002'0000, 0x1003'0000, 0x40'1000'8000, 0x40'1001'0000, 0x40'1001'8000,
                            // A GICv2's CPU interfaces; flash with firmware, and its variables.
                            0x0801'0000, 0, 0x0400'0000};
constexpr Icc kIcc[] = {Icc::Pmr,    Icc::Iar0, Icc::Eoir0, Icc::Hppir0, Icc::Bpr0,    Icc::Ap0r0,  Icc::Ap1r0,
                        Icc::Dir,    Icc::Rpr,  Icc::Sgi1r, Icc::Asgi1r, Icc::Sgi0r,   Icc::Iar1,   Icc::Eoir1,
                        Icc::Hppir1, Icc::Bpr1, Icc::Ctlr,  Icc::Sre,    Icc::Igrpen0, Icc::Igrpen1};

struct World {
  InsnClock clock{1000, 1'000'000};
  Cpus cpus;
  Psci psci{cpus};
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(&clock));
  Terminal serial, console;
  Cable cable;
  MemoryDisk disk;
  std::unique_ptr<VirtMachine> machine;

  World(bool pci, unsigned gic) {
    VirtOptions options = board_options(*this, pci, gic);
    options.flash = {{{1, 2, 3}, false, {}}, {{}, true, [](u64, std::span<const u8>) {}}};
    machine = std::move(*build_virt(options));
    for (u64 slot = 1; pci && slot <= 4; ++slot)
      map_bars(PAddr{0x40'1000'0000 + (slot << 15)}, 0x1000'0000 + (slot << 16));
  }
  ~World() { machine.reset(); }

  void map_bars(PAddr config, u64 at) {
    machine->board.bus().write(config + 0x10, 4, at);
    machine->board.bus().write(config + 0x14, 4, at + 0x8000);
    machine->board.bus().write(config + 4, 2, 6);
  }

  void descriptor(Reader& in) {
    const u8 where = in.next<u8>();  // queue and index
    const u64 at = kRam + 0x1000 * (where & 1) + 16 * u64((where >> 1) & 7);
    Bus& bus = machine->board.bus();
    bus.write(PAddr{at}, 8, kRam + in.next<u32>() % (kRamBytes + 0x1000));
    bus.write(PAddr{at + 8}, 4, in.next<u16>());
    bus.write(PAddr{at + 12}, 4, u32{in.next<u8>()} | u32{in.next<u8>()} % 10 << 16);
    bus.write(PAddr{kRam + 0x1000 * (where & 1) + 0x104 + 2 * u64(where >> 5)}, 2, (where >> 1) & 7);
  }

  void step(Reader& in) {
    Bus& bus = machine->board.bus();
    const u8 what = in.next<u8>();
    const unsigned bytes = 1u << ((what >> 4) & 3);
    cpus.current = what >> 7;
    switch (what % 12) {
      case 0: {
        const u64 region = kRegions[in.next<u8>() % std::size(kRegions)];
        bus.read(PAddr{region + in.next<u16>()}, bytes);
        break;
      }
      case 1: {
        const u64 region = kRegions[in.next<u8>() % std::size(kRegions)];
        const u64 offset = in.next<u16>();
        bus.write(PAddr{region + offset}, bytes, in.next<u64>());
        break;
      }
      case 2: {
        const u64 offset = in.next<u16>();
        bus.write(PAddr{kRam + offset}, bytes, in.next<u64>());
        break;
      }
      case 3:
        descriptor(in);
        break;
      case 4:
        start_virtio(bus, what >> 6);
        break;
      case 5: {  // a notification with one more request than before
        const u8 queue = in.next<u8>() & 1;
        const PAddr index{kRam + 0x1000 * u64{queue} + 0x102};
        bus.write(index, 2, *bus.read(index, 2) + (in.next<u8>() & 3));
        bus.write(PAddr{0x0a00'0050 + 0x200 * u64(what >> 6)}, 4, queue);
        break;
      }
      case 6:
        if (machine->gic3) machine->gic3->read_icc(what >> 7, kIcc[in.next<u8>() % std::size(kIcc)]);
        break;
      case 7: {
        const Icc reg = kIcc[in.next<u8>() % std::size(kIcc)];
        const u64 value = in.next<u64>();
        if (machine->gic3) machine->gic3->write_icc(what >> 7, reg, value);
        break;
      }
      case 8:
        set_timer(in, what);
        break;
      case 9: {
        const u32 function = 0x8400'0000 | in.next<u8>() % 32 | u32{in.next<u8>() & 0x40u} << 24;
        psci.call(0, function, {in.next<u64>(), in.next<u64>(), in.next<u64>()});
        break;
      }
      case 10:
        clock.retire(in.next<u32>());
        loop->run_once(0);
        break;
      case 11:
        (what & 0x80 ? serial : console).type(what >> 4 & 7);
        cable.echo();
        break;
    }
  }

  void set_timer(Reader& in, u8 what) {
    GenericTimer& timer = *machine->timer;
    const auto which = what & 0x40 ? GenericTimer::kVirtual : GenericTimer::kPhysical;
    const unsigned cpu = what >> 7;
    const u64 value = in.next<u64>();
    timer.set_control(cpu, which, value & 3);
    if (value & 4)
      timer.set_timer_value(cpu, which, value >> 32);
    else
      timer.set_compare(cpu, which, value >> 8);
    if (value & 8) timer.set_virtual_offset(cpu, value);
    timer.control(cpu, which);
    timer.next_deadline(cpu);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  Reader in(data, size);
  const u8 kind = in.next<u8>();
  World world(kind & 1, kind & 2 ? 2 : 3);
  for (int steps = 0; in.more() && steps < 2000; ++steps) world.step(in);
  world.loop->run_once(0);
  world.machine->board.reset();
  return 0;
}
