// Several vCPU threads use a running board at once: for ThreadSanitizer, and for requests that get lost.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "system/boards/virt.h"
#include "tests/system/fakes.h"

namespace tiercel::system {
namespace {

using namespace std::chrono_literals;

class Levels final : public CpuInterrupts {
 public:
  unsigned current_cpu() const override { return 0; }
  void set_interrupts(unsigned cpu, bool irq, bool) override { level[cpu] = irq; }
  std::atomic<bool> level[2] = {false, false};
};

struct Running {
  static constexpr u64 kSlot = 0x0a000200, kRing = 0x40010000, kData = 0x40020000;
  RealClock clock;
  Levels cpus;
  FakePort serial, console;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(&clock));
  std::unique_ptr<VirtMachine> machine;
  u16 requests = 0;
  Running() {
    VirtOptions options;
    options.cpus = 2;
    options.ram_bytes = 16 << 20;
    options.clock = &clock;
    options.interrupts = &cpus;
    options.loop = loop.get();
    options.serial = &serial;
    options.console = &console;
    options.entropy = [](std::span<u8> out) { std::fill(out.begin(), out.end(), u8{0xab}); };
    machine = std::move(*build_virt(options));
    loop->start();
  }
  ~Running() { loop->stop(); }
  Bus& bus() { return machine->board.bus(); }
  void set(u64 offset, u32 value) { bus().write(PAddr{kSlot + offset}, 4, value); }

  /// The random device with one queue of 8; the chain at 0 writes 64 bytes.
  void start() {
    set(0x70, 0), set(0x70, 3), set(0x24, 1), set(0x20, 1), set(0x70, 11);
    set(0x30, 0), set(0x38, 8);
    set(0x80, kRing), set(0x90, kRing + 0x1000), set(0xa0, kRing + 0x2000);
    bus().write(PAddr{kRing}, 8, kData);
    bus().write(PAddr{kRing + 8}, 8, u64{2} << 32 | 64);
    bus().write(PAddr{kRing + 0x1000}, 4, 0);
    bus().write(PAddr{kRing + 0x2000}, 4, 0);
    requests = 0;
    set(0x44, 1), set(0x70, 15);
  }
  u16 used() { return std::atomic_ref(*reinterpret_cast<u16*>(bus().ram(PAddr{kRing + 0x2002}, 2).data())).load(); }
  void request() {
    std::atomic_ref(*reinterpret_cast<u16*>(bus().ram(PAddr{kRing + 0x1002}, 2).data())).store(++requests);
    set(0x50, 0);
  }
  bool answered() {
    for (int i = 0; i < 20000 && used() != requests; ++i) std::this_thread::sleep_for(100us);
    return used() == requests;
  }
};

TEST(Threads, NoRequestIsLostAndResetsAreSafe) {
  Running m;
  std::atomic<bool> stop{false};
  std::thread other([&] {
    // Another CPU looks at everything and has timers of its own.
    for (u64 i = 0; !stop; ++i) {
      m.bus().read(PAddr{Running::kSlot + 0x60}, 4);
      m.bus().write(PAddr{Running::kSlot + 0x64}, 4, 3);
      m.bus().write(PAddr{0x9000000}, 1, 'x');
      m.machine->timer->set_timer_value(1, GenericTimer::kVirtual, i % 100);
      m.machine->timer->set_control(1, GenericTimer::kVirtual, 1);
      m.machine->gic3->write_icc(1, Icc::Sgi1r, u64{1} << 40);
      m.machine->gic3->read_icc(1, Icc::Iar1);
    }
  });
  for (int round = 0; round < 20; ++round) {
    m.start();
    for (int i = 0; i < 50; ++i) {
      m.request();
      if (i % 5 != 4) continue;  // more than the queue's size would be a driver's mistake
      EXPECT_TRUE(m.answered()) << "round " << round << ", request " << i;
    }
    m.request();  // a reset while it may be under way
  }
  m.set(0x70, 0);
  const u16 at_reset = m.used();
  std::this_thread::sleep_for(2ms);
  EXPECT_EQ(m.used(), at_reset) << "nothing is written after a reset";
  stop = true;
  other.join();
}

TEST(Threads, ATimerWakesACpu) {
  Running m;
  m.bus().write(PAddr{0x8000000}, 4, 3);
  m.bus().write(PAddr{0x80b0080}, 4, ~u32{0});
  m.bus().write(PAddr{0x80b0100}, 4, u32{1} << 27);
  m.machine->gic3->write_icc(0, Icc::Pmr, 0xf0);
  m.machine->gic3->write_icc(0, Icc::Igrpen1, 1);
  m.machine->timer->set_timer_value(0, GenericTimer::kVirtual, 62500);  // 1 ms
  m.machine->timer->set_control(0, GenericTimer::kVirtual, 1);
  EXPECT_FALSE(m.cpus.level[0]);
  for (int i = 0; i < 20000 && !m.cpus.level[0]; ++i) std::this_thread::sleep_for(100us);
  EXPECT_TRUE(m.cpus.level[0]);
  EXPECT_EQ(m.machine->gic3->read_icc(0, Icc::Iar1), 27u);
}

}  // namespace
}  // namespace tiercel::system
