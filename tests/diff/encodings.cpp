#include "tests/diff/encodings.h"

namespace tiercel::test {

Access access_of(u32 w) {
  using Kind = Access::Kind;
  const u32 size = w >> 30, v = w >> 26 & 1;
  const u32 log2 = v ? ((w >> 23 & 1) << 2 | size) : size;  // of one register, except in pairs
  if ((w & 0x3b00'0000) == 0x1800'0000) return {Kind::Literal, 0, 16};
  if ((w & 0x3f00'0000) == 0x0800'0000) {  // exclusives, ordered, CAS
    const bool casp = (w >> 31) == 0 && (w >> 21 & 1) && (w >> 23 & 1) == 0 && (w >> 10 & 31) == 31;
    const bool pair = (w >> 21 & 1) && (w >> 23 & 1) == 0;
    const u32 one = casp ? 4u << (w >> 30 & 1) : 1u << size;
    return {Kind::Base, 0, pair ? 2 * one : one};
  }
  if ((w & 0x3a00'0000) == 0x2800'0000) {  // pairs
    const u32 scale = v ? 2 + size : 2 + (size >> 1);
    const bool post = (w >> 23 & 3) == 1;
    return {Kind::Base, post ? 0 : sign_extend(w >> 15, 7) * (1 << scale), 2u << scale};
  }
  if ((w & 0x3b00'0000) == 0x3900'0000) return {Kind::Base, static_cast<s64>((w >> 10 & 0xfff) << log2), 1u << log2};
  if ((w & 0x3b20'0000) == 0x3800'0000) {
    const bool post = (w >> 10 & 3) == 1;
    return {Kind::Base, post ? 0 : sign_extend(w >> 12, 9), 1u << log2};
  }
  if ((w & 0x3b20'0c00) == 0x3820'0800) return {Kind::Register, 0, 1u << log2, (w >> 12 & 1) ? log2 : 0};
  if ((w & 0x3b20'0c00) == 0x3820'0000) return {Kind::Base, 0, 1u << size};
  if ((w & 0xbe00'0000) == 0x0c00'0000) return {Kind::Base, 0, 64};  // structures
  return {};
}

}  // namespace tiercel::test
