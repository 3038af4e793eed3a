// A stretch of guest memory for the interpreter; everything outside faults.
#pragma once

#include <cstring>
#include <span>

#include "backend/interp/interp.h"

namespace tiercel::test {

/// Guest address `first` is bytes[0].
class FlatMemory final : public backend::InterpMemory {
 public:
  FlatMemory(std::span<u8> bytes, u64 first) : bytes_(bytes), first_(first) {}
  bool load(u64 address, ir::MemAttr m, U128& out) override {
    const u8* p = at(address, m);
    out = {};
    if (p != nullptr) std::memcpy(&out, p, m.bytes());
    return p != nullptr;
  }
  bool store(u64 address, ir::MemAttr m, const U128& value) override {
    u8* p = at(address, m);
    if (p != nullptr) std::memcpy(p, &value, m.bytes());
    return p != nullptr;
  }
  bool cas(u64 address, ir::MemAttr m, U128& expected, const U128& desired) override {
    U128 old;
    if (!load(address, m, old)) return false;
    if (old == expected) store(address, m, desired);
    expected = old;
    return true;
  }

 private:
  u8* at(u64 address, ir::MemAttr m) const {
    const u64 offset = address - first_;
    return offset < bytes_.size() && bytes_.size() - offset >= m.bytes() ? bytes_.data() + offset : nullptr;
  }
  std::span<u8> bytes_;
  u64 first_;
};

}  // namespace tiercel::test
