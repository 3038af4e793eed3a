#include "app/machine/saving.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "system/snapshot/snapshot_file.h"

namespace tiercel::machine {
namespace {

using system::Archive;
using system::Snapshot;

struct Trait {
  std::string name, value;
};

/// What must be the same when a machine is restored. Where its files are, and what its serial line leads to, may
/// change.
std::vector<Trait> traits(const Options& o) {
  std::vector<Trait> all = {
      {"CPU model", o.cpu},
      {"number of CPUs", fmt::to_string(o.cpus)},
      {"RAM", fmt::format("{} KiB", o.memory >> 10)},
      {"interrupt controller", fmt::format("GICv{}", o.gic)},
      {"transport of virtio devices", o.pci ? "PCI" : "memory-mapped"},
      {"clock", o.deterministic ? "deterministic" : "real"},
      {"start", o.kernel.empty() ? "firmware" : "a kernel"},
      {"number of disks", fmt::to_string(o.disks.size())},
      {"number of shared folders", fmt::to_string(o.shares.size())},
      {"number of networks", fmt::to_string(o.networks.size())},
  };
  for (const DiskOption& d : o.disks)
    all.push_back({"kind of disk", d.temporary ? "temporary" : d.read_only ? "readonly" : "writable"});
  for (const ShareOption& s : o.shares)
    all.push_back({"shared folder", fmt::format("{}{}", s.tag, s.read_only ? ",readonly" : "")});
  for (const NetOption& n : o.networks) {
    all.push_back({"kind of network", n.kind == NetOption::Kind::Tap ? "tap" : "user"});
    if (n.mac) all.push_back({"network address", fmt::format("{:02x}", fmt::join(*n.mac, ":"))});
  }
  return all;
}

void compare_traits(Archive& state, std::vector<Trait> ours) {
  constexpr u64 kMost = 255;
  for (Trait& trait : ours) {
    Trait saved = trait;
    state.list(saved.name, kMost);
    state.list(saved.value, kMost);
    if (!state.good()) return;
    if (saved.name != trait.name) return state.refuse("it was saved by a machine with other options");
    if (saved.value != trait.value)
      return state.refuse(fmt::format("its {} was {}, and is {} here", trait.name, saved.value, trait.value));
  }
}

Result<void> serialize(Machine& m, const Options& options, Snapshot& snapshot) {
  Result<void> done = snapshot.section("options", [&](Archive& state) { compare_traits(state, traits(options)); });
  for (std::size_t i = 0; done && i < m.disks.size(); ++i)
    done = m.disks[i].store->serialize(snapshot, fmt::format("disk {}", i));
  if (done)
    done = snapshot.section("clock", [&](Archive& state) {
      state(m.random);
      m.clock->serialize(state);
    });
  if (done) done = system::serialize(*m.virt, snapshot);
  if (done) done = m.cpus->serialize(snapshot);
  for (std::size_t i = 0; done && i < m.networks.size(); ++i)
    done = m.networks[i]->serialize(snapshot, fmt::format("network {}", i));
  return done;
}

/// On the terminal, if there is one: snapshots of large machines take a while.
class Progress {
 public:
  explicit Progress(const char* what) : what_(what), shown_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (told_ != 0) fmt::print(stderr, "\r\033[K");
  }
  void operator()(u64 bytes) {
    constexpr u64 kStep = 16 << 20;
    if (!shown_ || bytes < told_ + kStep) return;
    told_ = bytes;
    fmt::print(stderr, "\rtiercel: {} the machine, {} MiB ", what_, bytes >> 20);
  }

 private:
  const char* what_;
  bool shown_;
  u64 told_ = 0;
};

}  // namespace

Result<void> save_machine(Machine& m, const Options& options, const std::string& path) {
  for (const Machine::Disk& disk : m.disks)
    if (Result<void> flushed = disk.store->flush(); !flushed) return flushed;
  Progress progress("saving");
  return system::save_snapshot(
      path, [&](Snapshot& snapshot) { return serialize(m, options, snapshot); },
      [&progress](u64 bytes) { progress(bytes); });
}

Result<void> restore_machine(Machine& m, const Options& options) {
  Progress progress("restoring");
  return system::load_snapshot(
      options.restore, [&](Snapshot& snapshot) { return serialize(m, options, snapshot); },
      [&progress](u64 bytes) { progress(bytes); });
}

}  // namespace tiercel::machine
