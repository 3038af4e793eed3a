// Integer comparisons into lane masks. With AVX-512 and registers above xmm15 they go through a mask register, because
// the forms with a vector result have VEX encodings only.
#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

namespace x86 = asmjit::x86;

constexpr const VOp* kEqual[] = {&vop::pcmpeqb, &vop::pcmpeqw, &vop::pcmpeqd, &vop::pcmpeqq};
constexpr const VOp* kGreater[] = {&vop::pcmpgtb, &vop::pcmpgtw, &vop::pcmpgtd, &vop::pcmpgtq};
constexpr const VOp* kMinU[] = {&vop::pminub, &vop::pminuw, &vop::pminud, &vop::pminuq};
constexpr const VOp* kMinS[] = {&vop::pminsb, &vop::pminsw, &vop::pminsd, &vop::pminsq};
constexpr u32 kCompareMask[2][4] = {
    {x86::Inst::kIdVpcmpb, x86::Inst::kIdVpcmpw, x86::Inst::kIdVpcmpd, x86::Inst::kIdVpcmpq},
    {x86::Inst::kIdVpcmpub, x86::Inst::kIdVpcmpuw, x86::Inst::kIdVpcmpud, x86::Inst::kIdVpcmpuq}};
constexpr u32 kMaskToVector[] = {x86::Inst::kIdVpmovm2b, x86::Inst::kIdVpmovm2w, x86::Inst::kIdVpmovm2d,
                                 x86::Inst::kIdVpmovm2q};
constexpr u32 kTest[] = {x86::Inst::kIdVptestmb, x86::Inst::kIdVptestmw, x86::Inst::kIdVptestmd,
                         x86::Inst::kIdVptestmq};
constexpr u64 kSignBits[] = {0x8080808080808080, 0x8000800080008000, 0x8000000080000000, 0x8000000000000000};
enum Predicate { kGe = 5, kGt = 6, kEq = 0 };

}  // namespace

void VectorEmitter::compare_mask(Xmm d, Xmm x, const Operand& y, unsigned predicate, bool is_unsigned) {
  a.emit(kCompareMask[is_unsigned][size()], x86::k1, x, y, asmjit::Imm(predicate));
  a.emit(kMaskToVector[size()], d, x86::k1);
}

void VectorEmitter::equal(Xmm d, Xmm x, const Operand& y) {
  if (high(d) || high(x) || high(y))
    compare_mask(d, x, y, kEq, false);
  else
    op(*kEqual[size()], d, x, y);
}

void VectorEmitter::greater_signed(Xmm d, Xmm x, const Operand& y) {
  if (high(d) || high(x) || high(y))
    compare_mask(d, x, y, kGt, false);
  else
    op(*kGreater[size()], d, x, y);
}

/// d = x > y unsigned, d other than x and y.
void VectorEmitter::greater_unsigned(Xmm d, Xmm x, Xmm y) {
  if (v512) return compare_mask(d, x, y, kGt, true);
  if (has(*kMinU[size()])) {  // x > y unless min(x, y) = x
    op(*kMinU[size()], d, x, y);
    equal(d, d, x);
    return invert(d, d);
  }
  const Xmm t = tmp();
  op(vop::pxor, t, y, splat(kSignBits[size()]));
  op(vop::pxor, d, x, splat(kSignBits[size()]));
  op(*kGreater[size()], d, d, t);
}

bool VectorEmitter::emit_compare() {
  if (inst_->op == Opcode::VCmpTst) return test();
  if (inst_->op == Opcode::VCmpEq || inst_->op == Opcode::VCmpGtS) return equal_or_greater_signed();
  const Xmm x = in(0), y = in(1);
  const bool both_zero = in_zero(0) && in_zero(1);
  switch (inst_->op) {
    case Opcode::VCmpGtU: {
      const Xmm d = fresh();
      greater_unsigned(d, x, y);
      return finish(d, both_zero);
    }
    case Opcode::VCmpGeS:
    case Opcode::VCmpGeU: {
      const bool is_unsigned = inst_->op == Opcode::VCmpGeU;
      const Xmm d = fresh();
      const VOp& min = is_unsigned ? *kMinU[size()] : *kMinS[size()];
      if (v512) {
        compare_mask(d, x, y, kGe, is_unsigned);
      } else if (has(min)) {  // x >= y if min(x, y) = y
        op(min, d, x, y);
        equal(d, d, y);
      } else {
        if (is_unsigned)
          greater_unsigned(d, y, x);
        else
          greater_signed(d, y, x);
        invert(d, d);
      }
      return finish(d);
    }
    default:
      return false;
  }
}

/// The two that are one host instruction, often with a constant zero.
bool VectorEmitter::equal_or_greater_signed() {
  const bool both_zero = in_zero(0) && in_zero(1);
  U128 c;
  if (inst_->op == Opcode::VCmpGtS && size() != 0 && (size() != 3 || v512) && is_vconst(0, c) && c == U128{}) {
    const Xmm x = in(1);
    const Xmm d = fresh();
    shift_right(d, x, 8u << size(), true);
    return finish(d, in_zero(1));
  }
  const bool greater = inst_->op == Opcode::VCmpGtS;
  const Xmm x = in(0);
  const Operand y = in_any(1);
  const Xmm d = reusing(0);
  if (greater)
    greater_signed(d, x, y);
  else
    equal(d, x, y);
  return finish(d, greater && both_zero);
}

bool VectorEmitter::test() {
  const Xmm x = in(0), y = in(1);
  const bool high_is_zero = in_zero(0) || in_zero(1);
  const Xmm d = fresh();
  if (v512) {
    a.emit(kTest[size()], x86::k1, x, y);
    a.emit(kMaskToVector[size()], d, x86::k1);
    return finish(d, high_is_zero);
  }
  op(vop::pand, d, x, y);
  const Xmm t = tmp();
  zero(t);
  equal(d, d, t);
  invert(d, d);
  return finish(d, high_is_zero);
}

}  // namespace tiercel::backend::x64
