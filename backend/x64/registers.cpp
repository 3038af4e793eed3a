#include "backend/x64/registers.h"

#include "backend/hot_slots.h"

namespace tiercel::backend::x64 {

RegisterPlan::RegisterPlan(std::span<const ir::SlotInfo> slots, const HostFeatures& cpu) {
  slot_of.fill(kNoSlot);
  home_of.assign(slots.size(), kNoRegister);
  const auto pin = [this](ir::SlotId slot, unsigned reg) {
    slot_of[reg] = slot;
    home_of[slot] = static_cast<u8>(reg);
  };
  std::size_t n = 0;
  for (const ir::SlotId slot : hottest_slots(slots, ir::Type::I64, kGpPinned.size())) pin(slot, kGpPinned[n++]);
  const unsigned vectors = (cpu.avx512vl ? 32 : 16) - kXmmScratchCount;
  unsigned reg = kXmm0 + kXmmScratchCount;
  for (const ir::SlotId slot : hottest_slots(slots, ir::Type::V128, vectors)) pin(slot, reg++);
}

}  // namespace tiercel::backend::x64
