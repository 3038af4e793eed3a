// Arm ARM (DDI 0487), "Data Processing -- Immediate" but for additions and subtractions: PC-relative addressing,
// logical, move wide, bitfield and extract.
#include <array>

#include "frontend-arm/a64/bitmask.h"
#include "frontend-arm/a64/slices.h"
#include "frontend-arm/a64/translate.h"

namespace tiercel::arm {
namespace {

// -- PC-rel. addressing ----------------------------------------------------------------------------------------------

bool adr(Translate& t, Imm<2> lo, Imm<19> hi, Reg d) {
  t.set_x(d, t.ir.code_address(t.pc + static_cast<u64>(hi.sext() * 4) + lo.zext()));
  return t.next();
}

bool adrp(Translate& t, Imm<2> lo, Imm<19> hi, Reg d) {
  const u64 pages = static_cast<u64>(hi.sext() * 4) + lo.zext();
  t.set_x(d, t.ir.code_address(align_down(t.pc, 4096) + (pages << 12)));
  return t.next();
}

// -- Logical (immediate) ---------------------------------------------------------------------------------------------

bool is_bitmask(bool sf, bool n, u32 immr, u32 imms, Reg, Reg) {
  return decode_bitmask(n, imms, immr, sf ? 64 : 32).has_value();
}
Value bitmask(Translate& t, bool sf, bool n, u32 immr, u32 imms) {
  return t.imm(width(sf), *decode_bitmask(n, imms, immr, sf ? 64 : 32));
}

// AND, ORR and EOR name SP as Rd; ANDS sets the flags and names XZR.
template <Opcode op>
bool logical_imm(Translate& t, bool sf, bool n, u32 immr, u32 imms, Reg rn, Reg rd) {
  t.set_x_or_sp(rd, t.ir.op(op, width(sf), {t.x(width(sf), rn), bitmask(t, sf, n, immr, imms)}));
  return t.next();
}

bool ands_imm(Translate& t, bool sf, bool n, u32 immr, u32 imms, Reg rn, Reg rd) {
  const Value r = t.ir.and_(t.x(width(sf), rn), bitmask(t, sf, n, immr, imms));
  t.set_x(rd, r);
  t.set_flags(t.ir.flags(Opcode::FlagsLogic, {r}));
  return t.next();
}

// -- Move wide (immediate) -------------------------------------------------------------------------------------------

bool hw_fits(bool sf, u32 hw, Imm<16>, Reg) {
  return sf || hw < 2;
}

bool movn(Translate& t, bool sf, u32 hw, Imm<16> imm, Reg d) {
  t.set_x(d, t.imm(width(sf), ~(imm.zext() << hw * 16)));
  return t.next();
}

bool movz(Translate& t, bool sf, u32 hw, Imm<16> imm, Reg d) {
  t.set_x(d, t.imm(width(sf), imm.zext() << hw * 16));
  return t.next();
}

bool movk(Translate& t, bool sf, u32 hw, Imm<16> imm, Reg d) {
  const Width w = width(sf);
  t.set_x(d, t.ir.bfi(t.x(w, d), t.imm(w, imm.zext()), hw * 16, 16));
  return t.next();
}

// -- Bitfield --------------------------------------------------------------------------------------------------------

bool bitfield_valid(bool sf, bool n, u32 immr, u32 imms, Reg, Reg) {
  return n == sf && (sf || (immr < 32 && imms < 32));
}

bool sbfm(Translate& t, bool sf, bool, u32 immr, u32 imms, Reg n, Reg d) {
  const Width w = width(sf);
  const unsigned size = sf ? 64 : 32;
  if (sf && immr == 0 && imms == 31) {  // SXTW
    t.set_x(d, t.ir.sext(w, t.x(Type::I32, n)));
    return t.next();
  }
  const Value a = t.x(w, n);
  if (imms == size - 1)  // ASR
    t.set_x(d, t.ir.sar(a, immr));
  else if (imms >= immr)
    t.set_x(d, t.ir.sbfx(a, immr, imms - immr + 1));
  else
    t.set_x(d, t.ir.shl(t.ir.sbfx(a, 0, imms + 1), size - immr));
  return t.next();
}

bool ubfm(Translate& t, bool sf, bool, u32 immr, u32 imms, Reg n, Reg d) {
  const Width w = width(sf);
  const unsigned size = sf ? 64 : 32;
  const Value a = t.x(w, n);
  if (imms == size - 1)  // LSR
    t.set_x(d, t.ir.shr(a, immr));
  else if (imms + 1 == immr)  // LSL
    t.set_x(d, t.ir.shl(a, size - immr));
  else if (imms >= immr)
    t.set_x(d, t.ir.ubfx(a, immr, imms - immr + 1));
  else
    t.set_x(d, t.ir.shl(t.ir.ubfx(a, 0, imms + 1), size - immr));
  return t.next();
}

bool bfm(Translate& t, bool sf, bool, u32 immr, u32 imms, Reg n, Reg d) {
  const Width w = width(sf);
  const Value a = t.x(w, d), b = t.x(w, n);
  if (imms >= immr)
    t.set_x(d, t.ir.bfi(a, t.ir.shr(b, immr), 0, imms - immr + 1));
  else
    t.set_x(d, t.ir.bfi(a, b, (sf ? 64 : 32) - immr, imms + 1));
  return t.next();
}

// -- Extract ---------------------------------------------------------------------------------------------------------

bool extr_valid(bool sf, bool n, Reg, u32 imms, Reg, Reg) {
  return n == sf && (sf || imms < 32);
}

bool extr(Translate& t, bool sf, bool, Reg m, u32 imms, Reg n, Reg d) {
  const Width w = width(sf);
  if (n == m)  // ROR (immediate)
    t.set_x(d, t.ir.ror(t.x(w, n), imms));
  else if (imms == 0)
    t.set_x(d, t.x(w, m));
  else
    t.set_x(d, t.ir.extr(t.x(w, n), t.x(w, m), imms));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    row<"0 immlo:2 10000 immhi:19 Rd:5", adr>("adr {Rd:x}, {@adr}", "ADR"),
    row<"1 immlo:2 10000 immhi:19 Rd:5", adrp>("adrp {Rd:x}, {@adrp}", "ADRP"),
    row<"sf 00 100100 N immr:6 imms:6 Rn:5 Rd:5", logical_imm<Opcode::And>, is_bitmask>(
        "and {Rd:rs}, {Rn:r}, {@bitmask}", "AND (immediate)"),
    row<"sf 01 100100 N immr:6 imms:6 Rn:5 Rd:5", logical_imm<Opcode::Or>, is_bitmask>("{@orr}", "ORR (immediate)"),
    row<"sf 10 100100 N immr:6 imms:6 Rn:5 Rd:5", logical_imm<Opcode::Xor>, is_bitmask>(
        "eor {Rd:rs}, {Rn:r}, {@bitmask}", "EOR (immediate)"),
    row<"sf 11 100100 N immr:6 imms:6 Rn:5 Rd:5", ands_imm, is_bitmask>("ands {Rd:r}, {Rn:r}, {@bitmask}",
                                                                        "ANDS (immediate)"),
    row<"sf 00 100101 hw:2 imm:16 Rd:5", movn, hw_fits>("{@movn}", "MOVN"),
    row<"sf 10 100101 hw:2 imm:16 Rd:5", movz, hw_fits>("{@movz}", "MOVZ"),
    row<"sf 11 100101 hw:2 imm:16 Rd:5", movk, hw_fits>("{@movk}", "MOVK"),
    row<"sf 00 100110 N immr:6 imms:6 Rn:5 Rd:5", sbfm, bitfield_valid>("{@bitfield}", "SBFM"),
    row<"sf 01 100110 N immr:6 imms:6 Rn:5 Rd:5", bfm, bitfield_valid>("{@bitfield}", "BFM"),
    row<"sf 10 100110 N immr:6 imms:6 Rn:5 Rd:5", ubfm, bitfield_valid>("{@bitfield}", "UBFM"),
    row<"sf 00 100111 N 0 Rm:5 imms:6 Rn:5 Rd:5", extr, extr_valid>("extr {Rd:r}, {Rn:r}, {Rm:r}, #{imms}", "EXTR"),
});

}  // namespace

std::span<const Row> data_processing_immediate_rows() {
  return kRows;
}

}  // namespace tiercel::arm
