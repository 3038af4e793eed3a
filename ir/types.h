// Value types, vector arrangements and the attribute enums of IR instructions.
#pragma once

#include "base/types.h"

namespace tiercel::ir {

enum class Type : u8 { None, I1, I8, I16, I32, I64, F32, F64, V128, Flags };

/// Size in bits; Flags counts as 16 (its stored form).
constexpr unsigned type_bits(Type t) {
  switch (t) {
    case Type::None:
      return 0;
    case Type::I1:
      return 1;
    case Type::I8:
      return 8;
    case Type::I16:
      return 16;
    case Type::I32:
      return 32;
    case Type::I64:
      return 64;
    case Type::F32:
      return 32;
    case Type::F64:
      return 64;
    case Type::V128:
      return 128;
    case Type::Flags:
      return 16;
  }
  return 0;
}
constexpr bool is_int(Type t) {
  return t >= Type::I1 && t <= Type::I64;
}
constexpr bool is_float(Type t) {
  return t == Type::F32 || t == Type::F64;
}

/// How a V128 divides into lanes. The 64-bit arrangements use the low half only; their results have a zero high half.
/// `None` on scalar instructions.
enum class Arr : u8 { None, B8, B16, H4, H8, S2, S4, D1, D2 };

constexpr unsigned lane_bits(Arr a) {
  return a == Arr::None ? 0 : 8u << ((static_cast<unsigned>(a) - 1) / 2);
}
constexpr bool is_full(Arr a) {
  return a != Arr::None && (static_cast<unsigned>(a) - 1) % 2 == 1;
}
constexpr unsigned lane_count(Arr a) {
  return a == Arr::None ? 0 : (is_full(a) ? 128 : 64) / lane_bits(a);
}
/// The arrangement of lanes of 8 << size_log2 bits over 128 (full) or 64 bits.
constexpr Arr arrangement(unsigned size_log2, bool full) {
  return static_cast<Arr>(1 + 2 * size_log2 + (full ? 1 : 0));
}

/// Conditions on a Flags value, in the Arm sense: C after a subtraction means "no borrow".
enum class Cond : u8 { Eq, Ne, Hs, Lo, Mi, Pl, Vs, Vc, Hi, Ls, Ge, Lt, Gt, Le };
constexpr Cond invert(Cond c) {
  return static_cast<Cond>(static_cast<u8>(c) ^ 1);
}

/// IEEE 754 rounding; Current means the mode of the FP environment (the guest's control register).
enum class Round : u8 { TieEven, PosInf, NegInf, Zero, TieAway, Current, Odd };

enum class RmwOp : u8 { Add, Clear, Xor, Set, SMax, SMin, UMax, UMin, Swap };

enum class FenceKind : u8 { Full, Load, Store };
/// To which cache; once only; to be written.
enum class PrefetchKind : u8 { L1, L2, L3, Once, Write };

/// Why control left translated code through an Exit terminal; `payload` is the terminal's imm. The engine adds its own
/// reasons.
enum class ExitKind : u8 {
  Syscall,         // payload: guest-specific immediate; pc of the NEXT insn is stored
  Breakpoint,      // payload: immediate; pc of the insn itself
  Undefined,       // architecturally undefined; pc of the insn itself
  Unimplemented,   // our gap; payload: index of the ISA row; pc of the insn itself
  InvalidateCode,  // operand: guest address, payload: bytes; continue at next pc
  ModeChange,      // something the block key depends on (or the FP control word) changed; continue at next pc
  Yield,           // hint: let somebody else run; continue at next pc
  System,          // payload: the insn, which the machine executes; pc of the insn itself
  Unmask,          // interrupts may be possible now; continue at next pc. May stay inside where none waits
};

/// Flags in the state block are stored in the form that `lahf; seto al` leaves in AX after a host CMP:
/// bit 15 = N, bit 14 = Z, bit 8 = NOT C (borrow), bit 0 = V. Bits 7..1 are zero; 13..9 may hold anything and are
/// ignored. The fast tier stores them with two instructions; everybody else uses these two functions.
constexpr u16 flags_from_nzcv(u32 nzcv) {  // nzcv: N in bit 3, Z in 2, C in 1, V in 0
  return static_cast<u16>(((nzcv >> 3 & 1) << 15) | ((nzcv >> 2 & 1) << 14) | ((~nzcv >> 1 & 1) << 8) | (nzcv & 1));
}
constexpr u32 nzcv_from_flags(u64 f) {
  return static_cast<u32>((f >> 15 & 1) << 3 | (f >> 14 & 1) << 2 | (~f >> 8 & 1) << 1 | (f & 1));
}

/// Attributes of memory instructions, packed into Inst::aux.
struct MemAttr {
  u8 size_log2 = 3;      // bytes accessed = 1 << size_log2, 0..4
  bool sign = false;     // sign-extend into the result type (integer loads); otherwise zero-extend
  u8 index_shift = 0;    // address = base + (index << index_shift) + imm
  bool acquire = false;  // load-acquire
  bool release = false;  // store-release
  bool user = false;     // as the unprivileged level whatever the mode (LDTR, STTR)
  bool aligned = false;  // a misaligned address faults
  constexpr unsigned bytes() const { return 1u << size_log2; }
  constexpr u32 pack() const {
    return size_log2 | u32{sign} << 3 | u32{index_shift} << 4 | u32{acquire} << 8 | u32{release} << 9 |
           u32{user} << 10 | u32{aligned} << 11;
  }
  static constexpr MemAttr unpack(u32 a) {
    MemAttr m;
    m.size_log2 = a & 7;
    m.sign = a >> 3 & 1;
    m.index_shift = a >> 4 & 15;
    m.acquire = a >> 8 & 1;
    m.release = a >> 9 & 1;
    m.user = a >> 10 & 1;
    m.aligned = a >> 11 & 1;
    return m;
  }
};

/// Which rules floating point follows in one Function; covered by the block key.
struct FpRules {
  bool x86_nans = false;     // x86 NaN selection and default NaN instead of Arm's
  bool default_nan = false;  // every NaN result is the default NaN (Arm FPCR.DN)
  bool flush = false;        // subnormals are flushed, by Arm FPCR.FZ rules
  bool alt_half = false;     // Arm FPCR.AHP
  /// With `flush`, and rounding to nearest: the host flushes, see backend/fp_control.h. What follows a SetFpStatus must
  /// be an Exit.
  bool host_flush = false;
  constexpr u8 pack() const { return u8(x86_nans | default_nan << 1 | flush << 2 | alt_half << 3 | host_flush << 4); }
  static constexpr FpRules unpack(u8 b) { return {bool(b & 1), bool(b & 2), bool(b & 4), bool(b & 8), bool(b & 16)}; }
  friend constexpr bool operator==(const FpRules&, const FpRules&) = default;
};

/// Cumulative FP exception bits as GetFpStatus and SetFpStatus carry them.
namespace fpstatus {
inline constexpr u32 kInvalid = 1, kDivByZero = 2, kOverflow = 4, kUnderflow = 8, kInexact = 16, kInputDenormal = 32;
}

}  // namespace tiercel::ir
