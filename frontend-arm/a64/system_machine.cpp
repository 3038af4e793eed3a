#include "frontend-arm/a64/system_machine.h"

#include "frontend-arm/a64/cpu_models.h"
#include "frontend-arm/a64/system_registers.h"

namespace tiercel::arm {
namespace {

constexpr u32 kCurrentEl = system_encoding(3, 0, 4, 2, 2), kSpSel = system_encoding(3, 0, 4, 2, 0),
              kDaif = system_encoding(3, 3, 4, 2, 1), kSpEl0 = system_encoding(3, 0, 4, 1, 0),
              kTpidrRo = system_encoding(3, 3, 13, 0, 3);
// op1 and op2 of MSR (immediate), with CRm's place zero.
constexpr u32 kDaifSet = system_encoding(0, 3, 4, 0, 6), kDaifClr = system_encoding(0, 3, 4, 0, 7);

bool read_slot(Translate& t, Reg rt, Type type, u16 from) {
  t.set_x(rt, t.ir.get(type, from));
  return t.next();
}
bool read_constant(Translate& t, Reg rt, u64 value) {
  t.set_x(rt, t.ir.i64(value));
  return t.next();
}

}  // namespace

bool machine_mrs(Translate& t, Reg rt) {
  const u32 encoding = system_encoding_of(t.word);
  if (!t.el1()) return t.system();
  switch (encoding) {
    case kCurrentEl:
      return read_constant(t, rt, pstate::kEl1);
    case kSpSel:
      return read_constant(t, rt, t.mode & mode::kSpEl0 ? 0 : 1);
    case kDaif:
      return read_slot(t, rt, Type::I32, slot::kDaif);
    case kSpEl0:
      return t.mode & mode::kSpEl0 ? t.undefined() : read_slot(t, rt, Type::I64, slot::kSpEl0);
    default:
      break;
  }
  if (const SystemRegister* r = find_system_register(encoding)) return read_slot(t, rt, Type::I64, r->slot);
  if (const auto value = t.model->value(encoding)) return read_constant(t, rt, *value);
  return t.system();
}

bool machine_msr(Translate& t, Reg rt) {
  const u32 encoding = system_encoding_of(t.word);
  if (!t.el1()) return t.system();
  const auto store = [&](u16 to) {
    t.ir.set(to, t.x(Type::I64, rt));
    return t.next();
  };
  if (encoding == kSpEl0) return t.mode & mode::kSpEl0 ? t.undefined() : store(slot::kSpEl0);
  if (encoding == kTpidrRo) return store(slot::kTpidrRo);
  if (encoding == kDaif) {
    t.ir.set(slot::kDaif, t.ir.and_(t.x(Type::I32, rt), t.ir.i32(pstate::kDaif)));
    return t.exit_after(ir::ExitKind::Unmask);
  }
  const SystemRegister* r = find_system_register(encoding);
  if (!r || r->write == RegisterWrite::Handled) return t.system();
  Value v = t.x(Type::I64, rt);
  if (r->mask != ~u64{0}) v = t.ir.and_(v, t.ir.i64(r->mask));
  if (const u64 fixed = r->reset & ~r->mask) v = t.ir.or_(v, t.ir.i64(fixed));
  t.ir.set(r->slot, v);
  return t.next();
}

bool machine_msr_immediate(Translate& t, u32 imm) {
  const u32 which = system_encoding_of(t.word) & ~(u32{15} << 3);
  if (!t.el1() || (which != kDaifSet && which != kDaifClr)) return t.system();
  const Value daif = t.ir.get(Type::I32, slot::kDaif);
  if (which == kDaifSet) {
    t.ir.set(slot::kDaif, t.ir.or_(daif, t.ir.i32(imm << 6)));
    return t.next();
  }
  t.ir.set(slot::kDaif, t.ir.and_(daif, t.ir.i32(~(imm << 6))));
  return t.exit_after(ir::ExitKind::Unmask);
}

}  // namespace tiercel::arm
