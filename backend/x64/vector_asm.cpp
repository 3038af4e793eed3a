#include "backend/x64/vector_asm.h"

#include "base/check.h"

namespace tiercel::backend::x64 {

namespace x86 = asmjit::x86;

void VectorAsm::emit(u32 id, Xmm d, const Operand& x, int imm) {
  if (imm < 0)
    a.emit(id, d, x);
  else
    a.emit(id, d, x, asmjit::Imm(imm));
}

void VectorAsm::emit(u32 id, Xmm d, Xmm x, const Operand& y, int imm) {
  if (imm < 0)
    a.emit(id, d, x, y);
  else
    a.emit(id, d, x, y, asmjit::Imm(imm));
}

void VectorAsm::three(const VOp& o, Xmm d, Xmm x, const Operand& y, int imm) {
  if (avx) {
    if (!high(d) && !high(x) && !high(y) && o.vex) return emit(o.vex, d, x, y, imm);
    if (o.evex) return emit(o.evex, d, x, y, imm);
    const Xmm low_x = low(x);
    const Xmm low_d = high(d) ? e.temp_xmm_low() : d;
    if (high(y))
      emit(o.vex, low_d, low_x, low(y.as<Xmm>()), imm);
    else
      emit(o.vex, low_d, low_x, y, imm);
    return mov(d, low_d);
  }
  CHECK(o.sse != 0);
  if (d == x) return emit(o.sse, d, y, imm);
  if (d != y) {
    mov(d, x);
    return emit(o.sse, d, y, imm);
  }
  if (o.commutes) return emit(o.sse, d, x, imm);
  const Xmm t = tmp();
  mov(t, x);
  emit(o.sse, t, y, imm);
  mov(d, t);
}

void VectorAsm::two(const VOp& o, Xmm d, const Operand& x, int imm) {
  if (!avx) return emit(o.sse, d, x, imm);
  if (!high(d) && !high(x) && o.vex) return emit(o.vex, d, x, imm);
  if (o.evex) return emit(o.evex, d, x, imm);
  const Xmm low_d = high(d) ? e.temp_xmm_low() : d;
  if (high(x))
    emit(o.vex, low_d, low(x.as<Xmm>()), imm);
  else
    emit(o.vex, low_d, x, imm);
  mov(d, low_d);
}

void VectorAsm::shift(const VOp& o, Xmm d, Xmm x, unsigned imm) {
  if (avx) return two(o, d, x, static_cast<int>(imm));
  mov(d, x);
  a.emit(o.sse, d, asmjit::Imm(imm));
}

void VectorAsm::mov(Xmm d, Xmm x) {
  if (d == x) return;
  if (avx)
    a.vmovaps(d, x);
  else
    a.movaps(d, x);
}

void VectorAsm::load(Xmm d, const Mem& m) {
  if (avx)
    a.vmovaps(d, m);
  else
    a.movaps(d, m);
}

void VectorAsm::zero(Xmm d) {
  op(vop::pxor, d, d, d);
}

void VectorAsm::ones(Xmm d) {
  if (!avx)
    a.pcmpeqd(d, d);
  else if (!high(d))
    a.vpcmpeqd(d, d, d);
  else
    a.vpternlogd(d, d, d, 0xff);
}

void VectorAsm::invert(Xmm d, Xmm x) {
  op(vop::pxor, d, x, splat(~u64{0}));
}

void VectorAsm::zero_above_32(Xmm d, Xmm x) {
  // insertps: lane 0 to lane 0, lanes 1..3 zeroed.
  op(vop::insertps, d, x, x, 0x0e);
}

VectorAsm::Xmm VectorAsm::low(Xmm x) {
  if (!high(x)) return x;
  const Xmm t = e.temp_xmm_low();
  mov(t, x);
  return t;
}

}  // namespace tiercel::backend::x64
