// AES (FIPS 197), SHA-1 and SHA-256 (FIPS 180-4) steps as the Arm ARM cuts them into instructions.
#include <array>
#include <bit>

#include "ir/eval_internal.h"

namespace tiercel::ir::detail {
namespace {

constexpr u8 times2(u8 x) {
  return static_cast<u8>(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}
constexpr u8 gf_mul(u8 a, u8 b) {
  u8 r = 0;
  for (; b != 0; b >>= 1, a = times2(a))
    if (b & 1) r ^= a;
  return r;
}

struct SBoxes {
  std::array<u8, 256> forward{}, inverse{};
};
/// FIPS 197, SubBytes: the multiplicative inverse, then an affine map. 3 generates the multiplicative group, so the
/// inverse of 3^i is 3^(255 - i): few steps, because a compiler bounds those of a constant expression.
constexpr SBoxes make_sboxes() {
  std::array<u8, 256> power{};
  power[0] = 1;
  for (unsigned i = 1; i < 256; ++i) power[i] = static_cast<u8>(power[i - 1] ^ times2(power[i - 1]));
  SBoxes s;
  const auto place = [&s](u8 x, u8 inverse) {
    u8 y = 0x63;
    for (int k = 0; k < 5; ++k) y ^= std::rotl(inverse, k);
    s.forward[x] = y;
    s.inverse[y] = x;
  };
  place(0, 0);
  for (unsigned i = 0; i < 255; ++i) place(power[i], power[255 - i]);
  return s;
}

u8 byte(const U128& v, unsigned i) {
  return static_cast<u8>(lane(v, 8, i & 15));
}
u32 word(const U128& v, unsigned i) {
  return static_cast<u32>(lane(v, 32, i));
}

/// Row r of the state (bytes r, r+4, ...) moves left by r columns, or right for the inverse; then the S-box.
U128 shift_and_substitute(const U128& a, bool inverse) {
  static constexpr SBoxes kSBoxes = make_sboxes();
  U128 r;
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned row = i & 3;
    const u8 from = byte(a, inverse ? i - 4 * row : i + 4 * row);
    set_lane(r, 8, i, inverse ? kSBoxes.inverse[from] : kSBoxes.forward[from]);
  }
  return r;
}

U128 mix_columns(const U128& a, std::array<u8, 4> coefficients) {
  U128 r;
  for (unsigned i = 0; i < 16; ++i) {
    u8 x = 0;
    for (unsigned k = 0; k < 4; ++k) x ^= gf_mul(byte(a, (i & ~3u) + ((i + k) & 3)), coefficients[k]);
    set_lane(r, 8, i, x);
  }
  return r;
}

u32 choose(u32 x, u32 y, u32 z) {
  return ((y ^ z) & x) ^ z;
}
u32 majority(u32 x, u32 y, u32 z) {
  return (x & y) | ((x | y) & z);
}
u32 parity(u32 x, u32 y, u32 z) {
  return x ^ y ^ z;
}

/// Four rounds of SHA-1; Arm ARM "SHA1C".
template <typename Fn>
U128 sha1_hash(const U128* args, Fn fn) {
  u32 x[4] = {word(args[0], 0), word(args[0], 1), word(args[0], 2), word(args[0], 3)};
  u32 y = word(args[1], 0);
  for (unsigned e = 0; e < 4; ++e) {
    y += std::rotl(x[0], 5) + fn(x[1], x[2], x[3]) + word(args[2], e);
    x[1] = std::rotl(x[1], 30);
    const u32 top = x[3];
    x[3] = x[2];
    x[2] = x[1];
    x[1] = x[0];
    x[0] = y;
    y = top;
  }
  return {x[0] | u64{x[1]} << 32, x[2] | u64{x[3]} << 32};
}

U128 sha1_su1(const U128& a, const U128& b) {
  const u32 t[4] = {word(a, 0) ^ word(b, 1), word(a, 1) ^ word(b, 2), word(a, 2) ^ word(b, 3), word(a, 3)};
  U128 r;
  for (unsigned i = 0; i < 4; ++i) set_lane(r, 32, i, std::rotl(t[i], 1) ^ (i == 3 ? std::rotl(t[0], 2) : 0));
  return r;
}

/// Four rounds of SHA-256; Arm ARM "SHA256hash".
U128 sha256_hash(U128 x, U128 y, const U128& w, bool first_part) {
  for (unsigned e = 0; e < 4; ++e) {
    const u32 y0 = word(y, 0), x0 = word(x, 0);
    const u32 sigma1 = std::rotr(y0, 6) ^ std::rotr(y0, 11) ^ std::rotr(y0, 25);
    const u32 sigma0 = std::rotr(x0, 2) ^ std::rotr(x0, 13) ^ std::rotr(x0, 22);
    const u32 t = word(y, 3) + sigma1 + choose(y0, word(y, 1), word(y, 2)) + word(w, e);
    const u32 new_x3 = t + word(x, 3);
    const u32 new_y3 = t + sigma0 + majority(x0, word(x, 1), word(x, 2));
    x = {new_y3 | x.lo << 32, x.lo >> 32 | x.hi << 32};
    y = {new_x3 | y.lo << 32, y.lo >> 32 | y.hi << 32};
  }
  return first_part ? x : y;
}

U128 sha256_su0(const U128& a, const U128& b) {
  U128 r;
  for (unsigned e = 0; e < 4; ++e) {
    const u32 t = e == 3 ? word(b, 0) : word(a, e + 1);
    set_lane(r, 32, e, (std::rotr(t, 7) ^ std::rotr(t, 18) ^ t >> 3) + word(a, e));
  }
  return r;
}

U128 sha256_su1(const U128& a, const U128& b, const U128& c) {
  U128 r;
  for (unsigned e = 0; e < 4; ++e) {
    const u32 t1 = e < 2 ? word(c, e + 2) : word(r, e - 2);
    const u32 t0 = e == 3 ? word(c, 0) : word(b, e + 1);
    set_lane(r, 32, e, (std::rotr(t1, 17) ^ std::rotr(t1, 19) ^ t1 >> 10) + word(a, e) + t0);
  }
  return r;
}

}  // namespace

U128 eval_crypto(const PureOp& op, const U128* args) {
  const U128 &a = args[0], &b = args[1], &c = args[2];
  switch (op.op) {
    case Opcode::AesEnc:
      return shift_and_substitute(a, false);
    case Opcode::AesDec:
      return shift_and_substitute(a, true);
    case Opcode::AesMix:
      return mix_columns(a, {2, 3, 1, 1});
    case Opcode::AesInvMix:
      return mix_columns(a, {14, 11, 13, 9});
    case Opcode::Sha1C:
      return sha1_hash(args, choose);
    case Opcode::Sha1P:
      return sha1_hash(args, parity);
    case Opcode::Sha1M:
      return sha1_hash(args, majority);
    case Opcode::Sha1H:
      return scalar(std::rotl(word(a, 0), 30));
    case Opcode::Sha1Su0:
      return {a.hi ^ a.lo ^ c.lo, b.lo ^ a.hi ^ c.hi};
    case Opcode::Sha1Su1:
      return sha1_su1(a, b);
    case Opcode::Sha256H:
      return sha256_hash(a, b, c, true);
    case Opcode::Sha256H2:
      return sha256_hash(b, a, c, false);
    case Opcode::Sha256Su0:
      return sha256_su0(a, b);
    case Opcode::Sha256Su1:
      return sha256_su1(a, b, c);
    default:
      UNREACHABLE();
  }
}

}  // namespace tiercel::ir::detail
