#include "tests/backend/harness.h"

#include <fmt/format.h>
#include <immintrin.h>
#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "ir/printer.h"
#include "tests/support/flat_memory.h"
#include "tests/support/fp_trap.h"
#include "tests/support/underflow.h"

namespace tiercel::backend::test {
namespace {

constexpr std::size_t kCodeSize = 1 << 20, kBlockOffset = 1 << 16;
constexpr const char* kNames[kSlotCount] = {"r0",  "r1",  "r2",  "r3",  "r4",  "r5",  "r6",  "r7",  "r8",  "r9",
                                            "r10", "r11", "r12", "r13", "r14", "r15", "fl",  "v0",  "v1",  "v2",
                                            "v3",  "v4",  "v5",  "v6",  "v7",  "v8",  "v9",  "v10", "v11", "v12",
                                            "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",
                                            "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "c32"};

constexpr auto kSlots = [] {
  std::array<ir::SlotInfo, kSlotCount> s{};
  for (u16 i = 0; i < kIntCount; ++i) s[i] = {ir::Type::I64, 8u * i, kNames[i], static_cast<u8>(200 - i)};
  s[kFlags] = {ir::Type::Flags, 128, kNames[kFlags], 0};
  s[kCold32] = {ir::Type::I32, 136, kNames[kCold32], 0};
  for (u16 i = 0; i < kVecCount; ++i)
    s[kFirstVec + i] = {ir::Type::V128, 256 + 16u * i, kNames[kFirstVec + i], static_cast<u8>(200 - i)};
  return s;
}();

u8* guest_memory() {
  return reinterpret_cast<u8*>(Machine::kMemory);
}

// The helpers' Env points to the state block.
u64 mix(u8* const*, u64 a, u64 b, u64 c, u64 d) {
  return a * 3 + (b ^ c << 7) - d;
}
/// Reads and writes slots with and without a register.
u64 touch_state(u8* const* state, u64 a, u64, u64, u64) {
  const auto word = [state](u16 slot) { return *state + kSlots[slot].offset; };
  u64 hot, cold;
  std::memcpy(&hot, word(kFirstInt + 2), 8);
  std::memcpy(&cold, word(kFirstInt + 13), 8);
  const u64 sum = hot + cold + a;
  std::memcpy(word(kFirstInt + 1), &sum, 8);
  std::memcpy(word(kFirstInt + 12), &hot, 8);
  std::memcpy(word(kFirstVec + 1), &cold, 8);
  std::memcpy(word(kFirstVec + 30) + 8, &sum, 8);
  return sum ^ cold << 1;
}
const void* const kHelperTable[std::size(Machine::kHelperOperands)] = {reinterpret_cast<const void*>(mix),
                                                                       reinterpret_cast<const void*>(touch_state)};

/// Left by a terminal that only says where to go on.
bool is_straight(Reason r) {
  return r == Reason::None || r == Reason::LinkMiss || r == Reason::IndirectMiss || r == Reason::Interrupt;
}

}  // namespace

std::span<const ir::SlotInfo> slots() {
  return kSlots;
}

Machine::Machine(const HostFeatures& features, u32 chaos_seed) {
  VmLayout layout;
  layout.slots = kSlots;
  layout.state_size = kStateSize;
  layout.pc_offset = kStateSize - 8;
  layout.chaos_seed = chaos_seed;
  backend_ = make_x64_backend(layout, features);
  runtime_ = backend_->make_runtime();
  memory_ = static_cast<u8*>(mmap(nullptr, kCodeSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  CHECK(memory_ != MAP_FAILED);
  install(runtime_.code, 0);
  mmap(guest_memory(), kMemorySize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  context_ = new (std::aligned_alloc(64, kStateOffset + kStateSize)) VmContext;
  context_->code_page = 0xffff'8123'4000;  // far from what pcs are
  context_->eval = ir::eval_out_of_line;
  fp_env_.extra = &context_->fp_extra;
  context_->fp_env = &fp_env_;
  context_->helpers = kHelperTable;
  context_->guest_env = &helper_state_;
  helper_state_ = static_cast<u8*>(guest_state(context_));
  context_->common_exit = memory_ + runtime_.common_exit;
  context_->indirect_miss = memory_ + runtime_.indirect;
  for (u32 i = 0; i < kStubCount; ++i) context_->stubs[i] = memory_ + runtime_.stubs[i];
  context_->jump_cache = jump_cache_.data();
}

Machine::~Machine() {
  munmap(memory_, kCodeSize);
  std::free(context_);
}

void Machine::install(const std::vector<u8>& code, std::size_t offset) {
  CHECK(offset + code.size() <= kCodeSize);
  mprotect(memory_, kCodeSize, PROT_READ | PROT_WRITE);
  std::memcpy(memory_ + offset, code.data(), code.size());
  mprotect(memory_, kCodeSize, PROT_READ | PROT_EXEC);
}

void Machine::run(const ir::Function& f, State& state, u32& mxcsr) {
  if (std::getenv("TIERCEL_TEST_TRACE")) fmt::print(stderr, "{}", ir::print(f, kSlots));
  backend_->compile(f, true, code_);
  install(code_.code, kBlockOffset);
  std::memcpy(guest_state(context_), state.bytes, kStateSize);
  context_->mxcsr = mxcsr;
  {
    const tiercel::test::FpTrap trap(*backend_, *context_, f.fp);
    reinterpret_cast<void (*)(VmContext*, const void*)>(memory_ + runtime_.enter)(context_, memory_ + kBlockOffset);
  }
  std::memcpy(state.bytes, guest_state(context_), kStateSize);
  mxcsr = context_->mxcsr;
}

Machine::Left Machine::interpret_from(const ir::Function& f, const State& start, u32 mxcsr, InterpMemory& memory) {
  std::memcpy(guest_state(context_), start.bytes, kStateSize);
  context_->fp_extra = 0;
  const u32 host = _mm_getcsr();
  _mm_setcsr(mxcsr);
  Left left;
  left.reason = interpret(f, kSlots, *context_, memory).reason;
  left.mxcsr = _mm_getcsr();
  _mm_setcsr(host);
  std::memcpy(left.state.bytes, guest_state(context_), kStateSize);
  take_exit(left);
  return left;
}

void Machine::take_exit(Left& left) const {
  left.pc = context_->exit_pc;
  left.arg = context_->exit_arg;
  left.payload = context_->exit_payload;
  left.fp_extra = context_->fp_extra;
  std::memcpy(left.memory.data(), guest_memory(), kMemorySize);
}

std::string Machine::compare(const ir::Function& f, const State& start, u32 mxcsr) {
  mxcsr = tiercel::test::start_mxcsr(f.fp, mxcsr);
  std::array<u8, kMemorySize> before;
  std::memcpy(before.data(), guest_memory(), kMemorySize);
  const auto restore = [&before] { std::memcpy(guest_memory(), before.data(), kMemorySize); };

  tiercel::test::FlatMemory memory({guest_memory(), kMemorySize}, kMemory);
  const Left interp = interpret_from(f, start, mxcsr, memory);
  restore();
  if (interp.reason == Reason::Fault) return kFaults;

  Left fast;
  fast.state = start;
  fast.mxcsr = mxcsr;
  context_->fp_extra = 0;
  run(f, fast.state, fast.mxcsr);
  fast.reason = context_->reason;
  take_exit(fast);

  const std::string what =
      describe_difference(interp.state, fast.state) + describe_exits(interp, fast) + describe_status(interp, fast, [&] {
        if (f.fp.flush) return false;
        restore();
        return tiercel::test::underflows_are_least_normals(f, memory, [&](const ir::Function& g, InterpMemory& m) {
          interpret_from(g, start, mxcsr, m);
          restore();
        });
      });
  std::memcpy(guest_memory(), fast.memory.data(), kMemorySize);
  if (what.empty()) return what;
  return what + ir::print(f, kSlots) + code_.listing;
}

std::string Machine::describe_exits(const Left& interp, const Left& fast) const {
  std::string what;
  if (fast.pc != interp.pc) what += fmt::format("  pc: interp {:#x}, fast {:#x}\n", interp.pc, fast.pc);
  // Of an Unmask the interpreter always leaves, the fast tier only if something waits.
  const bool stays = interp.reason == reason_for(ir::ExitKind::Unmask) && context_->masked_request == 0;
  const bool straight = stays || is_straight(interp.reason);
  if (straight ? !is_straight(fast.reason) : interp.reason != fast.reason)
    what +=
        fmt::format("  reason: interp {}, fast {}\n", static_cast<u32>(interp.reason), static_cast<u32>(fast.reason));
  else if (!straight && (interp.arg != fast.arg || interp.payload != fast.payload))
    what += fmt::format("  exit: interp {:#x} {:#x}, fast {:#x} {:#x}\n", interp.arg, interp.payload, fast.arg,
                        fast.payload);
  for (std::size_t i = 0; i < kMemorySize; ++i)
    if (interp.memory[i] != fast.memory[i])
      what += fmt::format("  memory+{:#x}: interp {:02x}, fast {:02x}\n", i, interp.memory[i], fast.memory[i]);
  return what;
}

std::string Machine::describe_status(const Left& interp, const Left& fast, const std::function<bool()>& excused) {
  constexpr u32 kDenormal = 2, kUnderflow = 16, kSticky = 0x3d;  // DE means nothing to the guest
  const u32 differ = (interp.mxcsr ^ fast.mxcsr) & ~kDenormal;
  if (differ == 0 && interp.fp_extra == fast.fp_extra) return {};
  if (differ == kUnderflow && interp.fp_extra == fast.fp_extra && (interp.mxcsr & kUnderflow) && excused()) return {};
  return fmt::format("  {}: interp {:#x} {:#x}, fast {:#x} {:#x}\n", differ & ~kSticky ? "mxcsr's controls" : "mxcsr",
                     interp.mxcsr, interp.fp_extra, fast.mxcsr, fast.fp_extra);
}

std::string describe_difference(const State& a, const State& b) {
  std::string what;
  for (const ir::SlotInfo& slot : kSlots) {
    U128 x, y;
    const unsigned bytes = ir::type_bits(slot.type) / 8;
    std::memcpy(&x, a.bytes + slot.offset, bytes);
    std::memcpy(&y, b.bytes + slot.offset, bytes);
    if (slot.type == ir::Type::Flags) {
      x.lo = ir::nzcv_from_flags(x.lo);
      y.lo = ir::nzcv_from_flags(y.lo);
    }
    if (!(x == y))
      what += fmt::format("  {}: interp {:016x}{:016x}, fast {:016x}{:016x}\n", slot.name, x.hi, x.lo, y.hi, y.lo);
  }
  return what;
}

}  // namespace tiercel::backend::test
