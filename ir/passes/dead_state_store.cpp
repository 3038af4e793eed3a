// dead-state-store: removes a Set that another Set of the same slot overwrites before anything can observe the state.
//
// Observers are Gets of the slot, and insts that may fault, call a helper or end the function (the state block must
// then be exact). One sweep from the end carries the slots that are about to be overwritten; every Set overwrites its
// whole slot, so widths do not matter.
#include <array>

#include "base/check.h"
#include "ir/passes/passes.h"

namespace tiercel::ir::passes {
namespace {

class SlotSet {
 public:
  explicit SlotSet(std::size_t slots) : words_((slots + 63) / 64) { CHECK(words_ <= bits_.size()); }
  void clear() {
    for (std::size_t i = 0; i < words_; ++i) bits_[i] = 0;
  }
  bool contains(SlotId s) const { return bits_[s / 64] >> (s % 64) & 1; }
  void insert(SlotId s) { bits_[s / 64] |= u64{1} << (s % 64); }
  void erase(SlotId s) { bits_[s / 64] &= ~(u64{1} << (s % 64)); }

 private:
  std::size_t words_;
  std::array<u64, 16> bits_{};
};

}  // namespace

void dead_state_store(Function& f, const PassContext& context) {
  SlotSet overwritten(context.slots.size());
  for (std::size_t i = f.insts.size(); i-- > 0;) {
    Inst& inst = f.insts[i];
    if (inst.op == Opcode::Set) {
      if (overwritten.contains(inst.slot()))
        inst = kNop;
      else
        overwritten.insert(inst.slot());
    } else if (inst.op == Opcode::Get) {
      overwritten.erase(inst.slot());
    } else if (effects(inst.op) & (effect::kMayFault | effect::kTerminal | effect::kReadsState)) {
      overwritten.clear();
    }
  }
}

}  // namespace tiercel::ir::passes
