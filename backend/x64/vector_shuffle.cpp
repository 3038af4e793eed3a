// Byte shuffles of two operands by a constant mask: the cheapest host instruction that does the same.
#include <algorithm>
#include <array>

#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {
namespace {

using Mask = std::array<u8, 16>;  // 0..15 first operand, 16..31 second, 0x80 zero
constexpr u8 kZero = 0x80;

Mask unpack(const U128& m) {
  Mask out;
  for (unsigned i = 0; i < 16; ++i) {
    const u8 b = static_cast<u8>((i < 8 ? m.lo : m.hi) >> 8 * (i % 8));
    out[i] = b < 32 ? b : kZero;
  }
  return out;
}

U128 pack(const Mask& m) {
  U128 out;
  for (unsigned i = 0; i < 16; ++i) (i < 8 ? out.lo : out.hi) |= u64{m[i]} << 8 * (i % 8);
  return out;
}

Mask swap_operands(Mask m) {
  for (u8& b : m)
    if (b != kZero) b ^= 16;
  return m;
}

bool uses(const Mask& m, unsigned operand) {
  return std::any_of(m.begin(), m.end(), [&](u8 b) { return b != kZero && b / 16 == operand; });
}

bool has_zero(const Mask& m) {
  return std::find(m.begin(), m.end(), kZero) != m.end();
}

/// The mask in lanes of `bytes`: source lane numbers (0.. first operand, then second), or false.
bool lanes(const Mask& m, unsigned bytes, u8* out) {
  for (unsigned i = 0; i < 16 / bytes; ++i) {
    const u8 first = m[i * bytes];
    if (first == kZero || first % bytes != 0) return false;
    for (unsigned k = 1; k < bytes; ++k)
      if (m[i * bytes + k] != first + k) return false;
    out[i] = static_cast<u8>(first / bytes);
  }
  return true;
}

/// The interleaving of the low (or high) halves' lanes of `bytes`.
Mask interleave(unsigned bytes, bool high_half) {
  Mask m;
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned lane = i / bytes;
    m[i] = static_cast<u8>((lane % 2) * 16 + (high_half ? 8 : 0) + lane / 2 * bytes + i % bytes);
  }
  return m;
}

struct Interleave {
  const VOp* op;
  unsigned bytes;
  bool high_half;
};
constexpr Interleave kInterleaves[] = {
    {&vop::punpcklbw, 1, false}, {&vop::punpcklwd, 2, false}, {&vop::punpckldq, 4, false}, {&vop::punpcklqdq, 8, false},
    {&vop::punpckhbw, 1, true},  {&vop::punpckhwd, 2, true},  {&vop::punpckhdq, 4, true},  {&vop::punpckhqdq, 8, true},
};

/// Is m = bytes i + n of (second : first), the meaning of palignr? Bytes beyond 31 are zero.
bool is_align(const Mask& m, unsigned& n) {
  if (m[0] == kZero || m[0] == 0 || m[0] >= 16) return false;
  n = m[0];
  for (unsigned i = 0; i < 16; ++i)
    if (m[i] != i + n) return false;
  return true;
}

/// One operand moved by n bytes with zeros shifted in; n > 0 to the right.
bool is_byte_shift(const Mask& m, int& n) {
  for (n = -15; n <= 15; ++n) {
    if (n == 0) continue;
    bool same = true;
    for (int i = 0; i < 16 && same; ++i) {
      const int from = i + n;
      same = m[i] == (from >= 0 && from < 16 ? from : kZero);
    }
    if (same) return true;
  }
  return false;
}

u8 dword_imm(const u8* l) {
  return static_cast<u8>((l[0] & 3) | (l[1] & 3) << 2 | (l[2] & 3) << 4 | (l[3] & 3) << 6);
}

}  // namespace

bool VectorEmitter::vshuffle() {
  Mask m = unpack(f_.constant(inst_->aux));
  if (inst_->args[0] == inst_->args[1])
    for (u8& b : m)
      if (b != kZero) b %= 16;
  const bool high_is_zero = std::all_of(m.begin() + 8, m.end(), [](u8 b) { return b == kZero; });
  const bool first = uses(m, 0), second = uses(m, 1);
  if (!first && !second) {
    zero(fresh());
    return finish_high(true);
  }
  if (first && second) {
    const Xmm x = in(0), y = in(1);
    const Xmm d = fresh();
    if (!shuffle_two_matched(d, x, y, m.data()) && !shuffle_two_matched(d, y, x, swap_operands(m).data()))
      shuffle_two(d, x, y, m.data());
    return finish_high(high_is_zero);
  }
  const unsigned source = first ? 0 : 1;
  if (second) m = swap_operands(m);
  const Xmm x = in(source);
  const bool source_zero = in_zero(source);
  const Xmm d = reusing(source);
  shuffle_one(d, x, source_zero, m.data());
  return finish_high(high_is_zero);
}

void VectorEmitter::shuffle_one(Xmm d, Xmm x, bool high_is_zero, const u8* mask) {
  Mask m;
  std::copy_n(mask, 16, m.begin());
  u8 l[16];
  int bytes = 0;
  bool identity = true, low_half = true;
  for (unsigned i = 0; i < 16; ++i) {
    identity &= m[i] == i || (high_is_zero && i >= 8 && m[i] == kZero);
    low_half &= m[i] == (i < 8 ? i : kZero);
  }
  if (identity) return mov(d, x);
  if (low_half) return zero_high(d, x);
  if (is_byte_shift(m, bytes))
    return shift(bytes > 0 ? vop::psrldq : vop::pslldq, d, x, static_cast<unsigned>(std::abs(bytes)));
  if (lanes(m, 4, l)) {
    if (dword_imm(l) == 0x44) return un(vop::movddup, d, x);
    return un(vop::pshufd, d, x, dword_imm(l));
  }
  if (lanes(m, 2, l)) {
    const auto in_place = [&](unsigned from) {
      for (unsigned i = from; i < from + 4; ++i)
        if (l[i] != i) return false;
      return true;
    };
    const bool low_within = std::all_of(l, l + 4, [](u8 i) { return i < 4; });
    const bool high_within = std::all_of(l + 4, l + 8, [](u8 i) { return i >= 4; });
    if (in_place(4) && low_within) return un(vop::pshuflw, d, x, dword_imm(l));
    if (in_place(0) && high_within) return un(vop::pshufhw, d, x, dword_imm(l + 4));
  }
  op(vop::pshufb, d, x, e.constant(pack(m)));
}

/// Single instructions with two operands, in this order. d is neither.
bool VectorEmitter::shuffle_two_matched(Xmm d, Xmm x, Xmm y, const u8* mask) {
  Mask m;
  std::copy_n(mask, 16, m.begin());
  for (const Interleave& i : kInterleaves)
    if (m == interleave(i.bytes, i.high_half)) {
      op(*i.op, d, x, y);
      return true;
    }
  unsigned n = 0;
  if (is_align(m, n)) {
    op(vop::palignr, d, y, x, static_cast<int>(n));
    return true;
  }
  u8 l[16];
  if (lanes(m, 8, l) && l[0] < 2 && l[1] >= 2) {
    op(vop::shufpd, d, x, y, (l[0] & 1) | (l[1] & 1) << 1);
    return true;
  }
  if (lanes(m, 4, l)) {
    if (l[0] < 4 && l[1] < 4 && l[2] >= 4 && l[3] >= 4) {
      op(vop::shufps, d, x, y, dword_imm(l));
      return true;
    }
    // One word of y into x.
    unsigned foreign = 0, place = 0;
    bool rest_in_place = true;
    for (unsigned i = 0; i < 4; ++i) {
      if (l[i] >= 4) {
        ++foreign;
        place = i;
      } else {
        rest_in_place &= l[i] == i;
      }
    }
    if (foreign == 1 && rest_in_place) {
      op(vop::insertps, d, x, y, static_cast<int>((l[place] & 3u) << 6 | place << 4));
      return true;
    }
  }
  if (lanes(m, 8, l) && l[0] == 2 && l[1] == 1) {
    op(vop::movsd, d, x, y);
    return true;
  }
  return false;
}

/// Any shuffle of two operands.
void VectorEmitter::shuffle_two(Xmm d, Xmm x, Xmm y, const u8* mask) {
  Mask m;
  std::copy_n(mask, 16, m.begin());
  Mask from_x, from_y, keep;
  bool in_place = true;
  for (unsigned i = 0; i < 16; ++i) {
    from_x[i] = m[i] < 16 ? m[i] : kZero;
    from_y[i] = m[i] >= 16 && m[i] != kZero ? m[i] - 16 : kZero;
    keep[i] = m[i] == kZero ? 0 : 0xff;
    in_place &= m[i] == i || m[i] == i + 16;
  }
  if (v512 && in_place) {  // a blend: mask bits set take y
    Mask take;
    for (unsigned i = 0; i < 16; ++i) take[i] = m[i] >= 16 ? 0xff : 0;
    load(d, e.constant(pack(take)));
    a.vpternlogd(d, x, y, 0xac);  // A ? C : B
    return;
  }
  if (v512 && e.features().avx512vbmi) {
    Mask index = m;
    for (u8& b : index)
      if (b == kZero) b = 0;
    load(d, e.constant(pack(index)));
    a.vpermi2b(d, x, y);
    if (has_zero(m)) op(vop::pand, d, d, e.constant(pack(keep)));
    return;
  }
  const Xmm t = tmp();
  op(vop::pshufb, t, y, e.constant(pack(from_y)));
  op(vop::pshufb, d, x, e.constant(pack(from_x)));
  op(vop::por, d, d, t);
}

}  // namespace tiercel::backend::x64
