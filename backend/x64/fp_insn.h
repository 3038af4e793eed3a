// Host instructions whose result may be tiny, for fp_trap.cpp: the arithmetic and narrowing of SSE2, AVX, FMA and
// AVX-512VL on 128 bits, without write masks. (Debian has Zydis as a shared library only, and tiercel is linked statically.)
#pragma once

#include <optional>

#include "backend/x64/host_frame.h"
#include "ir/opcode.h"
#include "ir/types.h"

namespace tiercel::backend::x64 {

struct FpInsn {
  enum class Kind : u8 { Add, Sub, Mul, Div, Narrow, MulAdd };
  Kind kind;
  bool vector, wide;  // wide: of doubles
  u8 length;
  u8 destination;    // of the vector registers
  U128 kept;         // where a scalar result's other bits come from
  U128 operands[3];  // MulAdd: addend, factors
};

/// At the frame's pc; its operands as they are there.
std::optional<FpInsn> decode_fp_insn(const HostFrame& frame);

}  // namespace tiercel::backend::x64
