// Flush-to-zero (Arm FPCR.FZ).
//
// Under FpRules::host_flush the host flushes too, and tells of subnormal operands by a trap (see fp_control.h) but for
// a few instructions. What is left is that it calls a result tiny after rounding, Arm before: a result of the least
// normal magnitude is the evaluator's.
//
// Else, with AVX-512, the host computes as always, with its own flushing off, where flushing
// makes no difference; everything else goes to the evaluator. Which is which must be known before the host raises wrong
// exceptions, that is before the operation: subnormal operands, and products and quotients small enough that the result
// may be both tiny and inexact. A tiny result that is exact raises nothing on the host and may be seen afterwards.
#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

namespace x86 = asmjit::x86;

// Classes of VFPCLASS.
constexpr int kQuietNan = 0x01, kZeros = 0x06, kSubnormal = 0x20, kSignallingNan = 0x80;
constexpr u32 kClass[2][2] = {{x86::Inst::kIdVfpclassss, x86::Inst::kIdVfpclasssd},
                              {x86::Inst::kIdVfpclassps, x86::Inst::kIdVfpclasspd}};

struct Smallness {
  u8 x, y;
  bool vector, is_double, divide, convert;
  u32 evaluate, go;  // labels
};

/// k1 holds the lanes that may be tiny; none if it is only for a zero, which makes the result exact.
void settle_small(Emitter& e, const Smallness& s) {
  const u32 id = kClass[s.vector][s.is_double];
  e.a.emit(id, x86::k2, x86::xmm(s.x), asmjit::Imm(kZeros));
  if (!s.divide && !s.convert) {
    e.a.emit(id, x86::k3, x86::xmm(s.y), asmjit::Imm(kZeros));
    e.a.korb(x86::k2, x86::k2, x86::k3);
  }
  e.a.kandnb(x86::k1, x86::k2, x86::k1);
  e.a.kortestb(x86::k1, x86::k1);
  e.a.jz(asmjit::Label(s.go));
  e.a.jmp(asmjit::Label(s.evaluate));
}

}  // namespace

bool VectorEmitter::flushes_inline() const {
  if (!v512) return false;
  switch (inst_->op) {
    case Opcode::FAdd:
    case Opcode::FSub:
    case Opcode::FMul:
    case Opcode::FDiv:
    case Opcode::FSqrt:
    case Opcode::FMax:
    case Opcode::FMin:
    case Opcode::FMaxNm:
    case Opcode::FMinNm:
    case Opcode::VFCmpEq:
    case Opcode::VFCmpGe:
    case Opcode::VFCmpGt:
      return true;
    case Opcode::FMulAdd:
      return e.features().fma;
    case Opcode::FRint:
      return inst_->round() != ir::Round::Odd && !(inst_->round() == ir::Round::TieAway && inst_->aux & 8);
    case Opcode::FCvt:
      return inst_->round() != ir::Round::Odd;
    case Opcode::FToInt:
      return !is_vector() && inst_->round() != ir::Round::Odd;
    default:
      return false;
  }
}

/// Before the operation: to the evaluator if flushing could matter. The caller binds `resume` at the operation's end.
VectorEmitter::ColdEval VectorEmitter::guard_flush() {
  const Opcode o = inst_->op;
  const auto count = static_cast<unsigned>(ir::info(o).operands.size());
  const bool from_double = o == Opcode::FCvt || o == Opcode::FToInt ? in_type(0) == Type::F64 : is_double();
  Xmm x[3];
  for (unsigned i = 0; i < count; ++i) x[i] = o == Opcode::FDiv ? fp_in_duplicated(i) : fp_in(i);
  const ColdEval cold = o == Opcode::FToInt ? cold_eval(fresh_gp()) : cold_eval(fresh());
  const u32 id = kClass[is_vector()][from_double];
  for (unsigned i = 0; i < count; ++i) {
    a.emit(id, i == 0 ? x86::k1 : x86::k2, x[i], asmjit::Imm(kSubnormal));
    if (i == 1 && count == 3) a.korb(x86::k1, x86::k1, x86::k2);
  }
  count == 1 ? a.kortestb(x86::k1, x86::k1) : a.kortestb(x86::k1, x86::k2);
  a.jnz(cold.entry);
  if (o == Opcode::FMul)
    guard_tiny(x[0], x[1], from_double, cold.entry);
  else if (o == Opcode::FMulAdd)
    guard_tiny(x[1], x[2], from_double, cold.entry);
  else if (o == Opcode::FDiv)
    guard_tiny(x[0], x[1], from_double, cold.entry);
  else if (o == Opcode::FCvt && from_double)
    guard_tiny(x[0], x[0], from_double, cold.entry);
  return cold;
}

/// Adding (subtracting) the magnitudes' bit patterns adds (subtracts) the exponents, give or take one. The bound is
/// high enough that all bits of a product above it are multiples of the smallest subnormal: a sum with it that is tiny
/// is exact.
void VectorEmitter::guard_tiny(Xmm x, Xmm y, bool is_double, asmjit::Label evaluate) {
  const bool divide = inst_->op == Opcode::FDiv, convert = inst_->op == Opcode::FCvt, whole = is_vector();
  const auto lanes = [&](u64 lane) {
    if (!is_double) lane = whole ? (lane << 32 | (lane & 0xffffffff)) : lane & 0xffffffff;
    return constant(lane, whole && (full() || divide) ? lane : 0);
  };
  const Xmm t = tmp();
  const Mem magnitude = lanes(is_double ? ~u64{0} >> 1 : 0x7fffffff);
  op(vop::pand, t, x, magnitude);
  if (convert) {  // to single: 2^-125 and above
    a.vpcmpuq(x86::k1, t, lanes(u64{1023 - 125} << 52), 1);
  } else if (divide) {
    const Xmm u = fresh();  // nothing is in it yet
    op(vop::pand, u, y, magnitude);
    op(is_double ? vop::psubq : vop::psubd, t, t, u);
    // Signed; lanes that are not part of the operation are zero here and compare with the least number.
    const u64 bound = is_double ? 0 - (u64{960} << 52) : 0 - (u64{100} << 23);
    const u64 low = is_double ? bound
                    : whole   ? (bound << 32 | (bound & 0xffffffff))
                              : (bound & 0xffffffff) | u64{1} << 63;
    const Mem bounds = constant(low, whole ? low : is_double ? u64{1} << 63 : 0x8000000080000000);
    is_double ? a.vpcmpq(x86::k1, t, bounds, 1) : a.vpcmpd(x86::k1, t, bounds, 1);
  } else {
    const Xmm u = fresh();  // nothing is in it yet
    op(vop::pand, u, y, magnitude);
    op(is_double ? vop::paddq : vop::paddd, t, t, u);
    if (is_double)
      a.vpcmpuq(x86::k1, t, lanes(u64{1086} << 52), 1);
    else
      a.vpcmpud(x86::k1, t, lanes(u64{154} << 23), 1);
  }
  a.kortestb(x86::k1, x86::k1);
  const asmjit::Label go = a.newLabel();
  const Smallness s{
      static_cast<u8>(x.id()), static_cast<u8>(y.id()), whole, is_double, divide, convert, evaluate.id(), go.id()};
  a.jnz(e.cold([s](Emitter& emitter) { settle_small(emitter, s); }));
  a.bind(go);
}

/// Under host_flush: before operations whose instruction does not tell of subnormal operands, or not beside a NaN, or
/// by something else that it raises.
void VectorEmitter::tell_subnormals() {
  switch (inst_->op) {
    case Opcode::FDiv:
      return touch({fp_in_duplicated(0), fp_in_duplicated(1)}, is_double());
    case Opcode::VFCmpEq:
    case Opcode::VFCmpGe:
    case Opcode::VFCmpGt:
      return touch({fp_in(0), fp_in(1)}, is_double());
    case Opcode::FSqrt:
    case Opcode::FRint:
      return touch({fp_in(0)}, is_double());
    case Opcode::FToInt:
      return touch({fp_in(0)}, is_vector() ? is_double() : in_type(0) == Type::F64);
    default:
      return;
  }
}

/// Under host_flush: may the least normal number be a result that Arm flushes? Tiny sums are exact.
bool VectorEmitter::rounds_to_least_normal() const {
  if (!f_.fp.host_flush) return false;
  switch (inst_->op) {
    case Opcode::FMul:
    case Opcode::FMulAdd:
    case Opcode::FDiv:
    case Opcode::VFCvtDown:
      return true;
    case Opcode::FCvt:
      return !is_double();
    default:
      return false;
  }
}

/// After the operation: results that may not be Arm's.
void VectorEmitter::jump_if_doubtful(Xmm d, asmjit::Label cold) {
  if (rounds_to_least_normal())
    jump_if_least_normal_or_nan(d, cold);
  else if (f_.fp.flush && !f_.fp.host_flush)
    jump_if_flushed_or_nan(d, cold);
  else
    jump_if_unordered(d, d, cold);
}

void VectorEmitter::jump_if_least_normal_or_nan(Xmm d, asmjit::Label cold) {
  constexpr int kUnordered = 3, kUnorderedOrEqual = 8;
  const u64 sign = is_double() ? u64{1} << 63 : 0x8000000080000000;
  const u64 least = is_double() ? u64{1} << 52 : 0x0080000000800000;
  const Xmm t = tmp();
  op(vop::pand, t, d, splat(~sign));
  if (!is_vector()) {
    if (is_double())
      avx ? a.vucomisd(t, scalar(least, true)) : a.ucomisd(t, scalar(least, true));
    else
      avx ? a.vucomiss(t, scalar(least, false)) : a.ucomiss(t, scalar(least, false));
    a.je(cold);  // or unordered
    return;
  }
  if (v512) {
    a.emit(is_double() ? x86::Inst::kIdVcmppd : x86::Inst::kIdVcmpps, x86::k1, t, splat(least),
           asmjit::Imm(kUnorderedOrEqual));
    a.kortestb(x86::k1, x86::k1);
  } else if (avx) {
    op(is_double() ? vop::cmppd : vop::cmpps, t, t, splat(least), kUnorderedOrEqual);
    a.vptest(t, t);
  } else {  // which has neither this predicate nor fused multiply-adds, so that registers are left
    const Xmm equal = tmp();
    load(equal, splat(least));
    op(is_double() ? vop::pcmpeqq : vop::pcmpeqd, equal, equal, t);
    op(is_double() ? vop::cmppd : vop::cmpps, t, t, t, kUnordered);
    op(vop::por, t, t, equal);
    a.ptest(t, t);
  }
  a.jnz(cold);
}

/// NaNs, and exact results that are subnormal.
void VectorEmitter::jump_if_flushed_or_nan(Xmm d, asmjit::Label cold) {
  a.emit(kClass[is_vector()][is_double()], x86::k1, d, asmjit::Imm(kQuietNan | kSignallingNan | kSubnormal));
  a.kortestb(x86::k1, x86::k1);
  a.jnz(cold);
}

}  // namespace tiercel::backend::x64
