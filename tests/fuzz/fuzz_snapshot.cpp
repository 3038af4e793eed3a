// A snapshot that somebody changed. As a file it is refused. Its sections, without the checksum that keeps such changes
// away, are loaded into a machine with CPUs and all devices: that is refused, or the machine then runs.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "system/cpu/arm_cpus.h"
#include "system/snapshot/snapshot_file.h"
#include "tests/fuzz/board_world.h"

namespace {

using namespace tiercel;
using namespace tiercel::test;

class Bytes final : public ByteSink, public ByteSource {
 public:
  explicit Bytes(std::vector<u8> content = {}) : content(std::move(content)) {}
  Result<void> put(std::span<const u8> bytes) override {
    content.insert(content.end(), bytes.begin(), bytes.end());
    return {};
  }
  Result<void> get(std::span<u8> bytes) override {
    if (bytes.size() > content.size() - taken_) return fail(EINVAL, "cut off");
    std::copy_n(content.begin() + static_cast<long>(taken_), bytes.size(), bytes.begin());
    taken_ += bytes.size();
    return {};
  }
  std::vector<u8> content;

 private:
  std::size_t taken_ = 0;
};

engine::Options counting() {
  engine::Options options;
  options.counts_insns = true;
  return options;
}

/// Two CPUs, of which the first counts in a loop.
struct World {
  InsnClock clock{1000, 1'000'000};
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(&clock));
  Terminal serial, console;
  Cable cable;
  MemoryDisk disk;
  ArmCpus cpus;
  std::unique_ptr<VirtMachine> machine;
  static constexpr u64 kEntry = kRam + 0x8000;

  World(bool pci, unsigned gic) : cpus(2, *arm::find_cpu_model("max", gic == 3), counting()) {
    VirtOptions options = board_options(*this, pci, gic);
    options.flash = {{{1, 2, 3}, true, {}}};
    machine = std::move(*build_virt(options));
    cpus.connect(machine->board.bus(), machine->gic3, *machine->timer, *machine->cycles);
    machine->board.reset();
    machine->timer->reset();
  }

  Result<void> serialize(Snapshot& snapshot) {
    Result<void> done = snapshot.section("clock", [this](Archive& state) { clock.serialize(state); });
    if (done) done = tiercel::system::serialize(*machine, snapshot);
    if (done) done = cpus.serialize(snapshot);
    return done;
  }

  void run() {
    const auto end = clock.add_timer([this] { cpus.stop(); });
    clock.arm(end, clock.now() + 50'000);
    cpus.run_in_turns(clock, [this](int) { loop->run_once(0); });
  }
};

/// One machine has PCI and a GICv2, the other neither.
constexpr unsigned gic_of(bool pci) {
  return pci ? 2 : 3;
}

std::vector<u8> sections(bool pci) {
  World world(pci, gic_of(pci));
  for (unsigned slot = 0; !pci && slot < 4; ++slot) start_virtio(world.machine->board.bus(), slot);
  // add x0, x0, #1; b .-4
  world.machine->board.bus().write(PAddr{World::kEntry}, 8, 0x17ff'ffff'9100'0400);
  world.cpus.power_on(PAddr{World::kEntry}, 0);
  world.run();
  Bytes bytes;
  SnapshotWriter writer(bytes);
  CHECK(world.serialize(writer));
  return std::move(bytes.content);
}

/// The same file each time.
std::vector<u8> file() {
  const std::string path = "/tmp/fuzz-snapshot-" + std::to_string(getpid());
  const auto contents = [](Snapshot& snapshot) {
    return snapshot.section("x", [](Archive& state) {
      u64 number = 1;
      state(number);
    });
  };
  CHECK(save_snapshot(path, contents, {}));
  const int fd = open(path.c_str(), O_RDONLY);
  std::vector<u8> bytes(4096);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(read(fd, bytes.data(), bytes.size()), 0)));
  close(fd);
  unlink(path.c_str());
  return bytes;
}

/// Changes bytes as the input says: where, and what is there then.
void change(std::vector<u8>& bytes, test::Reader& in) {
  for (int i = 0; i < 32 && in.more(); ++i) {
    const u8 how = in.next<u8>();
    const std::size_t at = in.next<u32>() % bytes.size();
    const u64 value = in.next<u64>();
    const std::size_t n = std::min<std::size_t>(std::size_t{1} << (how & 3), bytes.size() - at);
    if (how == 0xff)
      bytes.resize(at + 1);
    else
      std::memcpy(&bytes[at], &value, n);
  }
}

void load_file(std::vector<u8> bytes, const std::vector<u8>& original) {
  const int fd = memfd_create("snapshot", MFD_CLOEXEC);
  CHECK(write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  const auto contents = [](Snapshot& snapshot) {
    return snapshot.section("x", [](Archive& state) {
      u64 number = 0;
      state(number);
    });
  };
  const Result<void> loaded = load_snapshot("/proc/self/fd/" + std::to_string(fd), contents, {});
  CHECK(loaded.has_value() == (bytes == original) && (loaded || !loaded.error().message.empty()));
  close(fd);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const tiercel::u8* data, std::size_t size) {
  static const std::vector<u8> kFile = file();
  static const std::vector<u8> kSections[2] = {sections(false), sections(true)};
  test::Reader in(data, size);
  const u8 what = in.next<u8>();
  if (what % 4 == 3) {
    std::vector<u8> bytes = kFile;
    change(bytes, in);
    load_file(std::move(bytes), kFile);
    return 0;
  }
  std::vector<u8> bytes = kSections[what & 1];
  change(bytes, in);
  Bytes source(std::move(bytes));
  SnapshotReader reader(source);
  World world(what & 1, gic_of(what & 1));
  const Result<void> loaded = world.serialize(reader);
  if (loaded)
    world.run();
  else
    CHECK(!loaded.error().message.empty());
  return 0;
}
