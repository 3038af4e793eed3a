#include "frontend-arm/a64/flag_liveness.h"

#include <algorithm>
#include <cstring>

#include "frontend-arm/a64/isa_table.h"

namespace tiercel::arm {

FlagLiveness flag_liveness(const A64Table& table, std::span<const u8> bytes, u64 start, u64 pc) {
  constexpr int kMost = 6;
  FlagLiveness r;
  for (int i = 0; i < kMost && pc - start < bytes.size() && bytes.size() - (pc - start) >= 4; ++i, pc += 4) {
    u32 word;
    std::memcpy(&word, bytes.data() + (pc - start), 4);
    r.looked_until = std::max(r.looked_until, pc + 4);
    const Row* row = table.find(word);
    const FlagEffect effect = row ? table.flag_effect(row) : FlagEffect::Unknown;
    if (effect == FlagEffect::Overwrites) r.dead = true;
    if (effect != FlagEffect::None) return r;
  }
  return r;
}

}  // namespace tiercel::arm
