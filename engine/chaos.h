// The random decisions of --chaos. With one seed a run of a single-threaded guest repeats exactly.
#pragma once

#include "base/types.h"

namespace tiercel::engine {

class Chaos {
 public:
  /// 0: no chaos. `purpose`: makes several of one seed decide differently.
  Chaos(u32 seed, u32 purpose) : active_(seed != 0), state_(mixed(u64{purpose} << 32 | seed)) {}

  bool active() const { return active_; }
  /// From 0 to n - 1.
  u32 below(u32 n) {
    // xorshift64
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<u32>((state_ >> 32) * n >> 32);
  }
  /// Never without chaos.
  bool one_in(u32 n) { return active_ && below(n) == 0; }

 private:
  /// Similar seeds begin differently, none with 0.
  static u64 mixed(u64 x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (x ^ x >> 31) | 1;
  }

  bool active_;
  u64 state_;
};

}  // namespace tiercel::engine
