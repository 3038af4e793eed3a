// Arm ARM (DDI 0487), encoding classes "Cryptographic AES", "Cryptographic three-register SHA" and "Cryptographic
// two-register SHA".

#include <array>

#include "frontend-arm/a64/simd.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

// AESE, AESD add the round key before the substitution.
template <Opcode O>
bool aes_round(Translate& t, VReg n, VReg d) {
  const Value state = t.ir.vec(Opcode::VXor, Arr::B16, {t.v(d), t.v(n)});
  t.set_v(d, t.ir.op(O, Type::V128, {state}));
  return t.next();
}

template <Opcode O>
bool one(Translate& t, VReg n, VReg d) {
  t.set_v(d, t.ir.op(O, Type::V128, {t.v(n)}));
  return t.next();
}
template <Opcode O>
bool two(Translate& t, VReg n, VReg d) {
  t.set_v(d, t.ir.op(O, Type::V128, {t.v(d), t.v(n)}));
  return t.next();
}
template <Opcode O>
bool three(Translate& t, VReg m, VReg n, VReg d) {
  t.set_v(d, t.ir.op(O, Type::V128, {t.v(d), t.v(n), t.v(m)}));
  return t.next();
}

using enum Opcode;
constexpr auto kRows = std::to_array<Row>({
    row<"01001110 00 10100 00100 10 Rn:5 Rd:5", aes_round<AesEnc>>("aese {Rd:.16b}, {Rn:.16b}", Feature::AES, "AESE"),
    row<"01001110 00 10100 00101 10 Rn:5 Rd:5", aes_round<AesDec>>("aesd {Rd:.16b}, {Rn:.16b}", Feature::AES, "AESD"),
    row<"01001110 00 10100 00110 10 Rn:5 Rd:5", one<AesMix>>("aesmc {Rd:.16b}, {Rn:.16b}", Feature::AES, "AESMC"),
    row<"01001110 00 10100 00111 10 Rn:5 Rd:5", one<AesInvMix>>("aesimc {Rd:.16b}, {Rn:.16b}", Feature::AES, "AESIMC"),

    row<"01011110 00 0 Rm:5 0 000 00 Rn:5 Rd:5", three<Sha1C>>("sha1c {Rd:q}, {Rn:S}, {Rm:.4s}", Feature::SHA1,
                                                               "SHA1C"),
    row<"01011110 00 0 Rm:5 0 001 00 Rn:5 Rd:5", three<Sha1P>>("sha1p {Rd:q}, {Rn:S}, {Rm:.4s}", Feature::SHA1,
                                                               "SHA1P"),
    row<"01011110 00 0 Rm:5 0 010 00 Rn:5 Rd:5", three<Sha1M>>("sha1m {Rd:q}, {Rn:S}, {Rm:.4s}", Feature::SHA1,
                                                               "SHA1M"),
    row<"01011110 00 0 Rm:5 0 011 00 Rn:5 Rd:5", three<Sha1Su0>>("sha1su0 {Rd:.4s}, {Rn:.4s}, {Rm:.4s}", Feature::SHA1,
                                                                 "SHA1SU0"),
    row<"01011110 00 0 Rm:5 0 100 00 Rn:5 Rd:5", three<Sha256H>>("sha256h {Rd:q}, {Rn:q}, {Rm:.4s}", Feature::SHA256,
                                                                 "SHA256H"),
    row<"01011110 00 0 Rm:5 0 101 00 Rn:5 Rd:5", three<Sha256H2>>("sha256h2 {Rd:q}, {Rn:q}, {Rm:.4s}", Feature::SHA256,
                                                                  "SHA256H2"),
    row<"01011110 00 0 Rm:5 0 110 00 Rn:5 Rd:5", three<Sha256Su1>>("sha256su1 {Rd:.4s}, {Rn:.4s}, {Rm:.4s}",
                                                                   Feature::SHA256, "SHA256SU1"),

    row<"01011110 00 10100 00000 10 Rn:5 Rd:5", one<Sha1H>>("sha1h {Rd:S}, {Rn:S}", Feature::SHA1, "SHA1H"),
    row<"01011110 00 10100 00001 10 Rn:5 Rd:5", two<Sha1Su1>>("sha1su1 {Rd:.4s}, {Rn:.4s}", Feature::SHA1, "SHA1SU1"),
    row<"01011110 00 10100 00010 10 Rn:5 Rd:5", two<Sha256Su0>>("sha256su0 {Rd:.4s}, {Rn:.4s}", Feature::SHA256,
                                                                "SHA256SU0"),
});

}  // namespace

std::span<const Row> crypto_rows() {
  return kRows;
}

}  // namespace tiercel::arm
