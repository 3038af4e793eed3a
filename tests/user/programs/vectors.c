// AdvSIMD through intrinsics, and the crypto and CRC extensions, each against plain C.
// flags: -O2 -march=armv8-a+crypto+crc
#include <arm_acle.h>
#include <arm_neon.h>
#include <stdint.h>
#include "check.h"

static uint64_t state = 88172645463325252ull;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}
static uint8_t __attribute__((noinline)) saturate(int x) {
  return x < 0 ? 0 : x > 255 ? 255 : (uint8_t)x;
}

static uint32_t crc_plain(uint32_t crc, uint8_t byte, uint32_t polynomial) {
  crc ^= byte;
  for (int i = 0; i < 8; i++) crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
  return crc;
}

int main(void) {
  int add = 1, saturating = 1, table = 1, multiply = 1, narrow = 1, zip = 1, reduce = 1, shift = 1, compare = 1,
      wide = 1;
  for (int round = 0; round < 2000; round++) {
    uint8_t a[16], b[16], out[16];
    for (int i = 0; i < 16; i++) a[i] = (uint8_t)next(), b[i] = (uint8_t)(next() >> 5);
    uint8x16_t va = vld1q_u8(a), vb = vld1q_u8(b);
    vst1q_u8(out, vaddq_u8(va, vb));
    for (int i = 0; i < 16; i++) add &= out[i] == (uint8_t)(a[i] + b[i]);
    vst1q_u8(out, vqsubq_u8(va, vb));
    for (int i = 0; i < 16; i++) saturating &= out[i] == saturate(a[i] - b[i]);
    vst1q_u8(out, vqtbl1q_u8(va, vb));
    for (int i = 0; i < 16; i++) table &= out[i] == (b[i] < 16 ? a[b[i]] : 0);
    uint16_t product[8];
    vst1q_u16(product, vmull_u8(vget_low_u8(va), vget_high_u8(vb)));
    for (int i = 0; i < 8; i++) multiply &= product[i] == a[i] * b[i + 8];
    int16_t words[8];
    memcpy(words, a, 16);
    uint8_t narrowed[8];
    vst1_u8(narrowed, vqmovun_s16(vld1q_s16(words)));
    for (int i = 0; i < 8; i++) narrow &= narrowed[i] == saturate(words[i]);
    vst1q_u8(out, vzip1q_u8(va, vb));
    for (int i = 0; i < 16; i++) zip &= out[i] == (i % 2 ? b[i / 2] : a[i / 2]);
    unsigned sum = 0, most = 0;
    for (int i = 0; i < 16; i++) sum += a[i], most = a[i] > most ? a[i] : most;
    reduce &= vaddlvq_u8(va) == sum && vmaxvq_u8(va) == most;
    vst1q_u8(out, vshlq_u8(va, vreinterpretq_s8_u8(vb)));
    for (int i = 0; i < 16; i++) {
      int by = (int8_t)b[i];
      shift &= out[i] == (uint8_t)(by >= 8 || by <= -8 ? 0 : by >= 0 ? a[i] << by : a[i] >> -by);
    }
    vst1q_u8(out, vcgtq_s8(vreinterpretq_s8_u8(va), vreinterpretq_s8_u8(vb)));
    for (int i = 0; i < 16; i++) compare &= out[i] == ((int8_t)a[i] > (int8_t)b[i] ? 255 : 0);
    uint8x16x3_t three = vld3q_u8((uint8_t[48]){1, 2, 3, 4, 5, 6});
    wide &= three.val[0][1] == 4 && three.val[2][0] == 3;
  }
  CHECK(add);
  CHECK(saturating);
  CHECK(table);
  CHECK(multiply);
  CHECK(narrow);
  CHECK(zip);
  CHECK(reduce);
  CHECK(shift);
  CHECK(compare);
  CHECK(wide);

  float64x2_t x = {1.5, -2.25}, y = {3, 4};
  float64x2_t z = vfmaq_f64(y, x, x);
  CHECK(z[0] == 5.25 && z[1] == 9.0625);
  float32x4_t f = {1, 2, 3, 4};
  CHECK(vaddvq_f32(f) == 10 && vmaxvq_f32(f) == 4);
  CHECK(vcvtq_s32_f32((float32x4_t){1.9f, -1.9f, 3e9f, -3e9f})[2] == INT32_MAX);

  uint32_t crc = ~0u, crc_c = ~0u, plain = ~0u, plain_c = ~0u;
  for (int i = 0; i < 100; i++) {
    uint64_t word = next();
    crc = __crc32d(crc, word);
    crc_c = __crc32cd(crc_c, word);
    for (int k = 0; k < 8; k++)
      plain = crc_plain(plain, (uint8_t)(word >> 8 * k), 0xedb88320),
      plain_c = crc_plain(plain_c, (uint8_t)(word >> 8 * k), 0x82f63b78);
  }
  CHECK(crc == plain);
  CHECK(crc_c == plain_c);

  poly128_t p = vmull_p64(0xdeadbeefcafebabe, 0x123456789abcdef1);
  __uint128_t q = 0;
  for (int i = 0; i < 64; i++)
    if (0x123456789abcdef1ull >> i & 1) q ^= (__uint128_t)0xdeadbeefcafebabeull << i;
  CHECK((__uint128_t)p == q);

  // FIPS 197, appendix B: the state after one round.
  const uint8_t key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                           0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
  const uint8_t input[16] = {0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d,
                             0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34};
  const uint8_t mixed[16] = {0x04, 0x66, 0x81, 0xe5, 0xe0, 0xcb, 0x19, 0x9a,
                             0x48, 0xf8, 0xd3, 0x7a, 0x28, 0x06, 0x26, 0x4c};
  uint8_t block[16];
  vst1q_u8(block, vaesmcq_u8(vaeseq_u8(vld1q_u8(input), vld1q_u8(key))));
  CHECK(!memcmp(block, mixed, 16));
  uint8x16_t back = vaesdq_u8(vaeseq_u8(vld1q_u8(input), vdupq_n_u8(0)), vdupq_n_u8(0));
  vst1q_u8(block, back);
  CHECK(!memcmp(block, input, 16));

  // FIPS 180-4: SHA-256 and SHA-1 of the empty message's single block would need the whole schedule; one step is
  // enough.
  uint32x4_t abcd = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a},
             efgh = {0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint32x4_t schedule = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5};
  uint32_t s[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (int i = 0; i < 4; i++) {
#define ROTATE(v, n) ((v) >> (n) | (v) << (32 - (n)))
    uint32_t t1 =
        s[7] + (ROTATE(s[4], 6) ^ ROTATE(s[4], 11) ^ ROTATE(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + schedule[i];
    uint32_t t2 =
        (ROTATE(s[0], 2) ^ ROTATE(s[0], 13) ^ ROTATE(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 28);
    s[4] += t1;
    s[0] = t1 + t2;
  }
  uint32x4_t first = vsha256hq_u32(abcd, efgh, schedule), second = vsha256h2q_u32(efgh, abcd, schedule);
  CHECK(first[0] == s[0] && first[1] == s[1] && first[2] == s[2] && first[3] == s[3]);
  CHECK(second[0] == s[4] && second[1] == s[5] && second[2] == s[6] && second[3] == s[7]);
  CHECK(vsha1h_u32(0x80000001) == 0x60000000);
  return finish();
}
