#include "app/machine/assembly.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "service/client.h"
#include "service/place.h"
#include "system/host/scratch_disk.h"
#include "system/host/socket_port.h"
#include "system/host/tap.h"
#include "system/slirp/slirp_network.h"

namespace tiercel::machine {
namespace {

using system::EventLoop;

engine::MakeRegionService region_service_maker(bool warns) {
  const auto warn = [](const std::string& message) {
    fmt::print(stderr, "tiercel: hot code is not optimised: {}\n", message);
  };
  return [warn = warns ? +warn : nullptr](const backend::VmLayout& layout) {
    return service::make_client({layout, backend::HostFeatures::detect(), service::compiler_path(), warn});
  };
}

/// Where Debian's qemu-efi-aarch64 puts the firmware, and tools/guest-image.
constexpr const char* kInstalledFirmware = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd";
constexpr const char* kFetchedFirmware = "tiercel/images/arm64/QEMU_EFI.fd";  // in the user's cache

Result<std::vector<u8>> read_file(const std::string& path) {
  const auto error = [&] { return fail(errno, fmt::format("cannot read {}: {}", path, std::strerror(errno))); };
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info = {};
  if (!file || fstat(file.get(), &info) != 0) return error();
  std::vector<u8> bytes(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  for (ssize_t n = 1; n > 0; done += static_cast<std::size_t>(n)) {
    if (done == bytes.size()) bytes.resize(bytes.size() + kPageSize);  // it grew, or is a pipe
    do n = read(file.get(), bytes.data() + done, bytes.size() - done);
    while (n < 0 && errno == EINTR);
    if (n < 0) return error();
  }
  bytes.resize(done);
  return bytes;
}

Result<std::string> find_firmware(const Options& options) {
  if (!options.firmware.path.empty()) return options.firmware.path;
  std::vector<std::string> places = {kInstalledFirmware};
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    places.push_back(fmt::format("{}/{}", cache, kFetchedFirmware));
  else if (const char* home = std::getenv("HOME"))
    places.push_back(fmt::format("{}/.cache/{}", home, kFetchedFirmware));
  for (const std::string& path : places)
    if (access(path.c_str(), R_OK) == 0) return path;
  return fail(ENOENT, fmt::format("there is no --kernel, and no UEFI firmware: {} is Debian's package qemu-efi-aarch64",
                                  kInstalledFirmware));
}

/// Whether the command line leaves it to us what happens in a panic.
bool says_nothing_of_panics(const std::string& command_line) {
  return command_line.find("panic=") == std::string::npos && command_line.find("reboot=") == std::string::npos;
}

Result<system::KernelFiles> read_kernel(const Options& options) {
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

}  // namespace

Result<void> read_kernel_files(Machine& m, const Options& options) {
  if (options.kernel.empty()) return {};
  Result<system::KernelFiles> files = read_kernel(options);
  if (!files) return tl::unexpected(files.error());
  m.kernel = std::move(*files);
  m.panic_resets = says_nothing_of_panics(options.append);
  if (m.panic_resets) m.kernel->command_line += " panic=-1 reboot=panic_warm";
  return {};
}

namespace {

void random_bytes(std::span<u8> out) {
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n = getrandom(out.data() + done, out.size() - done, 0);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

/// The same ones in every run. Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (SplitMix64).
std::function<void(std::span<u8>)> repeating_bytes(u64& state) {
  return [&state](std::span<u8> out) {
    for (u8& byte : out) {
      u64 mixed = state += 0x9e3779b97f4a7c15;
      mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
      byte = static_cast<u8>(mixed >> 32);
    }
  };
}

void make_clock(Machine& m, const Options& options) {
  constexpr u64 kPicosecondsPerInsn = 1000;
  constexpr u64 kNewYear2026 = 1'767'225'600;
  if (options.deterministic) {
    auto clock = std::make_unique<system::InsnClock>(kPicosecondsPerInsn, kNewYear2026);
    m.insn_clock = clock.get();
    m.clock = std::move(clock);
  } else {
    auto clock = std::make_unique<system::RealClock>();
    m.real_clock = clock.get();
    m.clock = std::move(clock);
  }
}

Result<void> check_memory(u64 bytes) {
  struct sysinfo host = {};
  if (sysinfo(&host) != 0) return {};
  const u64 most = (u64{host.totalram} + host.totalswap) * host.mem_unit;
  if (bytes <= most) return {};
  return fail(ENOMEM, fmt::format("--mem: {} MiB is more than this host has ({} MiB)", bytes >> 20, most >> 20));
}

Result<void> open_disks(Machine& m, const Options& options) {
  for (const DiskOption& option : options.disks) {
    Machine::Disk& disk = m.disks.emplace_back();
    Result<std::unique_ptr<EventLoop>> loop = EventLoop::create();
    if (!loop) return tl::unexpected(loop.error());
    disk.loop = std::move(*loop);
    const bool read_only = option.read_only || option.temporary;
    Result<std::unique_ptr<system::BlockStore>> store = system::open_disk(option.path, read_only, option.format);
    if (store && option.temporary) store = system::make_scratch_disk(std::move(*store));
    if (!store) {
      const bool readable = !read_only && access(option.path.c_str(), R_OK) == 0;
      const bool protect = readable && (store.error().code == EACCES || store.error().code == EROFS);
      return fail(store.error().code,
                  store.error().message + (protect ? "; --disk FILE,readonly attaches it for reading" : ""));
    }
    disk.store = std::move(*store);
  }
  return {};
}

Result<void> open_shares(Machine& m, const Options& options) {
  for (const ShareOption& option : options.shares) {
    Machine::Share& share = m.shares.emplace_back();
    Result<std::unique_ptr<EventLoop>> loop = EventLoop::create();
    if (!loop) return tl::unexpected(loop.error());
    share.loop = std::move(*loop);
    Result<std::unique_ptr<system::p9::Server>> server = system::p9::Server::create(option.folder, option.read_only);
    if (!server) return tl::unexpected(server.error());
    share.server = std::move(*server);
  }
  return {};
}

Result<void> open_networks(Machine& m, const Options& options) {
  for (const NetOption& option : options.networks) {
    Result<std::unique_ptr<system::PacketPort>> port = option.kind == NetOption::Kind::Tap
                                                           ? system::open_tap(*m.loop, option.interface)
                                                           : system::make_slirp_network(*m.loop, *m.clock, option.user);
    if (!port) return tl::unexpected(port.error());
    m.networks.push_back(std::move(*port));
  }
  return {};
}

Result<void> open_serial(Machine& m, const SerialOption& option) {
  if (option.kind == SerialOption::Kind::Stdio) {
    m.terminal = std::make_unique<system::RawTerminal>(STDIN_FILENO);
    m.serial = std::make_unique<system::StdioPort>(*m.loop, STDIN_FILENO, STDOUT_FILENO, [&m](char key) {
      return m.on_escape ? m.on_escape(key) : std::string();
    });
    return {};
  }
  if (option.kind == SerialOption::Kind::Socket) {
    Result<debug::Listener> listener = debug::Listener::open("--serial", option.path);
    if (!listener) return tl::unexpected(listener.error());
    m.serial_listener.emplace(std::move(*listener));
    m.serial = std::make_unique<system::SocketPort>(*m.loop, m.serial_listener->descriptor());
    return {};
  }
  const std::string path = option.kind == SerialOption::Kind::Null ? "/dev/null" : option.path;
  m.serial_file = Descriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!m.serial_file) return fail(errno, fmt::format("cannot open {} for --serial: {}", path, std::strerror(errno)));
  m.serial = std::make_unique<system::StdioPort>(*m.loop, -1, m.serial_file.get(), nullptr);
  return {};
}

void watch_for_panics(Machine& m) {
  system::PanicWatch::Cpus cpus{[&m] { m.cpus->watch(); }, [&m] { return m.cpus->only_spun(); },
                                [&m] { m.cpus->stop(); }};
  m.panic_watch = std::make_unique<system::PanicWatch>(*m.serial, *m.clock, std::move(cpus));
}

/// Of the card with that number: in the range for addresses that nobody assigned.
system::VirtioNet::Mac default_mac(std::size_t number) {
  return {0x02, 0x74, 0x63, 0x6c, 0, static_cast<u8>(number + 1)};
}

system::VirtOptions board_options(Machine& m, const Options& options) {
  system::VirtOptions board;
  board.cpus = options.cpus;
  board.gic = options.gic;
  board.ram_bytes = options.memory;
  board.clock = m.clock.get();
  board.interrupts = m.cpus.get();
  board.loop = m.loop.get();
  board.serial = m.panic_watch ? static_cast<system::CharPort*>(m.panic_watch.get()) : m.serial.get();
  board.entropy = options.deterministic ? repeating_bytes(m.random) : random_bytes;
  board.virtio_on_pci = options.pci;
  for (const Machine::Disk& disk : m.disks) board.disks.push_back({disk.store.get(), disk.loop.get()});
  for (std::size_t i = 0; i < m.shares.size(); ++i)
    board.shares.push_back({m.shares[i].server.get(), options.shares[i].tag, m.shares[i].loop.get()});
  for (std::size_t i = 0; i < m.networks.size(); ++i)
    board.networks.push_back({m.networks[i].get(), options.networks[i].mac.value_or(default_mac(i))});
  return board;
}

/// The second bank of flash, where firmware keeps its variables: in a file, if there is to be one.
Result<system::VirtOptions::Flash> variables(Machine& m, const std::string& path) {
  system::VirtOptions::Flash flash{{}, true, {}};
  if (path.empty()) return flash;
  const auto error = [&](int code) {
    return fail(code, fmt::format("cannot use {} for --firmware: {}", path, std::strerror(code)));
  };
  m.variables = Descriptor(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!m.variables) return error(errno);
  Result<std::vector<u8>> content = read_file(path);
  if (!content) return tl::unexpected(content.error());
  flash.content = std::move(*content);
  if (ftruncate(m.variables.get(), system::VirtOptions::kFlashBytes) != 0) return error(errno);
  flash.save = [fd = m.variables.get(), path](u64 offset, std::span<const u8> bytes) {
    if (pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes.size()))
      fmt::print(stderr, "tiercel: cannot write {}: {}\n", path, std::strerror(errno));
  };
  return flash;
}

/// Two banks: the firmware and its variables.
Result<void> add_firmware(Machine& m, const Options& options, system::VirtOptions& board) {
  const Result<std::string> path = find_firmware(options);
  if (!path) return tl::unexpected(path.error());
  Result<std::vector<u8>> code = read_file(*path);
  if (!code) return tl::unexpected(code.error());
  if (code->empty()) return fail(EINVAL, fmt::format("{} is empty: not firmware", *path));
  Result<system::VirtOptions::Flash> kept = variables(m, options.firmware.variables);
  if (!kept) return tl::unexpected(kept.error());
  board.flash.push_back({std::move(*code), false, {}});
  board.flash.push_back(std::move(*kept));
  return {};
}

Result<void> wait_for_debugger(Machine& m, const Options& options) {
  if (options.gdb.empty() && options.control.empty()) return {};
  m.debugger = std::make_unique<system::MachineDebugger>(*m.cpus);
  if (options.gdb.empty()) return {};
  const Result<std::string> waits = m.debugger->listen(options.gdb);
  if (!waits) return tl::unexpected(waits.error());
  fmt::print(stderr, "tiercel: {}\n", *waits);
  return {};
}

}  // namespace

void Machine::start_loops() {
  loop->start();
  for (const Disk& disk : disks) disk.loop->start();
  for (const Share& share : shares) share.loop->start();
}

void Machine::serve_devices(int timeout_ms) {
  for (const Share& share : shares) share.loop->run_once(0);
  for (const Disk& disk : disks) disk.loop->run_once(0);
  loop->run_once(timeout_ms);
}

void Machine::stop_loops() {
  for (const Share& share : shares) share.loop->stop();
  for (const Disk& disk : disks) disk.loop->stop();
  // What the CPUs have asked for is done before a snapshot is made of it. Whoever goes on with that would do it again,
  // on a disk that was changed, or on files that are no longer there.
  for (const Share& share : shares) share.loop->run_once(0);
  for (const Disk& disk : disks) disk.loop->run_once(0);
  loop->stop();
}

Result<std::unique_ptr<Machine>> assemble(const Options& options) {
  if (const Result<void> good = check_memory(options.memory); !good) return tl::unexpected(good.error());
  auto m = std::make_unique<Machine>();
  if (const Result<void> good = read_kernel_files(*m, options); !good) return tl::unexpected(good.error());
  make_clock(*m, options);
  Result<std::unique_ptr<EventLoop>> loop = EventLoop::create(m->clock.get());
  if (!loop) return tl::unexpected(loop.error());
  m->loop = std::move(*loop);
  for (const auto& open : {open_disks, open_shares, open_networks})
    if (const Result<void> good = open(*m, options); !good) return tl::unexpected(good.error());
  m->cpus = std::make_unique<system::ArmCpus>(options.cpus, *arm::find_cpu_model(options.cpu, options.gic == 3),
                                              options.engine, region_service_maker(options.tier_named));
  if (const Result<void> good = open_serial(*m, options.serial); !good) return tl::unexpected(good.error());
  if (!m->kernel) watch_for_panics(*m);
  system::VirtOptions board = board_options(*m, options);
  if (!m->kernel)
    if (const Result<void> good = add_firmware(*m, options, board); !good) return tl::unexpected(good.error());
  Result<std::unique_ptr<system::VirtMachine>> virt = system::build_virt(board);
  if (!virt) return tl::unexpected(virt.error());
  m->virt = std::move(*virt);
  m->cpus->connect(m->virt->board.bus(), m->virt->gic3, *m->virt->timer, *m->virt->cycles);
  if (const Result<void> good = wait_for_debugger(*m, options); !good) return tl::unexpected(good.error());
  return m;
}

}  // namespace tiercel::machine
