// The tables by which generated code of a machine finds guest memory and guest code.
#pragma once

#include "base/types.h"

namespace tiercel::backend {

inline constexpr u32 kTlbBits = 16;  // 256 MiB of guest memory
inline constexpr u32 kTlbSize = 1u << kTlbBits;

/// A machine's guest page and how to get from an address there to the host memory behind it.
struct TlbEntry {
  u64 page = 0;      // as the guest writes it, tag included
  u64 distance = 0;  // what is added does not wait for the comparison

  u64 host() const { return page + distance; }
};
/// What generated code probes: direct-mapped entries, in two arrays because a host address scales an index by at
/// most 8.
struct TlbArrays {
  u64 page[kTlbSize];
  u64 distance[kTlbSize];
};
constexpr u32 tlb_index(u64 address) {
  return static_cast<u32>(address / kPageSize) & (kTlbSize - 1);
}
/// An entry without a mapping holds a page whose place is another one, so that no address at all can hit it.
constexpr TlbEntry empty_tlb_entry(u32 index) {
  return {index == 0 ? kPageSize : 0, 0};
}
static_assert(tlb_index(0) == 0 && tlb_index(kPageSize) != 0);

/// Where the code of a machine's guest page was found. Direct-mapped, by tlb_code_index.
struct TlbCodePage {
  u64 page = ~u64{0};  // no page's address: nothing
  u32 space = 0;       // guest::BlockKey::space
};
inline constexpr u32 kTlbCodeSize = 4096;
constexpr u32 tlb_code_index(u64 address) {
  return tlb_index(address) % kTlbCodeSize;
}

/// The third argument of VmContext::tlb_fill.
inline constexpr u32 kTlbFillWrite = 1 << 8, kTlbFillUser = 1 << 9, kTlbFillAtomic = 1 << 10,
                     kTlbFillSecond = 1 << 11 /* of a pair */;  // and the size in bytes

}  // namespace tiercel::backend
