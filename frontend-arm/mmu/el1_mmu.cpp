#include "frontend-arm/mmu/el1_mmu.h"

#include "base/bits.h"

namespace tiercel::arm {
namespace {

constexpr u32 kMmfr0 = system_encoding(3, 0, 0, 7, 0);
constexpr u64 kPrivileged = u64{1} << 16, kPan = u64{1} << 17, kUntranslated = u64{1} << 18;
constexpr unsigned kUpperTable = 19;
constexpr u64 kTcrA1 = 1 << 22, kTcrAs = u64{1} << 36;

}  // namespace

El1Mmu::El1Mmu(const CpuModel& model) {
  constexpr u8 kSizes[8] = {32, 36, 40, 42, 44, 48, 48, 48};  // ID_AA64MMFR0_EL1.PARange
  const u64 mmfr0 = model.value(kMmfr0).value_or(0);
  pa_bits_ = kSizes[mmfr0 & 7];
  has_16k_ = bits(mmfr0, 20, 4) == 1;
}

u16 El1Mmu::asid(const A64SystemState& s) {
  const u64 ttbr = s.tcr_el1 & kTcrA1 ? s.ttbr1_el1 : s.ttbr0_el1;
  return static_cast<u16>(ttbr >> 48 & (s.tcr_el1 & kTcrAs ? 0xffff : 0xff));
}

u64 El1Mmu::context(const void* state, bool unprivileged) const {
  const auto& s = *static_cast<const A64SystemState*>(state);
  u64 c = asid(s);
  if (s.el() == 1 && !unprivileged) {
    c |= kPrivileged;
    if (s.pstate & pstate::kPan) c |= kPan;
    // A kernel with page-table isolation has two, and goes from one to the other with the address space.
    c |= kCommon | bits(s.ttbr1_el1, 6, 42) << kUpperTable;
  }
  if (!(s.sctlr_el1 & 1)) c = (c & (kPrivileged | kPan)) | kUntranslated;
  return c;
}

WalkResult El1Mmu::walk(const A64SystemState& s, guest::PhysicalMemory& memory, const WalkRequest& request,
                        guest::WalkMemo* memo) const {
  const TranslationRegisters r{s.sctlr_el1, s.tcr_el1, s.ttbr0_el1, s.ttbr1_el1, s.mair_el1, pa_bits_, has_16k_};
  return walk_el1(r, memory, request, memo);
}

guest::Walk El1Mmu::walk(const void* state, guest::PhysicalMemory& memory, VAddr address, guest::Access access,
                         bool unprivileged, guest::WalkMemo* memo) const {
  const auto& s = *static_cast<const A64SystemState*>(state);
  const bool privileged = s.el() == 1 && !unprivileged;
  const WalkResult found =
      walk(s, memory, {address.value, access, privileged, privileged && (s.pstate & pstate::kPan)}, memo);
  if (found.failed) return {std::nullopt, {address, access, false, found.status}};
  return {found.mapping, {}};
}

}  // namespace tiercel::arm
