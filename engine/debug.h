// What a debugger asks of the engine.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "backend/interp/interp.h"
#include "guest/frontend.h"

namespace tiercel::engine {

/// Guest data whose accesses are looked for.
struct Watch {
  u64 start = 0, size = 0;
  bool reads = false, writes = false;
};

/// Where no block may begin or go on: guest pcs, in any address space.
class Breakpoints {
 public:
  Breakpoints() = default;
  explicit Breakpoints(std::vector<u64> pcs) : pcs_(std::move(pcs)) {
    std::sort(pcs_.begin(), pcs_.end());
    pcs_.erase(std::unique(pcs_.begin(), pcs_.end()), pcs_.end());
  }
  bool contains(u64 pc) const { return std::binary_search(pcs_.begin(), pcs_.end(), pc); }
  /// The code at `pc`, up to the next breakpoint.
  std::span<const u8> cut(u64 pc, std::span<const u8> window) const {
    const auto next = std::lower_bound(pcs_.begin(), pcs_.end(), pc);
    if (next == pcs_.end() || *next - pc >= window.size()) return window;
    return window.first(*next - pc);
  }
  /// The pcs that only one of the two has.
  std::vector<u64> difference(const Breakpoints& other) const {
    std::vector<u64> out;
    std::set_symmetric_difference(pcs_.begin(), pcs_.end(), other.pcs_.begin(), other.pcs_.end(),
                                  std::back_inserter(out));
    return out;
  }

 private:
  std::vector<u64> pcs_;  // ascending
};

/// Refuses accesses to watched data, as if they faulted: the insn has not happened.
class WatchedMemory final : public backend::InterpMemory {
 public:
  WatchedMemory(const guest::Frontend& frontend, backend::InterpMemory& memory, std::span<const Watch> watches)
      : frontend_(frontend), memory_(memory), watches_(watches) {}

  bool load(u64 address, ir::MemAttr attr, U128& out) override {
    return !refuses(address, attr, true, false) && memory_.load(address, attr, out);
  }
  bool store(u64 address, ir::MemAttr attr, const U128& value) override {
    return !refuses(address, attr, false, true) && memory_.store(address, attr, value);
  }
  bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) override {
    return !refuses(address, attr, true, true) && memory_.cas(address, attr, expected, desired);
  }
  /// The watched data whose access was refused.
  const Watch* hit() const { return hit_; }
  /// The first byte of it that was accessed.
  u64 address() const { return address_; }

 private:
  bool refuses(u64 address, ir::MemAttr attr, bool reads, bool writes) {
    const u64 start = frontend_.data_address(address);
    for (const Watch& w : watches_) {
      const bool overlaps = start - w.start < w.size || w.start - start < attr.bytes();
      if (!overlaps || !((reads && w.reads) || (writes && w.writes))) continue;
      hit_ = &w;
      address_ = start - w.start < w.size ? start : w.start;
      return true;
    }
    return false;
  }

  const guest::Frontend& frontend_;
  backend::InterpMemory& memory_;
  std::span<const Watch> watches_;
  const Watch* hit_ = nullptr;
  u64 address_ = 0;
};

}  // namespace tiercel::engine
