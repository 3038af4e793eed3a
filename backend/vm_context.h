// What translated code may touch besides guest state and guest memory: one VmContext per vCPU, directly followed by the
// guest state block. Plain data; the engine allocates it, backends know the offsets, nobody else looks inside.
#pragma once

#include <atomic>
#include <cstddef>

#include "backend/jump_cache.h"
#include "backend/profile_tables.h"
#include "backend/region_fault_table.h"
#include "backend/softmmu_tables.h"
#include "ir/eval.h"

namespace tiercel::backend {

/// Why the generated code came back. Values up to kExitBase are ours; kExitBase + n is ir::ExitKind n.
enum class Reason : u32 {
  None,
  LinkMiss,      // a direct exit that is not linked yet: exit_pc, exit_site
  IndirectMiss,  // an indirect branch the jump cache does not know: exit_pc
  Interrupt,     // exit_request was seen at a check point: exit_pc
  Fault,         // a guest memory access faulted; filled in by the host fault handler
  Misaligned,    // MemAttr::aligned: exit_pc of the insn, exit_arg the address, exit_payload 1 for a write
  Hot,           // the counter of a back edge or call ran out: exit_pc, the edge's target; exit_arg, hot_counter_index
  SlowAccess,    // a machine: an access that the TLB does not do in line: exit_pc of the insn, which did nothing yet
  RegionFault,   // a region left at a faulting insn: exit_pc; it is to be executed again outside regions
  RegionMoved,   // a machine: not every page of the region at exit_pc is known to be mapped where its code was
  kExitBase = 16,
};
constexpr Reason reason_for(ir::ExitKind k) {
  return static_cast<Reason>(16 + static_cast<u32>(k));
}

/// Return prediction: a circular stack of (guest return pc, host entry of the block there).
inline constexpr u32 kReturnStackSize = 16;

inline constexpr u32 kStubCount = 10;

struct alignas(64) VmContext {
  // What generated code reads and writes on its way.
  u32 exit_request = 0;  // nonzero: leave at the next check point; set from signal handlers and other threads
  u32 mxcsr = 0x1f80;    // the guest's MXCSR while outside generated code
  JumpCacheEntry* jump_cache = nullptr;  // a JumpCache's; one that always misses while exit_request is set
  u32 return_top = 0;                    // byte offset of the newest entry in return_stack
  u32 fp_extra = 0;                      // fpstatus bits MXCSR cannot hold (kInputDenormal under flush-to-zero)
  u64 memory_base = 0;                   // flat guest memory: host address of guest address 0
  // A machine: the tables for the mode the guest is in, and those for MemAttr::user.
  const TlbArrays *tlb_read = nullptr, *tlb_write = nullptr, *tlb_user_read = nullptr, *tlb_user_write = nullptr;
  const TlbCodePage* tlb_code = nullptr;  // kTlbCodeSize of them, of the present context
  u64 code_page = 0;  // while an ir::Function::relative one is executed: the address of the page that it begins in
  JumpCacheEntry return_stack[kReturnStackSize];

  // Why and where it left, for the run loop.
  u64 exit_pc = 0;       // guest pc to continue at
  u64 exit_arg = 0;      // operand of an Exit terminal, address of Misaligned
  u64 exit_payload = 0;  // imm of an Exit terminal, kind of access of Misaligned
  u64 exit_site = 0;     // host address of the unlinked exit's patchable jump, for LinkMiss
  Reason reason = Reason::None;
  u32 masked_request = 0;  // nonzero: an interrupt waits that the guest has masked; ExitKind::Unmask leaves

  // How to leave, for the fault handler.
  u64 host_sp = 0;  // stack pointer of the entry trampoline
  u32 host_mxcsr = 0x1f80;
  u32 in_code = 0;                                  // 1 while the vCPU executes generated code
  const RegionFaultTable* region_faults = nullptr;  // of the region entered last

  // Counting. Of what counts (ir::Function::counter), three arrays of kCounters: executions of blocks, of the same
  // blocks inside regions, and how often a region was left at their end.
  u64* counters = nullptr;
  WatchNotes* watches = nullptr;  // kWatches of them

  // VmLayout::counts_insns: how many may be executed. Blocks begin only while it is positive, and take theirs off.
  s64 budget = 0;

  // Functions generated code may call, addressed through the context so that code holds no host pointers.
  void (*eval)(const ir::PureOp*, const U128* args, U128* result, ir::FpEnv*) = nullptr;
  ir::FpEnv* fp_env = nullptr;
  /// The host address of an access that the tables do not have, or 0: leave with SlowAccess.
  u64 (*tlb_fill)(VmContext*, u64 address, u32 access) = nullptr;
  void* tlb = nullptr;                   // engine::Tlb*
  const void* const* helpers = nullptr;  // guest::HelperFn table
  const void* guest_env = nullptr;       // guest::Env*
  const void* common_exit = nullptr;     // backend's stub addresses, see backend::Runtime
  const void* indirect_miss = nullptr;
  const void* stubs[kStubCount] = {};  // the backend's own, Runtime::stubs
};

/// The guest state block starts here, counted from the VmContext.
inline constexpr u32 kStateOffset = (sizeof(VmContext) + 63) / 64 * 64;
/// Generated code holds the address of the VmContext plus this: so chosen that the integer slots of a guest with up to
/// 32 of them and the words after them are reached with 8-bit displacements.
inline constexpr s32 kContextBias = static_cast<s32>(kStateOffset) + 144;
inline void* guest_state(VmContext* c) {
  return reinterpret_cast<std::byte*>(c) + kStateOffset;
}

}  // namespace tiercel::backend
