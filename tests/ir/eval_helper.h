// One opcode on given operands, for the eval tests.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <ostream>

#include "ir/eval.h"

namespace tiercel {

inline void PrintTo(const U128& v, std::ostream* out) {
  *out << std::hex << "0x" << v.hi << ":" << v.lo;
}

namespace ir {

inline U128 evaluate(PureOp op, std::initializer_list<U128> args, u32* extra = nullptr) {
  U128 a[4];
  std::copy(args.begin(), args.end(), a);
  FpEnv env{extra};
  return eval(op, a, env);
}

inline PureOp make_op(Opcode o, Type t, Arr arr = Arr::None, u64 imm = 0, u32 aux = 0) {
  PureOp p;
  p.op = o;
  p.type = p.arg_type = t;
  p.arr = arr;
  p.imm = imm;
  p.aux = aux;
  return p;
}

/// A scalar operation of one type.
inline u64 scalar(Opcode o, Type t, std::initializer_list<u64> args, u64 imm = 0, u32 aux = 0) {
  U128 a[4];
  std::size_t n = 0;
  for (const u64 v : args) a[n++].lo = v;
  FpEnv env;
  return eval(make_op(o, t, Arr::None, imm, aux), a, env).lo;
}

inline U128 vector(Opcode o, Arr arr, std::initializer_list<U128> args, u64 imm = 0, u32 aux = 0) {
  return evaluate(make_op(o, Type::V128, arr, imm, aux), args);
}

}  // namespace ir
}  // namespace tiercel
