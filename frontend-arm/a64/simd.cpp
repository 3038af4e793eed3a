#include "frontend-arm/a64/simd.h"

namespace tiercel::arm {

Value unzip(Translate& t, Value a, Value b, u32 size, unsigned bytes, bool odd) {
  const unsigned lane = 1u << size;
  return t.ir.vshuffle(a, b, byte_mask(bytes, [&](unsigned i) {
                         const unsigned at = (i / lane * 2 + odd) * lane + i % lane;
                         return at < bytes ? at : at - bytes + 16;
                       }));
}

Value zip(Translate& t, Value a, Value b, u32 size, unsigned bytes, bool high) {
  const unsigned lane = 1u << size;
  return t.ir.vshuffle(a, b, byte_mask(bytes, [&](unsigned i) {
                         const unsigned at = (i / lane / 2) * lane + i % lane + (high ? bytes / 2 : 0);
                         return i / lane % 2 ? at + 16 : at;
                       }));
}

Value duplicate_lane(Translate& t, Value v, u32 size, bool q, unsigned index) {
  if (index == 0) return t.ir.vdup(arrangement(size, q), v);
  const unsigned lane = 1u << size;
  return t.ir.vshuffle(v, v, byte_mask(q ? 16 : 8, [&](unsigned i) { return index * lane + i % lane; }));
}

Value long_operand(Translate& t, bool q, VReg r) {
  const Value v = t.v(r);
  return q ? t.ir.vshuffle(v, v, byte_mask(8, [](unsigned i) { return i + 8; })) : v;
}

void set_narrow(Translate& t, bool q, VReg d, Value v) {
  if (q) v = t.ir.vshuffle(t.v(d), v, byte_mask(16, [](unsigned i) { return i < 8 ? i : i + 8; }));
  t.set_v(d, v);
}

Value low_lane(Translate& t, Value v, u32 size) {
  return t.ir.vec(Opcode::VAnd, Arr::B16, {v, t.ir.vconst({low_mask(8u << size), 0})});
}

Value saturating(Translate& t, Opcode o, Arr a, std::initializer_list<Value> args) {
  const Value result = t.ir.vec(o, a, args);
  const Value mask = t.ir.vec(o, a, args, 0, 1);
  t.ir.set(slot::kQc, t.ir.vec(Opcode::VOr, Arr::B16, {t.ir.get(Type::V128, slot::kQc), mask}));
  return result;
}

namespace {

/// `size` is that of the result's lanes.
Value saturating_low_lane(Translate& t, Opcode o, Arr a, u32 size, std::initializer_list<Value> args) {
  const Value result = low_lane(t, t.ir.vec(o, a, args), size);
  const Value mask = low_lane(t, t.ir.vec(o, a, args, 0, 1), size);
  t.ir.set(slot::kQc, t.ir.vec(Opcode::VOr, Arr::B16, {t.ir.get(Type::V128, slot::kQc), mask}));
  return result;
}

}  // namespace

Value saturating_scalar(Translate& t, Opcode o, u32 size, std::initializer_list<Value> args) {
  const Arr a = arrangement(size, false);
  return size == 3 ? saturating(t, o, a, args) : saturating_low_lane(t, o, a, size, args);
}

Value saturating_double_long_scalar(Translate& t, u32 size, Value a, Value b) {
  return saturating_low_lane(t, Opcode::VQDMull, wide_arrangement(size), size + 1, {a, b});
}

Value add_long_pairs(Translate& t, Value v, u32 size, bool q, bool is_unsigned) {
  const Arr wide = arrangement(size + 1, q);
  const unsigned width = 8u << size;
  Value even, odd;
  if (is_unsigned) {
    even = t.ir.vec(Opcode::VAnd, wide, {v, t.ir.vconst(splat(size + 1, low_mask(width)))});
    odd = t.ir.vec(Opcode::VShrUI, wide, {v}, width);
  } else {
    even = t.ir.vec(Opcode::VShrSI, wide, {t.ir.vec(Opcode::VShlI, wide, {v}, width)}, width);
    odd = t.ir.vec(Opcode::VShrSI, wide, {v}, width);
  }
  return t.ir.vec(Opcode::VAdd, wide, {even, odd});
}

}  // namespace tiercel::arm
