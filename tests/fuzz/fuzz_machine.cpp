// Any insns, executed by a machine's two CPUs at EL1 and, if they find the way, EL0: system registers and operations,
// exceptions, page tables, devices, debug exceptions. Every run comes to its end.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "system/cpu/arm_cpus.h"
#include "tests/fuzz/board_world.h"

namespace {

using namespace tiercel;
using namespace tiercel::test;

constexpr std::size_t kMostWords = 0x200;  // up to the vectors
constexpr u64 kEntry = kRam + 0x8'0000, kVectors = kEntry + 0x800;

engine::Options options_for(bool interpreted) {
  engine::Options options;
  options.tier = interpreted ? engine::Tier::Interp : engine::Tier::Fast;
  options.counts_insns = true;
  options.code_cache_bytes = 4 << 20;
  return options;
}

struct World {
  InsnClock clock{1000, 1'000'000};
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(&clock));
  Terminal serial, console;
  Cable cable;
  MemoryDisk disk;
  ArmCpus cpus;
  std::unique_ptr<VirtMachine> machine;

  World(bool pci, unsigned gic, bool interpreted, const char* model)
      : cpus(2, *arm::find_cpu_model(model, gic == 3), options_for(interpreted)) {
    VirtOptions options = board_options(*this, pci, gic);
    options.flash = {{{1, 2, 3}, true, {}}};
    machine = std::move(*build_virt(options));
    cpus.connect(machine->board.bus(), machine->gic3, *machine->timer, *machine->cycles);
    machine->board.reset();
    machine->timer->reset();
  }

  void run() {
    const auto end = clock.add_timer([this] { cpus.stop(); });
    clock.arm(end, clock.now() + 20'000);
    cpus.power_on(PAddr{kEntry}, kEntry);
    cpus.run_in_turns(clock, [this](int) { loop->run_once(0); });
  }
};

/// MOVZ and MOVK.
void load_constant(std::vector<u32>& code, u32 reg, u64 value) {
  for (u32 part = 0; part < 4; ++part)
    code.push_back((part == 0 ? 0xd280'0000 : 0xf280'0000) | part << 21 |
                   static_cast<u32>(value >> (16 * part) & 0xffff) << 5 | reg);
}

/// x0 to x9: addresses of RAM and devices. x28: where the next exception leads.
std::vector<u32> prologue() {
  constexpr std::array<u64, 10> kPlaces = {kRam,        kEntry,      kVectors,    0x0800'0000, 0x080a'0000,
                                           0x0900'0000, 0x0a00'0000, 0x1001'0000, 0,           0x40'1000'8000};
  std::vector<u32> code;
  for (u32 i = 0; i < kPlaces.size(); ++i) load_constant(code, i, kPlaces[i]);
  load_constant(code, 28, kEntry + 4 * (code.size() + 5));
  code.push_back(0xd518'c002);  // msr vbar_el1, x2
  return code;
}

/// Words as they are, or forced into a class that random ones would rarely be in.
u32 insn(Reader& in) {
  const u8 kind = in.next<u8>();
  const u32 word = in.next<u32>();
  switch (kind % 8) {
    case 0:  // MSR, MRS, SYS, hints
      return (word & 0x003f'ffff) | 0xd500'0000;
    case 1:  // MSR and MRS of EL1's registers
      return (word & 0x0020'ffff) | 0xd518'0000;
    case 2:  // ERET, HVC, SMC, SVC, BRK, WFI
      return std::array<u32, 8>{0xd69f'03e0, 0xd400'0002, 0xd400'0003,
                                0xd400'0001, 0xd420'0000, word & 0x700 ? 0xd503'203f : 0xd503'207f,
                                0xd503'3fdf, 0xd503'409f}[word % 8];
    case 3:  // TLBI, DC, IC, AT
      return (word & 0x0007'0fff) | 0xd508'0000 | (word & 0x1000 ? 0x8000 : 0x7000);
    case 4:  // loads and stores at what x0 to x9 hold
      return (word & 0xc040'fc1f) | 0x3900'0000 | (kind >> 3) % 10 << 5;
    case 5:  // small steps forward
      return 0x1400'0000 | (1 + word % 8);
    default:
      return word;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const tiercel::u8* data, std::size_t size) {
  test::Reader in(data, size);
  const u8 what = in.next<u8>();
  World world(what & 1, what & 2 ? 2 : 3, what & 4, what & 8 ? "cortex-a72" : "max");
  std::vector<u32> code = prologue();
  while (in.more() && code.size() < kMostWords) code.push_back(insn(in));
  const std::span<u8> ram = world.machine->board.main_ram();
  std::memcpy(&ram[kEntry - kRam], code.data(), code.size() * sizeof(u32));
  // Every exception leads some insns further: msr elr_el1, x28; add x28, x28, #8; eret.
  constexpr std::array<u32, 3> kHandler = {0xd518'403c, 0x9100'239c, 0xd69f'03e0};
  for (u64 vector = 0; vector < 16; ++vector)
    std::memcpy(&ram[kVectors + 0x80 * vector - kRam], kHandler.data(), sizeof kHandler);
  // Page tables for whoever switches translation on: one to one, in blocks of 1 GiB, in the first page.
  for (u64 i = 0; i < 2; ++i) {
    const u64 block = i << 30 | 0x701;
    std::memcpy(&ram[8 * i], &block, sizeof block);
  }
  world.run();
  return 0;
}
