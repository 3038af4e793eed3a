// Arm ARM (DDI 0487), "Data Processing -- Register": logical, additions, conditional compare and select.
// Multiplication, division and the one and two source classes are in data_processing_sources.cpp.
#include <array>

#include "frontend-arm/a64/slices.h"
#include "frontend-arm/a64/translate.h"

namespace tiercel::arm {
namespace {

/// ShiftReg of the shared pseudocode: LSL, LSR, ASR, ROR by an immediate.
Value shifted(Translate& t, Width w, Reg m, u32 type, u32 amount) {
  const Value v = t.x(w, m);
  if (amount == 0 || m.n == 31) return v;
  switch (type) {
    case 0:
      return t.ir.shl(v, amount);
    case 1:
      return t.ir.shr(v, amount);
    case 2:
      return t.ir.sar(v, amount);
    default:
      return t.ir.ror(v, amount);
  }
}

// -- Logical (shifted register) --------------------------------------------------------------------------------------

bool amount_fits(bool sf, u32, Reg, u32 amount, Reg, Reg) {
  return sf || amount < 32;
}

template <Opcode op>
bool logical(Translate& t, bool sf, u32 shift, Reg m, u32 amount, Reg n, Reg d) {
  const Width w = width(sf);
  const Value b = shifted(t, w, m, shift, amount);
  if (n.n != 31)
    t.set_x(d, t.ir.op(op, w, {t.x(w, n), b}));
  else if (op == Opcode::Or || op == Opcode::Xor)  // MOV (register)
    t.set_x(d, b);
  else if (op == Opcode::OrNot || op == Opcode::XorNot)  // MVN
    t.set_x(d, t.ir.not_(b));
  else
    t.set_x(d, t.imm(w, 0));
  return t.next();
}

template <Opcode op>
bool logical_flags(Translate& t, bool sf, u32 shift, Reg m, u32 amount, Reg n, Reg d) {
  const Width w = width(sf);
  const Value r = t.ir.op(op, w, {t.x(w, n), shifted(t, w, m, shift, amount)});
  t.set_x(d, r);
  t.set_flags(t.ir.flags(Opcode::FlagsLogic, {r}));
  return t.next();
}

// -- Add/subtract (shifted register, extended register) --------------------------------------------------------------

bool shift_valid(bool sf, u32 shift, Reg, u32 amount, Reg, Reg) {
  return shift != 3 && (sf || amount < 32);
}

bool add_shifted(Translate& t, bool sf, u32 shift, Reg m, u32 amount, Reg n, Reg d) {
  const Width w = width(sf);
  t.set_x(d, t.ir.add(t.x(w, n), shifted(t, w, m, shift, amount)));
  return t.next();
}

bool sub_shifted(Translate& t, bool sf, u32 shift, Reg m, u32 amount, Reg n, Reg d) {
  const Width w = width(sf);
  const Value b = shifted(t, w, m, shift, amount);
  t.set_x(d, n.n == 31 ? t.ir.neg(b) : t.ir.sub(t.x(w, n), b));
  return t.next();
}

/// Result and flags of a + b or a - b.
bool set_flagged(Translate& t, bool subtract, Reg d, Value a, Value b) {
  if (d.n != 31) t.set_x(d, subtract ? t.ir.sub(a, b) : t.ir.add(a, b));
  t.set_flags(t.ir.flags(subtract ? Opcode::FlagsSub : Opcode::FlagsAdd, {a, b}));
  return t.next();
}

template <bool subtract>
bool flagged_shifted(Translate& t, bool sf, u32 shift, Reg m, u32 amount, Reg n, Reg d) {
  const Width w = width(sf);
  return set_flagged(t, subtract, d, t.x(w, n), shifted(t, w, m, shift, amount));
}

bool extend_valid(bool, Reg, u32, u32 amount, Reg, Reg) {
  return amount <= 4;
}

/// ExtendReg of the shared pseudocode.
Value extended(Translate& t, Width w, Reg m, u32 option, u32 amount) {
  const bool sign = option & 4;
  const unsigned size = 8u << (option & 3);
  Value v;
  if (size >= ir::type_bits(w))
    v = t.x(w, m);
  else if (size == 32)
    v = sign ? t.ir.sext(w, t.x(Type::I32, m)) : t.ir.zext(w, t.x(Type::I32, m));
  else
    v = sign ? t.ir.sbfx(t.x(w, m), 0, size) : t.ir.ubfx(t.x(w, m), 0, size);
  return t.ir.shl(v, amount);
}

template <bool subtract>
bool extended_reg(Translate& t, bool sf, Reg m, u32 option, u32 amount, Reg n, Reg d) {
  const Width w = width(sf);
  const Value a = t.x_or_sp(w, n), b = extended(t, w, m, option, amount);
  t.set_x_or_sp(d, subtract ? t.ir.sub(a, b) : t.ir.add(a, b));
  return t.next();
}

template <bool subtract>
bool flagged_extended(Translate& t, bool sf, Reg m, u32 option, u32 amount, Reg n, Reg d) {
  const Width w = width(sf);
  return set_flagged(t, subtract, d, t.x_or_sp(w, n), extended(t, w, m, option, amount));
}

// -- Add/subtract (with carry) ---------------------------------------------------------------------------------------

Value carry(Translate& t) {
  return t.ir.cond(t.flags(), Cond::Hs);
}

bool adc(Translate& t, bool sf, Reg m, Reg n, Reg d) {
  const Width w = width(sf);
  t.set_x(d, t.ir.adc(t.x(w, n), t.x(w, m), carry(t)));
  return t.next();
}

bool sbc(Translate& t, bool sf, Reg m, Reg n, Reg d) {
  const Width w = width(sf);
  t.set_x(d, t.ir.sbc(t.x(w, n), t.x(w, m), carry(t)));
  return t.next();
}

bool adcs(Translate& t, bool sf, Reg m, Reg n, Reg d) {
  const Width w = width(sf);
  const Value a = t.x(w, n), b = t.x(w, m), c = carry(t);
  if (d.n != 31) t.set_x(d, t.ir.adc(a, b, c));
  t.set_flags(t.ir.flags(Opcode::FlagsAdc, {a, b, c}));
  return t.next();
}

bool sbcs(Translate& t, bool sf, Reg m, Reg n, Reg d) {
  const Width w = width(sf);
  const Value a = t.x(w, n), b = t.x(w, m), c = carry(t);
  if (d.n != 31) t.set_x(d, t.ir.sbc(a, b, c));
  t.set_flags(t.ir.flags(Opcode::FlagsSbc, {a, b, c}));
  return t.next();
}

// -- Conditional compare and select ----------------------------------------------------------------------------------

bool conditional_compare(Translate& t, bool subtract, u32 cond, Value a, Value b, u32 nzcv) {
  if (cond >= 14)  // AL, NV: always compares
    t.set_flags(t.ir.flags(subtract ? Opcode::FlagsSub : Opcode::FlagsAdd, {a, b}));
  else
    t.set_flags(t.ir.flags(subtract ? Opcode::FlagsCcmpSub : Opcode::FlagsCcmpAdd, {t.condition(cond), a, b}, nzcv));
  return t.next();
}

template <bool subtract>
bool ccmp_reg(Translate& t, bool sf, Reg m, u32 cond, Reg n, u32 nzcv) {
  return conditional_compare(t, subtract, cond, t.x(width(sf), n), t.x(width(sf), m), nzcv);
}

template <bool subtract>
bool ccmp_imm(Translate& t, bool sf, u32 imm5, u32 cond, Reg n, u32 nzcv) {
  return conditional_compare(t, subtract, cond, t.x(width(sf), n), t.imm(width(sf), imm5), nzcv);
}

bool csel(Translate& t, bool sf, Reg m, u32 cond, Reg n, Reg d) {
  const Width w = width(sf);
  t.set_x(d, t.ir.select(t.condition(cond), t.x(w, n), t.x(w, m)));
  return t.next();
}

bool csinc(Translate& t, bool sf, Reg m, u32 cond, Reg n, Reg d) {
  const Width w = width(sf);
  if (n.n == 31 && m.n == 31 && cond < 14)  // CSET
    t.set_x(d, t.ir.zext(w, t.condition(cond ^ 1)));
  else
    t.set_x(d, t.ir.select(t.condition(cond), t.x(w, n), t.ir.add(t.x(w, m), t.imm(w, 1))));
  return t.next();
}

bool csinv(Translate& t, bool sf, Reg m, u32 cond, Reg n, Reg d) {
  const Width w = width(sf);
  if (n.n == 31 && m.n == 31 && cond < 14)  // CSETM
    t.set_x(d, t.ir.sext(w, t.condition(cond ^ 1)));
  else
    t.set_x(d, t.ir.select(t.condition(cond), t.x(w, n), t.ir.not_(t.x(w, m))));
  return t.next();
}

bool csneg(Translate& t, bool sf, Reg m, u32 cond, Reg n, Reg d) {
  const Width w = width(sf);
  t.set_x(d, t.ir.select(t.condition(cond), t.x(w, n), t.ir.neg(t.x(w, m))));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    row<"sf 00 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", logical<Opcode::And>, amount_fits>(
        "and {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "AND (shifted register)"),
    row<"sf 00 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5", logical<Opcode::AndNot>, amount_fits>(
        "bic {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "BIC (shifted register)"),
    row<"sf 01 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", logical<Opcode::Or>, amount_fits>(
        "orr {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "ORR (shifted register)"),
    row<"sf 01 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5", logical<Opcode::OrNot>, amount_fits>(
        "orn {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "ORN (shifted register)"),
    row<"sf 10 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", logical<Opcode::Xor>, amount_fits>(
        "eor {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "EOR (shifted register)"),
    row<"sf 10 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5", logical<Opcode::XorNot>, amount_fits>(
        "eon {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "EON (shifted register)"),
    row<"sf 11 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", logical_flags<Opcode::And>, amount_fits>(
        "ands {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "ANDS (shifted register)"),
    row<"sf 11 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5", logical_flags<Opcode::AndNot>, amount_fits>(
        "bics {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "BICS (shifted register)"),

    row<"sf 00 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", add_shifted, shift_valid>("add {Rd:r}, {Rn:r}, {Rm:r}{@shift}",
                                                                                 "ADD (shifted register)"),
    row<"sf 01 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", flagged_shifted<false>, shift_valid>(
        "adds {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "ADDS (shifted register)"),
    row<"sf 10 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", sub_shifted, shift_valid>("sub {Rd:r}, {Rn:r}, {Rm:r}{@shift}",
                                                                                 "SUB (shifted register)"),
    row<"sf 11 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", flagged_shifted<true>, shift_valid>(
        "subs {Rd:r}, {Rn:r}, {Rm:r}{@shift}", "SUBS (shifted register)"),
    row<"sf 00 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5", extended_reg<false>, extend_valid>(
        "add {Rd:rs}, {Rn:rs}, {@extended}", "ADD (extended register)"),
    row<"sf 01 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5", flagged_extended<false>, extend_valid>(
        "adds {Rd:r}, {Rn:rs}, {@extended}", "ADDS (extended register)"),
    row<"sf 10 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5", extended_reg<true>, extend_valid>(
        "sub {Rd:rs}, {Rn:rs}, {@extended}", "SUB (extended register)"),
    row<"sf 11 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5", flagged_extended<true>, extend_valid>(
        "subs {Rd:r}, {Rn:rs}, {@extended}", "SUBS (extended register)"),

    row<"sf 00 11010000 Rm:5 000000 Rn:5 Rd:5", adc>("adc {Rd:r}, {Rn:r}, {Rm:r}", "ADC"),
    row<"sf 01 11010000 Rm:5 000000 Rn:5 Rd:5", adcs>("adcs {Rd:r}, {Rn:r}, {Rm:r}", "ADCS"),
    row<"sf 10 11010000 Rm:5 000000 Rn:5 Rd:5", sbc>("sbc {Rd:r}, {Rn:r}, {Rm:r}", "SBC"),
    row<"sf 11 11010000 Rm:5 000000 Rn:5 Rd:5", sbcs>("sbcs {Rd:r}, {Rn:r}, {Rm:r}", "SBCS"),

    row<"sf 01 11010010 Rm:5 cond:4 00 Rn:5 0 nzcv:4", ccmp_reg<false>>("ccmn {Rn:r}, {Rm:r}, #{nzcv}, {cond:c}",
                                                                        "CCMN (register)"),
    row<"sf 11 11010010 Rm:5 cond:4 00 Rn:5 0 nzcv:4", ccmp_reg<true>>("ccmp {Rn:r}, {Rm:r}, #{nzcv}, {cond:c}",
                                                                       "CCMP (register)"),
    row<"sf 01 11010010 imm5:5 cond:4 10 Rn:5 0 nzcv:4", ccmp_imm<false>>("ccmn {Rn:r}, #{imm5}, #{nzcv}, {cond:c}",
                                                                          "CCMN (immediate)"),
    row<"sf 11 11010010 imm5:5 cond:4 10 Rn:5 0 nzcv:4", ccmp_imm<true>>("ccmp {Rn:r}, #{imm5}, #{nzcv}, {cond:c}",
                                                                         "CCMP (immediate)"),

    row<"sf 00 11010100 Rm:5 cond:4 00 Rn:5 Rd:5", csel>("csel {Rd:r}, {Rn:r}, {Rm:r}, {cond:c}", "CSEL"),
    row<"sf 00 11010100 Rm:5 cond:4 01 Rn:5 Rd:5", csinc>("csinc {Rd:r}, {Rn:r}, {Rm:r}, {cond:c}", "CSINC"),
    row<"sf 10 11010100 Rm:5 cond:4 00 Rn:5 Rd:5", csinv>("csinv {Rd:r}, {Rn:r}, {Rm:r}, {cond:c}", "CSINV"),
    row<"sf 10 11010100 Rm:5 cond:4 01 Rn:5 Rd:5", csneg>("csneg {Rd:r}, {Rn:r}, {Rm:r}, {cond:c}", "CSNEG"),
});

}  // namespace

std::span<const Row> data_processing_register_rows() {
  return kRows;
}

}  // namespace tiercel::arm
