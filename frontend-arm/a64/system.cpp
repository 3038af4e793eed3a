// Arm ARM (DDI 0487), "Branches, Exception Generating and System instructions": hints, barriers, system registers and
// cache maintenance: as EL0 under Linux sees them, and in machines as system_machine.h says.
#include <array>

#include "frontend-arm/a64/id_registers.h"
#include "frontend-arm/a64/slices.h"
#include "frontend-arm/a64/system_machine.h"
#include "frontend-arm/a64/translate.h"
#include "frontend-arm/helpers.h"

namespace tiercel::arm {
namespace {

// -- Hints -----------------------------------------------------------------------------------------------------------

// NOP and every hint that asks nothing of us: SEV, SEVL, and, as the extensions are absent, the pointer authentication
// (PACIASP, XPACLRI, ...), branch target and other hints.
bool nop(Translate& t, u32, u32) {
  return t.next();
}
bool nop_plain(Translate& t) {
  return t.next();
}

// YIELD, WFE and WFI: somebody else should run; returning early is allowed for all of them.
bool yield(Translate& t) {
  return t.exit_after(ir::ExitKind::Yield);
}
bool wait(Translate& t) {
  return t.machine() ? t.system() : yield(t);
}

// -- Barriers --------------------------------------------------------------------------------------------------------

bool barrier(Translate& t, u32 domain_and_types) {
  constexpr ir::FenceKind kKinds[] = {ir::FenceKind::Full, ir::FenceKind::Load, ir::FenceKind::Store,
                                      ir::FenceKind::Full};
  t.ir.fence(kKinds[domain_and_types & 3]);
  return t.next();
}

// ISB: what follows is fetched anew, so that code changed by another thread is seen.
bool isb(Translate& t, u32) {
  t.ir.jump(t.pc + 4);
  return false;
}

// -- System registers ------------------------------------------------------------------------------------------------

bool mrs_nzcv(Translate& t, Reg rt) {
  t.set_x(rt, t.ir.op(Opcode::FlagsToNzcv, Type::I32, {t.flags()}));
  return t.next();
}
bool msr_nzcv(Translate& t, Reg rt) {
  t.set_flags(t.ir.flags(Opcode::FlagsFromNzcv, {t.x(Type::I32, rt)}));
  return t.next();
}

/// AHP, DN, FZ and RMode; the rest belongs to absent extensions, or is the trap enables, which are RAZ/WI.
constexpr u32 kFpcrBits = 0x07c0'0000;

bool mrs_fpcr(Translate& t, Reg rt) {
  t.set_x(rt, t.ir.get(Type::I32, slot::kFpcr));
  return t.next();
}
bool msr_fpcr(Translate& t, Reg rt) {
  t.ir.set(slot::kFpcr, t.ir.and_(t.x(Type::I32, rt), t.ir.i32(kFpcrBits)));
  return t.exit_after(ir::ExitKind::ModeChange);
}

// FPSR: IOC, DZC, OFC, UFC, IXC in bits 4..0 as in the IR's status, IDC in bit 7, QC in bit 27.
constexpr unsigned kIdcBit = 7, kQcBit = 27;
static_assert(ir::fpstatus::kInputDenormal == 1u << 5);

bool mrs_fpsr(Translate& t, Reg rt) {
  const Value status = t.ir.op(Opcode::GetFpStatus, Type::I32, {});
  const Value idc = t.ir.shl(t.ir.ubfx(status, 5, 1), kIdcBit);
  const Value qc = t.ir.get(Type::V128, slot::kQc);
  const Value any = t.ir.or_(t.ir.vextract(Type::I64, qc, Arr::D2, 0), t.ir.vextract(Type::I64, qc, Arr::D2, 1));
  const Value qc_bit = t.ir.shl(t.ir.zext(Type::I32, t.ir.cmp(Opcode::CmpNe, any, t.ir.i64(0))), kQcBit);
  t.set_x(rt, t.ir.or_(t.ir.or_(t.ir.ubfx(status, 0, 5), idc), qc_bit));
  return t.next();
}
bool msr_fpsr(Translate& t, Reg rt) {
  const Value v = t.x(Type::I32, rt);
  const Value idc = t.ir.shl(t.ir.ubfx(v, kIdcBit, 1), 5u);
  t.ir.op(Opcode::SetFpStatus, Type::None, {t.ir.or_(t.ir.ubfx(v, 0, 5), idc)});
  t.ir.set(slot::kQc, t.ir.vzext(t.ir.ubfx(v, kQcBit, 1)));
  // What the host's control must be depends on the exceptions seen.
  if (ir::FpRules::unpack(static_cast<u8>(t.mode)).host_flush) return t.exit_after(ir::ExitKind::ModeChange);
  return t.next();
}

bool mrs_tpidr(Translate& t, Reg rt) {
  t.set_x(rt, t.ir.get(Type::I64, slot::kTpidr));
  return t.next();
}
bool msr_tpidr(Translate& t, Reg rt) {
  t.ir.set(slot::kTpidr, t.x(Type::I64, rt));
  return t.next();
}
bool mrs_tpidrro(Translate& t, Reg rt) {
  t.set_x(rt, t.ir.get(Type::I64, slot::kTpidrRo));
  return t.next();
}

template <u64 value>
bool mrs_constant(Translate& t, Reg rt) {
  if (t.machine()) return machine_mrs(t, rt);
  t.set_x(rt, t.ir.i64(value));
  return t.next();
}

bool mrs_cntvct(Translate& t, Reg rt) {
  if (t.machine() && !(t.mode & mode::kCounter)) return t.system();
  t.set_x(rt, t.ir.call_helper(helper::kCounter, Type::I64, {}));
  return t.next();
}

// The identification registers are not readable at EL0, but Linux emulates them (Documentation/arch/arm64,
// "ARM64 CPU Feature Registers"); every other register traps and becomes SIGILL.
bool mrs_other(Translate& t, u32 o0, u32 op1, u32 crn, u32 crm, u32 op2, Reg rt) {
  if (t.machine()) return machine_mrs(t, rt);
  const auto value = o0 == 1 && op1 == 0 && crn == 0 ? id_register(crm, op2) : std::nullopt;
  if (!value) return t.undefined();
  t.set_x(rt, t.ir.i64(*value));
  return t.next();
}
bool msr_other(Translate& t, u32, u32, u32, u32, u32, Reg rt) {
  return t.machine() ? machine_msr(t, rt) : t.undefined();
}
// MSR (immediate): SPSel, DAIFSet and DAIFClr trap at EL0, the others belong to absent extensions.
bool msr_imm(Translate& t, u32, u32 imm, u32) {
  return t.machine() ? machine_msr_immediate(t, imm) : t.undefined();
}

// -- Cache maintenance -----------------------------------------------------------------------------------------------

constexpr unsigned kLineBytes = 64;
static_assert(kDczid == 4 && 4u << kDczid == kLineBytes);

// DC ZVA: zeroes an aligned block.
bool dc_zva(Translate& t, Reg rt) {
  if (t.machine() && !(t.mode & mode::kZva)) return t.system();
  const Value address = t.ir.and_(t.x(Type::I64, rt), t.ir.i64(~u64{kLineBytes - 1}));
  const Value zero = t.ir.vconst({});
  for (unsigned i = 0; i < kLineBytes; i += 16) t.ir.store(address, i, zero, {.size_log2 = 4});
  return t.next();
}

// Data and instruction caches are coherent with memory here; only translations are not.
bool dc_nothing(Translate& t, Reg) {
  return t.machine() ? t.system() : t.next();
}
bool ic_ivau(Translate& t, Reg rt) {
  if (t.machine()) return t.system();
  const Value line = t.ir.and_(t.x(Type::I64, rt), t.ir.i64(~u64{kLineBytes - 1}));
  return t.exit_after(ir::ExitKind::InvalidateCode, kLineBytes, line);
}
bool sys_other(Translate& t, u32, u32, u32, u32, Reg) {
  return t.machine() ? t.system() : t.undefined();
}
bool sysl_other(Translate& t, u32, u32, u32, u32, Reg) {
  return t.undefined();
}

constexpr auto kRows = std::to_array<Row>({
    row<"1101010100 0 00 011 0010 CRm:4 op2:3 11111", nop>("hint {@hint}", "HINT"),
    row<"1101010100 0 00 011 0010 0000 000 11111", nop_plain>("nop", "NOP"),
    row<"1101010100 0 00 011 0010 0000 001 11111", yield>("yield", "YIELD"),
    row<"1101010100 0 00 011 0010 0000 010 11111", wait>("wfe", "WFE"),
    row<"1101010100 0 00 011 0010 0000 011 11111", wait>("wfi", "WFI"),
    row<"1101010100 0 00 011 0010 0000 100 11111", nop_plain>("sev", "SEV"),
    row<"1101010100 0 00 011 0010 0000 101 11111", nop_plain>("sevl", "SEVL"),

    row<"1101010100 0 00 011 0011 CRm:4 100 11111", barrier>("dsb {@barrier}", "DSB"),
    row<"1101010100 0 00 011 0011 CRm:4 101 11111", barrier>("dmb {@barrier}", "DMB"),
    row<"1101010100 0 00 011 0011 CRm:4 110 11111", isb>("isb {@isb}", "ISB"),

    row<"1101010100 1 11 011 0100 0010 000 Rt:5", mrs_nzcv>("mrs {Rt:x}, nzcv", "NZCV"),
    row<"1101010100 0 11 011 0100 0010 000 Rt:5", msr_nzcv>("msr nzcv, {Rt:x}", "NZCV"),
    row<"1101010100 1 11 011 0100 0100 000 Rt:5", mrs_fpcr>("mrs {Rt:x}, fpcr", "FPCR"),
    row<"1101010100 0 11 011 0100 0100 000 Rt:5", msr_fpcr>("msr fpcr, {Rt:x}", "FPCR"),
    row<"1101010100 1 11 011 0100 0100 001 Rt:5", mrs_fpsr>("mrs {Rt:x}, fpsr", "FPSR"),
    row<"1101010100 0 11 011 0100 0100 001 Rt:5", msr_fpsr>("msr fpsr, {Rt:x}", "FPSR"),
    row<"1101010100 1 11 011 1101 0000 010 Rt:5", mrs_tpidr>("mrs {Rt:x}, tpidr_el0", "TPIDR_EL0"),
    row<"1101010100 0 11 011 1101 0000 010 Rt:5", msr_tpidr>("msr tpidr_el0, {Rt:x}", "TPIDR_EL0"),
    row<"1101010100 1 11 011 1101 0000 011 Rt:5", mrs_tpidrro>("mrs {Rt:x}, tpidrro_el0", "TPIDRRO_EL0"),
    row<"1101010100 1 11 011 0000 0000 001 Rt:5", mrs_constant<kCtr>>("mrs {Rt:x}, ctr_el0", "CTR_EL0"),
    row<"1101010100 1 11 011 0000 0000 111 Rt:5", mrs_constant<kDczid>>("mrs {Rt:x}, dczid_el0", "DCZID_EL0"),
    row<"1101010100 1 11 011 1110 0000 000 Rt:5", mrs_constant<kCounterHz>>("mrs {Rt:x}, cntfrq_el0", "CNTFRQ_EL0"),
    row<"1101010100 1 11 011 1110 0000 010 Rt:5", mrs_cntvct>("mrs {Rt:x}, cntvct_el0", "CNTVCT_EL0"),
    row<"1101010100 1 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5", mrs_other>("mrs {Rt:x}, {@sysreg}", "MRS"),
    row<"1101010100 0 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5", msr_other>("msr {@sysreg}, {Rt:x}", "MSR (register)"),
    row<"1101010100 0 00 op1:3 0100 CRm:4 op2:3 11111", msr_imm>("msr", "MSR (immediate)"),

    row<"1101010100 0 01 011 0111 0100 001 Rt:5", dc_zva>("dc zva, {Rt:x}", "DC ZVA"),
    row<"1101010100 0 01 011 0111 1010 001 Rt:5", dc_nothing>("dc cvac, {Rt:x}", "DC CVAC"),
    row<"1101010100 0 01 011 0111 1011 001 Rt:5", dc_nothing>("dc cvau, {Rt:x}", "DC CVAU"),
    row<"1101010100 0 01 011 0111 1110 001 Rt:5", dc_nothing>("dc civac, {Rt:x}", "DC CIVAC"),
    row<"1101010100 0 01 011 0111 0101 001 Rt:5", ic_ivau>("ic ivau, {Rt:x}", "IC IVAU"),
    row<"1101010100 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5", sys_other>("sys", "SYS"),
    row<"1101010100 1 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5", sysl_other>("sysl", "SYSL"),
});

}  // namespace

std::span<const Row> system_rows() {
  return kRows;
}

}  // namespace tiercel::arm
