// Arm ARM (DDI 0487), "Data Processing -- Register": the classes with one, two and three sources.
#include <array>

#include "frontend-arm/a64/slices.h"
#include "frontend-arm/a64/translate.h"

namespace tiercel::arm {
namespace {

// -- Data-processing (1 source) --------------------------------------------------------------------------------------

template <Opcode op>
bool unary(Translate& t, bool sf, Reg n, Reg d) {
  t.set_x(d, t.ir.op(op, width(sf), {t.x(width(sf), n)}));
  return t.next();
}

template <Opcode op, bool sf>
bool unary_of(Translate& t, Reg n, Reg d) {
  return unary<op>(t, sf, n, d);
}

bool rev16(Translate& t, bool sf, Reg n, Reg d) {
  const Width w = width(sf);
  const Value a = t.x(w, n), even = t.imm(w, 0x00ff'00ff'00ff'00ff);
  t.set_x(d, t.ir.or_(t.ir.and_(t.ir.shr(a, 8u), even), t.ir.shl(t.ir.and_(a, even), 8u)));
  return t.next();
}

// REV32 reverses each word: all bytes, then the words swapped back.
bool rev32(Translate& t, Reg n, Reg d) {
  t.set_x(d, t.ir.ror(t.ir.op(Opcode::ByteRev, Type::I64, {t.x(Type::I64, n)}), 32u));
  return t.next();
}

// CLS: bit i of a ^ (a >> 1) says that bits i and i + 1 of a differ; its top bit is zero and not to be counted.
bool cls(Translate& t, bool sf, Reg n, Reg d) {
  const Width w = width(sf);
  const Value a = t.x(w, n);
  const Value zeros = t.ir.op(Opcode::Clz, w, {t.ir.xor_(a, t.ir.sar(a, 1u))});
  t.set_x(d, t.ir.sub(zeros, t.imm(w, 1)));
  return t.next();
}

// -- Data-processing (2 source) --------------------------------------------------------------------------------------

// UDIV, SDIV and the variable shifts: the IR's division and shift counts are the Arm ones.
template <Opcode op>
bool binary(Translate& t, bool sf, Reg m, Reg n, Reg d) {
  const Width w = width(sf);
  t.set_x(d, t.ir.op(op, w, {t.x(w, n), t.x(w, m)}));
  return t.next();
}

template <Opcode op>
bool crc(Translate& t, Reg m, u32 size, Reg n, Reg d) {
  const Value data = t.x(width(size == 3), m);
  t.set_x(d, t.ir.op(op, Type::I32, {t.x(Type::I32, n), data}, Arr::None, 0, u64{1} << size));
  return t.next();
}

template <Opcode op>
bool crc_x(Translate& t, Reg m, Reg n, Reg d) {
  return crc<op>(t, m, 3, n, d);
}

template <Opcode op, u32 size>
bool crc_w(Translate& t, Reg m, Reg n, Reg d) {
  return crc<op>(t, m, size, n, d);
}

// -- Data-processing (3 source) --------------------------------------------------------------------------------------

bool accumulate(Translate& t, bool subtract, Width w, Value product, Reg a, Reg d) {
  if (a.n == 31)
    t.set_x(d, subtract ? t.ir.neg(product) : product);
  else
    t.set_x(d, subtract ? t.ir.sub(t.x(w, a), product) : t.ir.add(t.x(w, a), product));
  return t.next();
}

template <bool subtract>
bool madd(Translate& t, bool sf, Reg m, Reg a, Reg n, Reg d) {
  const Width w = width(sf);
  return accumulate(t, subtract, w, t.ir.mul(t.x(w, n), t.x(w, m)), a, d);
}

template <bool sign, bool subtract>
bool maddl(Translate& t, Reg m, Reg a, Reg n, Reg d) {
  const auto wide = [&](Reg r) {
    const Value v = t.x(Type::I32, r);
    return sign ? t.ir.sext(Type::I64, v) : t.ir.zext(Type::I64, v);
  };
  return accumulate(t, subtract, Type::I64, t.ir.mul(wide(n), wide(m)), a, d);
}

template <Opcode op>
bool mulh(Translate& t, Reg m, Reg n, Reg d) {
  return binary<op>(t, true, m, n, d);
}

constexpr auto kRows = std::to_array<Row>({
    row<"sf 10 11010110 00000 000000 Rn:5 Rd:5", unary<Opcode::BitRev>>("rbit {Rd:r}, {Rn:r}", "RBIT"),
    row<"sf 10 11010110 00000 000001 Rn:5 Rd:5", rev16>("rev16 {Rd:r}, {Rn:r}", "REV16"),
    row<"0 10 11010110 00000 000010 Rn:5 Rd:5", unary_of<Opcode::ByteRev, false>>("rev {Rd:w}, {Rn:w}", "REV"),
    row<"1 10 11010110 00000 000010 Rn:5 Rd:5", rev32>("rev32 {Rd:x}, {Rn:x}", "REV32"),
    row<"1 10 11010110 00000 000011 Rn:5 Rd:5", unary_of<Opcode::ByteRev, true>>("rev {Rd:x}, {Rn:x}", "REV"),
    row<"sf 10 11010110 00000 000100 Rn:5 Rd:5", unary<Opcode::Clz>>("clz {Rd:r}, {Rn:r}", "CLZ"),
    row<"sf 10 11010110 00000 000101 Rn:5 Rd:5", cls>("cls {Rd:r}, {Rn:r}", "CLS"),

    row<"sf 00 11010110 Rm:5 000010 Rn:5 Rd:5", binary<Opcode::DivU>>("udiv {Rd:r}, {Rn:r}, {Rm:r}", "UDIV"),
    row<"sf 00 11010110 Rm:5 000011 Rn:5 Rd:5", binary<Opcode::DivS>>("sdiv {Rd:r}, {Rn:r}, {Rm:r}", "SDIV"),
    row<"sf 00 11010110 Rm:5 001000 Rn:5 Rd:5", binary<Opcode::Shl>>("lsl {Rd:r}, {Rn:r}, {Rm:r}", "LSLV"),
    row<"sf 00 11010110 Rm:5 001001 Rn:5 Rd:5", binary<Opcode::Shr>>("lsr {Rd:r}, {Rn:r}, {Rm:r}", "LSRV"),
    row<"sf 00 11010110 Rm:5 001010 Rn:5 Rd:5", binary<Opcode::Sar>>("asr {Rd:r}, {Rn:r}, {Rm:r}", "ASRV"),
    row<"sf 00 11010110 Rm:5 001011 Rn:5 Rd:5", binary<Opcode::Ror>>("ror {Rd:r}, {Rn:r}, {Rm:r}", "RORV"),
    row<"0 00 11010110 Rm:5 010000 Rn:5 Rd:5", crc_w<Opcode::Crc32, 0>>("crc32b {Rd:w}, {Rn:w}, {Rm:w}", Feature::CRC32,
                                                                        "CRC32B"),
    row<"0 00 11010110 Rm:5 010001 Rn:5 Rd:5", crc_w<Opcode::Crc32, 1>>("crc32h {Rd:w}, {Rn:w}, {Rm:w}", Feature::CRC32,
                                                                        "CRC32H"),
    row<"0 00 11010110 Rm:5 010010 Rn:5 Rd:5", crc_w<Opcode::Crc32, 2>>("crc32w {Rd:w}, {Rn:w}, {Rm:w}", Feature::CRC32,
                                                                        "CRC32W"),
    row<"1 00 11010110 Rm:5 010011 Rn:5 Rd:5", crc_x<Opcode::Crc32>>("crc32x {Rd:w}, {Rn:w}, {Rm:x}", Feature::CRC32,
                                                                     "CRC32X"),
    row<"0 00 11010110 Rm:5 010100 Rn:5 Rd:5", crc_w<Opcode::Crc32c, 0>>("crc32cb {Rd:w}, {Rn:w}, {Rm:w}",
                                                                         Feature::CRC32, "CRC32CB"),
    row<"0 00 11010110 Rm:5 010101 Rn:5 Rd:5", crc_w<Opcode::Crc32c, 1>>("crc32ch {Rd:w}, {Rn:w}, {Rm:w}",
                                                                         Feature::CRC32, "CRC32CH"),
    row<"0 00 11010110 Rm:5 010110 Rn:5 Rd:5", crc_w<Opcode::Crc32c, 2>>("crc32cw {Rd:w}, {Rn:w}, {Rm:w}",
                                                                         Feature::CRC32, "CRC32CW"),
    row<"1 00 11010110 Rm:5 010111 Rn:5 Rd:5", crc_x<Opcode::Crc32c>>("crc32cx {Rd:w}, {Rn:w}, {Rm:x}", Feature::CRC32,
                                                                      "CRC32CX"),

    row<"sf 00 11011000 Rm:5 0 Ra:5 Rn:5 Rd:5", madd<false>>("madd {Rd:r}, {Rn:r}, {Rm:r}, {Ra:r}", "MADD"),
    row<"sf 00 11011000 Rm:5 1 Ra:5 Rn:5 Rd:5", madd<true>>("msub {Rd:r}, {Rn:r}, {Rm:r}, {Ra:r}", "MSUB"),
    row<"1 00 11011001 Rm:5 0 Ra:5 Rn:5 Rd:5", maddl<true, false>>("smaddl {Rd:x}, {Rn:w}, {Rm:w}, {Ra:x}", "SMADDL"),
    row<"1 00 11011001 Rm:5 1 Ra:5 Rn:5 Rd:5", maddl<true, true>>("smsubl {Rd:x}, {Rn:w}, {Rm:w}, {Ra:x}", "SMSUBL"),
    row<"1 00 11011101 Rm:5 0 Ra:5 Rn:5 Rd:5", maddl<false, false>>("umaddl {Rd:x}, {Rn:w}, {Rm:w}, {Ra:x}", "UMADDL"),
    row<"1 00 11011101 Rm:5 1 Ra:5 Rn:5 Rd:5", maddl<false, true>>("umsubl {Rd:x}, {Rn:w}, {Rm:w}, {Ra:x}", "UMSUBL"),
    row<"1 00 11011010 Rm:5 0 ..... Rn:5 Rd:5", mulh<Opcode::MulHiS>>("smulh {Rd:x}, {Rn:x}, {Rm:x}", "SMULH"),
    row<"1 00 11011110 Rm:5 0 ..... Rn:5 Rd:5", mulh<Opcode::MulHiU>>("umulh {Rd:x}, {Rn:x}, {Rm:x}", "UMULH"),
});

}  // namespace

std::span<const Row> data_processing_sources_rows() {
  return kRows;
}

}  // namespace tiercel::arm
