// Arm ARM (DDI 0487), "Loads and Stores": one general or SIMD&FP register, all addressing modes.
//
// Precision: the access comes before every Set of the insn, so a fault leaves the registers as they were. With
// write-back and Rn = Rt the manual leaves the result open (CONSTRAINED UNPREDICTABLE); here the write-back wins for
// loads, and stores store the old value.
#include <array>

#include "frontend-arm/a64/load_store.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

using namespace memory;

/// Load or store at base + disp (+ index), then write the base back if the mode says so.
template <bool is_load>
bool transfer(Translate& t, Data data, Mode mode, Reg n, u32 rt, s64 offset) {
  const Value base = t.x_or_sp(Type::I64, n);
  const s64 disp = mode == Mode::Post ? 0 : offset;
  const MemAttr attr = data.attr(mode == Mode::User);
  if constexpr (is_load)
    set_loaded(t, data, rt, t.ir.load(data.type(), base, disp, attr));
  else
    t.ir.store(base, disp, stored(t, data, rt), attr);
  if (mode == Mode::Pre || mode == Mode::Post) t.set_x_or_sp(n, t.ir.add(base, t.ir.i64(static_cast<u64>(offset))));
  return t.next();
}

template <bool is_load, u32 log2, Kind kind>
bool unsigned_offset(Translate& t, Imm<12> imm, Reg n, u32 rt) {
  return transfer<is_load>(t, {log2, kind}, Mode::Offset, n, rt, static_cast<s64>(imm.zext() << log2));
}

template <bool is_load, u32 log2, Kind kind, Mode mode>
bool signed_offset(Translate& t, Imm<9> imm, Reg n, u32 rt) {
  return transfer<is_load>(t, {log2, kind}, mode, n, rt, imm.sext());
}

bool word_option(Reg, u32 option, bool, Reg, u32) {
  return (option & 2) != 0;
}

/// The index register of the register-offset forms, extended by `option`.
Value index(Translate& t, Reg m, u32 option) {
  switch (option) {
    case 2:
      return t.ir.zext(Type::I64, t.x(Type::I32, m));
    case 6:
      return t.ir.sext(Type::I64, t.x(Type::I32, m));
    default:
      return t.x(Type::I64, m);
  }
}

template <bool is_load, u32 log2, Kind kind>
bool register_offset(Translate& t, Reg m, u32 option, bool scaled, Reg n, u32 rt) {
  constexpr Data data{log2, kind};
  const Value base = t.x_or_sp(Type::I64, n), i = index(t, m, option);
  MemAttr attr = data.attr();
  attr.index_shift = scaled ? log2 : 0;
  if constexpr (is_load)
    set_loaded(t, data, rt, t.ir.load(data.type(), base, 0, attr, i));
  else
    t.ir.store(base, 0, stored(t, data, rt), attr, i);
  return t.next();
}

template <u32 log2, Kind kind>
bool literal(Translate& t, Imm<19> offset, u32 rt) {
  constexpr Data data{log2, kind};
  const Value address = t.ir.code_address(t.pc + static_cast<u64>(offset.sext() * 4));
  set_loaded(t, data, rt, t.ir.load(data.type(), address, 0, data.attr()));
  return t.next();
}

/// `operation`: prfop (Arm ARM C6.2, PRFM). Hints for instruction caches, and those without a meaning, do nothing.
bool prefetch(Translate& t, Value address, u32 operation) {
  constexpr u32 kLoad = 0, kStore = 2, kNoLevel = 3;
  const u32 kind = operation >> 3, level = operation >> 1 & 3;
  const bool once = operation & 1;
  if ((kind != kLoad && kind != kStore) || level == kNoLevel) return t.next();
  const ir::PrefetchKind wanted = kind == kStore ? ir::PrefetchKind::Write
                                  : once         ? ir::PrefetchKind::Once
                                                 : static_cast<ir::PrefetchKind>(level);
  t.ir.prefetch(address, wanted);
  return t.next();
}
Value displaced(Translate& t, Reg n, s64 offset) {
  const Value base = t.x_or_sp(Type::I64, n);
  return offset == 0 ? base : t.ir.add(base, t.ir.i64(static_cast<u64>(offset)));
}
bool prefetch_imm(Translate& t, Imm<12> imm, Reg n, u32 operation) {
  return prefetch(t, displaced(t, n, static_cast<s64>(imm.zext() * 8)), operation);
}
bool prefetch_unscaled(Translate& t, Imm<9> imm, Reg n, u32 operation) {
  return prefetch(t, displaced(t, n, imm.sext()), operation);
}
bool prefetch_register(Translate& t, Reg m, u32 option, bool scaled, Reg n, u32 operation) {
  const Value i = index(t, m, option);
  const Value offset = scaled ? t.ir.shl(i, t.ir.i64(3)) : i;
  return prefetch(t, t.ir.add(t.x_or_sp(Type::I64, n), offset), operation);
}
bool prefetch_literal(Translate& t, Imm<19>, u32) {
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    // Load/store register (unsigned immediate)
    row<"00 111 0 01 00 imm:12 Rn:5 Rt:5", unsigned_offset<false, 0, Kind::Zero>>("strb {Rt:w}, [{Rn:xs}, #{imm}]",
                                                                                  "STRB (immediate)"),
    row<"00 111 0 01 01 imm:12 Rn:5 Rt:5", unsigned_offset<true, 0, Kind::Zero>>("ldrb {Rt:w}, [{Rn:xs}, #{imm}]",
                                                                                 "LDRB (immediate)"),
    row<"00 111 0 01 10 imm:12 Rn:5 Rt:5", unsigned_offset<true, 0, Kind::SignX>>("ldrsb {Rt:x}, [{Rn:xs}, #{imm}]",
                                                                                  "LDRSB (immediate)"),
    row<"00 111 0 01 11 imm:12 Rn:5 Rt:5", unsigned_offset<true, 0, Kind::SignW>>("ldrsb {Rt:w}, [{Rn:xs}, #{imm}]",
                                                                                  "LDRSB (immediate)"),
    row<"01 111 0 01 00 imm:12 Rn:5 Rt:5", unsigned_offset<false, 1, Kind::Zero>>("strh {Rt:w}, [{Rn:xs}, #{imm*2}]",
                                                                                  "STRH (immediate)"),
    row<"01 111 0 01 01 imm:12 Rn:5 Rt:5", unsigned_offset<true, 1, Kind::Zero>>("ldrh {Rt:w}, [{Rn:xs}, #{imm*2}]",
                                                                                 "LDRH (immediate)"),
    row<"01 111 0 01 10 imm:12 Rn:5 Rt:5", unsigned_offset<true, 1, Kind::SignX>>("ldrsh {Rt:x}, [{Rn:xs}, #{imm*2}]",
                                                                                  "LDRSH (immediate)"),
    row<"01 111 0 01 11 imm:12 Rn:5 Rt:5", unsigned_offset<true, 1, Kind::SignW>>("ldrsh {Rt:w}, [{Rn:xs}, #{imm*2}]",
                                                                                  "LDRSH (immediate)"),
    row<"10 111 0 01 00 imm:12 Rn:5 Rt:5", unsigned_offset<false, 2, Kind::Zero>>("str {Rt:w}, [{Rn:xs}, #{imm*4}]",
                                                                                  "STR (immediate)"),
    row<"10 111 0 01 01 imm:12 Rn:5 Rt:5", unsigned_offset<true, 2, Kind::Zero>>("ldr {Rt:w}, [{Rn:xs}, #{imm*4}]",
                                                                                 "LDR (immediate)"),
    row<"10 111 0 01 10 imm:12 Rn:5 Rt:5", unsigned_offset<true, 2, Kind::SignX>>("ldrsw {Rt:x}, [{Rn:xs}, #{imm*4}]",
                                                                                  "LDRSW (immediate)"),
    row<"11 111 0 01 00 imm:12 Rn:5 Rt:5", unsigned_offset<false, 3, Kind::Zero>>("str {Rt:x}, [{Rn:xs}, #{imm*8}]",
                                                                                  "STR (immediate)"),
    row<"11 111 0 01 01 imm:12 Rn:5 Rt:5", unsigned_offset<true, 3, Kind::Zero>>("ldr {Rt:x}, [{Rn:xs}, #{imm*8}]",
                                                                                 "LDR (immediate)"),
    row<"00 111 1 01 00 imm:12 Rn:5 Rt:5", unsigned_offset<false, 0, Kind::Simd>>("str {Rt:b}, [{Rn:xs}, #{imm}]",
                                                                                  "STR (immediate, SIMD&FP)"),
    row<"00 111 1 01 01 imm:12 Rn:5 Rt:5", unsigned_offset<true, 0, Kind::Simd>>("ldr {Rt:b}, [{Rn:xs}, #{imm}]",
                                                                                 "LDR (immediate, SIMD&FP)"),
    row<"00 111 1 01 10 imm:12 Rn:5 Rt:5", unsigned_offset<false, 4, Kind::Simd>>("str {Rt:q}, [{Rn:xs}, #{imm*16}]",
                                                                                  "STR (immediate, SIMD&FP)"),
    row<"00 111 1 01 11 imm:12 Rn:5 Rt:5", unsigned_offset<true, 4, Kind::Simd>>("ldr {Rt:q}, [{Rn:xs}, #{imm*16}]",
                                                                                 "LDR (immediate, SIMD&FP)"),
    row<"01 111 1 01 00 imm:12 Rn:5 Rt:5", unsigned_offset<false, 1, Kind::Simd>>("str {Rt:h}, [{Rn:xs}, #{imm*2}]",
                                                                                  "STR (immediate, SIMD&FP)"),
    row<"01 111 1 01 01 imm:12 Rn:5 Rt:5", unsigned_offset<true, 1, Kind::Simd>>("ldr {Rt:h}, [{Rn:xs}, #{imm*2}]",
                                                                                 "LDR (immediate, SIMD&FP)"),
    row<"10 111 1 01 00 imm:12 Rn:5 Rt:5", unsigned_offset<false, 2, Kind::Simd>>("str {Rt:S}, [{Rn:xs}, #{imm*4}]",
                                                                                  "STR (immediate, SIMD&FP)"),
    row<"10 111 1 01 01 imm:12 Rn:5 Rt:5", unsigned_offset<true, 2, Kind::Simd>>("ldr {Rt:S}, [{Rn:xs}, #{imm*4}]",
                                                                                 "LDR (immediate, SIMD&FP)"),
    row<"11 111 1 01 00 imm:12 Rn:5 Rt:5", unsigned_offset<false, 3, Kind::Simd>>("str {Rt:d}, [{Rn:xs}, #{imm*8}]",
                                                                                  "STR (immediate, SIMD&FP)"),
    row<"11 111 1 01 01 imm:12 Rn:5 Rt:5", unsigned_offset<true, 3, Kind::Simd>>("ldr {Rt:d}, [{Rn:xs}, #{imm*8}]",
                                                                                 "LDR (immediate, SIMD&FP)"),
    row<"11 111 0 01 10 imm:12 Rn:5 Rt:5", prefetch_imm>("prfm {@prefetch}, [{Rn:xs}, #{imm*8}]", "PRFM (immediate)"),
    // Load/store register (unscaled immediate)
    row<"00 111 0 00 00 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 0, Kind::Zero, Mode::Offset>>(
        "sturb {Rt:w}, [{Rn:xs}, #{imm:s}]", "STURB"),
    row<"00 111 0 00 01 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 0, Kind::Zero, Mode::Offset>>(
        "ldurb {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDURB"),
    row<"00 111 0 00 10 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 0, Kind::SignX, Mode::Offset>>(
        "ldursb {Rt:x}, [{Rn:xs}, #{imm:s}]", "LDURSB"),
    row<"00 111 0 00 11 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 0, Kind::SignW, Mode::Offset>>(
        "ldursb {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDURSB"),
    row<"01 111 0 00 00 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 1, Kind::Zero, Mode::Offset>>(
        "sturh {Rt:w}, [{Rn:xs}, #{imm:s}]", "STURH"),
    row<"01 111 0 00 01 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 1, Kind::Zero, Mode::Offset>>(
        "ldurh {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDURH"),
    row<"01 111 0 00 10 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 1, Kind::SignX, Mode::Offset>>(
        "ldursh {Rt:x}, [{Rn:xs}, #{imm:s}]", "LDURSH"),
    row<"01 111 0 00 11 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 1, Kind::SignW, Mode::Offset>>(
        "ldursh {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDURSH"),
    row<"10 111 0 00 00 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 2, Kind::Zero, Mode::Offset>>(
        "stur {Rt:w}, [{Rn:xs}, #{imm:s}]", "STUR"),
    row<"10 111 0 00 01 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 2, Kind::Zero, Mode::Offset>>(
        "ldur {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDUR"),
    row<"10 111 0 00 10 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 2, Kind::SignX, Mode::Offset>>(
        "ldursw {Rt:x}, [{Rn:xs}, #{imm:s}]", "LDURSW"),
    row<"11 111 0 00 00 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 3, Kind::Zero, Mode::Offset>>(
        "stur {Rt:x}, [{Rn:xs}, #{imm:s}]", "STUR"),
    row<"11 111 0 00 01 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 3, Kind::Zero, Mode::Offset>>(
        "ldur {Rt:x}, [{Rn:xs}, #{imm:s}]", "LDUR"),
    row<"00 111 1 00 00 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 0, Kind::Simd, Mode::Offset>>(
        "stur {Rt:b}, [{Rn:xs}, #{imm:s}]", "STUR (SIMD&FP)"),
    row<"00 111 1 00 01 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 0, Kind::Simd, Mode::Offset>>(
        "ldur {Rt:b}, [{Rn:xs}, #{imm:s}]", "LDUR (SIMD&FP)"),
    row<"00 111 1 00 10 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 4, Kind::Simd, Mode::Offset>>(
        "stur {Rt:q}, [{Rn:xs}, #{imm:s}]", "STUR (SIMD&FP)"),
    row<"00 111 1 00 11 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 4, Kind::Simd, Mode::Offset>>(
        "ldur {Rt:q}, [{Rn:xs}, #{imm:s}]", "LDUR (SIMD&FP)"),
    row<"01 111 1 00 00 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 1, Kind::Simd, Mode::Offset>>(
        "stur {Rt:h}, [{Rn:xs}, #{imm:s}]", "STUR (SIMD&FP)"),
    row<"01 111 1 00 01 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 1, Kind::Simd, Mode::Offset>>(
        "ldur {Rt:h}, [{Rn:xs}, #{imm:s}]", "LDUR (SIMD&FP)"),
    row<"10 111 1 00 00 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 2, Kind::Simd, Mode::Offset>>(
        "stur {Rt:S}, [{Rn:xs}, #{imm:s}]", "STUR (SIMD&FP)"),
    row<"10 111 1 00 01 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 2, Kind::Simd, Mode::Offset>>(
        "ldur {Rt:S}, [{Rn:xs}, #{imm:s}]", "LDUR (SIMD&FP)"),
    row<"11 111 1 00 00 0 imm:9 00 Rn:5 Rt:5", signed_offset<false, 3, Kind::Simd, Mode::Offset>>(
        "stur {Rt:d}, [{Rn:xs}, #{imm:s}]", "STUR (SIMD&FP)"),
    row<"11 111 1 00 01 0 imm:9 00 Rn:5 Rt:5", signed_offset<true, 3, Kind::Simd, Mode::Offset>>(
        "ldur {Rt:d}, [{Rn:xs}, #{imm:s}]", "LDUR (SIMD&FP)"),
    row<"11 111 0 00 10 0 imm:9 00 Rn:5 Rt:5", prefetch_unscaled>("prfum {@prefetch}, [{Rn:xs}, #{imm:s}]", "PRFUM"),
    // Load/store register (immediate post-indexed)
    row<"00 111 0 00 00 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 0, Kind::Zero, Mode::Post>>(
        "strb {Rt:w}, [{Rn:xs}], #{imm:s}", "STRB (immediate)"),
    row<"00 111 0 00 01 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 0, Kind::Zero, Mode::Post>>(
        "ldrb {Rt:w}, [{Rn:xs}], #{imm:s}", "LDRB (immediate)"),
    row<"00 111 0 00 10 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 0, Kind::SignX, Mode::Post>>(
        "ldrsb {Rt:x}, [{Rn:xs}], #{imm:s}", "LDRSB (immediate)"),
    row<"00 111 0 00 11 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 0, Kind::SignW, Mode::Post>>(
        "ldrsb {Rt:w}, [{Rn:xs}], #{imm:s}", "LDRSB (immediate)"),
    row<"01 111 0 00 00 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 1, Kind::Zero, Mode::Post>>(
        "strh {Rt:w}, [{Rn:xs}], #{imm:s}", "STRH (immediate)"),
    row<"01 111 0 00 01 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 1, Kind::Zero, Mode::Post>>(
        "ldrh {Rt:w}, [{Rn:xs}], #{imm:s}", "LDRH (immediate)"),
    row<"01 111 0 00 10 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 1, Kind::SignX, Mode::Post>>(
        "ldrsh {Rt:x}, [{Rn:xs}], #{imm:s}", "LDRSH (immediate)"),
    row<"01 111 0 00 11 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 1, Kind::SignW, Mode::Post>>(
        "ldrsh {Rt:w}, [{Rn:xs}], #{imm:s}", "LDRSH (immediate)"),
    row<"10 111 0 00 00 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 2, Kind::Zero, Mode::Post>>(
        "str {Rt:w}, [{Rn:xs}], #{imm:s}", "STR (immediate)"),
    row<"10 111 0 00 01 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 2, Kind::Zero, Mode::Post>>(
        "ldr {Rt:w}, [{Rn:xs}], #{imm:s}", "LDR (immediate)"),
    row<"10 111 0 00 10 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 2, Kind::SignX, Mode::Post>>(
        "ldrsw {Rt:x}, [{Rn:xs}], #{imm:s}", "LDRSW (immediate)"),
    row<"11 111 0 00 00 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 3, Kind::Zero, Mode::Post>>(
        "str {Rt:x}, [{Rn:xs}], #{imm:s}", "STR (immediate)"),
    row<"11 111 0 00 01 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 3, Kind::Zero, Mode::Post>>(
        "ldr {Rt:x}, [{Rn:xs}], #{imm:s}", "LDR (immediate)"),
    row<"00 111 1 00 00 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 0, Kind::Simd, Mode::Post>>(
        "str {Rt:b}, [{Rn:xs}], #{imm:s}", "STR (immediate, SIMD&FP)"),
    row<"00 111 1 00 01 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 0, Kind::Simd, Mode::Post>>(
        "ldr {Rt:b}, [{Rn:xs}], #{imm:s}", "LDR (immediate, SIMD&FP)"),
    row<"00 111 1 00 10 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 4, Kind::Simd, Mode::Post>>(
        "str {Rt:q}, [{Rn:xs}], #{imm:s}", "STR (immediate, SIMD&FP)"),
    row<"00 111 1 00 11 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 4, Kind::Simd, Mode::Post>>(
        "ldr {Rt:q}, [{Rn:xs}], #{imm:s}", "LDR (immediate, SIMD&FP)"),
    row<"01 111 1 00 00 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 1, Kind::Simd, Mode::Post>>(
        "str {Rt:h}, [{Rn:xs}], #{imm:s}", "STR (immediate, SIMD&FP)"),
    row<"01 111 1 00 01 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 1, Kind::Simd, Mode::Post>>(
        "ldr {Rt:h}, [{Rn:xs}], #{imm:s}", "LDR (immediate, SIMD&FP)"),
    row<"10 111 1 00 00 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 2, Kind::Simd, Mode::Post>>(
        "str {Rt:S}, [{Rn:xs}], #{imm:s}", "STR (immediate, SIMD&FP)"),
    row<"10 111 1 00 01 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 2, Kind::Simd, Mode::Post>>(
        "ldr {Rt:S}, [{Rn:xs}], #{imm:s}", "LDR (immediate, SIMD&FP)"),
    row<"11 111 1 00 00 0 imm:9 01 Rn:5 Rt:5", signed_offset<false, 3, Kind::Simd, Mode::Post>>(
        "str {Rt:d}, [{Rn:xs}], #{imm:s}", "STR (immediate, SIMD&FP)"),
    row<"11 111 1 00 01 0 imm:9 01 Rn:5 Rt:5", signed_offset<true, 3, Kind::Simd, Mode::Post>>(
        "ldr {Rt:d}, [{Rn:xs}], #{imm:s}", "LDR (immediate, SIMD&FP)"),
    // Load/store register (immediate pre-indexed)
    row<"00 111 0 00 00 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 0, Kind::Zero, Mode::Pre>>(
        "strb {Rt:w}, [{Rn:xs}, #{imm:s}]!", "STRB (immediate)"),
    row<"00 111 0 00 01 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 0, Kind::Zero, Mode::Pre>>(
        "ldrb {Rt:w}, [{Rn:xs}, #{imm:s}]!", "LDRB (immediate)"),
    row<"00 111 0 00 10 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 0, Kind::SignX, Mode::Pre>>(
        "ldrsb {Rt:x}, [{Rn:xs}, #{imm:s}]!", "LDRSB (immediate)"),
    row<"00 111 0 00 11 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 0, Kind::SignW, Mode::Pre>>(
        "ldrsb {Rt:w}, [{Rn:xs}, #{imm:s}]!", "LDRSB (immediate)"),
    row<"01 111 0 00 00 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 1, Kind::Zero, Mode::Pre>>(
        "strh {Rt:w}, [{Rn:xs}, #{imm:s}]!", "STRH (immediate)"),
    row<"01 111 0 00 01 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 1, Kind::Zero, Mode::Pre>>(
        "ldrh {Rt:w}, [{Rn:xs}, #{imm:s}]!", "LDRH (immediate)"),
    row<"01 111 0 00 10 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 1, Kind::SignX, Mode::Pre>>(
        "ldrsh {Rt:x}, [{Rn:xs}, #{imm:s}]!", "LDRSH (immediate)"),
    row<"01 111 0 00 11 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 1, Kind::SignW, Mode::Pre>>(
        "ldrsh {Rt:w}, [{Rn:xs}, #{imm:s}]!", "LDRSH (immediate)"),
    row<"10 111 0 00 00 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 2, Kind::Zero, Mode::Pre>>(
        "str {Rt:w}, [{Rn:xs}, #{imm:s}]!", "STR (immediate)"),
    row<"10 111 0 00 01 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 2, Kind::Zero, Mode::Pre>>(
        "ldr {Rt:w}, [{Rn:xs}, #{imm:s}]!", "LDR (immediate)"),
    row<"10 111 0 00 10 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 2, Kind::SignX, Mode::Pre>>(
        "ldrsw {Rt:x}, [{Rn:xs}, #{imm:s}]!", "LDRSW (immediate)"),
    row<"11 111 0 00 00 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 3, Kind::Zero, Mode::Pre>>(
        "str {Rt:x}, [{Rn:xs}, #{imm:s}]!", "STR (immediate)"),
    row<"11 111 0 00 01 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 3, Kind::Zero, Mode::Pre>>(
        "ldr {Rt:x}, [{Rn:xs}, #{imm:s}]!", "LDR (immediate)"),
    row<"00 111 1 00 00 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 0, Kind::Simd, Mode::Pre>>(
        "str {Rt:b}, [{Rn:xs}, #{imm:s}]!", "STR (immediate, SIMD&FP)"),
    row<"00 111 1 00 01 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 0, Kind::Simd, Mode::Pre>>(
        "ldr {Rt:b}, [{Rn:xs}, #{imm:s}]!", "LDR (immediate, SIMD&FP)"),
    row<"00 111 1 00 10 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 4, Kind::Simd, Mode::Pre>>(
        "str {Rt:q}, [{Rn:xs}, #{imm:s}]!", "STR (immediate, SIMD&FP)"),
    row<"00 111 1 00 11 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 4, Kind::Simd, Mode::Pre>>(
        "ldr {Rt:q}, [{Rn:xs}, #{imm:s}]!", "LDR (immediate, SIMD&FP)"),
    row<"01 111 1 00 00 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 1, Kind::Simd, Mode::Pre>>(
        "str {Rt:h}, [{Rn:xs}, #{imm:s}]!", "STR (immediate, SIMD&FP)"),
    row<"01 111 1 00 01 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 1, Kind::Simd, Mode::Pre>>(
        "ldr {Rt:h}, [{Rn:xs}, #{imm:s}]!", "LDR (immediate, SIMD&FP)"),
    row<"10 111 1 00 00 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 2, Kind::Simd, Mode::Pre>>(
        "str {Rt:S}, [{Rn:xs}, #{imm:s}]!", "STR (immediate, SIMD&FP)"),
    row<"10 111 1 00 01 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 2, Kind::Simd, Mode::Pre>>(
        "ldr {Rt:S}, [{Rn:xs}, #{imm:s}]!", "LDR (immediate, SIMD&FP)"),
    row<"11 111 1 00 00 0 imm:9 11 Rn:5 Rt:5", signed_offset<false, 3, Kind::Simd, Mode::Pre>>(
        "str {Rt:d}, [{Rn:xs}, #{imm:s}]!", "STR (immediate, SIMD&FP)"),
    row<"11 111 1 00 01 0 imm:9 11 Rn:5 Rt:5", signed_offset<true, 3, Kind::Simd, Mode::Pre>>(
        "ldr {Rt:d}, [{Rn:xs}, #{imm:s}]!", "LDR (immediate, SIMD&FP)"),
    // Load/store register (unprivileged)
    row<"00 111 0 00 00 0 imm:9 10 Rn:5 Rt:5", signed_offset<false, 0, Kind::Zero, Mode::User>>(
        "sttrb {Rt:w}, [{Rn:xs}, #{imm:s}]", "STTRB"),
    row<"00 111 0 00 01 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 0, Kind::Zero, Mode::User>>(
        "ldtrb {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDTRB"),
    row<"00 111 0 00 10 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 0, Kind::SignX, Mode::User>>(
        "ldtrsb {Rt:x}, [{Rn:xs}, #{imm:s}]", "LDTRSB"),
    row<"00 111 0 00 11 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 0, Kind::SignW, Mode::User>>(
        "ldtrsb {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDTRSB"),
    row<"01 111 0 00 00 0 imm:9 10 Rn:5 Rt:5", signed_offset<false, 1, Kind::Zero, Mode::User>>(
        "sttrh {Rt:w}, [{Rn:xs}, #{imm:s}]", "STTRH"),
    row<"01 111 0 00 01 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 1, Kind::Zero, Mode::User>>(
        "ldtrh {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDTRH"),
    row<"01 111 0 00 10 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 1, Kind::SignX, Mode::User>>(
        "ldtrsh {Rt:x}, [{Rn:xs}, #{imm:s}]", "LDTRSH"),
    row<"01 111 0 00 11 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 1, Kind::SignW, Mode::User>>(
        "ldtrsh {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDTRSH"),
    row<"10 111 0 00 00 0 imm:9 10 Rn:5 Rt:5", signed_offset<false, 2, Kind::Zero, Mode::User>>(
        "sttr {Rt:w}, [{Rn:xs}, #{imm:s}]", "STTR"),
    row<"10 111 0 00 01 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 2, Kind::Zero, Mode::User>>(
        "ldtr {Rt:w}, [{Rn:xs}, #{imm:s}]", "LDTR"),
    row<"10 111 0 00 10 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 2, Kind::SignX, Mode::User>>(
        "ldtrsw {Rt:x}, [{Rn:xs}, #{imm:s}]", "LDTRSW"),
    row<"11 111 0 00 00 0 imm:9 10 Rn:5 Rt:5", signed_offset<false, 3, Kind::Zero, Mode::User>>(
        "sttr {Rt:x}, [{Rn:xs}, #{imm:s}]", "STTR"),
    row<"11 111 0 00 01 0 imm:9 10 Rn:5 Rt:5", signed_offset<true, 3, Kind::Zero, Mode::User>>(
        "ldtr {Rt:x}, [{Rn:xs}, #{imm:s}]", "LDTR"),
    // Load/store register (register offset)
    row<"00 111 0 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 0, Kind::Zero>, word_option>(
        "strb {Rt:w}, [{Rn:xs}, {@index0}]", "STRB (register)"),
    row<"00 111 0 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 0, Kind::Zero>, word_option>(
        "ldrb {Rt:w}, [{Rn:xs}, {@index0}]", "LDRB (register)"),
    row<"00 111 0 00 10 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 0, Kind::SignX>, word_option>(
        "ldrsb {Rt:x}, [{Rn:xs}, {@index0}]", "LDRSB (register)"),
    row<"00 111 0 00 11 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 0, Kind::SignW>, word_option>(
        "ldrsb {Rt:w}, [{Rn:xs}, {@index0}]", "LDRSB (register)"),
    row<"01 111 0 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 1, Kind::Zero>, word_option>(
        "strh {Rt:w}, [{Rn:xs}, {@index1}]", "STRH (register)"),
    row<"01 111 0 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 1, Kind::Zero>, word_option>(
        "ldrh {Rt:w}, [{Rn:xs}, {@index1}]", "LDRH (register)"),
    row<"01 111 0 00 10 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 1, Kind::SignX>, word_option>(
        "ldrsh {Rt:x}, [{Rn:xs}, {@index1}]", "LDRSH (register)"),
    row<"01 111 0 00 11 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 1, Kind::SignW>, word_option>(
        "ldrsh {Rt:w}, [{Rn:xs}, {@index1}]", "LDRSH (register)"),
    row<"10 111 0 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 2, Kind::Zero>, word_option>(
        "str {Rt:w}, [{Rn:xs}, {@index2}]", "STR (register)"),
    row<"10 111 0 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 2, Kind::Zero>, word_option>(
        "ldr {Rt:w}, [{Rn:xs}, {@index2}]", "LDR (register)"),
    row<"10 111 0 00 10 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 2, Kind::SignX>, word_option>(
        "ldrsw {Rt:x}, [{Rn:xs}, {@index2}]", "LDRSW (register)"),
    row<"11 111 0 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 3, Kind::Zero>, word_option>(
        "str {Rt:x}, [{Rn:xs}, {@index3}]", "STR (register)"),
    row<"11 111 0 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 3, Kind::Zero>, word_option>(
        "ldr {Rt:x}, [{Rn:xs}, {@index3}]", "LDR (register)"),
    row<"00 111 1 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 0, Kind::Simd>, word_option>(
        "str {Rt:b}, [{Rn:xs}, {@index0}]", "STR (register, SIMD&FP)"),
    row<"00 111 1 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 0, Kind::Simd>, word_option>(
        "ldr {Rt:b}, [{Rn:xs}, {@index0}]", "LDR (register, SIMD&FP)"),
    row<"00 111 1 00 10 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 4, Kind::Simd>, word_option>(
        "str {Rt:q}, [{Rn:xs}, {@index4}]", "STR (register, SIMD&FP)"),
    row<"00 111 1 00 11 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 4, Kind::Simd>, word_option>(
        "ldr {Rt:q}, [{Rn:xs}, {@index4}]", "LDR (register, SIMD&FP)"),
    row<"01 111 1 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 1, Kind::Simd>, word_option>(
        "str {Rt:h}, [{Rn:xs}, {@index1}]", "STR (register, SIMD&FP)"),
    row<"01 111 1 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 1, Kind::Simd>, word_option>(
        "ldr {Rt:h}, [{Rn:xs}, {@index1}]", "LDR (register, SIMD&FP)"),
    row<"10 111 1 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 2, Kind::Simd>, word_option>(
        "str {Rt:S}, [{Rn:xs}, {@index2}]", "STR (register, SIMD&FP)"),
    row<"10 111 1 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 2, Kind::Simd>, word_option>(
        "ldr {Rt:S}, [{Rn:xs}, {@index2}]", "LDR (register, SIMD&FP)"),
    row<"11 111 1 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<false, 3, Kind::Simd>, word_option>(
        "str {Rt:d}, [{Rn:xs}, {@index3}]", "STR (register, SIMD&FP)"),
    row<"11 111 1 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5", register_offset<true, 3, Kind::Simd>, word_option>(
        "ldr {Rt:d}, [{Rn:xs}, {@index3}]", "LDR (register, SIMD&FP)"),
    row<"11 111 0 00 10 1 Rm:5 option:3 S 10 Rn:5 Rt:5", prefetch_register, word_option>(
        "prfm {@prefetch}, [{Rn:xs}, {@index3}]", "PRFM (register)"),
    // Load register (literal)
    row<"00 011 0 00 imm:19 Rt:5", literal<2, Kind::Zero>>("ldr {Rt:w}, {imm:pc}", "LDR (literal)"),
    row<"01 011 0 00 imm:19 Rt:5", literal<3, Kind::Zero>>("ldr {Rt:x}, {imm:pc}", "LDR (literal)"),
    row<"10 011 0 00 imm:19 Rt:5", literal<2, Kind::SignX>>("ldrsw {Rt:x}, {imm:pc}", "LDRSW (literal)"),
    row<"00 011 1 00 imm:19 Rt:5", literal<2, Kind::Simd>>("ldr {Rt:S}, {imm:pc}", "LDR (literal, SIMD&FP)"),
    row<"01 011 1 00 imm:19 Rt:5", literal<3, Kind::Simd>>("ldr {Rt:d}, {imm:pc}", "LDR (literal, SIMD&FP)"),
    row<"10 011 1 00 imm:19 Rt:5", literal<4, Kind::Simd>>("ldr {Rt:q}, {imm:pc}", "LDR (literal, SIMD&FP)"),
    row<"11 011 0 00 imm:19 Rt:5", prefetch_literal>("prfm {@prefetch}, {imm:pc}", "PRFM (literal)"),
});

}  // namespace

std::span<const Row> load_store_rows() {
  return kRows;
}

}  // namespace tiercel::arm
