#include <array>

#include "tests/ir/eval_helper.h"

namespace tiercel::ir {
namespace {

using enum Opcode;

U128 run(Opcode o, std::initializer_list<U128> args) {
  return evaluate(make_op(o, Type::V128), args);
}
constexpr U128 words(u32 a, u32 b, u32 c, u32 d) {
  return {a | u64{b} << 32, c | u64{d} << 32};
}
u32 word(const U128& v, unsigned i) {
  return static_cast<u32>((i < 2 ? v.lo : v.hi) >> (32 * (i & 1)));
}
U128 add(const U128& a, u32 k) {
  return words(word(a, 0) + k, word(a, 1) + k, word(a, 2) + k, word(a, 3) + k);
}

// FIPS 197 appendix B, round 1.
TEST(EvalCrypto, AesRoundOfTheStandard) {
  const U128 input{0x2be2f4a0bee33d19, 0x0848f8e92a8dc69a}, shifted{0xae52b4e0305dbfd4, 0xe598271ef11141b8},
      mixed{0x9a19cbe0e5816604, 0x4c2606287ad3f848};
  EXPECT_EQ(run(AesEnc, {input}), shifted);
  EXPECT_EQ(run(AesDec, {shifted}), input);
  EXPECT_EQ(run(AesMix, {shifted}), mixed);
  EXPECT_EQ(run(AesInvMix, {mixed}), shifted);
}

// The block of the empty message, FIPS 180-4.
TEST(EvalCrypto, Sha1OfNothing) {
  std::array<U128, 20> w{};
  w[0] = words(0x80000000, 0, 0, 0);
  for (unsigned i = 4; i < 20; ++i) w[i] = run(Sha1Su1, {run(Sha1Su0, {w[i - 4], w[i - 3], w[i - 2]}), w[i - 1]});
  const U128 start = words(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  U128 abcd = start, e = words(0xc3d2e1f0, 0, 0, 0);
  constexpr Opcode kSteps[] = {Sha1C, Sha1P, Sha1M, Sha1P};
  constexpr u32 kConstants[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
  for (unsigned i = 0; i < 20; ++i) {
    const U128 next_e = run(Sha1H, {abcd});
    abcd = run(kSteps[i / 5], {abcd, e, add(w[i], kConstants[i / 5])});
    e = next_e;
  }
  EXPECT_EQ(words(word(abcd, 0) + word(start, 0), word(abcd, 1) + word(start, 1), word(abcd, 2) + word(start, 2),
                  word(abcd, 3) + word(start, 3)),
            words(0xda39a3ee, 0x5e6b4b0d, 0x3255bfef, 0x95601890));
  EXPECT_EQ(word(e, 0) + 0xc3d2e1f0, 0xafd80709u);
}

TEST(EvalCrypto, Sha256OfNothing) {
  constexpr u32 kK[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
      0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
      0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
      0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
      0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
      0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
  std::array<U128, 16> w{};
  w[0] = words(0x80000000, 0, 0, 0);
  for (unsigned i = 4; i < 16; ++i) w[i] = run(Sha256Su1, {run(Sha256Su0, {w[i - 4], w[i - 3]}), w[i - 2], w[i - 1]});
  const U128 abcd0 = words(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a);
  const U128 efgh0 = words(0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
  U128 abcd = abcd0, efgh = efgh0;
  for (unsigned i = 0; i < 16; ++i) {
    const U128 k = words(word(w[i], 0) + kK[4 * i], word(w[i], 1) + kK[4 * i + 1], word(w[i], 2) + kK[4 * i + 2],
                         word(w[i], 3) + kK[4 * i + 3]);
    const U128 next = run(Sha256H, {abcd, efgh, k});
    efgh = run(Sha256H2, {efgh, abcd, k});
    abcd = next;
  }
  EXPECT_EQ(word(abcd, 0) + word(abcd0, 0), 0xe3b0c442u);
  EXPECT_EQ(word(abcd, 3) + word(abcd0, 3), 0x996fb924u);
  EXPECT_EQ(word(efgh, 3) + word(efgh0, 3), 0x7852b855u);
}

}  // namespace
}  // namespace tiercel::ir
