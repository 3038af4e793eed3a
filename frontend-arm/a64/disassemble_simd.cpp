#include <fmt/format.h>

#include <bit>

#include "frontend-arm/a64/disassemble_internal.h"
#include "frontend-arm/a64/simd.h"

namespace tiercel::arm::detail {
namespace {

/// log2 of an element's bytes, from whichever field gives it; 0 (bytes) if the row has none of them.
u32 element_size(const Context& c) {
  if (c.find("size")) return c.field("size");
  if (c.find("sz")) return 2 + c.field("sz");
  if (c.find("immhb")) return static_cast<u32>(std::bit_width(c.field("immhb"))) - 4;
  if (c.find("imm5")) return static_cast<u32>(std::countr_zero(c.field("imm5")));
  return 0;
}

std::string vector(u32 n, u32 size, bool full) {
  return fmt::format("v{}.{}{}", n, (full ? 16u : 8u) >> size, "bhsd"[size]);
}
std::string lane(u32 n, u32 size, u32 index) {
  return fmt::format("v{}.{}[{}]", n, "bhsd"[size], index);
}

std::string print_second(const Context& c) {
  return c.field("Q") ? "2" : "";
}
std::string print_left(const Context& c) {
  return fmt::format("{}", c.field("immhb") - (8u << element_size(c)));
}
std::string print_right(const Context& c) {
  return fmt::format("{}", (16u << element_size(c)) - c.field("immhb"));
}
std::string print_right_d(const Context& c) {
  return fmt::format("{}", 64 - c.field("shift"));
}
std::string print_fraction_bits(const Context& c) {
  return fmt::format("{}", 64 - c.field("scale"));
}
/// The shift of SHLL: the width of an element.
std::string print_width(const Context& c) {
  return fmt::format("{}", 8u << c.field("size"));
}

/// Vm and its lane in the by-element classes.
std::string print_element(const Context& c) {
  const u32 size = element_size(c), h = c.field("H"), l = c.field("L"), m = c.field("M"), rm = c.field("Rm");
  if (size == 1) return lane(rm, 1, h << 2 | l << 1 | m);
  return lane(m << 4 | rm, size, size == 2 ? h << 1 | l : h);
}
std::string print_source_lane(const Context& c) {
  return lane(c.field("Rn"), element_size(c), c.field("imm4") >> element_size(c));
}

/// "{ v1.16b, v2.16b }" from Vfirst on; `suffix` follows each register.
std::string register_list(u32 first, u32 count, std::string_view suffix) {
  std::string out = "{ ";
  for (u32 i = 0; i < count; ++i) out += fmt::format("{}v{}.{}", i ? ", " : "", (first + i) % 32, suffix);
  return out + " }";
}
std::string print_table(const Context& c) {
  return register_list(c.field("Rn"), c.field("len") + 1, "16b");
}
template <u32 Count>
std::string print_list(const Context& c) {
  const u32 size = c.field("size");
  const bool full = c.field("Q");
  return register_list(c.field("Rt"), Count, fmt::format("{}{}", (full ? 16u : 8u) >> size, "bhsd"[size]));
}

/// A single structure: opcode<2:1> of the class at 15..14 chooses between bytes, halfwords and words or doublewords.
u32 structure_scale(const Context& c) {
  const u32 group = c.word >> 14 & 3;
  return group == 2 ? (c.field("size") & 1 ? 3 : 2) : group;
}
template <u32 Count>
std::string print_lanes(const Context& c) {
  const u32 scale = structure_scale(c);
  const u32 all = c.field("Q") << 3 | c.field("S") << 2 | c.field("size");
  return fmt::format("{}[{}]", register_list(c.field("Rt"), Count, std::string_view("bhsd").substr(scale, 1)),
                     all >> scale);
}

/// The post-index operand: a register, or the bytes transferred.
std::string print_step(const Context& c) {
  if (c.field("Rm") != 31) return x_name(c.field("Rm"), true, false);
  if ((c.word >> 24 & 1) == 0) {  // multiple structures: registers by opcode
    constexpr u8 kRegisters[] = {4, 0, 4, 0, 3, 0, 3, 1, 2, 0, 2};
    return fmt::format("#{}", kRegisters[c.word >> 12 & 15] * (c.field("Q") ? 16 : 8));
  }
  const u32 elements = 1 + (c.word >> 21 & 1) + 2 * (c.word >> 13 & 1);
  const bool replicated = (c.word >> 14 & 3) == 3;
  return fmt::format("#{}", elements << (replicated ? c.field("size") : structure_scale(c)));
}

u32 imm8_of(const Context& c) {
  return c.find("imm8") ? c.field("imm8") : c.field("abc") << 5 | c.field("defgh");
}
std::string print_imm8(const Context& c) {
  return fmt::format("{}", imm8_of(c));
}
std::string print_byte_shift(const Context& c) {
  return c.field("byte") ? fmt::format(", lsl #{}", 8 * c.field("byte")) : "";
}
std::string print_ones_shift(const Context& c) {
  return c.field("two") ? "16" : "8";
}
/// MOVI with a 64-bit mask, to a scalar or to both halves.
std::string print_byte_mask(const Context& c) {
  const bool q = c.field("Q");
  u64 value = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (imm8_of(c) >> i & 1) value |= u64{0xff} << 8 * i;
  return fmt::format("{}{}{}, #0x{:016x}", q ? "v" : "d", c.field("Rd"), q ? ".2d" : "", value);
}
/// The value of VFPExpandImm: 16..31 sixteenths times a power of two from -3 to 4.
std::string print_fp_immediate(const Context& c) {
  return fmt::format("{:.8f}", std::bit_cast<double>(expand_fp_immediate(true, imm8_of(c))));
}

constexpr Printer kPrinters[] = {
    {"2", print_second},
    {"left", print_left},
    {"right", print_right},
    {"right_d", print_right_d},
    {"fraction_bits", print_fraction_bits},
    {"width", print_width},
    {"element", print_element},
    {"source_lane", print_source_lane},
    {"table", print_table},
    {"list1", print_list<1>},
    {"list2", print_list<2>},
    {"list3", print_list<3>},
    {"list4", print_list<4>},
    {"lanes1", print_lanes<1>},
    {"lanes2", print_lanes<2>},
    {"lanes3", print_lanes<3>},
    {"lanes4", print_lanes<4>},
    {"step", print_step},
    {"imm8", print_imm8},
    {"byte_shift", print_byte_shift},
    {"ones_shift", print_ones_shift},
    {"byte_mask", print_byte_mask},
    {"fp_immediate", print_fp_immediate},
};

}  // namespace

std::span<const Printer> simd_printers() {
  return kPrinters;
}

std::string simd_register(std::string_view format, u32 n, const Context& c) {
  const u32 size = element_size(c);
  const bool q = c.field_or("Q", 1);
  if (format == "v") return fmt::format("v{}", n);
  if (format == "T") return vector(n, size, q);
  if (format == "Tf") return vector(n, size, true);
  if (format == "Tw") return vector(n, size + 1, true);
  if (format == "Tp") return vector(n, size + 1, q);
  if (format == "Tn") return vector(n, size - 1, q);
  if (format == "Th") return vector(n, 1, q);
  if (format == "Ts") return vector(n, 2, q);
  if (format == "Td") return vector(n, 3, q);
  if (format == "P") return vector(n, size, size == 3);
  if (format == "L") return lane(n, size, c.field("imm5") >> (size + 1));
  if (format == "g") return x_name(n, size == 3, false);
  if (format == "gq") return x_name(n, q, false);
  if (format == "Z") return fmt::format("{}{}", "bhsd"[size], n);
  if (format == "Zw") return fmt::format("{}{}", "bhsd"[size + 1], n);
  if (format == "b" || format == "h" || format == "d" || format == "q") return fmt::format("{}{}", format, n);
  if (format == "S") return fmt::format("s{}", n);
  if (format.starts_with('.')) return fmt::format("v{}{}", n, format);
  return {};
}

}  // namespace tiercel::arm::detail
