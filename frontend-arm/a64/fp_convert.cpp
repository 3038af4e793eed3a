// Arm ARM (DDI 0487), encoding classes "Conversion between floating-point and integer" and "Conversion between
// floating-point and fixed-point".

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

// FCVT{N,P,M,Z,A}{S,U}: the vector register is the source.
template <Round R, bool Unsigned>
bool to_integer(Translate& t, bool sf, bool sz, VReg n, Reg d) {
  t.set_x(d, t.ir.op(Opcode::FToInt, width(sf), {t.v_scalar(fp_type(sz), n)}, Arr::None, unsigned_round(R, Unsigned)));
  return t.next();
}

template <bool Unsigned>
bool from_integer(Translate& t, bool sf, bool sz, Reg n, VReg d) {
  t.set_v(d, t.ir.op(Opcode::IntToF, fp_type(sz), {t.x(width(sf), n)}, Arr::None,
                     unsigned_round(Round::Current, Unsigned)));
  return t.next();
}

// scale holds 64 - fraction bits; a W register has no more than 32 of them.
bool fixed_scale(bool sf, bool, u32 scale, u32, u32) {
  return sf || scale >= 32;
}

template <bool Unsigned>
bool to_fixed(Translate& t, bool sf, bool sz, u32 scale, VReg n, Reg d) {
  t.set_x(d, t.ir.op(Opcode::FToInt, width(sf), {t.v_scalar(fp_type(sz), n)}, Arr::None,
                     unsigned_round(Round::Zero, Unsigned, 64 - scale)));
  return t.next();
}

template <bool Unsigned>
bool from_fixed(Translate& t, bool sf, bool sz, u32 scale, Reg n, VReg d) {
  t.set_v(d, t.ir.op(Opcode::IntToF, fp_type(sz), {t.x(width(sf), n)}, Arr::None,
                     unsigned_round(Round::Current, Unsigned, 64 - scale)));
  return t.next();
}

template <bool Wide>
bool fmov_to_general(Translate& t, VReg n, Reg d) {
  t.set_x(d, t.v_scalar(width(Wide), n));
  return t.next();
}
template <bool Wide>
bool fmov_from_general(Translate& t, Reg n, VReg d) {
  t.set_v(d, t.x(width(Wide), n));
  return t.next();
}
bool fmov_top_to_general(Translate& t, VReg n, Reg d) {
  t.set_x(d, t.ir.vextract(Type::I64, t.v(n), Arr::D2, 1));
  return t.next();
}
bool fmov_top_from_general(Translate& t, Reg n, VReg d) {
  t.set_v(d, t.ir.vinsert(t.v(d), t.x(Type::I64, n), Arr::D2, 1));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    fp<"sf 00 11110 0 sz 1 00 00 0 000000 Rn:5 Rd:5", to_integer<Round::TieEven, false>>("fcvtns {Rd:r}, {Rn:Z}",
                                                                                         "FCVTNS (scalar)"),
    fp<"sf 00 11110 0 sz 1 00 00 1 000000 Rn:5 Rd:5", to_integer<Round::TieEven, true>>("fcvtnu {Rd:r}, {Rn:Z}",
                                                                                        "FCVTNU (scalar)"),
    fp<"sf 00 11110 0 sz 1 01 00 0 000000 Rn:5 Rd:5", to_integer<Round::PosInf, false>>("fcvtps {Rd:r}, {Rn:Z}",
                                                                                        "FCVTPS (scalar)"),
    fp<"sf 00 11110 0 sz 1 01 00 1 000000 Rn:5 Rd:5", to_integer<Round::PosInf, true>>("fcvtpu {Rd:r}, {Rn:Z}",
                                                                                       "FCVTPU (scalar)"),
    fp<"sf 00 11110 0 sz 1 10 00 0 000000 Rn:5 Rd:5", to_integer<Round::NegInf, false>>("fcvtms {Rd:r}, {Rn:Z}",
                                                                                        "FCVTMS (scalar)"),
    fp<"sf 00 11110 0 sz 1 10 00 1 000000 Rn:5 Rd:5", to_integer<Round::NegInf, true>>("fcvtmu {Rd:r}, {Rn:Z}",
                                                                                       "FCVTMU (scalar)"),
    fp<"sf 00 11110 0 sz 1 11 00 0 000000 Rn:5 Rd:5", to_integer<Round::Zero, false>>("fcvtzs {Rd:r}, {Rn:Z}",
                                                                                      "FCVTZS (scalar)"),
    fp<"sf 00 11110 0 sz 1 11 00 1 000000 Rn:5 Rd:5", to_integer<Round::Zero, true>>("fcvtzu {Rd:r}, {Rn:Z}",
                                                                                     "FCVTZU (scalar)"),
    fp<"sf 00 11110 0 sz 1 00 10 0 000000 Rn:5 Rd:5", to_integer<Round::TieAway, false>>("fcvtas {Rd:r}, {Rn:Z}",
                                                                                         "FCVTAS (scalar)"),
    fp<"sf 00 11110 0 sz 1 00 10 1 000000 Rn:5 Rd:5", to_integer<Round::TieAway, true>>("fcvtau {Rd:r}, {Rn:Z}",
                                                                                        "FCVTAU (scalar)"),
    fp<"sf 00 11110 0 sz 1 00 01 0 000000 Rn:5 Rd:5", from_integer<false>>("scvtf {Rd:Z}, {Rn:r}",
                                                                           "SCVTF (scalar, integer)"),
    fp<"sf 00 11110 0 sz 1 00 01 1 000000 Rn:5 Rd:5", from_integer<true>>("ucvtf {Rd:Z}, {Rn:r}",
                                                                          "UCVTF (scalar, integer)"),

    fp<"0 00 11110 00 1 00 110 000000 Rn:5 Rd:5", fmov_to_general<false>>("fmov {Rd:w}, {Rn:S}", "FMOV (general)"),
    fp<"0 00 11110 00 1 00 111 000000 Rn:5 Rd:5", fmov_from_general<false>>("fmov {Rd:S}, {Rn:w}", "FMOV (general)"),
    fp<"1 00 11110 01 1 00 110 000000 Rn:5 Rd:5", fmov_to_general<true>>("fmov {Rd:x}, {Rn:d}", "FMOV (general)"),
    fp<"1 00 11110 01 1 00 111 000000 Rn:5 Rd:5", fmov_from_general<true>>("fmov {Rd:d}, {Rn:x}", "FMOV (general)"),
    fp<"1 00 11110 10 1 01 110 000000 Rn:5 Rd:5", fmov_top_to_general>("fmov {Rd:x}, {Rn:.d}[1]", "FMOV (general)"),
    fp<"1 00 11110 10 1 01 111 000000 Rn:5 Rd:5", fmov_top_from_general>("fmov {Rd:.d}[1], {Rn:x}", "FMOV (general)"),

    fp<"sf 00 11110 0 sz 0 11 00 0 scale:6 Rn:5 Rd:5", to_fixed<false>, fixed_scale>(
        "fcvtzs {Rd:r}, {Rn:Z}, #{@fraction_bits}", "FCVTZS (scalar, fixed-point)"),
    fp<"sf 00 11110 0 sz 0 11 00 1 scale:6 Rn:5 Rd:5", to_fixed<true>, fixed_scale>(
        "fcvtzu {Rd:r}, {Rn:Z}, #{@fraction_bits}", "FCVTZU (scalar, fixed-point)"),
    fp<"sf 00 11110 0 sz 0 00 01 0 scale:6 Rn:5 Rd:5", from_fixed<false>, fixed_scale>(
        "scvtf {Rd:Z}, {Rn:r}, #{@fraction_bits}", "SCVTF (scalar, fixed-point)"),
    fp<"sf 00 11110 0 sz 0 00 01 1 scale:6 Rn:5 Rd:5", from_fixed<true>, fixed_scale>(
        "ucvtf {Rd:Z}, {Rn:r}, #{@fraction_bits}", "UCVTF (scalar, fixed-point)"),
});

}  // namespace

std::span<const Row> fp_convert_rows() {
  return kRows;
}

}  // namespace tiercel::arm
