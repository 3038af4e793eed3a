// Snapshots: the file, the sections, and each device's part.
#include "system/snapshot/snapshot_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "system/boards/virt.h"
#include "system/host/qcow2.h"
#include "system/host/scratch_disk.h"
#include "tests/system/fakes.h"
#include "tests/system/p9_client.h"

namespace tiercel::system {
namespace {

/// A folder that is gone afterwards.
struct Folder {
  Folder() { path = mkdtemp(name); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& file) const { return path + "/" + file; }
  char name[32] = "/tmp/snapshot-XXXXXX";
  std::string path;
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class Buffer final : public ByteSink, public ByteSource {
 public:
  Result<void> put(std::span<const u8> bytes) override {
    content.insert(content.end(), bytes.begin(), bytes.end());
    return {};
  }
  Result<void> get(std::span<u8> bytes) override {
    if (bytes.size() > content.size() - taken) return fail(EINVAL, "cut off");
    std::copy_n(content.begin() + static_cast<long>(taken), bytes.size(), bytes.begin());
    taken += bytes.size();
    return {};
  }
  std::vector<u8> content;
  std::size_t taken = 0;
};

Result<void> a_number(Snapshot& snapshot, u32& number) {
  return snapshot.section("number", [&number](Archive& state) { state(number); });
}

std::string loading_error(const std::string& path) {
  const Result<void> loaded = load_snapshot(path,
                                            [](Snapshot& s) {
                                              u32 number = 0;
                                              return a_number(s, number);
                                            },
                                            {});
  return loaded ? "" : loaded.error().message;
}

TEST(SnapshotFile, GivesBackWhatWasSaved) {
  const Folder folder;
  u32 number = 42;
  std::vector<u8> memory(64 * kPageSize);
  memory[5 * kPageSize + 7] = 1, memory.back() = 2;
  const auto contents = [&](Snapshot& s) {
    const Result<void> done = a_number(s, number);
    return done ? s.memory("memory", memory) : done;
  };
  ASSERT_TRUE(save_snapshot(folder / "s", contents, {}));
  EXPECT_LT(read_file(folder / "s").size(), 1000u) << "pages of zeroes take no room";
  const std::vector<u8> saved = memory;
  std::fill(memory.begin(), memory.end(), u8{0});
  number = 0;
  ASSERT_TRUE(load_snapshot(folder / "s", contents, {}));
  EXPECT_EQ(number, 42u);
  EXPECT_EQ(memory, saved);
}

TEST(SnapshotFile, RefusesWhatItCannotRead) {
  const Folder folder;
  u32 number = 42;
  ASSERT_TRUE(save_snapshot(folder / "good", [&](Snapshot& s) { return a_number(s, number); }, {}));
  EXPECT_EQ(loading_error(folder / "good"), "");
  const std::string good = read_file(folder / "good");
  const auto error_of = [&](std::string bytes) {
    write_file(folder / "bad", bytes);
    return loading_error(folder / "bad");
  };
  const auto mentions = [](const std::string& text, const char* what) { return text.find(what) != std::string::npos; };
  EXPECT_PRED2(mentions, loading_error(folder / "none"), "No such file");
  EXPECT_PRED2(mentions, error_of(""), "is not a snapshot");
  EXPECT_PRED2(mentions, error_of("something else, of some length"), "is not a snapshot");
  EXPECT_PRED2(mentions, error_of(good.substr(0, good.size() - 1)), "is cut off");
  EXPECT_PRED2(mentions, error_of(good + "x"), "is corrupt");
  std::string other = good;
  other[8] = 99;
  EXPECT_PRED2(mentions, error_of(other), "has format 99");
  for (std::size_t i = 12; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_NE(error_of(bad), "") << "byte " << i;
  }
}

TEST(SnapshotFile, AnErrorLeavesWhatWasThere) {
  const Folder folder;
  write_file(folder / "s", "before");
  const Result<void> saved = save_snapshot(folder / "s", [](Snapshot&) { return fail(EIO, "no"); }, {});
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().message, "no");
  EXPECT_EQ(read_file(folder / "s"), "before");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 1);
  EXPECT_FALSE(save_snapshot(folder / "none/s", [](Snapshot&) { return Result<void>(); }, {}));
}

TEST(Archive, KnowsWhatCannotBeRight) {
  Archive out;
  u32 number = 7;
  bool yes = true;
  std::vector<u8> bytes = {1, 2, 3};
  out(number, yes);
  out.list(bytes, 10);
  const std::vector<u8> saved = out.collected();

  Archive in(saved);
  u32 number_again = 0;
  bool yes_again = false;
  std::vector<u8> bytes_again;
  in(number_again, yes_again);
  in.list(bytes_again, 10);
  EXPECT_TRUE(in.good() && in.at_end());
  EXPECT_TRUE(number_again == 7 && yes_again && bytes_again == bytes);

  Archive too_long(saved);
  too_long(number_again, yes_again);
  too_long.list(bytes_again, 2);
  EXPECT_FALSE(too_long.good());
  EXPECT_TRUE(bytes_again.empty());

  Archive cut_off{std::span<const u8>(saved).first(2)};
  cut_off(number_again);
  EXPECT_FALSE(cut_off.good());
  EXPECT_EQ(number_again, 0u);

  const u8 two = 2;
  Archive no_bool({&two, 1});
  no_bool(yes_again);
  EXPECT_FALSE(no_bool.good());
}

/// A board with every device.
struct World {
  explicit World(bool pci = false) {
    VirtOptions options;
    options.cpus = 2;
    options.ram_bytes = 1 << 20;
    options.clock = &clock;
    options.interrupts = &cpus;
    options.loop = loop.get();
    options.serial = &serial;
    options.console = &console;
    options.entropy = [](std::span<u8> out) { std::fill(out.begin(), out.end(), u8{1}); };
    options.virtio_on_pci = pci;
    options.flash = {{{1, 2, 3}, true, {}}};
    machine = std::move(*build_virt(options));
    machine->board.reset();
    machine->timer->reset();
  }
  Bus& bus() { return machine->board.bus(); }
  u64 read(u64 address, unsigned bytes = 4) { return *bus().read(PAddr{address}, bytes); }
  void write(u64 address, u64 value, unsigned bytes = 4) { EXPECT_TRUE(bus().write(PAddr{address}, bytes, value)); }
  Result<void> serialize(Snapshot& snapshot) {
    const Result<void> done = snapshot.section("clock", [this](Archive& state) { clock.serialize(state); });
    return done ? system::serialize(*machine, snapshot) : done;
  }

  InsnClock clock{1000, 1'000'000};
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(&clock));
  FakeCpus cpus{2};
  FakePort serial, console;
  std::unique_ptr<VirtMachine> machine;
};

constexpr u64 kDistributor = 0x0800'0000, kUart = 0x0900'0000, kClock = 0x0901'0000, kFwCfg = 0x0902'0000,
              kGpio = 0x0903'0000, kConsole = 0x0a00'0000, kConfig = 0x40'1000'8000;

/// Sets registers to what they are not after a reset.
void use(World& w, bool pci) {
  w.clock.retire(3'000'000'000);
  w.write(0x4000'1000, 0x1234'5678'9abc'def0, 8);
  w.write(0, 0x70);  // the flash shows its status
  w.write(kDistributor, 3);
  w.write(kDistributor + 0x84, ~0u);      // SPIs in group 1
  w.write(kDistributor + 0x104, 0xffff);  // enabled
  w.write(kDistributor + 0x420, 0x8080'8080);
  w.machine->gic3->write_icc(0, Icc::Pmr, 0xf0);
  w.machine->gic3->write_icc(0, Icc::Igrpen1, 1);
  w.write(kUart + 0x2c, 0x70);
  w.write(kUart + 0x38, 0x50);
  w.serial.type("hello");
  w.write(kClock + 8, 5000);
  w.write(kClock + 4, 5001);
  w.write(kFwCfg + 8, 0x1900, 2);
  w.read(kFwCfg, 1);
  w.write(kGpio + 0x40c, 8);
  w.machine->buttons->set_input(3, true);
  w.machine->timer->set_compare(1, GenericTimer::kVirtual, 300'000'000);
  w.machine->timer->set_control(1, GenericTimer::kVirtual, 1);
  if (pci) {
    w.write(kConfig + 0x10, 0x1001'0000);
    w.write(kConfig + 4, 2, 2);
    w.write(0x1001'0010, 1, 2);  // the device's interrupt for changes
    w.write(0x1001'0014, 3, 1);
    return;
  }
  const auto set = [&w](u64 offset, u32 value) { w.write(kConsole + offset, value); };
  set(0x70, 3), set(0x24, 1), set(0x20, 1), set(0x24, 0), set(0x70, 11);
  set(0x30, 0), set(0x38, 8), set(0x80, 0x4000'2000), set(0x90, 0x4000'3000), set(0xa0, 0x4000'4000), set(0x44, 1);
  set(0x70, 15);
}

std::vector<u8> saved(World& w) {
  Buffer buffer;
  SnapshotWriter writer(buffer);
  EXPECT_TRUE(w.serialize(writer));
  return buffer.content;
}

void restore(World& w, const std::vector<u8>& from) {
  Buffer buffer;
  buffer.content = from;
  SnapshotReader reader(buffer);
  const Result<void> loaded = w.serialize(reader);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(buffer.taken, from.size());
}

TEST(Snapshot, RestoresEveryDevice) {
  for (const bool pci : {false, true}) {
    World first(pci), second(pci);
    use(first, pci);
    const std::vector<u8> state = saved(first);
    restore(second, state);
    EXPECT_EQ(saved(second), state);
    for (World* w : {&first, &second}) {
      EXPECT_EQ(w->clock.now(), 3'000'000'000u);
      EXPECT_EQ(w->read(0x4000'1000, 8), 0x1234'5678'9abc'def0u);
      EXPECT_EQ(w->read(0, 2), 0x80u) << "not the flash's array";
      EXPECT_EQ(w->read(kDistributor + 0x104), 0xffffu);
      EXPECT_TRUE(w->cpus.irq[0]) << "the UART's";
      EXPECT_EQ(w->machine->gic3->read_icc(0, Icc::Iar1), 33u);
      EXPECT_FALSE(w->cpus.irq[0]);
      EXPECT_EQ(w->read(kUart), u64{'h'});
      EXPECT_EQ(w->read(kClock), 5000u);
      EXPECT_EQ(w->read(kFwCfg, 1), 0u);
      EXPECT_EQ(w->read(kGpio + 0x414), 8u);
      w->clock.retire(2'000'000'000);
      w->loop->run_once(0);
      EXPECT_EQ(w->read(kClock + 0x14), 1u) << "the alarm";
      EXPECT_EQ(w->machine->timer->control(1, GenericTimer::kVirtual), 5u);
      EXPECT_EQ(w->read(kDistributor + 0xa'0000 + 0x3'0200) & 1 << 27, 1u << 27) << "the timer's line";
      EXPECT_EQ(w->read(kConsole + 0x44), pci ? 0u : 1u);
      EXPECT_EQ(w->read(kConsole + 0x70), pci ? 0u : 15u);
      EXPECT_EQ(w->read(0x1001'0014, 1), pci ? 3u : 0xffu);
    }
    EXPECT_EQ(saved(second), saved(first));
  }
}

TEST(Snapshot, IsOfOneBoard) {
  World first(false), second(true);
  Buffer buffer;
  buffer.content = saved(first);
  SnapshotReader reader(buffer);
  EXPECT_FALSE(second.serialize(reader));
}

TEST(Snapshot, RefusesAQueueOutsideRam) {
  World first, second;
  use(first, false);
  std::vector<u8> state = saved(first);
  // The console's descriptors at 0x40002000, moved.
  const std::vector<u8> address = {0, 0x20, 0, 0x40, 0, 0, 0, 0};
  const auto at = std::search(state.begin(), state.end(), address.begin(), address.end());
  ASSERT_NE(at, state.end());
  at[3] = 0x30;
  Buffer buffer;
  buffer.content = state;
  SnapshotReader reader(buffer);
  const Result<void> loaded = second.serialize(reader);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("virtio_mmio@a000000"), std::string::npos) << loaded.error().message;
}

/// Whether `store` takes what `state` has; the message if not.
std::string disk_error(BlockStore& store, const std::vector<u8>& state) {
  Buffer buffer;
  buffer.content = state;
  SnapshotReader reader(buffer);
  const Result<void> loaded = store.serialize(reader, "disk");
  return loaded ? "" : loaded.error().message;
}

TEST(Snapshot, KnowsADiskThatChanged) {
  const Folder folder;
  write_file(folder / "disk", std::string(8192, 'a'));
  Buffer state;
  SnapshotWriter writer(state);
  auto disk = std::move(*open_disk(folder / "disk", false));
  ASSERT_TRUE(disk->serialize(writer, "disk"));
  EXPECT_EQ(disk_error(*disk, state.content), "");
  u8 byte = 'b';
  const iovec piece{&byte, 1};
  usleep(20'000);  // the host's file times are as fine as its timer interrupts
  ASSERT_TRUE(disk->write(100, {&piece, 1}));
  EXPECT_NE(disk_error(*disk, state.content).find("was changed since"), std::string::npos);
  disk.reset();
  std::filesystem::resize_file(folder / "disk", 4096);
  EXPECT_NE(disk_error(**open_disk(folder / "disk", false), state.content).find("has 4096 bytes, and had 8192"),
            std::string::npos);
}

TEST(Snapshot, HoldsTheChangesOfATemporaryDisk) {
  const Folder folder;
  write_file(folder / "disk", std::string(300'000, 'a'));
  const auto open = [&] { return std::move(*make_scratch_disk(std::move(*open_disk(folder / "disk", true)))); };
  Buffer state;
  const auto first = open();
  std::vector<u8> bytes(100'000, 'b');
  const iovec piece{bytes.data(), bytes.size()};
  ASSERT_TRUE(first->write(150'000, {&piece, 1}));
  SnapshotWriter writer(state);
  ASSERT_TRUE(first->serialize(writer, "disk"));
  const auto second = open();
  EXPECT_EQ(disk_error(*second, state.content), "");
  std::vector<u8> all(300'000);
  const iovec whole{all.data(), all.size()};
  ASSERT_TRUE(second->read(0, {&whole, 1}));
  EXPECT_EQ(std::count(all.begin(), all.end(), 'b'), 100'000);
  EXPECT_EQ(std::count(all.begin() + 150'000, all.begin() + 250'000, 'b'), 100'000);
}

TEST(Snapshot, OpensAFoldersFilesAgain) {
  const Folder folder;
  write_file(folder / "kept", "hello");
  write_file(folder / "gone", "hello");
  const auto first = std::move(*p9::Server::create(folder.path, false));
  p9::Client client{*first, {}};
  client.version(), client.attach(0);
  ASSERT_EQ(client.walk(0, 1, {"kept"}), 0u);
  ASSERT_EQ(client.open(1, 2), 0u);
  Archive out;
  first->serialize(out);
  ASSERT_TRUE(out.good());

  const auto second = std::move(*p9::Server::create(folder.path, false));
  Archive in(out.collected());
  second->serialize(in);
  ASSERT_TRUE(in.good() && in.at_end()) << in.reason();
  p9::Client again{*second, {}};
  EXPECT_EQ(again.read(1, 0, 100), "hello");
  EXPECT_EQ(again.walk(0, 2, {"kept"}), 0u);

  const auto read_only = std::move(*p9::Server::create(folder.path, true));
  Archive protect(out.collected());
  read_only->serialize(protect);
  EXPECT_FALSE(protect.good()) << "a file open for writing";

  unlink((folder / "kept").c_str());
  Archive missing(out.collected());
  second->serialize(missing);
  EXPECT_NE(missing.reason().find("'kept'"), std::string::npos) << missing.reason();

  ASSERT_EQ(client.walk(0, 3, {"gone"}), 0u);
  unlink((folder / "gone").c_str());
  Archive nameless;
  first->serialize(nameless);
  EXPECT_NE(nameless.reason().find("no name"), std::string::npos) << nameless.reason();
}

}  // namespace
}  // namespace tiercel::system
