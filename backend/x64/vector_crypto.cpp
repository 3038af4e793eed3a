// AES, SHA-1 and SHA-256 steps. The SHA instructions have legacy encodings only: registers xmm0..15, and
// sha256rnds2 reads its round constants from xmm0.
#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {

namespace x86 = asmjit::x86;

bool VectorEmitter::emit_crypto() {
  switch (inst_->op) {
    case Opcode::AesEnc:
    case Opcode::AesDec:
    case Opcode::AesMix:
    case Opcode::AesInvMix:
      return aes();
    // Arm's schedule words hold the round constants already, sha1rnds4 adds its own.
    case Opcode::Sha1C:
      return sha1_rounds(0, 0x5a827999);
    case Opcode::Sha1P:
      return sha1_rounds(1, 0x6ed9eba1);
    case Opcode::Sha1M:
      return sha1_rounds(2, 0x8f1bbcdc);
    case Opcode::Sha1H: {
      const Xmm x = in(0);
      const Xmm d = fresh();
      rotate_left(d, x, 30);
      zero_above_32(d, d);
      return finish(d);
    }
    case Opcode::Sha1Su0:
    case Opcode::Sha1Su1:
      return sha1_schedule();
    case Opcode::Sha256H:
    case Opcode::Sha256H2:
      return sha256_rounds();
    case Opcode::Sha256Su0:
    case Opcode::Sha256Su1:
      return sha256_schedule();
    default:
      return false;
  }
}

/// Is the substitution `v` made together with the column mixing that is its only use?
bool VectorEmitter::fuses_mix(ir::Value v) const {
  const Opcode o = f_[v].op;
  return (o == Opcode::AesEnc && sole_user(v) == Opcode::AesMix) ||
         (o == Opcode::AesDec && sole_user(v) == Opcode::AesInvMix);
}

bool VectorEmitter::aes() {
  if (!e.features().aes) return false;
  const bool mixes = inst_->op == Opcode::AesMix || inst_->op == Opcode::AesInvMix;
  if (mixes && fuses_mix(inst_->args[0])) {
    e.def_alias(index_, inst_->args[0]);
    return true;
  }
  const Xmm x = in(0);
  const Xmm d = fresh();
  if (inst_->op == Opcode::AesInvMix) {
    un(vop::aesimc, d, x);
    return finish(d);
  }
  const Xmm key = e.temp_xmm_low();
  zero(key);
  if (inst_->op == Opcode::AesMix) {  // aesdeclast undoes what aesenc does before MixColumns
    op(vop::aesdeclast, d, x, key);
    op(vop::aesenc, d, d, key);
    return finish(d);
  }
  const bool fused = fuses_mix(ir::Value{index_});
  if (inst_->op == Opcode::AesEnc)
    op(fused ? vop::aesenc : vop::aesenclast, d, x, key);
  else
    op(fused ? vop::aesdec : vop::aesdeclast, d, x, key);
  return finish(d);
}

/// x86 keeps a in the top lane and adds e to the first schedule word in the top lane; Arm numbers from lane 0.
bool VectorEmitter::sha1_rounds(unsigned function, u32 round_constant) {
  if (!e.features().sha) return false;
  const Xmm abcd = in(0), hash_e = in(1), words = in(2);
  const Xmm d = fresh();
  const Xmm state = e.temp_xmm_low(), w = e.temp_xmm_low();
  const u32 minus = 0u - round_constant;
  un(vop::pshufd, w, words, 0x1b);
  op(vop::paddd, w, w, splat(u64{minus} << 32 | minus));
  shift(vop::pslldq, state, hash_e, 12);
  op(vop::paddd, w, w, state);
  un(vop::pshufd, state, abcd, 0x1b);
  a.sha1rnds4(state, w, function);
  un(vop::pshufd, d, state, 0x1b);
  return finish(d);
}

void VectorEmitter::rotate_left(Xmm d, Xmm x, unsigned n) {
  if (v512) {
    a.vprold(d, x, n);
    return;
  }
  const Xmm t = tmp();
  shift(vop::psrld, t, x, 32 - n);
  shift(vop::pslld, d, x, n);
  op(vop::por, d, d, t);
}

bool VectorEmitter::sha1_schedule() {
  if (inst_->op == Opcode::Sha1Su0) {  // Vd ^ (Vn<63:0> : Vd<127:64>) ^ Vm
    const Xmm x = in(0), n = in(1), m = in(2);
    const Xmm d = fresh();
    op(vop::palignr, d, n, x, 8);
    op(vop::pxor, d, d, x);
    op(vop::pxor, d, d, m);
    return finish(d);
  }
  // T = Vd ^ (Vn >> 32); each lane rotated by 1, the last one also ^ rol(T[0], 2)
  const Xmm x = in(0), n = in(1);
  const Xmm d = fresh(), t = tmp(), u = tmp();
  shift(vop::psrldq, t, n, 4);
  op(vop::pxor, t, t, x);
  shift(vop::pslldq, u, t, 12);
  rotate_left(d, t, 1);
  rotate_left(t, u, 2);
  op(vop::pxor, d, d, t);
  return finish(d);
}

/// x86 splits the state as (f e b a) and (h g d c), lane 0 first, and does two rounds at a time.
bool VectorEmitter::sha256_rounds() {
  if (!e.features().sha) return false;
  const bool first = inst_->op == Opcode::Sha256H;
  const Xmm abcd = in(first ? 0 : 1), efgh = in(first ? 1 : 0), words = in(2);
  const Xmm d = fresh();
  const Xmm feba = e.temp_xmm_low(), hgdc = e.temp_xmm_low(), saved = tmp();
  op(vop::shufps, feba, efgh, abcd, 0x11);
  op(vop::shufps, hgdc, efgh, abcd, 0xbb);
  // The words go through xmm0; whatever it holds comes back afterwards. Neither temporary may be xmm0 itself.
  const Xmm p = feba.id() == 0 ? e.temp_xmm_low() : feba, q = hgdc.id() == 0 ? e.temp_xmm_low() : hgdc;
  mov(p, feba);
  mov(q, hgdc);
  const bool keep = d.id() != 0 && feba.id() != 0 && hgdc.id() != 0;
  if (keep) mov(saved, x86::xmm0);
  mov(x86::xmm0, words);
  a.sha256rnds2(q, p, x86::xmm0);
  un(vop::pshufd, x86::xmm0, x86::xmm0, 0x0e);
  a.sha256rnds2(p, q, x86::xmm0);
  if (keep) mov(x86::xmm0, saved);
  op(vop::shufps, d, p, q, first ? 0xbb : 0x11);
  return finish(d);
}

bool VectorEmitter::sha256_schedule() {
  if (!e.features().sha) return false;
  const Xmm x = in(0), n = in(1);
  if (inst_->op == Opcode::Sha256Su0) {
    const Xmm d = fresh(), t = e.temp_xmm_low(), low_n = low(n);
    mov(t, x);
    a.sha256msg1(t, low_n);
    mov(d, t);
    return finish(d);
  }
  const Xmm m = in(2);
  const Xmm d = fresh(), t = e.temp_xmm_low(), low_m = low(m);
  op(vop::palignr, t, m, n, 4);
  op(vop::paddd, t, t, x);
  a.sha256msg2(t, low_m);
  mov(d, t);
  return finish(d);
}

}  // namespace tiercel::backend::x64
