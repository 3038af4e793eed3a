// Arm ARM (DDI 0487), encoding classes "Floating-point data-processing (1 source)", "(2 source)", "(3 source)" and
// "Floating-point immediate". Half precision only converts: its arithmetic (FEAT_FP16) is not advertised, so those
// encodings stay unallocated.

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

bool fmov(Translate& t, bool sz, VReg n, VReg d) {
  t.set_v(d, t.v_scalar(fp_type(sz), n));
  return t.next();
}

template <Opcode O>
bool one_source(Translate& t, bool sz, VReg n, VReg d) {
  const Type f = fp_type(sz);
  t.set_v(d, t.ir.fp(O, f, Arr::None, {t.v_scalar(f, n)}));
  return t.next();
}

constexpr u32 kSignalInexact = 8;

template <u32 Aux>
bool frint(Translate& t, bool sz, VReg n, VReg d) {
  const Type f = fp_type(sz);
  t.set_v(d, t.ir.fp(Opcode::FRint, f, Arr::None, {t.v_scalar(f, n)}, Aux));
  return t.next();
}
constexpr u32 aux(Round r) {
  return static_cast<u32>(r);
}

bool fcvt_single_to_double(Translate& t, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(Opcode::FCvt, Type::F64, Arr::None, {t.v_scalar(Type::F32, n)}, aux(Round::Current)));
  return t.next();
}
bool fcvt_double_to_single(Translate& t, VReg n, VReg d) {
  t.set_v(d, t.ir.fp(Opcode::FCvt, Type::F32, Arr::None, {t.v_scalar(Type::F64, n)}, aux(Round::Current)));
  return t.next();
}
bool fcvt_to_half(Translate& t, bool sz, VReg n, VReg d) {
  t.set_v(d, t.ir.op(Opcode::FToHalf, Type::I32, {t.v_scalar(fp_type(sz), n)}));
  return t.next();
}
bool fcvt_from_half(Translate& t, bool sz, VReg n, VReg d) {
  t.set_v(d, t.ir.op(Opcode::FFromHalf, fp_type(sz), {t.v_scalar(Type::I32, n)}));
  return t.next();
}

template <Opcode O>
bool two_source(Translate& t, bool sz, VReg m, VReg n, VReg d) {
  const Type f = fp_type(sz);
  t.set_v(d, t.ir.fp(O, f, Arr::None, {t.v_scalar(f, n), t.v_scalar(f, m)}));
  return t.next();
}

bool fnmul(Translate& t, bool sz, VReg m, VReg n, VReg d) {
  const Type f = fp_type(sz);
  const Value product = t.ir.fp(Opcode::FMul, f, Arr::None, {t.v_scalar(f, n), t.v_scalar(f, m)});
  t.set_v(d, t.ir.fp(Opcode::FNeg, f, Arr::None, {product}));
  return t.next();
}

// The negations are applied to the operands, NaNs included, before the fused operation.
template <bool NegateAddend, bool NegateProduct>
bool three_source(Translate& t, bool sz, VReg m, VReg a, VReg n, VReg d) {
  const Type f = fp_type(sz);
  Value addend = t.v_scalar(f, a), left = t.v_scalar(f, n);
  if (NegateAddend) addend = t.ir.fp(Opcode::FNeg, f, Arr::None, {addend});
  if (NegateProduct) left = t.ir.fp(Opcode::FNeg, f, Arr::None, {left});
  t.set_v(d, t.ir.fp(Opcode::FMulAdd, f, Arr::None, {addend, left, t.v_scalar(f, m)}));
  return t.next();
}

bool fmov_immediate(Translate& t, bool sz, u32 imm8, VReg d) {
  t.set_v(d, t.ir.imm(fp_type(sz), expand_fp_immediate(sz, imm8)));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    fp<"000 11110 0 sz 1 000000 10000 Rn:5 Rd:5", fmov>("fmov {Rd:Z}, {Rn:Z}", "FMOV (register)"),
    fp<"000 11110 0 sz 1 000001 10000 Rn:5 Rd:5", one_source<Opcode::FAbs>>("fabs {Rd:Z}, {Rn:Z}", "FABS (scalar)"),
    fp<"000 11110 0 sz 1 000010 10000 Rn:5 Rd:5", one_source<Opcode::FNeg>>("fneg {Rd:Z}, {Rn:Z}", "FNEG (scalar)"),
    fp<"000 11110 0 sz 1 000011 10000 Rn:5 Rd:5", one_source<Opcode::FSqrt>>("fsqrt {Rd:Z}, {Rn:Z}", "FSQRT (scalar)"),
    fp<"000 11110 0 0 1 000101 10000 Rn:5 Rd:5", fcvt_single_to_double>("fcvt {Rd:d}, {Rn:S}", "FCVT"),
    fp<"000 11110 0 1 1 000100 10000 Rn:5 Rd:5", fcvt_double_to_single>("fcvt {Rd:S}, {Rn:d}", "FCVT"),
    fp<"000 11110 0 sz 1 000111 10000 Rn:5 Rd:5", fcvt_to_half>("fcvt {Rd:h}, {Rn:Z}", "FCVT"),
    fp<"000 11110 11 1 00010 sz 10000 Rn:5 Rd:5", fcvt_from_half>("fcvt {Rd:Z}, {Rn:h}", "FCVT"),
    fp<"000 11110 0 sz 1 001000 10000 Rn:5 Rd:5", frint<aux(Round::TieEven)>>("frintn {Rd:Z}, {Rn:Z}",
                                                                              "FRINTN (scalar)"),
    fp<"000 11110 0 sz 1 001001 10000 Rn:5 Rd:5", frint<aux(Round::PosInf)>>("frintp {Rd:Z}, {Rn:Z}",
                                                                             "FRINTP (scalar)"),
    fp<"000 11110 0 sz 1 001010 10000 Rn:5 Rd:5", frint<aux(Round::NegInf)>>("frintm {Rd:Z}, {Rn:Z}",
                                                                             "FRINTM (scalar)"),
    fp<"000 11110 0 sz 1 001011 10000 Rn:5 Rd:5", frint<aux(Round::Zero)>>("frintz {Rd:Z}, {Rn:Z}", "FRINTZ (scalar)"),
    fp<"000 11110 0 sz 1 001100 10000 Rn:5 Rd:5", frint<aux(Round::TieAway)>>("frinta {Rd:Z}, {Rn:Z}",
                                                                              "FRINTA (scalar)"),
    fp<"000 11110 0 sz 1 001110 10000 Rn:5 Rd:5", frint<aux(Round::Current) | kSignalInexact>>("frintx {Rd:Z}, {Rn:Z}",
                                                                                               "FRINTX (scalar)"),
    fp<"000 11110 0 sz 1 001111 10000 Rn:5 Rd:5", frint<aux(Round::Current)>>("frinti {Rd:Z}, {Rn:Z}",
                                                                              "FRINTI (scalar)"),

    fp<"000 11110 0 sz 1 Rm:5 0000 10 Rn:5 Rd:5", two_source<Opcode::FMul>>("fmul {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                            "FMUL (scalar)"),
    fp<"000 11110 0 sz 1 Rm:5 0001 10 Rn:5 Rd:5", two_source<Opcode::FDiv>>("fdiv {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                            "FDIV (scalar)"),
    fp<"000 11110 0 sz 1 Rm:5 0010 10 Rn:5 Rd:5", two_source<Opcode::FAdd>>("fadd {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                            "FADD (scalar)"),
    fp<"000 11110 0 sz 1 Rm:5 0011 10 Rn:5 Rd:5", two_source<Opcode::FSub>>("fsub {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                            "FSUB (scalar)"),
    fp<"000 11110 0 sz 1 Rm:5 0100 10 Rn:5 Rd:5", two_source<Opcode::FMax>>("fmax {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                            "FMAX (scalar)"),
    fp<"000 11110 0 sz 1 Rm:5 0101 10 Rn:5 Rd:5", two_source<Opcode::FMin>>("fmin {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                            "FMIN (scalar)"),
    fp<"000 11110 0 sz 1 Rm:5 0110 10 Rn:5 Rd:5", two_source<Opcode::FMaxNm>>("fmaxnm {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                              "FMAXNM (scalar)"),
    fp<"000 11110 0 sz 1 Rm:5 0111 10 Rn:5 Rd:5", two_source<Opcode::FMinNm>>("fminnm {Rd:Z}, {Rn:Z}, {Rm:Z}",
                                                                              "FMINNM (scalar)"),
    fp<"000 11110 0 sz 1 Rm:5 1000 10 Rn:5 Rd:5", fnmul>("fnmul {Rd:Z}, {Rn:Z}, {Rm:Z}", "FNMUL (scalar)"),

    fp<"000 11111 0 sz 0 Rm:5 0 Ra:5 Rn:5 Rd:5", three_source<false, false>>("fmadd {Rd:Z}, {Rn:Z}, {Rm:Z}, {Ra:Z}",
                                                                             "FMADD"),
    fp<"000 11111 0 sz 0 Rm:5 1 Ra:5 Rn:5 Rd:5", three_source<false, true>>("fmsub {Rd:Z}, {Rn:Z}, {Rm:Z}, {Ra:Z}",
                                                                            "FMSUB"),
    fp<"000 11111 0 sz 1 Rm:5 0 Ra:5 Rn:5 Rd:5", three_source<true, true>>("fnmadd {Rd:Z}, {Rn:Z}, {Rm:Z}, {Ra:Z}",
                                                                           "FNMADD"),
    fp<"000 11111 0 sz 1 Rm:5 1 Ra:5 Rn:5 Rd:5", three_source<true, false>>("fnmsub {Rd:Z}, {Rn:Z}, {Rm:Z}, {Ra:Z}",
                                                                            "FNMSUB"),

    fp<"000 11110 0 sz 1 imm8:8 100 00000 Rd:5", fmov_immediate>("fmov {Rd:Z}, #{@fp_immediate}",
                                                                 "FMOV (scalar, immediate)"),
});

}  // namespace

std::span<const Row> fp_arithmetic_rows() {
  return kRows;
}

}  // namespace tiercel::arm
