// Arm ARM (DDI 0487), "Branches, Exception Generating and System instructions": branches and exception generation.
#include <array>

#include "frontend-arm/a64/slices.h"
#include "frontend-arm/a64/translate.h"

namespace tiercel::arm {
namespace {

template <unsigned N>
u64 target(const Translate& t, Imm<N> offset) {
  return t.pc + static_cast<u64>(offset.sext() * 4);
}

// B forward inside the page: decoding just goes on there. The bytes skipped count as part of the block, which costs
// nothing but an invalidation when they change.
bool b(Translate& t, Imm<26> offset) {
  const u64 to = target(t, offset);
  if (to > t.pc && to < t.page_end && t.page_end - to >= 4) {
    t.next_pc = to;
    return t.next();
  }
  t.ir.jump(to);
  return false;
}

bool bl(Translate& t, Imm<26> offset) {
  t.set_x({30}, t.ir.code_address(t.pc + 4));
  t.ir.call(target(t, offset), t.pc + 4);
  return false;
}

bool br(Translate& t, Reg n) {
  t.ir.jump_indirect(t.x(Type::I64, n));
  return false;
}

// BLR X30 jumps to the old X30.
bool blr(Translate& t, Reg n) {
  const Value to = t.x(Type::I64, n);
  t.set_x({30}, t.ir.code_address(t.pc + 4));
  t.ir.call_indirect(to, t.pc + 4);
  return false;
}

bool ret(Translate& t, Reg n) {
  t.ir.ret(t.x(Type::I64, n));
  return false;
}

bool branch_if(Translate& t, Value condition, u64 taken) {
  t.ir.branch(condition, taken, t.pc + 4);
  return false;
}

bool b_cond(Translate& t, Imm<19> offset, u32 cond) {
  return branch_if(t, t.condition(cond), target(t, offset));
}

template <Opcode compare>
bool compare_and_branch(Translate& t, bool sf, Imm<19> offset, Reg rt) {
  const Width w = width(sf);
  return branch_if(t, t.ir.cmp(compare, t.x(w, rt), t.imm(w, 0)), target(t, offset));
}

template <bool nonzero>
bool test_and_branch(Translate& t, bool b5, u32 b40, Imm<14> offset, Reg rt) {
  const Value bit = t.ir.test_bit(t.x(width(b5), rt), b40 | (b5 ? 32 : 0));
  if (nonzero) return branch_if(t, bit, target(t, offset));
  t.ir.branch(bit, t.pc + 4, target(t, offset));
  return false;
}

// -- Exception generation --------------------------------------------------------------------------------------------

bool svc(Translate& t, Imm<16> imm) {
  return t.exit_after(ir::ExitKind::Syscall, imm.zext());
}

bool brk(Translate& t, Imm<16> imm) {
  t.ir.exit(ir::ExitKind::Breakpoint, t.pc, imm.zext());
  return false;
}

// HLT without halting debug, DCPS and UDF.
bool always_undefined(Translate& t, Imm<16>) {
  return t.undefined();
}

bool el1_call(Translate& t, Imm<16>) {
  return t.el1() ? t.system() : t.undefined();
}

bool eret(Translate& t) {
  return t.el1() ? t.system() : t.undefined();
}

// A return from debug state.
bool drps(Translate& t) {
  return t.undefined();
}

constexpr auto kRows = std::to_array<Row>({
    row<"0 00101 imm:26", b>("b {imm:pc}", "B"),
    row<"1 00101 imm:26", bl>("bl {imm:pc}", "BL"),
    row<"1101011 0000 11111 000000 Rn:5 00000", br>("br {Rn:x}", "BR"),
    row<"1101011 0001 11111 000000 Rn:5 00000", blr>("blr {Rn:x}", "BLR"),
    row<"1101011 0010 11111 000000 Rn:5 00000", ret>("ret {Rn:x}", "RET"),
    row<"1101011 0100 11111 000000 11111 00000", eret>("eret", "ERET"),
    row<"1101011 0101 11111 000000 11111 00000", drps>("drps", "DRPS"),
    row<"0101010 0 imm:19 0 cond:4", b_cond>("b.{cond:c} {imm:pc}", "B.cond"),
    row<"sf 011010 0 imm:19 Rt:5", compare_and_branch<Opcode::CmpEq>>("cbz {Rt:r}, {imm:pc}", "CBZ"),
    row<"sf 011010 1 imm:19 Rt:5", compare_and_branch<Opcode::CmpNe>>("cbnz {Rt:r}, {imm:pc}", "CBNZ"),
    row<"b5 011011 0 b40:5 imm:14 Rt:5", test_and_branch<false>>("tbz {@tested_bit}, {imm:pc}", "TBZ"),
    row<"b5 011011 1 b40:5 imm:14 Rt:5", test_and_branch<true>>("tbnz {@tested_bit}, {imm:pc}", "TBNZ"),

    row<"11010100 000 imm:16 000 01", svc>("svc #{imm}", "SVC"),
    row<"11010100 000 imm:16 000 10", el1_call>("hvc #{imm}", "HVC"),
    row<"11010100 000 imm:16 000 11", el1_call>("smc #{imm}", "SMC"),
    row<"11010100 001 imm:16 000 00", brk>("brk #{imm}", "BRK"),
    row<"11010100 010 imm:16 000 00", always_undefined>("hlt #{imm}", "HLT"),
    row<"11010100 101 imm:16 000 01", always_undefined>("dcps1 #{imm}", "DCPS1"),
    row<"11010100 101 imm:16 000 10", always_undefined>("dcps2 #{imm}", "DCPS2"),
    row<"11010100 101 imm:16 000 11", always_undefined>("dcps3 #{imm}", "DCPS3"),
    row<"0000000000000000 imm:16", always_undefined>("udf #{imm}", "UDF"),
});

}  // namespace

std::span<const Row> branches_rows() {
  return kRows;
}

}  // namespace tiercel::arm
