// dead-code: removes insts without effect whose result nobody uses. One sweep from the end marks operands as it goes,
// so a chain that only feeds dead insts goes at once.
#include <array>

#include "ir/passes/passes.h"

namespace tiercel::ir::passes {
namespace {

/// One bit per inst; on the stack for all but huge functions.
class UseBits {
 public:
  explicit UseBits(std::size_t insts) {
    const std::size_t words = (insts + 63) / 64;
    if (words > small_.size()) {
      large_.resize(words);
      bits_ = large_.data();
    } else {
      for (std::size_t i = 0; i < words; ++i) small_[i] = 0;
    }
  }
  UseBits(const UseBits&) = delete;
  UseBits& operator=(const UseBits&) = delete;
  bool test(std::size_t i) const { return bits_[i / 64] >> (i % 64) & 1; }
  void mark(std::size_t i) { bits_[i / 64] |= u64{1} << (i % 64); }

 private:
  std::array<u64, 64> small_;
  std::vector<u64> large_;
  u64* bits_ = small_.data();
};

}  // namespace

void dead_code(Function& f, const PassContext&) {
  UseBits used(f.insts.size());
  for (std::size_t i = f.insts.size(); i-- > 0;) {
    Inst& inst = f.insts[i];
    if (!used.test(i) && can_drop(inst.op)) {
      inst = kNop;
      continue;
    }
    for (const Value v : inst.args)
      if (v) used.mark(v.index);
  }
}

}  // namespace tiercel::ir::passes
