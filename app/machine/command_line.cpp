#include "app/machine/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/dump_options.h"
#include "app/size.h"
#include "app/tier_option.h"
#include "frontend-arm/a64_system_frontend.h"
#include "system/boards/virt.h"

namespace tiercel::machine {
namespace {

constexpr u64 kLeastMemory = u64{32} << 20;
constexpr double kLongestTimeout = 1e9;

constexpr const char* kExamples = R"(Examples:
  tiercel boot --kernel vmlinuz --initrd initrd.img            a kernel and its first programs
  tiercel boot --kernel vmlinuz --initrd initrd.img --disk debian.img --append 'root=/dev/vda1'
  tiercel boot --disk debian.img                               an installed system, started by UEFI firmware
  tiercel boot --disk debian.img --net user,forward=2222:22    then: ssh -p 2222 root@localhost
  tiercel boot --disk debian.img --share .:src                 in the guest: mount -t 9p src /mnt

The serial line is the terminal. Ctrl-A x ends the machine, Ctrl-A p presses its power button, Ctrl-A h lists more.
The exit status is 0 when the guest switches its machine off or Ctrl-A x ended it; 123: its kernel panicked; 124: it
still ran after --timeout; 125: tiercel failed or was called wrongly. docs/machine.md has more.)";

// A machine runs for long, and its boot must not spend all there is.
constexpr u64 kCompileCredit = 600'000'000;
// By default, of the guest's RAM: what describes the code takes less than half as much again, so that a machine with
// 1 GiB takes 150 MiB more at most.
constexpr u64 kCodeShare = 16, kDefaultCode = 64 << 20, kMostDefaultCode = 256 << 20;
constexpr u64 kCodePerCpu = 2 << 20;                  // less for each but the first one: it has TLBs
constexpr u64 kTlbs = 32 << 20, kLeastTlb = 4 << 20;  // of all CPUs, and of one
constexpr u64 kLeastCodeCache = 1 << 20;              // with less a kernel translates its own loops again and again

/// Options as text, before they mean something.
struct Raw {
  std::vector<std::string> disks, networks, shares, dump, only;
  std::string save, firmware, serial = "stdio", memory = "1G", tier, code_cache;
  bool no_reboot = false;
};

void describe(CLI::App& app, Raw& raw, Options& o) {
  app.add_option("--kernel", o.kernel,
                 "arm64 Linux: Image, compressed or as an EFI program (without: firmware starts)");
  app.add_option("--initrd", o.initrd, "the kernel's initial RAM disk");
  app.add_option("--append", o.append, "the kernel's command line");
  app.add_option(
      "--firmware", raw.firmware,
      "FILE[,vars=FILE] or vars=FILE: UEFI firmware (default: that of Debian's qemu-efi-aarch64), and where it\n"
      "keeps its variables (default: nowhere)");
  app.add_option("--disk", raw.disks,
                 "FILE[,format=raw|qcow2][,readonly|,temporary]: a disk; temporary: what the guest writes is "
                 "forgotten; repeatable")
      ->allow_extra_args(false);
  app.add_option(
         "--net", raw.networks,
         "user[,forward=[tcp:|udp:][ADDRESS:]HOSTPORT:GUESTPORT]...[,restricted][,mac=M], tap,name=INTERFACE[,mac=M]\n"
         "or none; repeatable (default: user)")
      ->allow_extra_args(false);
  app.add_option("--share", raw.shares, "FOLDER:TAG[,readonly]: in the guest, mount -t 9p TAG DIRECTORY; repeatable")
      ->allow_extra_args(false);
  app.add_option("--serial", raw.serial,
                 "stdio, null, file:PATH, or unix:PATH or tcp:[ADDRESS:]PORT, where others connect (default: stdio)");
  app.add_option("--cpu", o.cpu,
                 fmt::format("the CPU model: {} (default: the first)", fmt::join(arm::cpu_model_names(), ", ")));
  app.add_option("--cpus", o.cpus, fmt::format("how many CPUs, 1 to {} (default: 1)", system::VirtOptions::kMostCpus));
  app.add_option("--gic", o.gic, "version of the interrupt controller, 2 or 3 (default: 3)");
  app.add_option("--mem", raw.memory, "RAM, for instance 512M or 2G (default: 1G)");
  app.add_flag("--pci", o.pci, "put disks, networks and shares on PCI instead of memory-mapped slots");
  app.add_flag("--no-reboot", raw.no_reboot, "end when the guest resets its machine");
  app.add_option("--timeout", o.timeout, "give up after so many seconds");
  app.add_flag("--deterministic", o.deterministic,
               "one thread, time by executed insns, no randomness: what gets no input from outside repeats exactly");
  app.add_option("--control", o.control, "take commands (QMP) at unix:PATH, tcp:PORT or tcp:ADDRESS:PORT");
  app.add_option("--save", raw.save,
                 "FILE[,after=SECONDS[,continue]]: Ctrl-A w saves the machine there and ends it, or so much of its own "
                 "time, after which it may also continue");
  app.add_option("--restore", o.restore,
                 "go on with a machine that was saved; the other options must be the same ones");
  app.add_option("--gdb", o.gdb, "wait for GDB at tcp:PORT, tcp:ADDRESS:PORT or unix:PATH before the first insn");
  app.add_option("--tier", raw.tier,
                 "auto (translates fast, and hot loops through LLVM in another process), fast, llvm (auto that waits "
                 "for\n"
                 "each loop) or interp (plain interpreter) (default: auto; fast with --deterministic)");
  app.add_option("--hot", o.engine.hot,
                 "a loop is hot when it ran so often (default 16384); with --tier=llvm, 1: every block");
  app.add_option(
      "--code-cache", raw.code_cache,
      "size of the code cache, e.g. 32M; less memory for more translation (default: a sixteenth of --mem, at\n"
      "least 64M and at most 256M, less 2M for each CPU but the first)");
  app.add_flag("--stats", o.engine.stats, "write counters to standard error at the end");
  app.add_flag("--perf", o.engine.perf_map, "write /tmp/perf-PID.map for perf");
  app.add_option("--dump", raw.dump, "stages to print while translating: guest,ir,opt,host,llvm")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--only", raw.only, "with --dump: only blocks at these addresses, pc:0x4000,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.footer(kExamples);
}

Result<void> interpret_engine(const Raw& raw, Options& o) {
  engine::Options& e = o.engine;
  if (std::string error = app::choose_tier(raw.tier, o.deterministic, e); !error.empty()) return fail(EINVAL, error);
  o.tier_named = !raw.tier.empty();
  if (e.hot == 0 || e.hot > (1 << 24)) return fail(EINVAL, "--hot: not a number from 1 to 16777216");
  if (o.deterministic && e.wants_regions())
    return fail(EINVAL, "--deterministic goes with --tier interp and fast only");
  if (!app::parse_code_cache(raw.code_cache, kLeastCodeCache, e.code_cache_bytes))
    return fail(EINVAL, fmt::format("--code-cache: '{}' is not a size from 1M to 1G", raw.code_cache));
  e.counts_insns = o.deterministic;
  e.compile_credit_ns = kCompileCredit;
  if (std::string error = app::parse_dump(raw.dump, raw.only, e.dump); !error.empty()) return fail(EINVAL, error);
  return {};
}

/// Each of `texts` by `parse` into `out`; the first error.
template <typename Option>
Result<void> parse_all(const std::vector<std::string>& texts, Result<Option> (*parse)(const std::string&),
                       std::vector<Option>& out) {
  for (const std::string& text : texts) {
    Result<Option> option = parse(text);
    if (!option) return tl::unexpected(option.error());
    out.push_back(std::move(*option));
  }
  return {};
}

Result<void> interpret_devices(const Raw& raw, Options& o) {
  if (const Result<void> r = parse_all(raw.disks, parse_disk, o.disks); !r) return r;
  if (const Result<void> r = parse_all(raw.shares, parse_share, o.shares); !r) return r;
  if (const Result<void> r = parse_all(raw.networks, parse_net, o.networks); !r) return r;
  if (raw.networks.empty()) o.networks.emplace_back();
  std::erase_if(o.networks, [](const NetOption& n) { return n.kind == NetOption::Kind::None; });
  if (!raw.firmware.empty()) {
    const Result<FirmwareOption> firmware = parse_firmware(raw.firmware);
    if (!firmware) return tl::unexpected(firmware.error());
    o.firmware = *firmware;
  }
  if (!raw.save.empty()) {
    const Result<SaveOption> save = parse_save(raw.save);
    if (!save) return tl::unexpected(save.error());
    o.save = *save;
  }
  const Result<SerialOption> serial = parse_serial(raw.serial);
  if (!serial) return tl::unexpected(serial.error());
  o.serial = *serial;
  return {};
}

Result<void> interpret(const Raw& raw, Options& o) {
  if (const Result<void> good = interpret_engine(raw, o); !good) return good;
  if (o.cpu.empty()) o.cpu = arm::cpu_model_names().front();
  if (!arm::find_cpu_model(o.cpu))
    return fail(EINVAL, fmt::format("--cpu: there is no model '{}', only {}", o.cpu,
                                    fmt::join(arm::cpu_model_names(), " and ")));
  if (o.cpus < 1 || o.cpus > system::VirtOptions::kMostCpus)
    return fail(EINVAL, fmt::format("--cpus: {} is not 1 to {}", o.cpus, system::VirtOptions::kMostCpus));
  if (o.gic != 2 && o.gic != 3) return fail(EINVAL, fmt::format("--gic: {} is not 2 or 3", o.gic));
  if (!app::parse_size(raw.memory, o.memory))
    return fail(EINVAL, fmt::format("--mem: '{}' is not a size like 512M or 2G", raw.memory));
  if (o.memory < kLeastMemory)
    return fail(EINVAL, fmt::format("--mem: '{}' is less than {}M; sizes have units, as in 512M or 2G", raw.memory,
                                    kLeastMemory >> 20));
  if (!(o.timeout >= 0 && o.timeout <= kLongestTimeout))
    return fail(EINVAL, fmt::format("--timeout: {} is not a number of seconds", o.timeout));
  if (raw.code_cache.empty())
    o.engine.code_cache_bytes =
        std::clamp(o.memory / kCodeShare, kDefaultCode, kMostDefaultCode) - (o.cpus - 1) * kCodePerCpu;
  o.engine.tlb_bytes = std::max(kTlbs / o.cpus, kLeastTlb);
  for (const auto& [option, given] : {std::pair{"--initrd", !o.initrd.empty()}, {"--append", !o.append.empty()}})
    if (given && o.kernel.empty()) return fail(EINVAL, fmt::format("{} goes with --kernel", option));
  if (!raw.firmware.empty() && !o.kernel.empty()) return fail(EINVAL, "--firmware and --kernel exclude each other");
  if (o.deterministic && (!o.gdb.empty() || !o.control.empty()))
    return fail(EINVAL, "--deterministic goes with neither --gdb nor --control");
  o.reboot = !raw.no_reboot;
  return interpret_devices(raw, o);
}

}  // namespace

Result<std::optional<Options>> parse_options(int argc, char** argv) {
  Options options;
  Raw raw;
  CLI::App app{"Runs a whole AArch64 machine.", "tiercel boot"};
  describe(app, raw, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    if (std::fputs(app.help().c_str(), stdout) < 0 || std::fflush(stdout) != 0) return fail(errno, "cannot write help");
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    return fail(EINVAL, fmt::format("{}; see tiercel boot --help", e.what()));
  }
  if (const Result<void> good = interpret(raw, options); !good) return tl::unexpected(good.error());
  return options;
}

}  // namespace tiercel::machine
