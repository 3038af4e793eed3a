// flags: -march=armv8.1-a+crypto -ffp-contract=off
// One intrinsic of each family of Advanced SIMD and cryptography on random vectors; prints a hash of each one's
// results. neon.out comes from the reference emulator.
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t random_state = 88172645463325252u;
static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

// Integers at the start, singles at 1024, doubles at 2048.
static uint8_t buf[4096] __attribute__((aligned(16)));

static void fill(void) {
  for (int i = 0; i < 64; i++) {
    const uint64_t v = next_random();
    memcpy(buf + 8 * i, &v, 8);
  }
  for (int i = 0; i < 32; i++) {
    const float f = (float)((int64_t)next_random() >> 40) / (float)(1 + (next_random() & 1023));
    memcpy(buf + 1024 + 4 * i, &f, 4);
    const double d = (double)((int64_t)next_random() >> 20) / (double)(1 + (next_random() & 0xfffff));
    memcpy(buf + 2048 + 8 * i, &d, 8);
  }
}

static uint64_t hash(const void* p, size_t n) {
  const uint8_t* b = p;
  uint64_t x = 1469598103934665603u;
  for (size_t i = 0; i < n; i++) x = (x ^ b[i]) * 1099511628211u;
  return x;
}

#define CASE(name, type, expression)                          \
  do {                                                        \
    uint64_t all = 0;                                         \
    for (int i = 0; i < 200; i++) {                           \
      fill();                                                 \
      const type r = (expression);                            \
      all = all * 31 + hash(&r, sizeof r);                    \
    }                                                         \
    printf("%-18s %016llx\n", name, (unsigned long long)all); \
  } while (0)

#define U8(n) vld1q_u8(buf + 16 * (n))
#define D8(n) vld1_u8(buf + 8 * (n))
#define U16(n) vreinterpretq_u16_u8(U8(n))
#define S16(n) vreinterpretq_s16_u8(U8(n))
#define U32(n) vreinterpretq_u32_u8(U8(n))
#define S32(n) vreinterpretq_s32_u8(U8(n))
#define U64(n) vreinterpretq_u64_u8(U8(n))
#define S64(n) vreinterpretq_s64_u8(U8(n))
#define F32(n) vld1q_f32((const float*)(buf + 1024 + 16 * (n)))
#define F64(n) vld1q_f64((const double*)(buf + 2048 + 16 * (n)))

static void integers(void) {
  CASE("add", uint8x16_t, vaddq_u8(U8(0), U8(1)));
  CASE("qadd", int16x8_t, vqaddq_s16(S16(0), S16(1)));
  CASE("qdmulh", int16x8_t, vqdmulhq_s16(S16(0), S16(1)));
  CASE("qrdmulh lane", int32x4_t, vqrdmulhq_laneq_s32(S32(0), S32(1), 2));
  CASE("qrdmlah", int16x8_t, vqrdmlahq_s16(S16(0), S16(1), S16(2)));
  CASE("mull", int16x8_t, vmull_s8(vreinterpret_s8_u8(D8(0)), vreinterpret_s8_u8(D8(1))));
  CASE("mlal high", uint32x4_t, vmlal_high_u16(U32(0), U16(1), U16(2)));
  CASE("qdmlal", int64x2_t, vqdmlal_s32(S64(0), vget_low_s32(S32(1)), vget_high_s32(S32(1))));
  CASE("addhn high", uint8x16_t, vaddhn_high_u16(D8(5), U16(0), U16(1)));
  CASE("rshrn", uint8x8_t, vrshrn_n_u16(U16(0), 5));
  CASE("qrshrun", uint16x4_t, vqrshrun_n_s32(S32(0), 11));
  CASE("sri", uint8x16_t, vsriq_n_u8(U8(0), U8(1), 3));
  CASE("sli", uint64x2_t, vsliq_n_u64(U64(0), U64(1), 23));
  CASE("shl", int16x8_t, vshlq_s16(S16(0), vsubq_s16(vandq_s16(S16(1), vdupq_n_s16(31)), vdupq_n_s16(15))));
  CASE("qshlu", uint32x4_t, vqshluq_n_s32(S32(0), 4));
  CASE("padd", uint16x8_t, vpaddq_u16(U16(0), U16(1)));
  CASE("paddl", int16x8_t, vpaddlq_s8(vreinterpretq_s8_u8(U8(0))));
  CASE("abal", uint16x8_t, vabal_u8(U16(1), vget_low_u8(U8(0)), vget_high_u8(U8(0))));
  CASE("clz", uint32x4_t, vclzq_u32(U32(0)));
  CASE("qabs", int16x8_t, vqabsq_s16(S16(0)));
  CASE("qmovun", uint8x8_t, vqmovun_s16(S16(0)));
  CASE("bsl", uint8x16_t, vbslq_u8(U8(0), U8(1), U8(2)));
  CASE("cnt, addlv", uint16_t, vaddlvq_u8(vcntq_u8(U8(0))));
  CASE("maxv", int16_t, vmaxvq_s16(S16(0)));
  CASE("addv", uint32_t, vaddvq_u32(U32(0)));
}

static void permutations(void) {
  CASE("tbl 4", uint8x16_t, vqtbl4q_u8(vld1q_u8_x4(buf), vandq_u8(U8(1), vdupq_n_u8(95))));
  CASE("tbx 3", uint8x8_t, vqtbx3_u8(D8(0), vld1q_u8_x3(buf + 64), vand_u8(D8(1), vdup_n_u8(95))));
  CASE("ext", uint8x16_t, vextq_u8(U8(0), U8(1), 5));
  CASE("zip1", uint16x8_t, vzip1q_u16(U16(0), U16(1)));
  CASE("uzp2", uint32x4_t, vuzp2q_u32(U32(0), U32(1)));
  CASE("trn1", uint8x16_t, vtrn1q_u8(U8(0), U8(1)));
  CASE("rev64", uint8x16_t, vrev64q_u8(U8(0)));
}

static void structures(void) {
  CASE("ld2 16b", uint8x16x2_t, vld2q_u8(buf));
  CASE("ld3 16b", uint8x16x3_t, vld3q_u8(buf));
  CASE("ld3 8b", uint8x8x3_t, vld3_u8(buf));
  CASE("ld4 8h", uint16x8x4_t, vld4q_u16((const uint16_t*)buf));
  CASE("ld4 2s", uint32x2x4_t, vld4_u32((const uint32_t*)buf));
  CASE("ld4 2d", uint64x2x4_t, vld4q_u64((const uint64_t*)buf));
  CASE("ld3r 8h", uint16x8x3_t, vld3q_dup_u16((const uint16_t*)buf));
  CASE("ld2 lane", uint32x4x2_t, vld2q_lane_u32((const uint32_t*)buf, vld1q_u32_x2((const uint32_t*)(buf + 64)), 1));
  uint64_t all = 0;
  for (int i = 0; i < 200; i++) {
    fill();
    vst3q_u8(buf + 512, vld1q_u8_x3(buf));
    vst3_u8(buf + 600, vld1_u8_x3(buf));
    vst4q_u32((uint32_t*)(buf + 700), vld1q_u32_x4((const uint32_t*)buf));
    vst4_u16((uint16_t*)(buf + 800), vld1_u16_x4((const uint16_t*)buf));
    vst2q_u64((uint64_t*)(buf + 900), vld1q_u64_x2((const uint64_t*)buf));
    vst3_lane_u16((uint16_t*)(buf + 950), vld1_u16_x3((const uint16_t*)buf), 2);
    all = all * 31 + hash(buf, 1024);
  }
  printf("%-18s %016llx\n", "stores", (unsigned long long)all);
}

static void floating_point(void) {
  CASE("fma", float32x4_t, vfmaq_f32(F32(0), F32(1), F32(2)));
  CASE("fms lane", float32x4_t, vfmsq_laneq_f32(F32(0), F32(1), F32(2), 3));
  CASE("div", float64x2_t, vdivq_f64(F64(0), F64(1)));
  CASE("sqrt", float32x4_t, vsqrtq_f32(vabsq_f32(F32(0))));
  CASE("recpe", float32x4_t, vrecpeq_f32(F32(0)));
  CASE("rsqrte", float64x2_t, vrsqrteq_f64(vabsq_f64(F64(0))));
  CASE("recps", float32x4_t, vrecpsq_f32(F32(0), F32(1)));
  CASE("rsqrts", float32x4_t, vrsqrtsq_f32(F32(0), F32(1)));
  CASE("mulx", float32x4_t, vmulxq_f32(F32(0), F32(1)));
  CASE("maxnm", float32x4_t, vmaxnmq_f32(F32(0), F32(1)));
  CASE("minv", float, vminvq_f32(F32(0)));
  CASE("paddq", float64x2_t, vpaddq_f64(F64(0), F64(1)));
  CASE("cgt", uint32x4_t, vcgtq_f32(F32(0), F32(1)));
  CASE("cage", uint64x2_t, vcageq_f64(F64(0), F64(1)));
  CASE("rndx", float64x2_t, vrndxq_f64(F64(0)));
  CASE("rnda", float32x4_t, vrndaq_f32(F32(0)));
}

static void conversions(void) {
  CASE("to s32", int32x4_t, vcvtq_s32_f32(F32(0)));
  CASE("to u32, away", uint32x4_t, vcvtaq_u32_f32(F32(0)));
  CASE("to fixed s64", int64x2_t, vcvtq_n_s64_f64(F64(0), 7));
  CASE("from u64", float64x2_t, vcvtq_f64_u64(U64(0)));
  CASE("to half", float16x4_t, vcvt_f16_f32(F32(0)));
  CASE("from half", float32x4_t, vcvt_f32_f16(vreinterpret_f16_u8(D8(0))));
  CASE("to double, high", float64x2_t, vcvt_high_f64_f32(F32(0)));
  CASE("to single, odd", float32x2_t, vcvtx_f32_f64(F64(0)));
}

static void cryptography(void) {
  CASE("pmull 8", poly16x8_t, vmull_p8(vreinterpret_p8_u8(D8(0)), vreinterpret_p8_u8(D8(1))));
  CASE("pmull 64", poly128_t, vmull_p64((poly64_t)vgetq_lane_u64(U64(0), 0), (poly64_t)vgetq_lane_u64(U64(0), 1)));
  CASE("aese", uint8x16_t, vaesmcq_u8(vaeseq_u8(U8(0), U8(1))));
  CASE("aesd", uint8x16_t, vaesimcq_u8(vaesdq_u8(U8(0), U8(1))));
  CASE("sha1c", uint32x4_t, vsha1cq_u32(U32(0), vsha1h_u32(vgetq_lane_u32(U32(4), 0)), U32(1)));
  CASE("sha1p", uint32x4_t, vsha1pq_u32(U32(0), vgetq_lane_u32(U32(4), 0), U32(1)));
  CASE("sha1m", uint32x4_t, vsha1mq_u32(U32(0), vgetq_lane_u32(U32(4), 0), U32(1)));
  CASE("sha1su", uint32x4_t, vsha1su1q_u32(vsha1su0q_u32(U32(0), U32(1), U32(2)), U32(3)));
  CASE("sha256h", uint32x4_t, vsha256hq_u32(U32(0), U32(1), U32(2)));
  CASE("sha256h2", uint32x4_t, vsha256h2q_u32(U32(0), U32(1), U32(2)));
  CASE("sha256su", uint32x4_t, vsha256su1q_u32(vsha256su0q_u32(U32(0), U32(1)), U32(2), U32(3)));
}

int main(void) {
  integers();
  permutations();
  structures();
  floating_point();
  conversions();
  cryptography();
  return 0;
}
