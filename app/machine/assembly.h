// A machine put together from options: the host's side of its devices, its CPUs and its board.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/machine/command_line.h"
#include "base/descriptor.h"
#include "debug/listener.h"
#include "system/boards/virt.h"
#include "system/cpu/arm_cpus.h"
#include "system/cpu/machine_debugger.h"
#include "system/host/char_port.h"
#include "system/host/panic_watch.h"
#include "system/host/stdio_port.h"

namespace tiercel::machine {

/// Parts are destroyed in the opposite order: what the board's devices use outlives them.
struct Machine {
  /// With the event loop that waits for it.
  struct Disk {
    std::unique_ptr<system::EventLoop> loop;
    std::unique_ptr<system::BlockStore> store;
  };
  struct Share {
    std::unique_ptr<system::EventLoop> loop;
    std::unique_ptr<system::p9::Server> server;
  };

  std::optional<system::KernelFiles> kernel;  // until they are in its memory; none: firmware starts
  bool panic_resets = false;                  // the kernel answers a panic, and nothing else, with a warm reset
  std::unique_ptr<system::Clock> clock;       // one of these:
  system::RealClock* real_clock = nullptr;
  system::InsnClock* insn_clock = nullptr;  // all runs on one thread
  u64 random = 1;                           // of deterministic randomness, what comes next
  std::unique_ptr<system::EventLoop> loop;  // the machine's own
  std::vector<Disk> disks;
  std::vector<Share> shares;
  std::vector<std::unique_ptr<system::PacketPort>> networks;
  Descriptor variables;  // the file of the firmware's variables
  std::unique_ptr<system::ArmCpus> cpus;
  std::unique_ptr<system::MachineDebugger> debugger;  // if anybody may stop the CPUs
  std::unique_ptr<system::RawTerminal> terminal;      // if the serial line is one
  Descriptor serial_file;                             // if it is not
  std::optional<debug::Listener> serial_listener;
  std::unique_ptr<system::CharPort> serial;
  std::unique_ptr<system::PanicWatch> panic_watch;  // on it, of a kernel that firmware started
  std::unique_ptr<system::VirtMachine> virt;

  std::function<std::string(char)> on_escape;  // the key after Ctrl-A, on the loop's thread; gives what is typed

  void start_loops();
  /// Instead, on the calling thread.
  void serve_devices(int timeout_ms);
  void stop_loops();
};

Result<std::unique_ptr<Machine>> assemble(const Options& options);

/// Reads the kernel and its initrd, if there is one.
Result<void> read_kernel_files(Machine& machine, const Options& options);

}  // namespace tiercel::machine
