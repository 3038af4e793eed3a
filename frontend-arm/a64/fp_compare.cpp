// Arm ARM (DDI 0487), encoding classes "Floating-point compare", "Floating-point conditional compare" and
// "Floating-point conditional select".

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

// The E forms signal Invalid for quiet NaNs too.
template <bool Signal>
bool fcmp(Translate& t, bool sz, VReg m, VReg n) {
  const Type f = fp_type(sz);
  t.set_flags(t.ir.flags(Opcode::FlagsFcmp, {t.v_scalar(f, n), t.v_scalar(f, m)}, Signal));
  return t.next();
}

template <bool Signal>
bool fcmp_zero(Translate& t, bool sz, VReg n) {
  const Type f = fp_type(sz);
  t.set_flags(t.ir.flags(Opcode::FlagsFcmp, {t.v_scalar(f, n), t.ir.imm(f, 0)}, Signal));
  return t.next();
}

// Nothing is compared, hence nothing signalled, when the condition fails: zero is compared with zero instead.
template <bool Signal>
bool fccmp(Translate& t, bool sz, VReg m, u32 cond, VReg n, u32 nzcv) {
  const Type f = fp_type(sz);
  Value a = t.v_scalar(f, n), b = t.v_scalar(f, m);
  if (cond >= 14) {
    t.set_flags(t.ir.flags(Opcode::FlagsFcmp, {a, b}, Signal));
    return t.next();
  }
  const Value holds = t.condition(cond), zero = t.ir.imm(f, 0);
  a = t.ir.select(holds, a, zero);
  b = t.ir.select(holds, b, zero);
  const Value compared = t.ir.flags(Opcode::FlagsFcmp, {a, b}, Signal);
  const Value given = t.ir.flags(Opcode::FlagsFromNzcv, {t.ir.i32(nzcv << 28)});
  t.set_flags(t.ir.select(holds, compared, given));
  return t.next();
}

bool fcsel(Translate& t, bool sz, VReg m, u32 cond, VReg n, VReg d) {
  const Type f = fp_type(sz);
  if (cond >= 14)
    t.set_v(d, t.v_scalar(f, n));
  else
    t.set_v(d, t.ir.select(t.condition(cond), t.v_scalar(f, n), t.v_scalar(f, m)));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    fp<"000 11110 0 sz 1 Rm:5 00 1000 Rn:5 00000", fcmp<false>>("fcmp {Rn:Z}, {Rm:Z}", "FCMP"),
    fp<"000 11110 0 sz 1 Rm:5 00 1000 Rn:5 10000", fcmp<true>>("fcmpe {Rn:Z}, {Rm:Z}", "FCMPE"),
    fp<"000 11110 0 sz 1 ..... 00 1000 Rn:5 01000", fcmp_zero<false>>("fcmp {Rn:Z}, #0.0", "FCMP"),
    fp<"000 11110 0 sz 1 ..... 00 1000 Rn:5 11000", fcmp_zero<true>>("fcmpe {Rn:Z}, #0.0", "FCMPE"),
    fp<"000 11110 0 sz 1 Rm:5 cond:4 01 Rn:5 0 nzcv:4", fccmp<false>>("fccmp {Rn:Z}, {Rm:Z}, #{nzcv}, {cond:c}",
                                                                      "FCCMP"),
    fp<"000 11110 0 sz 1 Rm:5 cond:4 01 Rn:5 1 nzcv:4", fccmp<true>>("fccmpe {Rn:Z}, {Rm:Z}, #{nzcv}, {cond:c}",
                                                                     "FCCMPE"),
    fp<"000 11110 0 sz 1 Rm:5 cond:4 11 Rn:5 Rd:5", fcsel>("fcsel {Rd:Z}, {Rn:Z}, {Rm:Z}, {cond:c}", "FCSEL"),
});

}  // namespace

std::span<const Row> fp_compare_rows() {
  return kRows;
}

}  // namespace tiercel::arm
