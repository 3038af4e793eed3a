#include "tests/backend/harness.h"

#include <fmt/format.h>
#include <immintrin.h>
#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "ir/printer.h"

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

class PlainMemory final : public InterpMemory {
 public:
  bool load(u64 address, ir::MemAttr attr, U128& out) override {
    out = {};
    std::memcpy(&out, reinterpret_cast<const void*>(address), attr.bytes());
    return true;
  }
  bool store(u64 address, ir::MemAttr attr, const U128& value) override {
    std::memcpy(reinterpret_cast<void*>(address), &value, attr.bytes());
    return true;
  }
  bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) override {
    U128 old;
    load(address, attr, old);
    if (std::memcmp(&old, &expected, attr.bytes()) == 0) store(address, attr, desired);
    expected = old;
    return true;
  }
};

u8* guest_memory() {
  return reinterpret_cast<u8*>(Machine::kMemory);
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
  context_->eval = ir::eval_out_of_line;
  fp_env_.extra = &context_->fp_extra;
  context_->fp_env = &fp_env_;
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
  reinterpret_cast<void (*)(VmContext*, const void*)>(memory_ + runtime_.enter)(context_, memory_ + kBlockOffset);
  std::memcpy(state.bytes, guest_state(context_), kStateSize);
  mxcsr = context_->mxcsr;
}

std::string Machine::compare(const ir::Function& f, const State& start, u32 mxcsr) {
  std::array<u8, kMemorySize> before, after;
  std::memcpy(before.data(), guest_memory(), kMemorySize);

  PlainMemory memory;
  std::memcpy(guest_state(context_), start.bytes, kStateSize);
  context_->fp_extra = 0;
  const u32 host = _mm_getcsr();
  _mm_setcsr(mxcsr);
  const InterpResult r = interpret(f, kSlots, *context_, memory);
  const u32 interp_mxcsr = _mm_getcsr();
  _mm_setcsr(host);
  State interp;
  std::memcpy(interp.bytes, guest_state(context_), kStateSize);
  const u64 interp_pc = context_->exit_pc, interp_arg = context_->exit_arg, interp_payload = context_->exit_payload;
  const u32 interp_extra = context_->fp_extra;
  std::memcpy(after.data(), guest_memory(), kMemorySize);
  std::memcpy(guest_memory(), before.data(), kMemorySize);

  State fast = start;
  u32 fast_mxcsr = mxcsr;
  context_->fp_extra = 0;
  run(f, fast, fast_mxcsr);

  std::string what = describe_difference(interp, fast);
  if (context_->exit_pc != interp_pc)
    what += fmt::format("  pc: interp {:#x}, fast {:#x}\n", interp_pc, context_->exit_pc);
  if ((r.reason == Reason::Misaligned) != (context_->reason == Reason::Misaligned))
    what +=
        fmt::format("  reason: interp {}, fast {}\n", static_cast<u32>(r.reason), static_cast<u32>(context_->reason));
  else if (r.reason == Reason::Misaligned &&
           (interp_arg != context_->exit_arg || interp_payload != context_->exit_payload))
    what += fmt::format("  misaligned: interp {:#x} {}, fast {:#x} {}\n", interp_arg, interp_payload,
                        context_->exit_arg, context_->exit_payload);
  constexpr u32 kSticky = 0x3d;  // not DE
  if ((interp_mxcsr & kSticky) != (fast_mxcsr & kSticky) || interp_extra != context_->fp_extra)
    what += fmt::format("  mxcsr: interp {:#x} {:#x}, fast {:#x} {:#x}\n", interp_mxcsr, interp_extra, fast_mxcsr,
                        context_->fp_extra);
  for (std::size_t i = 0; i < kMemorySize; ++i)
    if (after[i] != guest_memory()[i])
      what += fmt::format("  memory+{:#x}: interp {:02x}, fast {:02x}\n", i, after[i], guest_memory()[i]);
  if (what.empty()) return what;
  return what + ir::print(f, kSlots) + code_.listing;
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
