// What the guest CPU says about itself. Only complete features are advertised; user/ derives AT_HWCAP from the same
// features.
#pragma once

#include <optional>

#include "base/types.h"

namespace tiercel::arm {

/// CTR_EL0: lines of 64 bytes; IDC: the data cache needs no cleaning before IC IVAU; DIC is 0: IC IVAU is needed.
inline constexpr u64 kCtr = 0x9444'c004;
/// DCZID_EL0: DC ZVA zeroes 64 bytes.
inline constexpr u64 kDczid = 4;
/// CNTFRQ_EL0: the counter is CLOCK_MONOTONIC in nanoseconds.
inline constexpr u64 kCounterHz = 1'000'000'000;

/// The register S3_0_C0_C<crm>_<op2> as Linux shows it to EL0 by emulating MRS, or nothing where Linux does not.
std::optional<u64> id_register(u32 crm, u32 op2);

}  // namespace tiercel::arm
