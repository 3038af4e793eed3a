// MSR and MRS in machines: what is plain storage is read and written in line, everything else leaves for A64Core.
#pragma once

#include "frontend-arm/a64/translate.h"

namespace tiercel::arm {

bool machine_mrs(Translate& t, Reg rt);
bool machine_msr(Translate& t, Reg rt);
/// `imm`: CRm.
bool machine_msr_immediate(Translate& t, u32 imm);

}  // namespace tiercel::arm
