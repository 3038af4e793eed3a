// The functions behind passes.def. Private to ir/passes.
#pragma once

#include <vector>

#include "ir/passes/pass.h"

namespace tiercel::ir::passes {

#define FAST_TIER_PASS(name, function) void function(Function& f, const PassContext& context);
#define OTHER_PASS(name, function) void function(Function& f, const PassContext& context);
#include "ir/passes/passes.def"
#undef FAST_TIER_PASS
#undef OTHER_PASS

/// What a removed inst becomes.
inline constexpr Inst kNop{};

/// Values that stand for other values; lookups follow one step, because what is recorded is already final.
class Replacements {
 public:
  explicit Replacements(const Function& f) : map_(f.insts.size()) {}
  void replace(u32 index, Value by) { map_[index] = by; }
  void apply(Inst& inst) const {
    for (Value& v : inst.args)
      if (v && map_[v.index]) v = map_[v.index];
  }

 private:
  std::vector<Value> map_;
};

}  // namespace tiercel::ir::passes
