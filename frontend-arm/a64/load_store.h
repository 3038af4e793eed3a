// What the slices of loads and stores share: the kinds of data that a transfer moves.
#pragma once

#include "frontend-arm/a64/translate.h"

namespace tiercel::arm::memory {

/// How the address is formed, and whether the base is written back.
enum class Mode { Offset, Pre, Post, User };

/// What is transferred: the log2 of the bytes and, for general registers, the extension.
enum class Kind { Zero, SignX, SignW, Simd };
struct Data {
  u32 log2;
  Kind kind;

  constexpr MemAttr attr(bool user = false) const {
    return {.size_log2 = static_cast<u8>(log2), .sign = kind == Kind::SignX || kind == Kind::SignW, .user = user};
  }
  /// Type of the value in the register.
  constexpr Type type() const {
    switch (kind) {
      case Kind::Zero:
        return log2 == 3 ? Type::I64 : Type::I32;
      case Kind::SignX:
        return Type::I64;
      case Kind::SignW:
        return Type::I32;
      case Kind::Simd:
        // Bytes and halves travel as integers; a narrower Set zeroes the rest of the register.
        constexpr Type kTypes[] = {Type::I32, Type::I32, Type::F32, Type::F64, Type::V128};
        return kTypes[log2];
    }
    return Type::None;
  }
};

inline void set_loaded(Translate& t, Data data, u32 rt, Value v) {
  if (data.kind == Kind::Simd)
    t.set_v({static_cast<u8>(rt)}, v);
  else
    t.set_x({static_cast<u8>(rt)}, v);
}

inline Value stored(Translate& t, Data data, u32 rt) {
  const VReg v{static_cast<u8>(rt)};
  return data.kind == Kind::Simd ? t.v_scalar(data.type(), v) : t.x(data.type(), {v.n});
}

}  // namespace tiercel::arm::memory
