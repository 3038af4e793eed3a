// MSR and MRS where they are more than storage.
#include "frontend-arm/a64/cpu_models.h"
#include "frontend-arm/a64/system_registers.h"
#include "frontend-arm/core/pmu.h"
#include "frontend-arm/core/syndrome.h"
#include "frontend-arm/mmu/el1_mmu.h"

namespace tiercel::arm {
namespace {

constexpr u32 reg(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2) {
  return system_encoding(op0, op1, crn, crm, op2);
}
constexpr u32 kSpSel = reg(3, 0, 4, 2, 0), kCurrentEl = reg(3, 0, 4, 2, 2), kPan = reg(3, 0, 4, 2, 3),
              kDaif = reg(3, 3, 4, 2, 1), kSpEl0 = reg(3, 0, 4, 1, 0), kMpidr = reg(3, 0, 0, 0, 5),
              kCtr = reg(3, 3, 0, 0, 1), kDczid = reg(3, 3, 0, 0, 7), kCcsidr = reg(3, 1, 0, 0, 0),
              kOslar = reg(2, 0, 1, 0, 4), kOslsr = reg(2, 0, 1, 1, 4), kMdrar = reg(2, 0, 1, 0, 0),
              kClaimSet = reg(2, 0, 7, 8, 6), kClaimClear = reg(2, 0, 7, 9, 6), kAuthStatus = reg(2, 0, 7, 14, 6),
              kMdccsr = reg(2, 3, 0, 1, 0);
constexpr u32 kCntfrq = reg(3, 3, 14, 0, 0), kCntpct = reg(3, 3, 14, 0, 1), kCntvct = reg(3, 3, 14, 0, 2);
constexpr u32 kSctlr = reg(3, 0, 1, 0, 0), kTcr = reg(3, 0, 2, 0, 2), kMair = reg(3, 0, 10, 2, 0),
              kTtbr0 = reg(3, 0, 2, 0, 0), kTtbr1 = reg(3, 0, 2, 0, 1);
constexpr u64 kSctlrUma = 1 << 9, kSctlrUct = 1 << 15;

/// CNTP_TVAL_EL0 ... CNTV_CVAL_EL0: CRm 2 or 3 below op1 3, CRn 14.
constexpr bool is_timer(u32 encoding) {
  return (encoding & ~u32{0xf}) == reg(3, 3, 14, 2, 0);
}
constexpr bool is_virtual_timer(u32 encoding) {
  return encoding >> 3 & 1;
}

/// Caches of the Cortex-A72: 32 KiB data, 48 KiB instruction, 1 MiB unified. Informational only.
u64 cache_size(u64 csselr) {
  constexpr u64 kSizes[3] = {0x701f'e01a, 0x201f'e012, 0x707f'e07a};
  return csselr <= 2 ? kSizes[csselr] : 0;
}

}  // namespace

void A64Core::move_from_register(u32 word) {
  const u32 encoding = system_encoding_of(word);
  if (s_.el() == 0 && !el0_may_read(encoding)) {
    // Registers that EL0 never sees are undefined there, the others trap.
    return (encoding >> 11 & 7) == 3 ? trap_system(word) : take_undefined();
  }
  const std::optional<u64> value = read(encoding);
  if (!value) return take_undefined();
  const u32 rt = word & 31;
  if (rt != 31) s_.x[rt] = *value;
  next();
}

void A64Core::move_to_register(u32 word) {
  const u32 encoding = system_encoding_of(word);
  if (s_.el() == 0 && !el0_may_write(encoding)) return (encoding >> 11 & 7) == 3 ? trap_system(word) : take_undefined();
  if (!write(encoding, x(word & 31))) return take_undefined();
  next();
}

bool A64Core::el0_may_read(u32 encoding) const {
  switch (encoding) {
    case kCtr:
      return s_.sctlr_el1 & kSctlrUct;
    case kDczid:
      return true;
    case kDaif:
      return s_.sctlr_el1 & kSctlrUma;
    case kCntfrq:
      return s_.cntkctl_el1 & 3;
    case kCntpct:
      return s_.cntkctl_el1 & 1;
    case kCntvct:
      return s_.cntkctl_el1 & 2;
    default:
      if (is_pmu_register(encoding)) return el0_may_use_pmu(s_.pmu, encoding, false);
      return is_timer(encoding) && (s_.cntkctl_el1 >> (is_virtual_timer(encoding) ? 8 : 9) & 1);
  }
}

bool A64Core::el0_may_write(u32 encoding) const {
  if (encoding == kDaif) return s_.sctlr_el1 & kSctlrUma;
  if (is_pmu_register(encoding)) return el0_may_use_pmu(s_.pmu, encoding, true);
  return is_timer(encoding) && el0_may_read(encoding);
}

std::optional<u64> A64Core::debug_register(u32 encoding) const {
  const u32 n = encoding >> 3 & 15, which = encoding & 7;
  if ((encoding & ~u32{0x7f}) != reg(2, 0, 0, 0, 0) || which < 4) return std::nullopt;
  const bool watch = which >= 6;
  if (n >= (watch ? std::size(s_.watchpoints) : std::size(s_.breakpoints))) return std::nullopt;
  const A64SystemState::Breakpoint& b = watch ? s_.watchpoints[n] : s_.breakpoints[n];
  return which & 1 ? b.control : b.value;
}

bool A64Core::write_debug_register(u32 encoding, u64 value) {
  if (!debug_register(encoding)) return false;
  const u32 n = encoding >> 3 & 15, which = encoding & 7;
  A64SystemState::Breakpoint& b = which >= 6 ? s_.watchpoints[n] : s_.breakpoints[n];
  (which & 1 ? b.control : b.value) = value;
  return true;
}

std::optional<u64> A64Core::pmu_register(u32 encoding) const {
  if (!pmu_can_read(encoding)) return std::nullopt;
  count_cycles(s_.pmu, s_.el(), platform_.cycles());
  return read_pmu(s_.pmu, encoding);
}

std::optional<u64> A64Core::read(u32 encoding) const {
  switch (encoding) {
    case kMpidr:
      return affinity_ | u64{1} << 31;
    case kSpSel:
      return s_.pstate & pstate::kSpSel;
    case kCurrentEl:
      return s_.pstate & pstate::kEl1;
    case kPan:
      return model_.pan ? std::optional<u64>(s_.pstate & pstate::kPan) : std::nullopt;
    case kDaif:
      return s_.daif;
    case kCcsidr:
      return cache_size(s_.csselr_el1);
    case kOslsr:
      return 8 | s_.os_lock << 1;
    case kMdrar:
    case kAuthStatus:
    case kMdccsr:
      return 0;
    case kClaimSet:
      return 0xff;
    case kClaimClear:
      return s_.debug_claim;
    default:
      break;
  }
  if (const auto value = debug_register(encoding)) return value;
  if (is_pmu_register(encoding)) return pmu_register(encoding);
  if (const SystemRegister* r = find_system_register(encoding)) return r->in(s_);
  if (const auto value = model_.value(encoding)) return value;
  return platform_.read_register(encoding);
}

bool A64Core::write(u32 encoding, u64 value) {
  switch (encoding) {
    case kSpSel:
      set_mode((s_.pstate & ~pstate::kSpSel) | static_cast<u32>(value & 1));
      return true;
    case kPan:
      if (!model_.pan) return false;
      s_.pstate = (s_.pstate & ~pstate::kPan) | static_cast<u32>(value & pstate::kPan);
      return true;
    case kDaif:
      s_.daif = static_cast<u32>(value) & pstate::kDaif;
      return true;
    case kOslar:
      s_.os_lock = value & 1;
      return true;
    case kClaimSet:
      s_.debug_claim |= value & 0xff;
      return true;
    case kClaimClear:
      s_.debug_claim &= ~value;
      return true;
    default:
      break;
  }
  if (write_debug_register(encoding, value)) return true;
  if (is_pmu_register(encoding)) {
    if (!pmu_can_write(encoding)) return false;
    count_cycles(s_.pmu, s_.el(), platform_.cycles());
    write_pmu(s_.pmu, encoding, value);
    report_overflow();
    return true;
  }
  const SystemRegister* r = find_system_register(encoding);
  if (!r) return platform_.write_register(encoding, value);
  const u64 before = r->in(s_);
  r->in(s_) = r->written(encoding == kTcr ? value & model_.tcr_mask : value);
  if (encoding == kTtbr0 || encoding == kTtbr1 || encoding == kTcr || encoding == kSctlr)
    platform_.address_space_changed();
  // What a TLB entry depends on besides ASID and privilege. TTBR0 and TTBR1 are tagged by their ASID.
  const bool changed = before != r->in(s_);
  if (changed && (encoding == kSctlr || encoding == kTcr || encoding == kMair)) platform_.invalidate_tlb({});
  return true;
}

}  // namespace tiercel::arm
