// Inst, Value and Function: one compilation in typed SSA.
//
// The invariant everything rests on: when an inst that may fault executes, every earlier Set is visible in the state
// block (in the slot's home: memory, or the host register a tier pins it to), and no later Set is.
#pragma once

#include <cstddef>
#include <vector>

#include "ir/opcode.h"

namespace tiercel::ir {

/// An SSA result: the index of the inst that defines it.
struct Value {
  u32 index = ~u32{0};
  constexpr explicit operator bool() const { return index != ~u32{0}; }
  friend constexpr bool operator==(Value, Value) = default;
};
inline constexpr Value kNoValue{};

using SlotId = u16;

/// 32 bytes. Which fields mean something follows from OpInfo::attr.
struct Inst {
  Opcode op = Opcode::Nop;
  Type type = Type::None;  // of the result; for Set and Store: of the value
  Arr arr = Arr::None;
  u32 aux = 0;  // slot, pool index, MemAttr, rounding, lsb | width << 8 (Field), ...
  Value args[4] = {};
  u64 imm = 0;  // constant, guest pc, displacement, lane, condition, ...

  SlotId slot() const { return static_cast<SlotId>(aux); }
  MemAttr mem() const { return MemAttr::unpack(aux); }
  unsigned lsb() const { return aux & 0xff; }
  unsigned width() const { return aux >> 8 & 0xff; }
  Cond cond() const { return static_cast<Cond>(imm); }
  ExitKind exit_kind() const { return static_cast<ExitKind>(aux & 0xff); }
  Round round() const { return static_cast<Round>(aux & 7); }
};
static_assert(sizeof(Inst) == 32);

/// One compilation: a straight run of insts with exactly one terminal, last. (Regions of several blocks are several
/// runs; they arrive with the optimising tier.) Reused between translations: clear() keeps the memory.
struct Function {
  u64 pc = 0;      // guest pc of the first insn
  u64 end_pc = 0;  // guest pc after the last insn
  u32 insn_count = 0;
  u32 counter = 0;  // nonzero: each execution adds one to this counter of the vCPU's; see backend::VmContext::counters
  u32 watch = 0;    // nonzero: executions and indirect targets are noted there; see backend::WatchNotes
  /// All pcs in here, `pc` and CodeAddress included, are counted from backend::VmContext::code_page, the page in which
  /// the code is executed: the same code may be mapped at several addresses.
  bool relative = false;
  /// Added to pcs it tells code at different places apart: where the code lies, if that is not what pcs say.
  u64 origin = 0;
  FpRules fp;
  std::vector<Inst> insts;
  std::vector<U128> pool;  // constants, shuffle masks and second pcs

  void clear() {
    pc = end_pc = 0;
    insn_count = counter = watch = 0;
    relative = false;
    origin = 0;
    fp = {};
    insts.clear();
    pool.clear();
  }
  const Inst& operator[](Value v) const { return insts[v.index]; }
  Inst& operator[](Value v) { return insts[v.index]; }
  const U128& constant(u32 index) const { return pool[index]; }
  u32 add_constant(U128 c) {
    for (u32 i = 0; i < pool.size(); ++i)
      if (pool[i] == c) return i;
    pool.push_back(c);
    return static_cast<u32>(pool.size() - 1);
  }
};

/// A guest register as the IR sees it. `offset` is in bytes from the start of the guest state block.
struct SlotInfo {
  Type type = Type::None;  // I32, I64, V128 or Flags
  u32 offset = 0;
  const char* name = "";
  u8 heat = 0;  // 0: never pin to a host register; otherwise higher means hotter
};

}  // namespace tiercel::ir
