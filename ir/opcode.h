// The opcode enum and what passes and backends may ask about an opcode. Everything derives from opcodes.def.
#pragma once

#include <string_view>

#include "ir/types.h"

namespace tiercel::ir {

enum class Opcode : u16 {
#define OP(Name, text, result, operands, effects, attr, meaning) Name,
#include "ir/opcodes.def"
#undef OP
};

inline constexpr unsigned kOpcodeCount = 0
#define OP(Name, text, result, operands, effects, attr, meaning) +1
#include "ir/opcodes.def"
#undef OP
    ;

/// What an instruction does besides computing its result.
namespace effect {
inline constexpr u16 kReadsState = 1, kWritesState = 2, kReadsMemory = 4, kWritesMemory = 8, kMayFault = 16,
                     kTerminal = 32, kMarker = 64, kReadsFp = 128, kWritesFp = 256, kBarrier = 512;
}

enum class Effect : u16 {
  Pure = 0,
  PureFp =
      effect::kReadsFp,  // pure but for rounding mode and sticky exception bits; may be merged, not dropped or invented
  ReadsState = effect::kReadsState,
  WritesState = effect::kWritesState,
  Marker = effect::kMarker,
  Load = effect::kReadsMemory | effect::kMayFault,
  Store = effect::kWritesMemory | effect::kMayFault,
  Atomic = effect::kReadsMemory | effect::kWritesMemory | effect::kMayFault | effect::kBarrier,
  Fence = effect::kBarrier,
  Terminal = effect::kTerminal,
  Helper = effect::kReadsState | effect::kWritesState | effect::kReadsMemory | effect::kWritesMemory |
           effect::kMayFault | effect::kBarrier,  // the worst case; guest::HelperDecl may promise less
  ReadsFp = effect::kReadsFp | effect::kBarrier,
  WritesFp = effect::kWritesFp | effect::kBarrier,
};

/// What an instruction carries besides operands, and how it prints.
enum class Attr : u8 {
  None,
  Imm,
  Pool,
  Slot,
  Pc,
  Pc2,
  PcRet,
  Field,
  Cond,
  Mem,
  Rmw,
  Exit,
  Helper,
  Arr,
  ArrImm,
  Lane,
  Round,
  FToI,
  Sat
};

struct OpInfo {
  std::string_view name;      // "Add"
  std::string_view text;      // "add"
  char result;                // a letter of opcodes.def
  std::string_view operands;  // letters of opcodes.def
  u16 effects;                // bits of namespace effect
  Attr attr;
  std::string_view meaning;
};

namespace detail {
inline constexpr OpInfo kOpInfo[] = {
#define OP(Name, text, result, operands, effects, attr, meaning) \
  {#Name, text, result, operands, static_cast<u16>(Effect::effects), Attr::attr, meaning},
#include "ir/opcodes.def"
#undef OP
};
}  // namespace detail

constexpr const OpInfo& info(Opcode op) {
  return detail::kOpInfo[static_cast<unsigned>(op)];
}
namespace detail {
/// OpInfo::effects again, in few cache lines: passes and backends ask at every inst.
inline constexpr u16 kEffects[] = {
#define OP(Name, text, result, operands, effects, attr, meaning) static_cast<u16>(Effect::effects),
#include "ir/opcodes.def"
#undef OP
};
/// Opcodes without a result have nothing to drop.
inline constexpr bool kHasResult[] = {
#define OP(Name, text, result, operands, effects, attr, meaning) result != '-',
#include "ir/opcodes.def"
#undef OP
};
}  // namespace detail

constexpr u16 effects(Opcode op) {
  return detail::kEffects[static_cast<unsigned>(op)];
}
constexpr bool is_terminal(Opcode op) {
  return effects(op) & effect::kTerminal;
}
constexpr bool may_fault(Opcode op) {
  return effects(op) & effect::kMayFault;
}
/// May be removed when nobody uses the result. Loads stay: they may fault. FP arithmetic stays: it may raise sticky
/// exception bits.
constexpr bool can_drop(Opcode op) {
  return (effects(op) & ~effect::kReadsState) == 0 && detail::kHasResult[static_cast<unsigned>(op)];
}

}  // namespace tiercel::ir
