// Text of an instruction from its row.
//
// A row's text is a mnemonic, or a mnemonic with operands: "add {Rd:rs}, {Rn:rs}, #{imm}{@shift12}". In braces stands a
// field of the pattern and after the colon how it prints:
//   {imm}      unsigned decimal             {imm:s}    signed decimal
//   {imm:s*8}  scaled by 8                  {imm:hex}  0x...
//   {off:pc}   target of a branch: signed words from the insn's address
//   {Rd:r}     X or W by the field sf; 31 is xzr or wzr     {Rd:rs}  the same, 31 is sp or wsp
//   {Rd:x} {Rd:w} {Rd:xs} {Rd:ws}           a fixed width, zero register or stack pointer
//   {Rd:b} {Rd:h} {Rd:S} {Rd:d} {Rd:q}      a scalar SIMD&FP register (S: single, as s means signed)
//   {Rd:v}     v7                           {Rd:.4s}   v7.4s (any suffix after the dot)
// The element size of a SIMD instruction comes from its field size, sz, immhb or imm5, and is a byte if it has none:
//   {Rd:T}     v7.8h: elements of that size over 128 or 64 bits by Q (128 if the row has no Q)
//   {Rd:Tf}    the same, always 128 bits    {Rd:Tw} {Rd:Tp}   elements twice as wide: 128 bits; by Q
//   {Rd:Tn}    elements half as wide, by Q  {Rd:Th} {Rd:Ts} {Rd:Td}   halfwords, words, doublewords, by Q
//   {Rd:P}     v7.2s or v7.2d               {Rd:L}     v7.h[2]: the lane that imm5 names
//   {Rd:Z}     h7: a scalar of that size    {Rd:Zw}    twice as wide
//   {Rd:g}     W, or X for doublewords      {Rd:gq}    W or X by Q
//   {cond:c}   eq, ne, ...
// {@name} runs one of the printers listed in disassemble.cpp and disassemble_simd.cpp, for operands that several fields decide.
// Pieces may also stand in the mnemonic itself: "b.{cond:c}", "saddl{@2}".
#pragma once

#include <string>

#include "frontend-arm/isa_row.h"

namespace tiercel::arm {

/// `row` must match `word`; null gives the word as data. A text without operands prints all fields by name.
std::string disassemble(const Row* row, u32 word, u64 pc);

/// True if the row's text describes its operands, so that it can be compared with other disassemblers in full.
bool has_operand_text(const Row& row);

}  // namespace tiercel::arm
