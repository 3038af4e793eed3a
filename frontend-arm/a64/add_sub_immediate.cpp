// Arm ARM (DDI 0487), encoding class "Add/subtract (immediate)". Manuals are cited by heading: section numbers move
// between issues.
#include <array>

#include "frontend-arm/a64/slices.h"
#include "frontend-arm/a64/translate.h"

namespace tiercel::arm {
namespace {

Value immediate(Translate& t, Width w, bool sh, Imm<12> imm) {
  return t.imm(w, imm.zext() << (sh ? 12 : 0));
}

// ADD and SUB name SP, not XZR, as Rd and Rn. Flags are untouched.
bool add_imm(Translate& t, bool sf, bool sh, Imm<12> imm, Reg n, Reg d) {
  const Width w = width(sf);
  t.set_x_or_sp(d, t.ir.add(t.x_or_sp(w, n), immediate(t, w, sh, imm)));
  return t.next();
}

bool sub_imm(Translate& t, bool sf, bool sh, Imm<12> imm, Reg n, Reg d) {
  const Width w = width(sf);
  t.set_x_or_sp(d, t.ir.sub(t.x_or_sp(w, n), immediate(t, w, sh, imm)));
  return t.next();
}

// ADDS and SUBS set the flags, so Rd 31 is XZR: CMN and CMP.
bool adds_imm(Translate& t, bool sf, bool sh, Imm<12> imm, Reg n, Reg d) {
  const Width w = width(sf);
  const Value a = t.x_or_sp(w, n), b = immediate(t, w, sh, imm);
  if (d.n != 31) t.set_x(d, t.ir.add(a, b));
  t.set_flags(t.ir.flags(Opcode::FlagsAdd, {a, b}));
  return t.next();
}

bool subs_imm(Translate& t, bool sf, bool sh, Imm<12> imm, Reg n, Reg d) {
  const Width w = width(sf);
  const Value a = t.x_or_sp(w, n), b = immediate(t, w, sh, imm);
  if (d.n != 31) t.set_x(d, t.ir.sub(a, b));
  t.set_flags(t.ir.flags(Opcode::FlagsSub, {a, b}));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    row<"sf 00 100010 sh imm:12 Rn:5 Rd:5", add_imm>("add {Rd:rs}, {Rn:rs}, #{imm}{@shift12}", "ADD (immediate)"),
    row<"sf 01 100010 sh imm:12 Rn:5 Rd:5", adds_imm>("adds {Rd:r}, {Rn:rs}, #{imm}{@shift12}", "ADDS (immediate)"),
    row<"sf 10 100010 sh imm:12 Rn:5 Rd:5", sub_imm>("sub {Rd:rs}, {Rn:rs}, #{imm}{@shift12}", "SUB (immediate)"),
    row<"sf 11 100010 sh imm:12 Rn:5 Rd:5", subs_imm>("subs {Rd:r}, {Rn:rs}, #{imm}{@shift12}", "SUBS (immediate)"),
});

}  // namespace

std::span<const Row> add_sub_immediate_rows() {
  return kRows;
}

}  // namespace tiercel::arm
