#include "backend/x64/vector_emitter.h"

#include <algorithm>

namespace tiercel::backend::x64 {

VectorEmitter::Xmm VectorEmitter::in(unsigned i) {
  if (operands_[i].isNone()) operands_[i] = e.use_xmm(inst_->args[i]);
  return operands_[i].as<Xmm>();
}

VectorEmitter::Gp VectorEmitter::in_gp(unsigned i) {
  if (operands_[i].isNone()) operands_[i] = e.use_gp_zero_extended(inst_->args[i]);
  return operands_[i].as<Gp>();
}

bool VectorEmitter::is_vconst(unsigned i, U128& out) const {
  const ir::Inst& from = f_[inst_->args[i]];
  if (from.op != Opcode::VConst) return false;
  out = f_.constant(from.aux);
  return true;
}

bool VectorEmitter::in_zero(unsigned i) const {
  U128 c;
  return e.high_zero(inst_->args[i]) || (is_vconst(i, c) && c.hi == 0);
}

VectorEmitter::Operand VectorEmitter::in_any(unsigned i) {
  U128 c;
  if (is_vconst(i, c)) return e.constant(c);
  return in(i);
}

VectorEmitter::Opcode VectorEmitter::sole_user(ir::Value v) const {
  constexpr u32 kDistance = 12;
  if (e.uses(v) != 1) return Opcode::Nop;
  const u32 end = std::min(static_cast<u32>(f_.insts.size()), v.index + kDistance);
  for (u32 i = v.index + 1; i < end; ++i) {
    const ir::Inst& user = f_.insts[i];
    for (std::size_t k = 0; k < ir::info(user.op).operands.size(); ++k)
      if (user.args[k] == v) return user.op;
  }
  return Opcode::Nop;
}

VectorEmitter::ColdEval VectorEmitter::cold_eval(const asmjit::BaseReg& result) {
  e.clobber_flags();
  // No sequence takes more registers after this than these.
  if (asmjit::x86::Reg::isGp(result)) e.keep_free(2, false);
  e.keep_free(4, true);
  const asmjit::Label resume = a.newLabel();
  const Operand* o = operands_;
  switch (ir::info(inst_->op).operands.size()) {
    case 1:
      return {e.cold_eval(index_, {o[0]}, result, resume), resume};
    case 2:
      return {e.cold_eval(index_, {o[0], o[1]}, result, resume), resume};
    default:
      return {e.cold_eval(index_, {o[0], o[1], o[2]}, result, resume), resume};
  }
}

bool VectorEmitter::finish_high(bool high_is_zero) {
  if (high_is_zero) e.set_high_zero(index_);
  return true;
}

bool VectorEmitter::finish(Xmm d, bool high_is_zero) {
  if (inst_->type == Type::V128 && !full()) {
    if (!high_is_zero) zero_high(d, d);
    high_is_zero = true;
  } else if (inst_->type == Type::V128) {
    high_is_zero = false;
  }
  return finish_high(high_is_zero);
}

bool VectorEmitter::emit(const ir::Inst& inst, u32 index) {
  inst_ = &inst;
  index_ = index;
  std::fill(std::begin(operands_), std::end(operands_), Operand{});
  std::fill(std::begin(cleaned_), std::end(cleaned_), Operand{});
  result_ = Operand{};
  switch (inst.op) {
    case Opcode::Bitcast:
    case Opcode::VZext:
    case Opcode::VExtract:
    case Opcode::VInsert:
    case Opcode::VDup:
    case Opcode::VTbl:
    case Opcode::Select:
      return emit_move();
    case Opcode::VShuffle:
      return vshuffle();
    case Opcode::VAnd:
    case Opcode::VOr:
    case Opcode::VXor:
    case Opcode::VAndNot:
    case Opcode::VOrNot:
    case Opcode::VNot:
    case Opcode::VBsl:
      return emit_bitwise();
    case Opcode::VAdd:
    case Opcode::VSub:
    case Opcode::VMul:
    case Opcode::VNeg:
    case Opcode::VAbs:
    case Opcode::VMaxS:
    case Opcode::VMinS:
    case Opcode::VMaxU:
    case Opcode::VMinU:
    case Opcode::VAbdS:
    case Opcode::VAbdU:
    case Opcode::VMullS:
    case Opcode::VMullU:
    case Opcode::VExtS:
    case Opcode::VExtU:
    case Opcode::VNarrow:
      return emit_integer();
    case Opcode::VCmpEq:
    case Opcode::VCmpGtS:
    case Opcode::VCmpGeS:
    case Opcode::VCmpGtU:
    case Opcode::VCmpGeU:
    case Opcode::VCmpTst:
      return emit_compare();
    case Opcode::VHAddS:
    case Opcode::VHAddU:
    case Opcode::VHSubS:
    case Opcode::VHSubU:
    case Opcode::VRHAddS:
    case Opcode::VRHAddU:
      return emit_halving();
    case Opcode::VPMul:
    case Opcode::VPMull:
    case Opcode::VClz:
    case Opcode::VCls:
    case Opcode::VCnt:
    case Opcode::VRbit:
      return emit_counting();
    case Opcode::VShlI:
    case Opcode::VShrUI:
    case Opcode::VShrSI:
    case Opcode::VRShrUI:
    case Opcode::VRShrSI:
    case Opcode::VShlU:
    case Opcode::VShlS:
      return emit_shift();
    case Opcode::VQAddS:
    case Opcode::VQAddU:
    case Opcode::VQSubS:
    case Opcode::VQSubU:
    case Opcode::VQAbs:
    case Opcode::VQNeg:
    case Opcode::VQDMulH:
    case Opcode::VQRDMulH:
    case Opcode::VQDMull:
    case Opcode::VQNarrowS:
    case Opcode::VQNarrowU:
    case Opcode::VQNarrowSU:
      return emit_saturating();
    case Opcode::AesEnc:
    case Opcode::AesDec:
    case Opcode::AesMix:
    case Opcode::AesInvMix:
    case Opcode::Sha1C:
    case Opcode::Sha1P:
    case Opcode::Sha1M:
    case Opcode::Sha1H:
    case Opcode::Sha1Su0:
    case Opcode::Sha1Su1:
    case Opcode::Sha256H:
    case Opcode::Sha256H2:
    case Opcode::Sha256Su0:
    case Opcode::Sha256Su1:
      return emit_crypto();
    case Opcode::FAdd:
    case Opcode::FSub:
    case Opcode::FMul:
    case Opcode::FDiv:
    case Opcode::FMulAdd:
    case Opcode::FSqrt:
    case Opcode::FNeg:
    case Opcode::FAbs:
    case Opcode::FMax:
    case Opcode::FMin:
    case Opcode::FMaxNm:
    case Opcode::FMinNm:
    case Opcode::VFCmpEq:
    case Opcode::VFCmpGe:
    case Opcode::VFCmpGt:
    case Opcode::FRint:
      return emit_fp();
    case Opcode::FCvt:
    case Opcode::FToInt:
    case Opcode::IntToF:
    case Opcode::VFCvtUp:
    case Opcode::VFCvtDown:
    case Opcode::FFromHalf:
    case Opcode::FToHalf:
      return emit_fp_convert();
    default:
      return false;
  }
}

}  // namespace tiercel::backend::x64
