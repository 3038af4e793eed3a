#include "tests/machine/bare_machine.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/check.h"
#include "engine/engine.h"
#include "system/bus/clock.h"
#include "system/bus/ram.h"
#include "system/devices/pl011.h"
#include "system/host/event_loop.h"
#ifdef MACHINE_REGIONS
#include "tests/support/local_regions.h"
#endif

namespace tiercel::test {
namespace {

using namespace system;

constexpr u64 kRam = BareMachine::kRam, kRamBytes = 16 << 20, kEntry = 0x4008'0000;
constexpr u64 kPatience = 120 * kNanosecondsPerSecond;  // ends a hang, and is no measurement

class Recorder final : public CharPort {
 public:
  std::size_t write(std::span<const u8> bytes) override {
    text.append(bytes.begin(), bytes.end());
    return bytes.size();
  }
  std::size_t read(std::span<u8>) override { return 0; }
  std::size_t available() const override { return 0; }
  void on_change(std::function<void()>) override {}
  std::string text;
};

engine::MakeRegionService region_service() {
#ifdef MACHINE_REGIONS
  return [](const backend::VmLayout& layout) { return make_local_regions(layout, backend::HostFeatures::detect()); };
#else
  return {};
#endif
}

std::vector<GenericTimer::Lines> timer_lines(Gic3& gic, unsigned cpus) {
  std::vector<GenericTimer::Lines> lines;
  for (unsigned i = 0; i < cpus; ++i)
    lines.push_back({gic.ppi(i, GenericTimer::kPhysicalPpi), gic.ppi(i, GenericTimer::kVirtualPpi)});
  return lines;
}

std::vector<IrqLine> cycle_lines(Gic3& gic, unsigned cpus) {
  std::vector<IrqLine> lines;
  for (unsigned i = 0; i < cpus; ++i) lines.push_back(gic.ppi(i, CycleInterrupts::kPpi));
  return lines;
}

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  CHECK_MSG(in.good(), path.c_str());
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

struct BareMachine::Parts {
  RealClock clock;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(&clock));
  ArmCpus cores;
  Bus bus;
  Ram ram = std::move(*Ram::create(kRamBytes));
  Gic3 gic;
  GenericTimer timer;
  CycleInterrupts cycles;
  Recorder console;
  Pl011 uart{console, {}};

  Parts(const engine::Options& options, const std::string& cpu, unsigned cpus)
      : cores(cpus, *arm::find_cpu_model(cpu), options, region_service()),
        gic(cpus, 32, cores),
        timer(clock, 62'500'000, timer_lines(gic, cpus)),
        cycles(clock, cycle_lines(gic, cpus)) {
    bus.add_ram(PAddr{kRam}, ram.bytes());
    bus.add_device(PAddr{0x0800'0000}, Gic3::kDistributorBytes, gic.distributor());
    bus.add_device(PAddr{0x080a'0000}, gic.redistributor_bytes(), gic.redistributors());
    bus.add_device(PAddr{0x0900'0000}, 0x1000, uart);
    uart.reset();
    cores.connect(bus, &gic, timer, cycles);
  }
};

BareMachine::BareMachine(const engine::Options& options, const std::string& cpu, unsigned cpus) {
  engine::Engine::catch_host_faults();
  parts_ = std::make_unique<Parts>(options, cpu, cpus);
}

BareMachine::~BareMachine() = default;

std::span<u8> BareMachine::ram() {
  return parts_->ram.bytes();
}

system::Bus& BareMachine::bus() {
  return parts_->bus;
}

system::ArmCpus& BareMachine::cpus() {
  return parts_->cores;
}

BareResult BareMachine::run(const std::string& name) {
  Parts& p = *parts_;
  const std::string image = read_all(std::string(MACHINE_PROGRAMS) + "/" + name + ".bin");
  std::copy(image.begin(), image.end(), ram().begin() + (kEntry - kRam));
  const auto patience = p.clock.add_timer([&p] { p.cores.stop(); });
  p.clock.arm(patience, kPatience);
  p.cores.power_on(PAddr{kEntry}, 0);
  p.loop->start();
  const ArmCpus::Ended ended = p.cores.run();
  p.loop->stop();
  return {ended == ArmCpus::Ended::PowerOff, p.console.text};
}

BareResult run_bare(const std::string& name, const engine::Options& options, const std::string& cpu, unsigned cpus) {
  return BareMachine(options, cpu, cpus).run(name);
}

std::string expected_output(const std::string& name) {
  return read_all(std::string(MACHINE_SOURCES) + "/" + name + ".expected");
}

}  // namespace tiercel::test
