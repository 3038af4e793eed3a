#include "app/boot_command.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "system/boards/virt.h"
#include "system/cpu/arm_cpus.h"
#include "system/host/qcow2.h"
#include "system/host/stdio_port.h"

namespace tiercel::app {
namespace {

constexpr int kFailed = 125, kTimedOut = 124;

struct BootOptions {
  std::string kernel, initrd, append, cpu = std::string(arm::cpu_model_names().front()), tier = "fast";
  std::vector<std::string> disks;
  u64 memory = u64{1} << 30;
  unsigned cpus = 1;
  double timeout = 0;
  bool stats = false;
};

Result<std::vector<u8>> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(errno, fmt::format("{}: {}", path, std::strerror(errno)));
  return std::vector<u8>(std::istreambuf_iterator<char>(in), {});
}

Result<system::KernelFiles> read_kernel(const BootOptions& options) {
  system::KernelFiles files;
  Result<std::vector<u8>> kernel = read_file(options.kernel);
  if (!kernel) return tl::unexpected(kernel.error());
  Result<system::KernelImage> image = system::read_kernel_image(options.kernel, std::move(*kernel));
  if (!image) return tl::unexpected(image.error());
  files.kernel = std::move(*image);
  if (!options.initrd.empty()) {
    Result<std::vector<u8>> initrd = read_file(options.initrd);
    if (!initrd) return tl::unexpected(initrd.error());
    files.initrd = std::move(*initrd);
  }
  files.command_line = options.append;
  return files;
}

/// A disk with the loop that waits for it.
struct Disk {
  std::unique_ptr<system::EventLoop> loop;
  std::unique_ptr<system::BlockStore> store;
};

Result<std::vector<Disk>> open_disks(const BootOptions& options) {
  std::vector<Disk> disks;
  for (const std::string& path : options.disks) {
    Disk& disk = disks.emplace_back();
    Result<std::unique_ptr<system::EventLoop>> loop = system::EventLoop::create();
    if (!loop) return tl::unexpected(loop.error());
    Result<std::unique_ptr<system::BlockStore>> store = system::open_disk(path, access(path.c_str(), W_OK) != 0);
    if (!store) return tl::unexpected(store.error());
    disk = {std::move(*loop), std::move(*store)};
  }
  return disks;
}

void random_bytes(std::span<u8> out) {
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n = getrandom(out.data() + done, out.size() - done, 0);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

void print_statistics(const engine::Statistics& s) {
  fmt::print(stderr, "blocks translated {}, insns {}, link misses {}, indirect misses {}, interrupts {}, faults {}\n",
             s.blocks_translated, s.insns_translated, s.link_misses, s.indirect_misses, s.interrupts, s.faults);
  fmt::print(stderr, "executed insns: interpreted {}, fast {}\n", s.insns_interpreted, s.insns_fast);
}

Result<int> boot(const BootOptions& options) {
  engine::Options engine_options;
  if (!engine::parse_tier(options.tier, engine_options.tier) || engine_options.wants_regions())
    return fail(EINVAL, fmt::format("--tier: '{}' is not interp or fast", options.tier));
  engine_options.stats = options.stats;
  const arm::CpuModel* model = arm::find_cpu_model(options.cpu);
  if (!model)
    return fail(EINVAL, fmt::format("--cpu: there is no model '{}', only {}", options.cpu,
                                    fmt::join(arm::cpu_model_names(), " and ")));
  const Result<system::KernelFiles> files = read_kernel(options);
  if (!files) return tl::unexpected(files.error());

  system::RealClock clock;
  Result<std::unique_ptr<system::EventLoop>> loop = system::EventLoop::create(&clock);
  if (!loop) return tl::unexpected(loop.error());
  Result<std::vector<Disk>> disks = open_disks(options);
  if (!disks) return tl::unexpected(disks.error());
  system::ArmCpus cpus(options.cpus, *model, engine_options);
  const system::RawTerminal terminal(STDIN_FILENO);
  system::StdioPort serial(**loop, STDIN_FILENO, STDOUT_FILENO, [&](char key) {
    if (key == 'x') cpus.stop();
  });

  system::VirtOptions board;
  board.cpus = options.cpus;
  board.ram_bytes = options.memory;
  board.clock = &clock;
  board.interrupts = &cpus;
  board.loop = loop->get();
  board.serial = &serial;
  board.entropy = random_bytes;
  for (const Disk& disk : *disks) board.disks.push_back({disk.store.get(), disk.loop.get()});
  Result<std::unique_ptr<system::VirtMachine>> machine = system::build_virt(board);
  if (!machine) return tl::unexpected(machine.error());
  cpus.connect((*machine)->board.bus(), *(*machine)->gic, *(*machine)->timer);

  bool timed_out = false;
  const system::Clock::TimerId limit = clock.add_timer([&] {
    timed_out = true;
    cpus.stop();
  });
  if (options.timeout > 0) clock.arm(limit, clock.now() + static_cast<u64>(options.timeout * 1e9));
  auto ended = system::ArmCpus::Ended::Reset;
  while (ended == system::ArmCpus::Ended::Reset) {
    (*machine)->board.reset();
    (*machine)->gic->reset();
    (*machine)->timer->reset();
    const Result<system::LoadPlan> plan = system::load_kernel(**machine, *files);
    if (!plan) return tl::unexpected(plan.error());
    (*loop)->start();
    for (const Disk& disk : *disks) disk.loop->start();
    ended = cpus.run(plan->kernel, plan->device_tree.value);
    for (const Disk& disk : *disks) disk.loop->stop();
    (*loop)->stop();
  }
  serial.drain();
  if (options.stats) print_statistics(cpus.statistics());
  if (timed_out) return fail(kTimedOut, fmt::format("the guest still ran after {} s", options.timeout));
  return 0;
}

}  // namespace

int run_boot(int argc, char** argv) try {
  BootOptions options;
  CLI::App app{"Runs a whole AArch64 machine.", "tiercel boot"};
  app.add_option("--kernel", options.kernel, "an arm64 Linux kernel: Image, compressed or as an EFI program")
      ->required();
  app.add_option("--initrd", options.initrd, "the initial RAM disk");
  app.add_option("--append", options.append, "the kernel's command line");
  app.add_option("--disk", options.disks, "a disk image, raw or qcow2; may be repeated");
  app.add_option("--cpu", options.cpu, "the CPU model")->capture_default_str();
  app.add_option("--cpus", options.cpus, "how many CPUs")->capture_default_str();
  app.add_option("--mem", options.memory, "RAM, for instance 512M or 2G")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("--tier", options.tier, "how the guest's code runs")->capture_default_str();
  app.add_option("--timeout", options.timeout, "give up after so many seconds");
  app.add_flag("--stats", options.stats, "print counters at the end");
  try {
    app.parse(argc - 1, argv + 1);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    std::fprintf(stderr, "tiercel: %s; see tiercel boot --help\n", e.what());
    return kFailed;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const Result<int> status = boot(options);
  if (status) return *status;
  std::fprintf(stderr, "tiercel: %s\n", status.error().message.c_str());
  return status.error().code == kTimedOut ? kTimedOut : kFailed;
} catch (const std::exception& e) {
  std::fprintf(stderr, "tiercel: %s\n", e.what());
  return kFailed;
}

}  // namespace tiercel::app
