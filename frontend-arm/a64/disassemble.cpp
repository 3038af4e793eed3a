#include "frontend-arm/a64/disassemble.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "frontend-arm/a64/bitmask.h"
#include "frontend-arm/a64/disassemble_internal.h"

namespace tiercel::arm {

std::string detail::x_name(u32 n, bool is64, bool is_sp) {
  if (n == 31) return is_sp ? (is64 ? "sp" : "wsp") : (is64 ? "xzr" : "wzr");
  return fmt::format("{}{}", is64 ? 'x' : 'w', n);
}

namespace {

using detail::Context;
using detail::Printer;
using detail::x_name;

constexpr const char* kConditions[] = {"eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc",
                                       "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"};

// -- printers named with @ -------------------------------------------------------------------------------------------

/// ", lsl #12" of ADD and SUB (immediate).
std::string print_shift12(const Context& c) {
  return c.field("sh") ? ", lsl #12" : "";
}
/// The immediate of the logical instructions.
std::string print_bitmask(const Context& c) {
  return fmt::format(
      "#0x{:x}", decode_bitmask(c.field("N"), c.field("imms"), c.field("immr"), c.field("sf") ? 64 : 32).value_or(0));
}
/// ", lsr #3" of a shifted register; nothing for LSL #0.
std::string print_shift(const Context& c) {
  constexpr const char* kShifts[] = {"lsl", "lsr", "asr", "ror"};
  const u32 type = c.field("shift"), amount = c.field("imm6");
  return type == 0 && amount == 0 ? "" : fmt::format(", {} #{}", kShifts[type], amount);
}
/// "w3, uxtw #2" of an extended register in ADD and SUB; LSL when SP is involved, as assemblers prefer.
std::string print_extended(const Context& c) {
  constexpr const char* kExtends[] = {"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"};
  const bool is64 = c.field("sf");
  const u32 option = c.field("option"), amount = c.field("imm3");
  const std::string m = x_name(c.field("Rm"), is64 && (option & 3) == 3, false);
  const bool names_sp = c.field("Rn") == 31 || (c.field("Rd") == 31 && (c.word >> 29 & 1) == 0);
  if (option == (is64 ? 3u : 2u) && names_sp) return amount ? fmt::format("{}, lsl #{}", m, amount) : m;
  return amount ? fmt::format("{}, {} #{}", m, kExtends[option], amount) : fmt::format("{}, {}", m, kExtends[option]);
}
/// Is `value` what a single MOVZ leaves in a register?
bool is_movz_value(u64 value, unsigned size) {
  for (unsigned shift = 0; shift < size; shift += 16)
    if ((value & ~(u64{0xffff} << shift)) == 0) return true;
  return false;
}
std::string print_mov(const Context& c, u64 value) {
  const unsigned size = c.field("sf") ? 64 : 32;
  return fmt::format("mov {}, #{}", x_name(c.field("Rd"), c.field("sf"), false), sign_extend(value, size));
}
std::string print_wide(const Context& c, const char* mnemonic) {
  const u32 hw = c.field("hw");
  return fmt::format("{} {}, #{}{}", mnemonic, x_name(c.field("Rd"), c.field("sf"), false), c.field("imm"),
                     hw ? fmt::format(", lsl #{}", hw * 16) : "");
}
/// MOVZ, MOVN and ORR (immediate) are written MOV when no preferred form gives the same value.
std::string print_movz(const Context& c) {
  const u32 hw = c.field("hw"), imm = c.field("imm");
  return imm == 0 && hw != 0 ? print_wide(c, "movz") : print_mov(c, u64{imm} << hw * 16);
}
std::string print_movn(const Context& c) {
  const u32 hw = c.field("hw"), imm = c.field("imm");
  const unsigned size = c.field("sf") ? 64 : 32;
  const u64 value = ~(u64{imm} << hw * 16) & low_mask(size);
  return (imm == 0 && hw != 0) || is_movz_value(value, size) ? print_wide(c, "movn") : print_mov(c, value);
}
std::string print_movk(const Context& c) {
  return print_wide(c, "movk");
}
std::string print_orr(const Context& c) {
  const unsigned size = c.field("sf") ? 64 : 32;
  const u64 value = decode_bitmask(c.field("N"), c.field("imms"), c.field("immr"), size).value_or(0);
  const std::string d = x_name(c.field("Rd"), c.field("sf"), true);
  if (c.field("Rn") == 31 && !is_movz_value(value, size) && !is_movz_value(~value & low_mask(size), size))
    return fmt::format("mov {}, #{}", d, sign_extend(value, size));
  return fmt::format("orr {}, {}, {}", d, x_name(c.field("Rn"), c.field("sf"), false), print_bitmask(c));
}

/// SBFM, UBFM and BFM under the names of their preferred aliases.
std::string print_bitfield(const Context& c) {
  const bool is64 = c.field("sf"), is_signed = (c.word >> 29 & 3) == 0, insert = (c.word >> 29 & 3) == 1;
  const u32 r = c.field("immr"), s = c.field("imms"), size = is64 ? 64 : 32;
  const std::string d = x_name(c.field("Rd"), is64, false), n = x_name(c.field("Rn"), is64, false);
  const std::string w = x_name(c.field("Rn"), false, false);
  if (insert && s < r) return fmt::format("bfi {}, {}, #{}, #{}", d, n, size - r, s + 1);
  if (insert) return fmt::format("bfxil {}, {}, #{}, #{}", d, n, r, s - r + 1);
  if (r == 0 && s == 7 && (is_signed || !is64)) return fmt::format("{}xtb {}, {}", is_signed ? 's' : 'u', d, w);
  if (r == 0 && s == 15 && (is_signed || !is64)) return fmt::format("{}xth {}, {}", is_signed ? 's' : 'u', d, w);
  if (r == 0 && s == 31 && is_signed && is64) return fmt::format("sxtw {}, {}", d, w);
  if (s == size - 1) return fmt::format("{} {}, {}, #{}", is_signed ? "asr" : "lsr", d, n, r);
  if (!is_signed && s + 1 == r) return fmt::format("lsl {}, {}, #{}", d, n, size - r);
  if (s < r) return fmt::format("{}bfiz {}, {}, #{}, #{}", is_signed ? 's' : 'u', d, n, size - r, s + 1);
  return fmt::format("{}bfx {}, {}, #{}, #{}", is_signed ? 's' : 'u', d, n, r, s - r + 1);
}
/// Target of ADR: a byte offset in two fields.
std::string print_adr(const Context& c) {
  const s64 offset = sign_extend(c.field("immhi") << 2 | c.field("immlo"), 21);
  return fmt::format("0x{:x}", c.pc + static_cast<u64>(offset));
}
/// Target of ADRP: pages.
std::string print_adrp(const Context& c) {
  const s64 offset = sign_extend(c.field("immhi") << 2 | c.field("immlo"), 21) * 4096;
  return fmt::format("0x{:x}", align_down(c.pc, 4096) + static_cast<u64>(offset));
}
/// Register and bit of TBZ and TBNZ: the width follows from the bit number.
std::string print_tested_bit(const Context& c) {
  const u32 bit = c.field("b5") << 5 | c.field("b40");
  return fmt::format("{}, #{}", x_name(c.field("Rt"), bit >= 32, false), bit);
}
/// "x2, sxtx #3" after the base of a register-offset load or store; bytes accessed = 1 << log2.
std::string print_index(const Context& c, u32 log2) {
  const u32 option = c.field("option");
  const bool shifted = c.field("S");
  std::string s = x_name(c.field("Rm"), option & 1, false);
  constexpr const char* kExtends[] = {"", "", "uxtw", "lsl", "", "", "sxtw", "sxtx"};
  if (option != 3 || shifted) s += fmt::format(", {}", kExtends[option]);
  if (shifted) s += fmt::format(" #{}", log2);
  return s;
}
/// A prefetch operation by name, or its number when it has none.
std::string print_prefetch(const Context& c) {
  const u32 op = c.field("Rt");
  constexpr const char* kTypes[] = {"pld", "pli", "pst"};
  const u32 type = op >> 3, level = op >> 1 & 3;
  if (type == 3 || level == 3) return fmt::format("#{}", op);
  return fmt::format("{}l{}{}", kTypes[type], level + 1, op & 1 ? "strm" : "keep");
}
/// Option of DMB and DSB.
std::string print_barrier(const Context& c) {
  constexpr const char* kOptions[] = {"#0", "oshld", "oshst", "osh", "#4",  "nshld", "nshst", "nsh",
                                      "#8", "ishld", "ishst", "ish", "#12", "ld",    "st",    "sy"};
  return kOptions[c.field("CRm")];
}
/// The number of a hint.
std::string print_hint(const Context& c) {
  return fmt::format("#{}", c.field("CRm") << 3 | c.field("op2"));
}
std::string print_isb(const Context& c) {
  return c.field("CRm") == 15 ? "sy" : fmt::format("#{}", c.field("CRm"));
}
/// A system register by its encoding.
std::string print_system_register(const Context& c) {
  return fmt::format("s{}_{}_c{}_c{}_{}", c.field("o0") + 2, c.field("op1"), c.field("CRn"), c.field("CRm"),
                     c.field("op2"));
}
/// The register after an even one, of CASP.
std::string print_pair_rs(const Context& c) {
  return x_name(c.field("Rs"), c.field("sf"), false) + ", " + x_name(c.field("Rs") + 1, c.field("sf"), false);
}
std::string print_pair_rt(const Context& c) {
  return x_name(c.field("Rt"), c.field("sf"), false) + ", " + x_name(c.field("Rt") + 1, c.field("sf"), false);
}

constexpr Printer kPrinters[] = {
    {"shift12", print_shift12},
    {"bitmask", print_bitmask},
    {"shift", print_shift},
    {"extended", print_extended},
    {"movz", print_movz},
    {"movn", print_movn},
    {"movk", print_movk},
    {"orr", print_orr},
    {"bitfield", print_bitfield},
    {"adr", print_adr},
    {"adrp", print_adrp},
    {"tested_bit", print_tested_bit},
    {"index0", [](const Context& c) { return print_index(c, 0); }},
    {"index1", [](const Context& c) { return print_index(c, 1); }},
    {"index2", [](const Context& c) { return print_index(c, 2); }},
    {"index3", [](const Context& c) { return print_index(c, 3); }},
    {"index4", [](const Context& c) { return print_index(c, 4); }},
    {"prefetch", print_prefetch},
    {"barrier", print_barrier},
    {"hint", print_hint},
    {"isb", print_isb},
    {"sysreg", print_system_register},
    {"pair_rs", print_pair_rs},
    {"pair_rt", print_pair_rt},
};

// -- the notation ----------------------------------------------------------------------------------------------------

std::string print_number(std::string_view format, const FieldSpec& f, const Context& c) {
  const u32 value = f.of(c.word);
  if (format == "hex") return fmt::format("0x{:x}", value);
  if (format == "pc") return fmt::format("0x{:x}", c.pc + static_cast<u64>(sign_extend(value, f.width) * 4));
  s64 number = value;
  if (format.starts_with('s')) {
    number = sign_extend(value, f.width);
    format.remove_prefix(1);
  }
  if (format.starts_with('*')) {
    s64 scale = 0;
    for (const char digit : format.substr(1)) scale = scale * 10 + (digit - '0');
    number *= scale;
  }
  return fmt::format("{}", number);
}

std::string print_piece(std::string_view piece, const Context& c) {
  if (piece.starts_with('@')) {
    for (const std::span<const Printer> printers : {std::span<const Printer>(kPrinters), detail::simd_printers()})
      for (const Printer& p : printers)
        if (p.name == piece.substr(1)) return p.print(c);
    CHECK_MSG(false, piece.data());
  }
  const std::size_t end = std::min(piece.find_first_of(":*"), piece.size());
  const std::string_view format = piece.substr(end).starts_with(':') ? piece.substr(end + 1) : piece.substr(end);
  const FieldSpec* f = c.find(piece.substr(0, end));
  CHECK_MSG(f != nullptr, piece.data());
  const u32 n = f->of(c.word);
  if (format == "r") return x_name(n, c.field("sf"), false);
  if (format == "rs") return x_name(n, c.field("sf"), true);
  if (format == "x" || format == "w") return x_name(n, format == "x", false);
  if (format == "xs" || format == "ws") return x_name(n, format == "xs", true);
  if (format == "c") return kConditions[n];
  if (const std::string simd = detail::simd_register(format, n, c); !simd.empty()) return simd;
  return print_number(format, *f, c);
}

}  // namespace

bool has_operand_text(const Row& row) {
  return row.text.find_first_of(" {") != row.text.npos || row.pattern->count == 0;
}

std::string disassemble(const Row* row, u32 word, u64 pc) {
  if (row == nullptr || row->kind == RowKind::Undefined) return fmt::format(".word 0x{:08x}", word);
  const Context context{*row, word, pc};
  std::string out;
  std::string_view text = row->text;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == text.npos) break;
    const std::size_t close = text.find('}', open);
    CHECK_MSG(close != text.npos, row->text.data());
    out += print_piece(text.substr(open + 1, close - open - 1), context);
    text.remove_prefix(close + 1);
  }
  if (has_operand_text(*row)) return out;
  const char* separator = " ";
  for (const FieldSpec& f : row->pattern->span()) {
    out += fmt::format("{}{}={:#x}", separator, f.name, f.of(word));
    separator = ", ";
  }
  return out;
}

}  // namespace tiercel::arm
