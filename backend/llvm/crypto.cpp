// AES, SHA-1, SHA-256, carry-less products and CRC-32C by the host's own instructions, where it has them.
#include <llvm/IR/IntrinsicsX86.h>

#include "backend/llvm/lowering.h"

namespace tiercel::backend::region {

namespace intrinsic = llvm::Intrinsic;

/// Null: not one of these, or not on this host.
llvm::Value* Lowering::emit_crypto(const Inst& inst) {
  switch (inst.op) {
    case Opcode::Crc32c:
      return crc32c(inst);
    case Opcode::VPMull:
      if (!features_.pclmul || ir::lane_bits(inst.arr) != 64) return nullptr;
      return host(intrinsic::x86_pclmulqdq, {arg(inst, 0), arg(inst, 1), b_.getInt8(0)});
    case Opcode::AesEnc:
    case Opcode::AesDec:
    case Opcode::AesMix:
    case Opcode::AesInvMix:
      return features_.aes ? aes(inst) : nullptr;
    // Arm's schedule words hold the round constants already, SHA1RNDS4 adds its own.
    case Opcode::Sha1C:
      return features_.sha ? sha1_rounds(inst, 0, 0x5a827999) : nullptr;
    case Opcode::Sha1P:
      return features_.sha ? sha1_rounds(inst, 1, 0x6ed9eba1) : nullptr;
    case Opcode::Sha1M:
      return features_.sha ? sha1_rounds(inst, 2, 0x8f1bbcdc) : nullptr;
    case Opcode::Sha1H:
    case Opcode::Sha1Su0:
    case Opcode::Sha1Su1:
      return sha1_schedule(inst);
    case Opcode::Sha256H:
    case Opcode::Sha256H2:
      return features_.sha ? sha256_rounds(inst) : nullptr;
    case Opcode::Sha256Su0:
      return features_.sha ? host(intrinsic::x86_sha256msg1, {words(inst, 0), words(inst, 1)}) : nullptr;
    case Opcode::Sha256Su1: {
      if (!features_.sha) return nullptr;
      llvm::Value* later = b_.CreateShuffleVector(words(inst, 1), words(inst, 2), {1, 2, 3, 4});
      return host(intrinsic::x86_sha256msg2, {b_.CreateAdd(words(inst, 0), later), words(inst, 2)});
    }
    default:
      return nullptr;
  }
}

llvm::Value* Lowering::words(const Inst& inst, unsigned k) {
  return lanes(arg(inst, k), 32);
}

llvm::Value* Lowering::host(llvm::Intrinsic::ID id, llvm::ArrayRef<llvm::Value*> args) {
  return b_.CreateBitCast(b_.CreateIntrinsic(id, {}, args), type(Type::V128));
}

llvm::Value* Lowering::crc32c(const Inst& inst) {
  const u64 bytes = inst.imm;
  if (bytes == 8) {
    llvm::Value* crc = b_.CreateZExt(arg(inst, 0), b_.getInt64Ty());
    return b_.CreateTrunc(b_.CreateIntrinsic(intrinsic::x86_sse42_crc32_64_64, {}, {crc, arg(inst, 1)}),
                          b_.getInt32Ty());
  }
  const llvm::Intrinsic::ID id = bytes == 1   ? intrinsic::x86_sse42_crc32_32_8
                                 : bytes == 2 ? intrinsic::x86_sse42_crc32_32_16
                                              : intrinsic::x86_sse42_crc32_32_32;
  llvm::Value* data = b_.CreateZExtOrTrunc(arg(inst, 1), b_.getIntNTy(static_cast<unsigned>(8 * bytes)));
  return b_.CreateIntrinsic(id, {}, {arg(inst, 0), data});
}

llvm::Value* Lowering::aes(const Inst& inst) {
  llvm::Value *x = arg(inst, 0), *no_key = llvm::Constant::getNullValue(x->getType());
  const Opcode before = (*block_->f)[inst.args[0]].op;
  switch (inst.op) {
    case Opcode::AesEnc:
      return host(intrinsic::x86_aesni_aesenclast, {x, no_key});
    case Opcode::AesDec:
      return host(intrinsic::x86_aesni_aesdeclast, {x, no_key});
    case Opcode::AesMix:
      // A whole round where the substitution stands just before; else AESDECLAST undoes what AESENC does first.
      if (before == Opcode::AesEnc)
        return host(intrinsic::x86_aesni_aesenc, {value((*block_->f)[inst.args[0]].args[0]), no_key});
      return host(intrinsic::x86_aesni_aesenc, {host(intrinsic::x86_aesni_aesdeclast, {x, no_key}), no_key});
    default:
      if (before == Opcode::AesDec)
        return host(intrinsic::x86_aesni_aesdec, {value((*block_->f)[inst.args[0]].args[0]), no_key});
      return host(intrinsic::x86_aesni_aesimc, {x});
  }
}

/// x86 keeps a in the top lane and adds e to the first schedule word in the top lane; Arm numbers from lane 0.
llvm::Value* Lowering::sha1_rounds(const Inst& inst, u8 function, u32 round_constant) {
  constexpr int kReversed[] = {3, 2, 1, 0};
  llvm::Value* state = b_.CreateShuffleVector(words(inst, 0), kReversed);
  llvm::Value* w = b_.CreateShuffleVector(words(inst, 2), kReversed);
  w = b_.CreateSub(w, splat(w, round_constant));
  llvm::Value* e = b_.CreateExtractElement(words(inst, 1), u64{0});
  w = b_.CreateAdd(w, b_.CreateInsertElement(splat(w, 0), e, u64{3}));
  llvm::Value* r = b_.CreateIntrinsic(intrinsic::x86_sha1rnds4, {}, {state, w, b_.getInt8(function)});
  return b_.CreateBitCast(b_.CreateShuffleVector(r, kReversed), type(Type::V128));
}

llvm::Value* Lowering::sha1_schedule(const Inst& inst) {
  const auto rotated = [&](llvm::Value* v, u64 n) {
    return b_.CreateIntrinsic(v->getType(), intrinsic::fshl, {v, v, splat(v, n)});
  };
  llvm::Value* x = words(inst, 0);
  llvm::Value* zero = splat(x, 0);
  llvm::Value* r;
  if (inst.op == Opcode::Sha1H) {
    r = b_.CreateShuffleVector(rotated(x, 30), zero, {0, 4, 5, 6});
  } else if (inst.op == Opcode::Sha1Su0) {  // Vd ^ (Vn<63:0> : Vd<127:64>) ^ Vm
    r = b_.CreateXor(b_.CreateXor(b_.CreateShuffleVector(x, words(inst, 1), {2, 3, 4, 5}), x), words(inst, 2));
  } else {  // T = Vd ^ (Vn >> 32); each lane rotated by 1, the last one also ^ rol(T[0], 2)
    llvm::Value* t = b_.CreateXor(x, b_.CreateShuffleVector(words(inst, 1), zero, {1, 2, 3, 4}));
    r = b_.CreateXor(rotated(t, 1), b_.CreateShuffleVector(rotated(t, 2), zero, {4, 5, 6, 0}));
  }
  return b_.CreateBitCast(r, type(Type::V128));
}

/// x86 splits the state as (f e b a) and (h g d c), lane 0 first, and does two rounds at a time.
llvm::Value* Lowering::sha256_rounds(const Inst& inst) {
  const bool first = inst.op == Opcode::Sha256H;
  llvm::Value *abcd = words(inst, first ? 0 : 1), *efgh = words(inst, first ? 1 : 0), *w = words(inst, 2);
  llvm::Value* feba = b_.CreateShuffleVector(efgh, abcd, {1, 0, 5, 4});
  llvm::Value* hgdc = b_.CreateShuffleVector(efgh, abcd, {3, 2, 7, 6});
  hgdc = b_.CreateIntrinsic(intrinsic::x86_sha256rnds2, {}, {hgdc, feba, w});
  w = b_.CreateShuffleVector(w, {2, 3, 0, 0});
  feba = b_.CreateIntrinsic(intrinsic::x86_sha256rnds2, {}, {feba, hgdc, w});
  constexpr int kHigh[] = {3, 2, 7, 6}, kLow[] = {1, 0, 5, 4};
  return b_.CreateBitCast(b_.CreateShuffleVector(feba, hgdc, first ? kHigh : kLow), type(Type::V128));
}

}  // namespace tiercel::backend::region
