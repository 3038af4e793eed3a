// What `tiercel boot` is asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/machine/device_options.h"
#include "base/result.h"
#include "engine/options.h"

namespace tiercel::machine {

/// Exit statuses besides 0. docs/machine.md and --help list them.
enum Status : int { kPanicked = 123, kTimedOut = 124, kFailed = 125 };

struct Options {
  std::string kernel, initrd, append;
  FirmwareOption firmware;  // of a machine without kernel
  std::vector<DiskOption> disks;
  std::vector<NetOption> networks;
  std::vector<ShareOption> shares;
  SerialOption serial;
  std::string cpu;
  unsigned cpus = 1;
  unsigned gic = 3;  // version
  u64 memory = u64{1} << 30;
  bool pci = false;
  bool deterministic = false;
  bool reboot = true;   // else the guest's reset ends the run
  double timeout = 0;   // seconds; 0: none
  std::string gdb;      // where to wait for a debugger; empty: nowhere
  std::string control;  // ... for who rules the machine
  std::string restore;  // a snapshot to go on from
  SaveOption save;
  engine::Options engine;
  bool tier_named = false;  // by the user: a missing translation service is worth a word
};

/// Nothing: help was asked for and has been printed.
Result<std::optional<Options>> parse_options(int argc, char** argv);

}  // namespace tiercel::machine
