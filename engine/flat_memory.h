// Guest memory for the interpreter: guest addresses are host addresses plus a constant, or translated.
#pragma once

#include "backend/interp/interp.h"
#include "engine/guarded_access.h"
#include "engine/tlb.h"
#include "guest/frontend.h"

namespace tiercel::engine {

class FlatMemory : public backend::InterpMemory {
 public:
  explicit FlatMemory(u64 base) : base_(base) {}
  bool load(u64 address, ir::MemAttr attr, U128& out) override {
    return guarded_load(base_ + address, attr.bytes(), out);
  }
  bool store(u64 address, ir::MemAttr attr, const U128& value) override {
    return guarded_store(base_ + address, attr.bytes(), value);
  }
  bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) override {
    return guarded_cas(base_ + address, attr.bytes(), expected, desired);
  }

 private:
  u64 base_;
};

/// As FlatMemory, for guests whose addresses may carry bits that the host does not ignore (Arm's top byte).
class TaggedMemory final : public FlatMemory {
 public:
  TaggedMemory(const guest::Frontend& frontend, u64 base) : FlatMemory(base), frontend_(frontend) {}
  bool load(u64 address, ir::MemAttr attr, U128& out) override {
    return FlatMemory::load(frontend_.data_address(address), attr, out);
  }
  bool store(u64 address, ir::MemAttr attr, const U128& value) override {
    return FlatMemory::store(frontend_.data_address(address), attr, value);
  }
  bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) override {
    return FlatMemory::cas(frontend_.data_address(address), attr, expected, desired);
  }

 private:
  const guest::Frontend& frontend_;
};

/// A machine's.
class TranslatedMemory final : public backend::InterpMemory {
 public:
  explicit TranslatedMemory(Tlb& tlb) : tlb_(tlb) {}
  bool load(u64 address, ir::MemAttr attr, U128& out) override { return tlb_.load(address, attr, out); }
  bool store(u64 address, ir::MemAttr attr, const U128& value) override { return tlb_.store(address, attr, value); }
  bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) override {
    return tlb_.cas(address, attr, expected, desired);
  }

 private:
  Tlb& tlb_;
};

}  // namespace tiercel::engine
