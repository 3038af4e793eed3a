#include "engine/lockstep.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "base/mxcsr.h"
#include "engine/flat_memory.h"
#include "ir/printer.h"

namespace tiercel::engine {
namespace {

struct LoggedStore {
  u64 address;
  unsigned bytes;
  U128 before;
  U128 after;
};

/// Remembers what stores replaced, so that they can be taken back.
class LoggingMemory final : public FlatMemory {
 public:
  using FlatMemory::FlatMemory;
  bool store(u64 address, ir::MemAttr attr, const U128& value) override {
    U128 before;
    if (!FlatMemory::load(address, attr, before) || !FlatMemory::store(address, attr, value)) return false;
    log(address, attr, before);
    return true;
  }
  bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) override {
    if (!FlatMemory::cas(address, attr, expected, desired)) return false;
    log(address, attr, expected);
    return true;
  }
  void take_back() {
    for (auto it = stores_.rbegin(); it != stores_.rend(); ++it)
      FlatMemory::store(it->address, size_attr(it->bytes), it->before);
  }
  const std::vector<LoggedStore>& stores() const { return stores_; }
  static ir::MemAttr size_attr(unsigned bytes) {
    ir::MemAttr attr;
    attr.size_log2 = static_cast<u8>(__builtin_ctz(bytes));
    return attr;
  }

 private:
  void log(u64 address, ir::MemAttr attr, const U128& before) {
    U128 after;
    FlatMemory::load(address, attr, after);
    stores_.push_back({address, attr.bytes(), before, after});
  }
  std::vector<LoggedStore> stores_;
};

bool same_slot(const ir::SlotInfo& slot, const u8* a, const u8* b) {
  if (slot.type == ir::Type::Flags) {
    u16 fa, fb;
    std::memcpy(&fa, a, 2);
    std::memcpy(&fb, b, 2);
    return ir::nzcv_from_flags(fa) == ir::nzcv_from_flags(fb);
  }
  return std::memcmp(a, b, ir::type_bits(slot.type) / 8) == 0;
}

std::string hex(const u8* bytes, unsigned count) {
  std::string text;
  for (unsigned i = count; i-- > 0;) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

/// What one tier made of the block.
struct Outcome {
  std::vector<u8> state;
  backend::Reason reason;
  u64 exit_pc;
  u32 fp_status;
  u64 exit_arg, exit_payload;
};

bool is_straight(backend::Reason r) {
  return r == backend::Reason::None || r == backend::Reason::LinkMiss || r == backend::Reason::IndirectMiss ||
         r == backend::Reason::Interrupt;
}

std::string compare(const guest::Layout& layout, const Outcome& interp, const Outcome& fast,
                    const LoggingMemory& memory, u64 base) {
  std::string differences;
  for (const ir::SlotInfo& slot : layout.slots) {
    const u8* a = interp.state.data() + slot.offset;
    const u8* b = fast.state.data() + slot.offset;
    const unsigned bytes = ir::type_bits(slot.type) / 8;
    if (!same_slot(slot, a, b))
      differences += fmt::format("  {:10} interp {}  fast {}\n", slot.name, hex(a, bytes), hex(b, bytes));
  }
  if (is_straight(interp.reason) != is_straight(fast.reason) ||
      (!is_straight(fast.reason) && interp.reason != fast.reason))
    differences += fmt::format("  exit reason: interp {}  fast {}\n", static_cast<u32>(interp.reason),
                               static_cast<u32>(fast.reason));
  if (fast.reason != backend::Reason::Fault && interp.exit_pc != fast.exit_pc)
    differences += fmt::format("  next pc: interp {:#x}  fast {:#x}\n", interp.exit_pc, fast.exit_pc);
  if (!is_straight(fast.reason) && fast.reason != backend::Reason::Fault &&
      (interp.exit_arg != fast.exit_arg || interp.exit_payload != fast.exit_payload))
    differences += fmt::format("  exit operands: interp {:#x} {:#x}  fast {:#x} {:#x}\n", interp.exit_arg,
                               interp.exit_payload, fast.exit_arg, fast.exit_payload);
  if (interp.fp_status != fast.fp_status)
    differences += fmt::format("  FP status: interp {:#x}  fast {:#x}\n", interp.fp_status, fast.fp_status);
  std::vector<LoggedStore> last = memory.stores();
  for (std::size_t i = 0; i < last.size(); ++i) {
    U128 now;
    guarded_load(base + last[i].address, last[i].bytes, now);
    bool overwritten = false;
    for (std::size_t j = i + 1; j < last.size(); ++j)
      overwritten |=
          last[j].address < last[i].address + last[i].bytes && last[i].address < last[j].address + last[j].bytes;
    if (!overwritten && !(now == last[i].after))
      differences += fmt::format("  memory {:#x}: interp {:016x}{:016x}  fast {:016x}{:016x}\n", last[i].address,
                                 last[i].after.hi, last[i].after.lo, now.hi, now.lo);
  }
  return differences;
}

}  // namespace

void run_lockstep(Engine::Private& engine, Vcpu& vcpu, const CachedBlock& block) {
  backend::VmContext& c = *vcpu.context();
  const guest::Layout& layout = engine.frontend.layout();
  auto* state = static_cast<u8*>(vcpu.state());
  const std::vector<u8> before(state, state + layout.state_size);
  const u32 mxcsr = c.mxcsr, fp_extra = c.fp_extra;

  LoggingMemory memory(c.memory_base);
  const auto r = [&] {
    const mxcsr::Lent lent(c.mxcsr);
    return backend::interpret(*block.details().function, layout.slots, c, memory);
  }();
  const Outcome interp{
      {state, state + layout.state_size}, r.reason, c.exit_pc, vcpu.fp_status(), c.exit_arg, c.exit_payload};

  memory.take_back();
  std::memcpy(state, before.data(), before.size());
  c.mxcsr = mxcsr;
  c.fp_extra = fp_extra;
  c.reason = backend::Reason::None;
  engine.enter(&c, block.host);
  const Outcome fast{
      {state, state + layout.state_size}, c.reason, c.exit_pc, vcpu.fp_status(), c.exit_arg, c.exit_payload};

  const std::string differences = compare(layout, interp, fast, memory, c.memory_base);
  if (differences.empty()) return;
  fmt::print(stderr, "tiercel: lockstep: tiers differ in block {:#x} (number {})\n{}-- state before\n", block.key.pc,
             block.details().number, differences);
  for (const ir::SlotInfo& slot : layout.slots)
    fmt::print(stderr, "  {:10} {}\n", slot.name, hex(before.data() + slot.offset, ir::type_bits(slot.type) / 8));
  fmt::print(stderr, "-- guest\n");
  for (u64 pc = block.key.pc; pc < block.end_pc();) {
    const auto bytes = engine.memory.code_window(VAddr{pc});
    if (bytes.empty()) break;
    const auto line = engine.frontend.disassemble(pc, bytes, block.key.mode);
    fmt::print(stderr, "  {:#x}: {}\n", pc, line.text);
    pc += std::max(line.length, 1u);
  }
  fmt::print(stderr, "-- ir\n{}", ir::print(*block.details().function, layout.slots));
  std::fflush(stderr);
  std::abort();
}

}  // namespace tiercel::engine
