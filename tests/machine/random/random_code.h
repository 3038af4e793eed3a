// Random programs for machines: loops, nested ones, calls and indirect calls over several pages of code, whose loads
// and stores of every kind walk through a window of pages that come, go and change (tests/machine/programs/random.S).
#pragma once

#include <random>
#include <vector>

#include "base/types.h"

namespace tiercel::test {

class RandomCode {
 public:
  /// Where the code is, and the pages that loads and stores find.
  static constexpr u64 kCode = 0x4040'0000, kWindow = 0x4068'0000, kWindowBytes = 0x1'0000;
  /// A page whose fifth insn is an ADD that changes.
  static constexpr unsigned kPatchedPage = 31;

  explicit RandomCode(u64 seed) : random_(seed) {}

  /// Words from kCode on; the first one is where to begin.
  std::vector<u32> make();
  /// The patched page's.
  static std::vector<u32> patched_page();

  u64 random() { return random_(); }
  u32 pick(u32 n) { return static_cast<u32>(random_() % n); }

 private:
  u64 here() const { return kCode + 4 * words_.size(); }
  void emit(u32 word) { words_.push_back(word); }
  void prologue(u32 leaves);
  void leaf();
  void loop(u32 depth);
  void body(u32 insns);
  void insn();
  void compute();
  void move_base();
  void frame();
  void access();
  void access_by_register(u32 base);
  void access_pair(u32 base);
  void access_atomic(u32 base);
  void access_structure(u32 base);
  void call();
  void call_handler();
  void skip_some(u32 insns);
  u32 base();
  u32 general() { return pick(16); }

  std::mt19937_64 random_;
  std::vector<u32> words_;
  std::vector<u64> leaves_;
};

}  // namespace tiercel::test
