// What the code cache keeps of a block. There are hundreds of thousands, so what most of them do not need lies apart,
// and exits and faults lie behind the block without a pointer to them.
#pragma once

#include <span>

#include "backend/compiled_code.h"
#include "backend/softmmu_tables.h"
#include "engine/fault_rate.h"
#include "guest/frontend.h"

namespace tiercel::engine {

struct CachedBlock;

/// A direct exit of a cached block and, once linked, a member of its target's list of predecessors.
struct CachedExit {
  CachedBlock* target = nullptr;  // where it is linked to; null: to its stub
  CachedExit* next_incoming = nullptr;
  u64 target_pc = 0;
  u64 patch_offset : 24 = 0, stub_offset : 24 = 0;  // as backend::DirectExit
  u64 index : 15 = 0;                               // of its block's exits
  u64 counted : 1 = 0;

  static constexpr u64 kMaxOffset = (1 << 24) - 1, kMaxIndex = (1 << 15) - 1;
  inline CachedBlock& from();
  inline const CachedBlock& from() const;
};

/// As backend::FaultSite.
struct CachedFault {
  u32 host_offset = 0;
  u32 guest_offset = 0;  // from the block's pc
};

/// A stand-in's membership in the list of one of its members.
struct RegionUse {
  CachedBlock* region = nullptr;
  RegionUse* next = nullptr;
};

/// What few blocks have.
struct BlockDetails {
  const ir::Function* function = nullptr;       // kept for the interpreter and lockstep
  RegionUse* uses = nullptr;                    // the stand-ins that this block is a member of
  CachedBlock* plain = nullptr;                 // a stand-in: the block it stands in for
  std::span<CachedBlock*> members;              // a stand-in: what it was made of, `plain` included
  std::span<const backend::TlbCodePage> pages;  // a region: backend::RegionPlace::others
  CachedBlock* instead = nullptr;               // a watched block: what takes its place afterwards
  CachedBlock* gate = nullptr;                  // of a plain block: what counted exits to it or a stand-in lead through
  u32 number = 0;                               // with a function: the n-th translation, from 1
  u32 counter = 0;                              // ir::Function::counter
  u32 moved = 0;      // a region: how often it could not be entered because its code lay elsewhere
  u32 stopped = 0;    // ... and, in a machine, how often it was left at an access
  FaultRate faulted;  // ... and the same in a program
};

/// A block, or what stands in for the block of the same key: a region, or the block with notes of its executions. Then
/// its details have `plain` and `members`.
struct CachedBlock {
  guest::BlockKey key;
  const u8* host = nullptr;  // null: only interpreted
  CachedExit* incoming = nullptr;
  CachedBlock* next_in_page = nullptr;  // of the page that holds the block's first byte
  BlockDetails* own_details = nullptr;  // null: none that is not as in a new one
  u32 host_size = 0;
  u32 guest_size = 0;  // bytes, at least 1
  u16 insn_count = 0;
  u16 exit_count = 0, fault_count = 0;
  u8 segment = 0;  // of the code cache
  bool dead : 1 = false;
  bool settled : 1 = false;  // a plain block: counted exits to it need not lead through its gate

  u64 end_pc() const { return key.pc + guest_size; }
  u64 end_location() const { return key.location() + guest_size; }
  const BlockDetails& details() const {
    static constexpr BlockDetails kNone;
    return own_details ? *own_details : kNone;
  }
  CachedBlock* plain() const { return details().plain; }

  // Behind it.
  std::span<CachedExit> exits() { return {reinterpret_cast<CachedExit*>(this + 1), exit_count}; }
  std::span<const CachedExit> exits() const { return {reinterpret_cast<const CachedExit*>(this + 1), exit_count}; }
  std::span<CachedFault> faults() { return {reinterpret_cast<CachedFault*>(exits().data() + exit_count), fault_count}; }
  std::span<const CachedFault> faults() const {
    return {reinterpret_cast<const CachedFault*>(exits().data() + exit_count), fault_count};
  }
};
static_assert(sizeof(CachedBlock) == 64 && sizeof(CachedExit) == 32 && sizeof(CachedFault) == 8);

inline CachedBlock& CachedExit::from() {
  return *(reinterpret_cast<CachedBlock*>(this - index) - 1);
}
inline const CachedBlock& CachedExit::from() const {
  return *(reinterpret_cast<const CachedBlock*>(this - index) - 1);
}

/// The block itself, or what it stands in for.
inline CachedBlock& plain_of(CachedBlock& block) {
  return block.plain() ? *block.plain() : block;
}

}  // namespace tiercel::engine
