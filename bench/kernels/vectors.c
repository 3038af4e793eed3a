// bench: class=simd flags=-O2 iterations=2000 quick=200
// 128-bit vectors written with gcc's vector extensions, so both machines get their own vector instructions from one
// text: an image filter in floats, a hash in 32-bit lanes, shuffles, compares and shifts in 8 and 16-bit lanes.
#include <string.h>

#include "kernel.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int8_t s8x16 __attribute__((vector_size(16)));

enum { kVectors = 2048 };

static u32x4 hash_lanes(const u32x4* data, u32x4 h) {
  for (int i = 0; i < kVectors; i++) {
    h ^= data[i];
    h *= (u32x4){0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f};
    h ^= h >> 15;
    h = h << 13 | h >> 19;
    h += __builtin_shuffle(h, (u32x4){1, 2, 3, 0});
  }
  return h;
}

static f32x4 filter(const f32x4* in, f32x4* out) {
  f32x4 most = {0, 0, 0, 0}, a = {.25f, .25f, .25f, .25f}, b = {.5f, .5f, .5f, .5f};
  for (int i = 1; i + 1 < kVectors; i++) {
    f32x4 v = in[i - 1] * a + in[i] * b + in[i + 1] * a;
    out[i] = v;
    most = (f32x4)(((u32x4)v & (u32x4)(v > most)) | ((u32x4)most & ~(u32x4)(v > most)));
  }
  return most;
}

static u8x16 bytes(const u8x16* data, u8x16 acc) {
  const u8x16 reverse = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
  for (int i = 0; i < kVectors; i++) {
    u8x16 v = data[i];
    u8x16 letter = (u8x16)((v > 96) & (v < 123));
    v -= letter & 32;
    acc += __builtin_shuffle(v, reverse) ^ (u8x16)((s8x16)acc > (s8x16)v);
    acc = acc << 1 | acc >> 7;
  }
  return acc;
}

static u16x8 halves(const u16x8* data, u16x8 acc) {
  for (int i = 0; i < kVectors; i++) {
    u16x8 v = data[i];
    acc = acc * 31 + (v >> 3) - (v << 2);
    acc ^= (u16x8)(v == acc);
  }
  return acc;
}

int main(int argc, char** argv) {
  static u32x4 words[kVectors];
  static f32x4 in[kVectors], out[kVectors];
  uint32_t seed = 37;
  for (int i = 0; i < kVectors; i++)
    for (int lane = 0; lane < 4; lane++) {
      words[i][lane] = kernel_random(&seed);
      in[i][lane] = (float)(kernel_random(&seed) % 1024);  // whole numbers and powers of two: sums are exact
    }
  u32x4 h = {1, 2, 3, 4};
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    h = hash_lanes(words, h);
    f32x4 most = filter(in, out);
    u8x16 b = bytes((const u8x16*)words, (u8x16)h);
    u16x8 s = halves((const u16x8*)words, (u16x8)b);
    h ^= (u32x4)s;
    sum = kernel_mix(sum, h[0] + (uint64_t)h[1] + h[2] + h[3] + (uint64_t)most[n & 3]);
    words[n % kVectors] ^= h;
  }
  return kernel_result(sum);
}
