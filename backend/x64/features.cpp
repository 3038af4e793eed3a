#include <cpuid.h>

#include "backend/backend.h"

namespace tiercel::backend {
namespace {

struct Leaf {
  u32 a = 0, b = 0, c = 0, d = 0;
  Leaf(u32 leaf, u32 sub) { __get_cpuid_count(leaf, sub, &a, &b, &c, &d); }
};
constexpr bool bit(u32 word, unsigned n) {
  return word >> n & 1;
}

/// Register state the operating system saves (SDM vol. 1 "Detection of AVX Instructions").
u32 enabled_state() {
  u32 low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

}  // namespace

HostFeatures HostFeatures::detect() {
  HostFeatures h;
  const Leaf basic(1, 0), more(7, 0), extended(0x80000001, 0);
  h.aes = bit(basic.c, 25);
  h.pclmul = bit(basic.c, 1);
  h.bmi1 = bit(more.b, 3);
  h.bmi2 = bit(more.b, 8);
  h.lzcnt = bit(extended.c, 5);
  h.sha = bit(more.b, 29);
  const u32 state = bit(basic.c, 27) ? enabled_state() : 0;
  if ((state & 6) != 6) return h;  // XMM and YMM
  h.avx = bit(basic.c, 28);
  h.fma = bit(basic.c, 12);
  h.f16c = bit(basic.c, 29);
  h.avx2 = bit(more.b, 5);
  h.gfni = bit(more.c, 8);
  h.vpclmul = bit(more.c, 10);
  if ((state & 0xe6) != 0xe6) return h;  // opmask and ZMM
  // VL with F, DQ, CD and BW
  h.avx512vl = bit(more.b, 31) && bit(more.b, 16) && bit(more.b, 17) && bit(more.b, 28) && bit(more.b, 30);
  h.avx512vbmi = h.avx512vl && bit(more.c, 1);
  h.avx512bitalg = h.avx512vl && bit(more.c, 12);
  return h;
}

HostFeatures HostFeatures::limited_to(u32 level) const {
  if (level <= 2) return {};
  HostFeatures h = *this;
  if (level == 3) h.avx512vl = h.avx512vbmi = h.avx512bitalg = h.gfni = h.vpclmul = false;
  return h;
}

}  // namespace tiercel::backend
