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
//   {Rd:T}     v7.16b: arrangement from the fields size and Q
//   {cond:c}   eq, ne, ...
// {@name} runs one of the printers at the end of disassemble.cpp, for operands that several fields decide.
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
