#include "backend/x64/registers.h"

#include <algorithm>
#include <numeric>

namespace tiercel::backend::x64 {

RegisterPlan::RegisterPlan(std::span<const ir::SlotInfo> slots, const HostFeatures& cpu) {
  slot_of.fill(kNoSlot);
  home_of.assign(slots.size(), kNoRegister);
  std::vector<u16> by_heat(slots.size());
  std::iota(by_heat.begin(), by_heat.end(), u16{0});
  std::stable_sort(by_heat.begin(), by_heat.end(), [&](u16 a, u16 b) { return slots[a].heat > slots[b].heat; });
  unsigned gp = 0, xmm = kXmmScratchCount;
  const unsigned xmm_end = cpu.avx512vl ? 32 : 16;
  for (const u16 slot : by_heat) {
    if (slots[slot].heat == 0) break;
    unsigned reg = kNoRegister;
    if (slots[slot].type == ir::Type::I64 && gp < kGpPinned.size())
      reg = kGpPinned[gp++];
    else if (slots[slot].type == ir::Type::V128 && xmm < xmm_end)
      reg = kXmm0 + xmm++;
    if (reg == kNoRegister) continue;
    slot_of[reg] = slot;
    home_of[slot] = static_cast<u8>(reg);
  }
}

}  // namespace tiercel::backend::x64
