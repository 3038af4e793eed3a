// The AArch64 `virt` board: a machine made of what guests have drivers for, at the addresses that firmware built for
// such boards expects.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "system/boards/board.h"
#include "system/boot/kernel_image.h"
#include "system/bus/clock.h"
#include "system/devices/fw_cfg.h"
#include "system/devices/pl061.h"
#include "system/devices/virtio/virtio_device.h"
#include "system/devices/virtio/virtio_net.h"
#include "system/devices/virtio/virtio_rng.h"
#include "system/host/block_store.h"
#include "system/host/char_port.h"
#include "system/host/p9/server.h"
#include "system/host/packet_port.h"
#include "system/interrupt/cycle_interrupts.h"
#include "system/interrupt/generic_timer.h"
#include "system/interrupt/gic3.h"

namespace tiercel::system {

/// Pointers are to what the caller owns and keeps until the board is gone.
struct VirtOptions {
  static constexpr unsigned kMostCpus = 8;
  unsigned cpus = 1;
  unsigned gic = 3;  // version of the interrupt controller, 2 or 3
  u64 ram_bytes = u64{1} << 30;
  u64 timer_frequency = 62'500'000;
  Clock* clock = nullptr;
  CpuInterrupts* interrupts = nullptr;
  EventLoop* loop = nullptr;  // not started yet
  CharPort* serial = nullptr;
  VirtioRng::Source entropy;  // for the guest's random device and boot seeds

  struct Disk {
    BlockStore* store;
    EventLoop* loop;  // its own, or the machine's
  };
  struct Network {
    PacketPort* port;
    VirtioNet::Mac mac;
  };
  struct Share {
    p9::Server* server;
    std::string tag;
    EventLoop* loop;
  };
  std::vector<Disk> disks;
  std::vector<Share> shares;
  std::vector<Network> networks;
  CharPort* console = nullptr;  // hvc0
  bool virtio_on_pci = false;   // else in the memory-mapped slots

  struct Flash {
    std::vector<u8> content;  // at most kFlashBytes; the rest is zeroes
    bool writable = false;
    std::function<void(u64 offset, std::span<const u8> bytes)> save;  // what the guest changed, on its thread
  };
  static constexpr u64 kFlashBytes = 64 << 20;  // of each bank
  std::vector<Flash> flash;                     // firmware, and its variables
};

/// The parts that the CPU side and the user interface call.
struct VirtMachine {
  Board board;
  Gic* gic = nullptr;
  Gic3* gic3 = nullptr;  // the same, if it is one
  GenericTimer* timer = nullptr;
  CycleInterrupts* cycles = nullptr;
  Pl061* buttons = nullptr;
  FwCfg* fw_cfg = nullptr;
  VirtOptions options;
  std::vector<VirtioDevice*> virtio;

  static constexpr unsigned kPowerButton = 3;  // pin of `buttons`
};

/// Everything but the CPUs and what the host's side of the devices knows: its part of a snapshot. After the clock.
Result<void> serialize(VirtMachine& machine, Snapshot& snapshot);

Result<std::unique_ptr<VirtMachine>> build_virt(const VirtOptions& options);

struct KernelFiles {
  KernelImage kernel;
  std::vector<u8> initrd;  // may be empty
  std::string command_line;
};
/// Copies kernel, initrd and device tree into RAM. CPU 0 starts at `kernel` in EL1 with x0 = `device_tree`.
Result<LoadPlan> load_kernel(VirtMachine& machine, const KernelFiles& files);

/// Puts the device tree at the start of RAM, where firmware for such boards looks for it. CPU 0 starts at 0, in flash.
Result<void> prepare_firmware(VirtMachine& machine);

}  // namespace tiercel::system
