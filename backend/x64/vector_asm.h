// Vector instructions in three-operand form, whatever the host has: EVEX, VEX or two-operand SSE encodings.
// Sequences in vector_*.cpp and fp_*.cpp are written once in these terms.
#pragma once

#include "backend/x64/emitter.h"

namespace tiercel::backend::x64 {

struct VOp {
  u32 sse, vex, evex;  // asmjit instruction ids, 0: no such encoding
  bool commutes;
};

namespace vop {
#define VOP(name, sse, vex, evex, commutes)                                                                         \
  inline constexpr VOp name{asmjit::x86::Inst::kId##sse, asmjit::x86::Inst::kId##vex, asmjit::x86::Inst::kId##evex, \
                            commutes};
#include "backend/x64/vector_ops.def"
#undef VOP
}  // namespace vop

class VectorAsm {
 public:
  using Xmm = asmjit::x86::Xmm;
  using Gp = asmjit::x86::Gp;
  using Mem = asmjit::x86::Mem;
  using Operand = asmjit::Operand_;

  explicit VectorAsm(Emitter& emitter)
      : e(emitter),
        a(emitter.a),
        avx(emitter.features().avx),
        avx2(emitter.features().avx2),
        v512(emitter.features().avx512vl) {}

  static bool high(const Operand& o) { return o.isReg() && o.id() >= 16; }
  /// Does the host have this operation in some encoding?
  bool has(const VOp& o) const { return v512 ? (o.evex | o.vex) : avx ? o.vex : o.sse; }

  /// d = x op y. d may be x or y.
  void op(const VOp& o, Xmm d, Xmm x, const Operand& y) { three(o, d, x, y, -1); }
  void op(const VOp& o, Xmm d, Xmm x, const Operand& y, int imm) { three(o, d, x, y, imm); }
  /// d = op x, for instructions with one source in every encoding.
  void un(const VOp& o, Xmm d, const Operand& x) { two(o, d, x, -1); }
  void un(const VOp& o, Xmm d, const Operand& x, int imm) { two(o, d, x, imm); }
  /// d = x shifted by imm.
  void shift(const VOp& o, Xmm d, Xmm x, unsigned imm);
  void mov(Xmm d, Xmm x);
  void load(Xmm d, const Mem& m);
  void zero(Xmm d);
  void ones(Xmm d);
  /// d = ~x
  void invert(Xmm d, Xmm x);
  /// d = x with its high half zero
  void zero_high(Xmm d, Xmm x) { un(vop::movq, d, x); }
  /// d = x with all but the low 32 bits zero
  void zero_above_32(Xmm d, Xmm x);
  /// Copies to xmm0..15 when it lies above: for instructions without an EVEX form.
  Xmm low(Xmm x);
  Mem constant(u64 lo, u64 hi) { return e.constant(U128{lo, hi}); }
  Mem splat(u64 pattern) { return constant(pattern, pattern); }
  /// The low lane of `pattern` as memory operand of a scalar instruction.
  Mem scalar(u64 pattern, bool wide) {
    Mem m = splat(pattern);
    m.setSize(wide ? 8 : 4);
    return m;
  }
  Xmm tmp() { return e.temp_xmm(); }

  Emitter& e;
  asmjit::x86::Assembler& a;
  const bool avx, avx2, v512;

 private:
  void three(const VOp& o, Xmm d, Xmm x, const Operand& y, int imm);
  void two(const VOp& o, Xmm d, const Operand& x, int imm);
  void emit(u32 id, Xmm d, const Operand& x, int imm);
  void emit(u32 id, Xmm d, Xmm x, const Operand& y, int imm);
};

}  // namespace tiercel::backend::x64
