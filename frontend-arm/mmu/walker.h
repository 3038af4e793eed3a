// VMSAv8-64, stage 1 of the EL1&0 regime. Arm ARM (DDI 0487), "The AArch64 Virtual Memory System Architecture".
// A pure function of registers and physical memory. No hardware update of the access flag or dirty state.
#pragma once

#include "guest/machine.h"

namespace tiercel::arm {

/// The low six bits of DFSC and IFSC (ESR_ELx, "ISS encoding for an exception from a Data Abort").
namespace fsc {
inline constexpr u32 kAddressSize = 0x00, kTranslation = 0x04, kAccessFlag = 0x08, kPermission = 0x0c, kExternal = 0x10,
                     kExternalOnWalk = 0x14, kAlignment = 0x21;  // the first four and the sixth: plus the level
}

struct TranslationRegisters {
  u64 sctlr = 0, tcr = 0, ttbr0 = 0, ttbr1 = 0, mair = 0;
  unsigned pa_bits = 44;  // of the CPU model
  bool has_16k = true;
};

struct WalkRequest {
  u64 address = 0;
  guest::Access access = guest::Access::Read;
  bool privileged = true;
  bool pan = false;
};

struct WalkResult {
  u32 status = 0;  // fsc when `failed`
  bool failed = false;
  guest::Mapping mapping;  // attributes: the byte of MAIR_EL1
};

/// The granule in bits of a TCR_EL1.TG0 or TG1 (`upper`) field.
unsigned granule_bits(u64 tcr, bool upper, bool has_16k);

WalkResult walk_el1(const TranslationRegisters& r, guest::PhysicalMemory& memory, const WalkRequest& request,
                    guest::WalkMemo* memo = nullptr);

}  // namespace tiercel::arm
