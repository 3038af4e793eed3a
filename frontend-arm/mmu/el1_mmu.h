// The EL1&0 translation regime of a state block.
#pragma once

#include "frontend-arm/a64/cpu_models.h"
#include "frontend-arm/a64_system_state.h"
#include "frontend-arm/mmu/walker.h"

namespace tiercel::arm {

class El1Mmu final : public guest::Mmu {
 public:
  explicit El1Mmu(const CpuModel& model);

  /// ASID, privilege, PAN and whether addresses are translated at all; for EL1 also the tables of the upper half, which
  /// all address spaces share with each other in a kernel. Changes of other registers (TCR_EL1, MAIR_EL1,
  /// SCTLR_EL1.WXN) drop the whole TLB, see A64Core.
  u64 context(const void* state, bool unprivileged) const override;
  guest::Walk walk(const void* state, guest::PhysicalMemory& memory, VAddr address, guest::Access access,
                   bool unprivileged, guest::WalkMemo* memo = nullptr) const override;
  u32 alignment_status() const override { return fsc::kAlignment; }
  u32 external_status() const override { return fsc::kExternal; }

  /// The walk with all it found, for AT.
  WalkResult walk(const A64SystemState& s, guest::PhysicalMemory& memory, const WalkRequest& request,
                  guest::WalkMemo* memo = nullptr) const;

  static u16 asid(const A64SystemState& s);
  static constexpr u16 asid_of(u64 context) { return static_cast<u16>(context); }

 private:
  unsigned pa_bits_;
  bool has_16k_;
};

}  // namespace tiercel::arm
