// Which host register does what in generated code, on every block's edges and inside blocks. See docs/fast-tier.md.
#pragma once

#include <asmjit/x86.h>

#include <array>
#include <span>

#include "backend/backend.h"

namespace tiercel::backend::x64 {

namespace x86 = asmjit::x86;

inline constexpr unsigned kNoRegister = 0xff;
inline constexpr unsigned kXmm0 = 16;  // register numbers: 0..15 general, 16..47 vector
inline constexpr unsigned kRegisterCount = 48;

constexpr u64 reg_bit(unsigned reg) {
  return u64{1} << reg;
}

/// General registers that hold block-local values, in order of preference; rax last, for many insts need it.
inline constexpr std::array<u8, 4> kGpScratch = {1 /* rcx */, 2 /* rdx */, 3 /* rbx */, 0 /* rax */};
inline constexpr u64 kGpScratchMask = [] {
  u64 m = 0;
  for (const u8 r : kGpScratch) m |= reg_bit(r);
  return m;
}();
/// General registers guest slots are pinned to, hottest first.
inline constexpr std::array<u8, 10> kGpPinned = {5 /* rbp */, 6 /* rsi */, 7 /* rdi */, 8, 9, 10, 11, 12, 13, 14};
inline constexpr unsigned kXmmScratchCount = 8;  // xmm0..xmm7

/// The fixed assignment of slots to host registers. The same for all blocks of an engine.
struct RegisterPlan {
  RegisterPlan(std::span<const ir::SlotInfo> slots, const HostFeatures& cpu);

  std::array<u16, kRegisterCount> slot_of;  // kNoSlot: not pinned
  std::vector<u8> home_of;                  // per slot: register or kNoRegister
  static constexpr u16 kNoSlot = 0xffff;

  bool pinned(unsigned reg) const { return slot_of[reg] != kNoSlot; }
};

/// A field of the VmContext through r15, which holds its address plus kContextBias.
inline x86::Mem context_field(std::size_t offset, u32 size) {
  return x86::Mem(x86::r15, static_cast<s32>(offset) - kContextBias, size);
}
/// Bytes of the guest state block through r15.
inline x86::Mem state_field(u32 offset, u32 size) {
  return x86::Mem(x86::r15, static_cast<s32>(kStateOffset + offset) - kContextBias, size);
}
#define TIERCEL_CONTEXT(field) context_field(offsetof(VmContext, field), sizeof(VmContext::field))

/// The stack frame of generated code, from rsp upwards. rsp is 16-byte aligned in blocks.
namespace frame {
inline constexpr unsigned kSpillSlots = 256;  // of 16 bytes
inline constexpr s32 kArgs = 16 * kSpillSlots;
inline constexpr s32 kResult = kArgs + 64;
inline constexpr s32 kSelector = kResult + 16;   // PureOp address less return address, or helper index
inline constexpr s32 kBorrowed = kSelector + 8;  // a pinned register's value while the register serves something else
inline constexpr s32 kAddress = kBorrowed + 8;   // of Stub::TlbFill
inline constexpr s32 kPair = kAddress + 8;       // what the second half of a pair is to add to its offset
inline constexpr s32 kFirst = kPair + 8;         // the first half's while the second is looked up
inline constexpr s32 kSize = kSelector + 48;
}  // namespace frame

/// Out-of-line stubs of the runtime that generated code reaches through VmContext::stubs.
enum class Stub : u8 {
  Eval,          // evaluates the PureOp at frame::kSelector on frame::kArgs into frame::kResult; keeps all registers
  Helper,        // calls helper frame::kSelector with the low halves of frame::kArgs; slots go through the state block
  LinkMiss,      // rcx: guest pc, rax: exit site
  IndirectMiss,  // rcx: guest pc, rdx: the jump cache, whose first table does not have it
  Interrupt,     // rcx: guest pc
  Misaligned,    // rcx: guest pc, rax: guest address of the access; exit_payload is set
  Hot,           // rcx: guest pc
  TlbFill,     // frame::kAddress, the guest's for access frame::kSelector, becomes the host's; ZF: there is none; keeps
               // all registers
  SlowAccess,  // rcx: guest pc
  RegionProbe,  // see kRegionProbeStub
};
inline x86::Mem stub_field(Stub s) {
  return context_field(offsetof(VmContext, stubs) + 8 * static_cast<std::size_t>(s), 8);
}

}  // namespace tiercel::backend::x64
