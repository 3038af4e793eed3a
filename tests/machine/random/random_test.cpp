// Random code in machines, on each tier against the interpreter: the same exceptions with the same registers, the same
// accesses of a device, and the same memory in the end. TIERCEL_RANDOM_ROUNDS=n makes n times as many programs;
// TIERCEL_RANDOM_SEED=n makes one, whose words lie in /tmp/random-SEED.bin if it fails, and TIERCEL_RANDOM_STOP=n ends
// it with its n-th exception: then it says which registers differ.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "tests/machine/bare_machine.h"
#include "tests/machine/random/random_code.h"

namespace tiercel::test {
namespace {

// As in random.S.
constexpr u64 kTables = 0x4030'0000, kDataTable = 0x4030'2000, kCodeTable = 0x4030'3000, kCodeShadow = 0x4030'4000;
constexpr u64 kParameters = 0x4031'0000, kState = 0x4031'8000, kLog = 0x4034'0000;
constexpr u64 kCodeFrames = 0x4080'0000, kDataFrames = 0x40a0'0000, kDataFrameCount = 32;
constexpr u64 kFrame = 0x401f'ff00;  // x0 to x30 at the last exception
constexpr u64 kMostExceptions = 16000;
constexpr u64 kPatchedFrame = 0x4083'e000, kTestDevice = 0x0b00'0000;

/// Every access changes what the next ones find. Not at its end: the first half of a pair there is accessed once more
/// if the other one is refused, as the architecture allows.
class Memo final : public system::Device {
 public:
  u64 read(u64 offset, unsigned bytes) override { return offset < kEnd ? note(offset << 8 | bytes) : offset; }
  void write(u64 offset, unsigned bytes, u64 value) override {
    if (offset >= kEnd) return;
    note(offset << 8 | bytes | 0x80);
    note(value);
  }
  void reset() override {}
  void serialize(system::Archive&) override {}
  u64 sum = 0, accesses = 0;

 private:
  static constexpr u64 kEnd = 0xfc0;
  u64 note(u64 what) {
    ++accesses;
    return sum = (sum ^ what) * 0x9e37'79b9'7f4a'7c15 + (sum >> 23);
  }
};

u64 number_from(const char* variable, u64 otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

struct LogEntry {
  u64 esr, far, elr, spsr, sum, random;
  bool operator==(const LogEntry&) const = default;
};

class World {
 public:
  World(u64 seed, const engine::Options& options) : code_(seed), machine_(options, "max", 1) {
    machine_.bus().add_device(PAddr{kTestDevice}, 0x1000, memo);
    words_ = code_.make();
    CHECK(words_.size() * 4 <= RandomCode::kPatchedPage * kPageSize);
    make_tables();
    for (u64 at = 0; at < kDataFrameCount * kPageSize; at += 8) put(kDataFrames + at, interesting());
    make_parameters();
  }

  BareResult run() { return machine_.run("random"); }
  BareMachine& machine() { return machine_; }
  std::span<const u8> memory() { return machine_.ram(); }
  const std::vector<u32>& words() const { return words_; }
  u64 exceptions() { return get(kState); }
  u64 get(u64 address) {
    u64 value;
    std::memcpy(&value, place(address), sizeof value);
    return value;
  }
  LogEntry entry(u64 n) {
    LogEntry e;
    std::memcpy(&e, place(kLog + sizeof e * n), sizeof e);
    return e;
  }

  Memo memo;

 private:
  u8* place(u64 address) { return &machine_.ram()[address - BareMachine::kRam]; }
  void put(u64 address, u64 value) { std::memcpy(place(address), &value, sizeof value); }

  void make_tables() {
    constexpr u64 kRamBlock = 0x701, kExecutable = 0x7c3;
    put(kTables, 0x405);
    put(kTables + 8, (kTables + 0x1000) | 3);
    const u64 second[] = {0x4000'0000 | kRamBlock, 0x4020'0000 | kRamBlock, kCodeTable | 3,
                          kDataTable | 3,          kCodeFrames | kRamBlock, kDataFrames | kRamBlock};
    for (u64 i = 0; i < std::size(second); ++i) put(kTables + 0x1000 + 8 * i, second[i]);
    // Code lies anywhere, but for the page that is patched and its double.
    std::vector<u64> frames(RandomCode::kPatchedPage);
    for (u64 i = 0; i < frames.size(); ++i) frames[i] = kCodeFrames + kPageSize * i;
    std::shuffle(frames.begin(), frames.end(), random_);
    frames.push_back(kPatchedFrame);
    for (u64 page = 0; page < frames.size(); ++page)
      for (const u64 table : {kCodeTable, kCodeShadow}) put(table + 8 * page, frames[page] | kExecutable);
    for (u64 i = 0; i < words_.size(); ++i) std::memcpy(place(frames[i / 1024] + 4 * (i % 1024)), &words_[i], 4);
    std::vector<u32> patched = RandomCode::patched_page();
    std::memcpy(place(kPatchedFrame), patched.data(), 4 * patched.size());
    patched[4] += 5 << 10;
    std::memcpy(place(kPatchedFrame + kPageSize), patched.data(), 4 * patched.size());
  }

  void make_parameters() {
    for (u32 i = 0; i < 31; ++i) put(kParameters + 8 * i, interesting());
    for (u32 i = 19; i < 27; ++i) put(kParameters + 8 * i, RandomCode::kWindow + code_.pick(0x1'0000));
    put(kParameters + 0xf8, RandomCode::kWindow + 0x8000);
    const u64 level = code_.pick(2) ? 0x3c4 : 0x3c0;  // EL1 or EL0 with the same stack pointer
    put(kParameters + 0x100, level | u64{code_.pick(16)} << 28);
    put(kParameters + 0x108, RandomCode::kCode);
    put(kParameters + 0x110, code_.pick(4) ? 0 : u64{code_.pick(16)} << 22);  // rounding, FZ, DN
    for (u32 i = 0; i < 64; ++i) put(kParameters + 0x200 + 8 * i, interesting());
    put(kState + 8, code_.random());
    put(kState + 16, number_from("TIERCEL_RANDOM_STOP", kMostExceptions));
  }

  u64 interesting() {
    constexpr u64 kValues[] = {0, 1, ~u64{0}, 0x8000'0000, u64{1} << 63, 0x3ff0'0000'0000'0000, 0x7ff0'0000'0000'0000};
    return code_.pick(3) ? code_.random() >> code_.pick(64) : kValues[code_.pick(std::size(kValues))];
  }

  RandomCode code_;
  std::minstd_rand random_{static_cast<u32>(code_.random())};
  BareMachine machine_;
  std::vector<u32> words_;
};

/// Asks the vCPU to leave what it executes, again and again, by an interrupt that is masked.
class Disturber {
 public:
  explicit Disturber(system::ArmCpus& cpus)
      : thread_([&cpus](const std::stop_token& stop) {
          for (bool level = false; !stop.stop_requested(); level = !level) {
            cpus.set_interrupts(0, level, false);
            std::this_thread::sleep_for(std::chrono::microseconds(50));
          }
        }) {}

 private:
  std::jthread thread_;
};

void write_words(u64 seed, const std::vector<u32>& words) {
  std::ofstream out(fmt::format("/tmp/random-{}.bin", seed), std::ios::binary);
  out.write(reinterpret_cast<const char*>(words.data()), static_cast<long>(4 * words.size()));
}

std::string different_registers(World& ours, World& expected) {
  std::string all;
  for (u32 i = 0; i < 31; ++i)
    if (const u64 a = ours.get(kFrame + 8 * i), b = expected.get(kFrame + 8 * i); a != b)
      all += fmt::format("; x{} is {:x}, expected {:x}", i, a, b);
  return all;
}

/// What is different first.
std::string difference(World& ours, World& expected) {
  const u64 count = std::min(ours.exceptions(), expected.exceptions());
  for (u64 i = 0; i < count; ++i) {
    const LogEntry a = ours.entry(i), b = expected.entry(i);
    if (a == b) continue;
    return fmt::format(
        "exception {} of {}: esr {:x} far {:x} pc {:x} spsr {:x} sum {:x}, expected {:x} {:x} {:x} {:x} {:x}{}", i + 1,
        count, a.esr, a.far, a.elr, a.spsr, a.sum, b.esr, b.far, b.elr, b.spsr, b.sum,
        i + 1 == count ? different_registers(ours, expected) : "");
  }
  if (ours.exceptions() != expected.exceptions())
    return fmt::format("{} exceptions, expected {}", ours.exceptions(), expected.exceptions());
  if (ours.memo.sum != expected.memo.sum)
    return fmt::format("the device was accessed {} times, expected {}", ours.memo.accesses, expected.memo.accesses);
  const auto a = ours.memory(), b = expected.memory();
  const auto at = std::mismatch(a.begin(), a.end(), b.begin());
  if (at.first == a.end()) return {};
  return fmt::format("memory at {:x} is {:x}, expected {:x}",
                     BareMachine::kRam + static_cast<u64>(at.first - a.begin()), *at.first, *at.second);
}

engine::Options options_for(engine::Tier tier, u32 hot) {
  engine::Options options;
  options.tier = tier;
  options.hot = hot;
  options.code_cache_bytes = 16 << 20;
  return options;
}

class RandomMachine : public testing::Test {
 protected:
  void check(u64 seed, const engine::Options& options) {
    World expected(seed, options_for(engine::Tier::Interp, 4096)), ours(seed, options);
    const BareResult wanted = expected.run();
    ASSERT_TRUE(wanted.powered_off && wanted.output.empty()) << "seed " << seed << ": " << wanted.output;
    BareResult got;
    {
      const Disturber disturber(ours.machine().cpus());
      got = ours.run();
    }
    const engine::Statistics s = ours.machine().cpus().statistics();
    regions_ += s.regions.regions;
    region_faults_ += s.region_faults;
    exceptions_ += expected.exceptions();
    accesses_ += expected.memo.accesses;
    const std::string different =
        got.powered_off && got.output.empty() ? difference(ours, expected) : got.output + "stopped";
    if (different.empty()) return;
    write_words(seed, ours.words());
    ADD_FAILURE() << "seed " << seed << ": " << different;
  }

  /// Every third program in disorder (engine::Options::chaos_seed).
  void check_all(u64 first, u64 count, engine::Options options) {
    const auto one = [&](u64 seed) {
      options.chaos_seed = seed % 3 == 0 ? static_cast<u32>(seed) : 0;
      check(seed, options);
    };
    if (const u64 only = number_from("TIERCEL_RANDOM_SEED", 0)) return one(only);
    count *= number_from("TIERCEL_RANDOM_ROUNDS", 1);
    for (u64 seed = first; seed < first + count && !HasFatalFailure(); ++seed) one(seed);
    EXPECT_GT(exceptions_, 100 * count);
    EXPECT_GT(accesses_, 10 * count);
  }

  u64 regions_ = 0, region_faults_ = 0, exceptions_ = 0, accesses_ = 0;
};

TEST_F(RandomMachine, FastTier) {
  check_all(1000, 60, options_for(engine::Tier::Fast, 4096));
}

#ifdef MACHINE_REGIONS
TEST_F(RandomMachine, Regions) {
  check_all(2000, 30, options_for(engine::Tier::Llvm, 16));
  EXPECT_GT(regions_, 30u);
  EXPECT_GT(region_faults_, 300u);
}

TEST_F(RandomMachine, EveryBlockARegion) {
  check_all(3000, 10, options_for(engine::Tier::Llvm, 1));
}
#endif

}  // namespace
}  // namespace tiercel::test
