#include "tests/decoder/known_divergences.h"

namespace tiercel::test {
namespace {

constexpr Divergence kList[] = {
    {0x3b20'fc00, 0x3820'6800, "[x1, x2] / [x1, x2, lsl #3]",
     "Load/store register (register offset) with option 011 and S = 0 does not shift; MC without aliases prints the "
     "amount all the same"},
    {0xffff'ff1f, 0xd503'201f, "nop, yield, wfe, ... / hint #0..#5", "Hints: MC without aliases prints the number"},
    {0xffe0'0c18, 0xf8a0'0818, "prfm #27, [...] / rprfm",
     "PRFM (register) with Rt 11xxx is RPRFM for FEAT_RPRFM and a PRFM without effect otherwise"},
    {0xffd0'0000, 0xd510'0000, "s3_0_c1_c0_0 / a name",
     "MRS, MSR (register): registers that EL0 cannot access are printed by number"},
    {0xffd8'0000, 0xd508'0000, "sys / tlbi, at, dc, ...",
     "SYS, SYSL: operations that EL0 cannot use are printed by number"},
    {0xffd8'0000, 0xd500'0000, "undefined / mrs, msr s0_...",
     "System instructions with op0 = 00: what is neither hint, barrier nor PSTATE access is unallocated; MC calls it "
     "MRS or MSR of a register that does not exist"},
};

}  // namespace

std::span<const Divergence> known_divergences() {
  return kList;
}

}  // namespace tiercel::test
