// The insns that translated code leaves to the core. Arm ARM (DDI 0487), "System instructions"; traps of EL0:
// "SCTLR_EL1", "CNTKCTL_EL1", "Traps to EL1 of EL0 accesses".
#include "frontend-arm/a64/cpu_models.h"
#include "frontend-arm/core/syndrome.h"
#include "frontend-arm/mmu/walker.h"

namespace tiercel::arm {
namespace {

constexpr u64 kTcrAs = u64{1} << 36;
constexpr u64 kSctlrNtwi = 1 << 16, kSctlrNtwe = 1 << 18, kSctlrUma = 1 << 9, kSctlrUci = 1 << 26, kSctlrDze = 1 << 14;
constexpr u32 kEret = 0xd69f'03e0, kWfe = 0xd503'205f, kWfi = 0xd503'207f;
constexpr u32 kWaitCondition = 1u << 24 | 0xe << 20;  // ISS: CV, COND = always

constexpr bool is_call(u32 word) {  // HVC, SMC
  return (word & 0xffe0'001f) == 0xd400'0002 || (word & 0xffe0'001f) == 0xd400'0003;
}

// The forms of the system encoding space, by bits 31 to 19.
constexpr u32 kFormMask = 0xfff8'0000, kImmediate = 0xd500'0000, kSys = 0xd508'0000;
constexpr bool is_msr(u32 word) {
  return (word & 0xfff0'0000) == 0xd510'0000;
}
constexpr bool is_mrs(u32 word) {
  return (word & 0xfff0'0000) == 0xd530'0000;
}

// SYS operands: op1, CRn = 7, CRm, op2.
constexpr u32 sys(u32 op1, u32 crm, u32 op2) {
  return system_encoding(1, op1, 7, crm, op2);
}

}  // namespace

void A64Core::execute(u32 word) {
  if ((word >> 26 & 3) == 3 || is_fp_register(word)) return trap_system(word);
  if (word == kEret) return exception_return();
  if (is_call(word)) {
    next();
    return platform_.firmware_call(s_);
  }
  if (word == kWfi || word == kWfe) {
    const bool wfe = word == kWfe;
    if (s_.el() == 0 && !(s_.sctlr_el1 & (wfe ? kSctlrNtwe : kSctlrNtwi)))
      return synchronous(ec::kWait, kWaitCondition | (wfe ? 1 : 0), s_.pc);
    next();
    wfe ? platform_.wait_for_event() : platform_.wait_for_interrupt();
    return;
  }
  if (is_mrs(word)) return move_from_register(word);
  if (is_msr(word)) return move_to_register(word);
  if ((word & kFormMask) == kImmediate) return move_immediate(word);
  if ((word & kFormMask) == kSys) return system_operation(word);
  take_undefined();
}

void A64Core::move_immediate(u32 word) {
  const u32 op = (word >> 16 & 7) << 3 | (word >> 5 & 7), imm = word >> 8 & 15;
  constexpr u32 kSpSel = 0x05, kPan = 0x04, kDaifSet = 0x1e, kDaifClr = 0x1f;
  const bool daif = op == kDaifSet || op == kDaifClr;
  if (s_.el() == 0 && daif && !(s_.sctlr_el1 & kSctlrUma)) return trap_system(word);
  if (s_.el() == 0 && !daif) return take_undefined();
  if (op == kDaifSet) {
    s_.daif |= imm << 6;
  } else if (op == kDaifClr) {
    s_.daif &= ~(imm << 6);
  } else if (op == kSpSel) {
    set_mode((s_.pstate & ~pstate::kSpSel) | (imm & 1));
  } else if (op == kPan && model_.pan) {
    s_.pstate = (s_.pstate & ~pstate::kPan) | (imm & 1 ? pstate::kPan : 0);
  } else {
    return take_undefined();
  }
  next();
}

void A64Core::system_operation(u32 word) {
  const u32 encoding = system_encoding_of(word);
  const u32 op1 = word >> 16 & 7, crn = word >> 12 & 15, crm = word >> 8 & 15, op2 = word >> 5 & 7;
  const u64 argument = x(word & 31);
  if (crn == 7 && op1 == 3) {  // by address, possible at EL0
    const bool zva = encoding == sys(3, 4, 1);
    if (s_.el() == 0 && !(s_.sctlr_el1 & (zva ? kSctlrDze : kSctlrUci))) return trap_system(word);
    if (cache_operation(encoding, argument)) next();
    return;
  }
  if (s_.el() == 0) return take_undefined();
  if (crn == 8 && op1 == 0) {
    tlb_operation(crm, op2, argument);
  } else if (crn == 7 && op1 == 0 && crm == 8 && op2 < 4) {
    address_translation(op2, argument);
    next();
  } else if (crn == 7 && op1 == 0) {
    if (cache_operation(encoding, argument)) next();
  } else {
    take_undefined();
  }
}

/// False: an exception was taken.
bool A64Core::cache_operation(u32 encoding, u64 argument) {
  constexpr u64 kLine = 64;
  switch (encoding) {
    case sys(0, 1, 0):  // IC IALLUIS
    case sys(0, 5, 0):  // IC IALLU
      platform_.invalidate_code(PAddr{0}, 0);
      return true;
    case sys(0, 6, 2):   // DC ISW
    case sys(0, 10, 2):  // DC CSW
    case sys(0, 14, 2):  // DC CISW
      return true;
    case sys(3, 5, 1): {  // IC IVAU
      const bool privileged = s_.el() == 1;
      const guest::Walk walk = mmu_.walk(&s_, platform_.memory(), VAddr{argument}, guest::Access::Read, !privileged);
      if (!walk.mapping) return check_address(argument, guest::Access::Read);
      const u64 offset = argument % kPageSize & ~(kLine - 1);
      platform_.invalidate_code(walk.mapping->address + offset, kLine);
      return true;
    }
    case sys(3, 10, 1):  // DC CVAC
    case sys(3, 11, 1):  // DC CVAU
    case sys(3, 14, 1):  // DC CIVAC
      return check_address(argument, guest::Access::Read);
    case sys(0, 6, 1):  // DC IVAC needs write permission
      return check_address(argument, guest::Access::Write);
    default:
      take_undefined();
      return false;
  }
}

/// Whether `address` may be accessed; takes the data abort of a cache maintenance insn if not.
bool A64Core::check_address(u64 address, guest::Access access) {
  const guest::Walk walk = mmu_.walk(&s_, platform_.memory(), VAddr{address}, access, false);
  if (walk.mapping) return true;
  guest::Fault fault = walk.fault;
  // "WnR": cache maintenance counts as a write.
  fault.access = guest::Access::Write;
  take_fault(fault);
  s_.esr_el1 |= iss::kCm;
  return false;
}

/// TLBI. The forms: CRm 3 with Inner Shareable, 7 without, 1 Outer Shareable; ranges are CRm 2, 5 and 6.
void A64Core::tlb_operation(u32 crm, u32 op2, u64 argument) {
  CorePlatform::TlbScope scope;
  if (crm != 3 && crm != 7) return take_undefined();
  scope.everywhere = crm == 3;
  constexpr u64 kPages = (u64{1} << 44) - 1;
  const u64 address = static_cast<u64>(static_cast<s64>((argument & kPages) << 20) >> 8);  // from VA[55:12]
  const u16 asid = static_cast<u16>(argument >> 48 & (s_.tcr_el1 & kTcrAs ? 0xffff : 0xff));
  switch (op2) {
    case 0:  // VMALLE1
      break;
    case 1:  // VAE1
    case 5:  // VALE1
      scope.address = address;
      scope.asid = asid;
      break;
    case 2:  // ASIDE1
      scope.asid = asid;
      break;
    case 3:  // VAAE1
    case 7:  // VAALE1
      scope.address = address;
      break;
    default:
      return take_undefined();
  }
  scope.bytes = u64{1} << granule_bits(s_.tcr_el1, address >> 55 & 1, true);
  platform_.invalidate_tlb(scope);
  next();
}

/// AT S1E1R, S1E1W, S1E0R, S1E0W: PAR_EL1.
void A64Core::address_translation(u32 op2, u64 address) {
  A64SystemState as = s_;
  if (op2 < 2) as.pstate &= ~pstate::kPan;  // AT S1E1R and S1E1W ignore PAN
  const guest::Access access = op2 & 1 ? guest::Access::Write : guest::Access::Read;
  const guest::Walk walk = mmu_.walk(&as, platform_.memory(), VAddr{address}, access, op2 >= 2);
  if (!walk.mapping) {
    s_.par_el1 = 1 | u64{walk.fault.status} << 1 | u64{1} << 11;
    return;
  }
  const guest::Mapping& m = *walk.mapping;
  constexpr u64 kNonSecure = 1 << 9, kRes1 = 1 << 11;
  s_.par_el1 = m.address.value | u64{m.attributes} << 56 | u64{m.shareability} << 7 | kNonSecure | kRes1;
}

}  // namespace tiercel::arm
