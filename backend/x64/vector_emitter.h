// Emission of floating-point and vector instructions. One method per operation family; each returns false when the host
// lacks what the inline form needs, and the instruction then goes to the evaluator out of line.
//
// Rules every method follows:
// - operands are fetched before the result register is made; `fresh()` never overlaps an operand, `reusing(i)` may be
// the
//   register of operand i when it dies here, so only the last host instruction may write it;
// - a result in a 64-bit arrangement has a zero high half: finish() adds the move unless the sequence ensures it.
#pragma once

#include "backend/x64/vector_asm.h"

namespace tiercel::backend::x64 {

class VectorEmitter : private VectorAsm {
 public:
  VectorEmitter(Emitter& emitter, const ir::Function& f) : VectorAsm(emitter), f_(f) {}

  /// Emits `inst`, whose result is Value{index}. False: nothing was emitted, there is no inline form.
  bool emit(const ir::Inst& inst, u32 index);

 private:
  using Opcode = ir::Opcode;
  using Arr = ir::Arr;
  using Type = ir::Type;

  // -- the instruction at hand
  Xmm in(unsigned i);
  Gp in_gp(unsigned i);
  /// Operand i where an instruction may take it from memory: constants stay there. Not for operands of cold_eval.
  Operand in_any(unsigned i);
  bool is_vconst(unsigned i, U128& out) const;
  /// The opcode of v's only user if it follows closely, else Nop.
  Opcode sole_user(ir::Value v) const;
  Type in_type(unsigned i) const { return f_[inst_->args[i]].type; }
  bool in_zero(unsigned i) const;
  bool full() const { return inst_->arr == Arr::None || ir::is_full(inst_->arr); }
  /// 0 bytes, 1 halfwords, 2 words, 3 doublewords
  unsigned size() const { return (static_cast<unsigned>(inst_->arr) - 1) / 2; }
  bool is_double() const { return inst_->type == Type::F64 || (inst_->type == Type::V128 && size() == 3); }
  bool is_vector() const { return inst_->type == Type::V128; }
  Xmm fresh() {
    if (result_.isNone()) result_ = e.def_xmm(index_);
    return result_.as<Xmm>();
  }
  Gp fresh_gp() {
    if (result_.isNone()) result_ = e.def_gp(index_);
    return result_.as<Gp>();
  }
  Xmm reusing(unsigned i) { return e.def_xmm_reusing(index_, inst_->args[i]); }
  /// Out-of-line evaluation of the instruction, for operands fetched before; entered by a jump to `entry`.
  struct ColdEval {
    asmjit::Label entry, resume;
  };
  ColdEval cold_eval(const asmjit::BaseReg& result);
  bool finish(Xmm d, bool high_is_zero = false);
  bool finish_high(bool high_is_zero);

  // -- moves (vector_moves.cpp)
  bool emit_move();
  bool bitcast();
  bool vzext();
  bool vextract();
  bool vinsert();
  bool vdup();
  void broadcast(Xmm d, Xmm x);
  void gp_to_xmm(Xmm d, Gp x, bool wide);
  void xmm_to_gp(Gp d, Xmm x, bool wide);
  bool vtbl();
  bool select();

  // -- shuffles (vector_shuffle.cpp)
  bool vshuffle();
  void shuffle_one(Xmm d, Xmm x, bool high_is_zero, const u8* mask);
  bool shuffle_two_matched(Xmm d, Xmm x, Xmm y, const u8* mask);
  void shuffle_two(Xmm d, Xmm x, Xmm y, const u8* mask);

  // -- bitwise and integer lanes (vector_integer.cpp)
  bool emit_bitwise();
  bool emit_integer();
  bool binary(const VOp& o, bool high_is_zero);
  bool vbsl();
  bool vmul();
  bool vabs();
  bool vmull(bool is_signed);
  bool vext(bool is_signed);
  bool vnarrow();
  bool minmax(bool max, bool is_signed);
  bool vabd(bool is_signed);
  void minmax_lanes(Xmm d, Xmm x, const Operand& y, bool max, bool is_signed);

  // -- comparison (vector_compare.cpp)
  bool emit_compare();
  void compare_mask(Xmm d, Xmm x, const Operand& y, unsigned predicate, bool is_unsigned);
  void equal(Xmm d, Xmm x, const Operand& y);
  bool equal_or_greater_signed();
  void greater_signed(Xmm d, Xmm x, const Operand& y);
  void greater_unsigned(Xmm d, Xmm x, Xmm y);
  bool test();

  // -- halving, counting (vector_bits.cpp)
  bool emit_halving();
  bool emit_counting();
  bool nibble_table(U128 low, U128 high, bool min);
  bool clz_lanes(Xmm d, Xmm x);
  bool polynomial();

  // -- shifts (vector_shift.cpp)
  bool emit_shift();
  void shift_left(Xmm d, Xmm x, unsigned n);
  void shift_right(Xmm d, Xmm x, unsigned n, bool is_signed);
  bool rounding_shift(bool is_signed);
  bool register_shift(bool is_signed);
  void sign_mask(Xmm d, Xmm x);

  // -- saturation (vector_saturate.cpp)
  bool emit_saturating();
  bool saturated_mask() const { return inst_->aux & 1; }
  bool saturating_add_sub(bool add, bool is_signed);
  bool saturating_add_sub_wide(bool add, bool is_signed);
  bool saturating_abs_neg(bool abs);
  bool doubling_high(bool rounding);
  bool doubling_long();
  bool saturating_narrow();

  // -- cryptography (vector_crypto.cpp)
  bool emit_crypto();
  bool aes();
  bool fuses_mix(ir::Value v) const;
  bool sha1_rounds(unsigned function, u32 round_constant);
  bool sha1_schedule();
  bool sha256_rounds();
  bool sha256_schedule();
  void rotate_left(Xmm d, Xmm x, unsigned n);

  // -- floating point (fp_arith.cpp, fp_convert.cpp)
  bool emit_fp();
  bool emit_fp_unflushed();
  bool emit_fp_convert();
  bool emit_fp_convert_unflushed();
  Xmm fp_in(unsigned i);
  Xmm fp_in_duplicated(unsigned i);
  bool fp_finish(Xmm d, bool high_is_zero);
  void jump_if_unordered(Xmm x, Xmm y, asmjit::Label cold);
  bool fp_binary();
  bool fp_muladd();
  bool fp_sqrt();
  bool fp_negate();
  bool fp_abs();
  U128 sign_bits() const;
  bool fuses_negation(ir::Value v) const;
  bool fp_minmax(bool max, bool number);
  bool fp_compare();
  bool fp_round();
  bool fp_round_away();
  void round_away(Xmm d, Xmm x, bool vector, bool is_double, asmjit::Label cold);
  bool fp_convert();
  bool converts_to_int_inline() const;
  bool fp_to_int();
  void truncate_to_gp(Gp d, Xmm x, bool from_double, bool is_unsigned);
  bool fp_to_int_vector();
  void scale_down(Xmm d, int bits, bool is_double);
  bool int_to_fp();
  bool int_to_fp_vector();
  bool fp_widen();
  bool fp_narrow();
  bool from_half();
  bool to_half();

  // -- flush-to-zero (fp_flush.cpp)
  void tell_subnormals();
  void touch(std::initializer_list<Xmm> operands, bool is_double);
  bool rounds_to_least_normal() const;
  void jump_if_doubtful(Xmm d, asmjit::Label cold);
  void jump_if_least_normal_or_nan(Xmm d, asmjit::Label cold);
  bool flushes_inline() const;
  ColdEval guard_flush();
  void guard_tiny(Xmm x, Xmm y, bool is_double, asmjit::Label evaluate);
  void jump_if_flushed_or_nan(Xmm d, asmjit::Label cold);

  const ir::Function& f_;
  const ir::Inst* inst_ = nullptr;
  u32 index_ = 0;
  Operand operands_[3];
  Operand cleaned_[3];  // operands with the lanes replaced that are not part of a 64-bit arrangement
  Operand result_;
};

}  // namespace tiercel::backend::x64
