#include "frontend-arm/mmu/walker.h"

#include <algorithm>

#include "base/bits.h"

namespace tiercel::arm {
namespace {

using guest::Access;

constexpr u64 kSctlrM = 1, kSctlrWxn = 1 << 19;

/// The half of the address space that bit 55 selects.
struct Half {
  unsigned size;  // bits of input address
  unsigned granule;
  bool tbi, disabled, el0_disabled, flat_permissions;
  u64 table;
};

Half half_of(const TranslationRegisters& r, bool upper) {
  const u64 tcr = r.tcr;
  const unsigned tsz = static_cast<unsigned>(bits(tcr, upper ? 16 : 0, 6));
  Half h;
  // Out of range is CONSTRAINED UNPREDICTABLE: here the nearest value that is possible.
  h.size = 64 - std::clamp(tsz, 16u, 39u);
  h.granule = granule_bits(tcr, upper, r.has_16k);
  h.tbi = bits(tcr, upper ? 38 : 37, 1);
  h.disabled = bits(tcr, upper ? 23 : 7, 1);
  h.el0_disabled = bits(tcr, upper ? 56 : 55, 1);
  h.flat_permissions = bits(tcr, upper ? 42 : 41, 1);
  h.table = upper ? r.ttbr1 : r.ttbr0;
  return h;
}

unsigned output_bits(const TranslationRegisters& r) {
  constexpr unsigned kSizes[8] = {32, 36, 40, 42, 44, 48, 48, 48};
  return std::min(kSizes[bits(r.tcr, 32, 3)], r.pa_bits);
}

WalkResult failed(u32 status) {
  WalkResult result;
  result.failed = true;
  result.status = status;
  return result;
}

WalkResult untranslated(const TranslationRegisters& r, u64 address) {
  const bool upper = bits(address, 55, 1);
  const bool tbi = bits(r.tcr, upper ? 38 : 37, 1);
  const u64 plain = tbi ? static_cast<u64>(sign_extend(address, 56)) : address;
  if (plain >> r.pa_bits != 0) return failed(fsc::kAddressSize);
  WalkResult result;
  // Device-nGnRnE for data, so that misaligned accesses are refused; everything may be executed.
  result.mapping = {PAddr{align_down(plain, kPageSize)}, 12, true, true, true, true, true};
  result.mapping.shareability = 2;
  return result;
}

/// What the tables above a descriptor take away.
struct Hierarchy {
  bool read_only = false, no_el0 = false, pxn = false, uxn = false;
  void add(u64 table) {
    read_only |= bits(table, 62, 1);
    no_el0 |= bits(table, 61, 1);
    uxn |= bits(table, 60, 1);
    pxn |= bits(table, 59, 1);
  }
};

/// The last table of a walk, its level, and what those above say, as a guest::WalkOrigin::path.
struct Path {
  static constexpr unsigned kTold = 63, kLevel = 52, kAbove = 48;
  u64 table;
  unsigned level;
  Hierarchy above;

  u64 packed() const {
    const u64 above_bits = u64{above.read_only} | u64{above.no_el0} << 1 | u64{above.pxn} << 2 | u64{above.uxn} << 3;
    return u64{1} << kTold | u64{level} << kLevel | above_bits << kAbove | table;
  }
  static Path unpacked(u64 p) {
    const auto bit = [p](unsigned n) { return bits(p, kAbove + n, 1) != 0; };
    return {bits(p, 0, 48), static_cast<unsigned>(bits(p, kLevel, 2)), {bit(0), bit(1), bit(2), bit(3)}};
  }
};

struct Permissions {
  bool el0_read, read, write, execute;
};

Permissions permissions(u64 descriptor, const Hierarchy& above, bool privileged, bool wxn) {
  const bool read_only = bits(descriptor, 7, 1) || above.read_only;
  const bool el0 = bits(descriptor, 6, 1) && !above.no_el0;
  const bool uxn = bits(descriptor, 54, 1) || above.uxn, pxn = bits(descriptor, 53, 1) || above.pxn;
  Permissions p;
  p.el0_read = el0;
  p.read = privileged || el0;
  p.write = !read_only && p.read;
  // What EL0 can write EL1 does not execute.
  p.execute = privileged ? !pxn && !(el0 && !read_only) : !uxn;
  if (wxn && p.write) p.execute = false;
  return p;
}

bool allowed(const Permissions& p, Access access) {
  return access == Access::Execute ? p.execute : access == Access::Write ? p.write : p.read;
}

WalkResult finish(const TranslationRegisters& r, const WalkRequest& request, const Path& path, u64 descriptor,
                  unsigned size_log2) {
  const unsigned level = path.level;
  if (!bits(descriptor, 10, 1)) return failed(fsc::kAccessFlag | level);
  Permissions p = permissions(descriptor, path.above, request.privileged, r.sctlr & kSctlrWxn);
  if (request.pan && request.privileged && p.el0_read) p.read = p.write = false;
  if (!allowed(p, request.access)) return failed(fsc::kPermission | level);
  WalkResult result;
  const u64 output = bits(descriptor, 0, 48) & ~low_mask(size_log2);
  result.mapping.address = PAddr{align_down(output | (request.address & low_mask(size_log2)), kPageSize)};
  result.mapping.size_log2 = static_cast<u8>(size_log2);
  result.mapping.read = p.read;
  result.mapping.write = p.write;
  result.mapping.execute = p.execute;
  result.mapping.global = !bits(descriptor, 11, 1);
  result.mapping.attributes = static_cast<u8>(r.mair >> (8 * bits(descriptor, 2, 3)));
  result.mapping.device = result.mapping.attributes >> 4 == 0;
  result.mapping.shareability = static_cast<u8>(bits(descriptor, 8, 2));
  return result;
}

}  // namespace

unsigned granule_bits(u64 tcr, bool upper, bool has_16k) {
  constexpr unsigned kTg0[4] = {12, 16, 14, 12}, kTg1[4] = {12, 14, 12, 16};
  const unsigned g = upper ? kTg1[bits(tcr, 30, 2)] : kTg0[bits(tcr, 14, 2)];
  return g == 14 && !has_16k ? 12 : g;
}

WalkResult walk_el1(const TranslationRegisters& r, guest::PhysicalMemory& memory, const WalkRequest& request,
                    guest::WalkMemo* memo) {
  if (!(r.sctlr & kSctlrM)) return untranslated(r, request.address);
  const bool upper = bits(request.address, 55, 1);
  const Half half = half_of(r, upper);
  const unsigned top = half.tbi ? 56 : 64;
  const u64 beyond = bits(request.address, half.size, top - half.size);
  if (beyond != (upper ? low_mask(top - half.size) : 0)) return failed(fsc::kTranslation);
  if (half.disabled || (half.el0_disabled && !request.privileged)) return failed(fsc::kTranslation);

  const unsigned stride = half.granule - 3;
  const unsigned levels = (half.size - half.granule + stride - 1) / stride;
  const unsigned oa_bits = output_bits(r);
  const unsigned first_table_log2 = half.size - half.granule - stride * (levels - 1) + 3;
  Path at{bits(half.table, 0, 48) & ~low_mask(first_table_log2) & ~u64{1}, 4 - levels, {}};
  if (at.table >> oa_bits != 0) return failed(fsc::kAddressSize);
  const u64 region = request.address >> guest::WalkMemo::kRegionLog2;
  guest::WalkMemo::Table* const known = memo ? &memo->at(request.address) : nullptr;
  if (known && known->region == region) at = Path::unpacked(known->path);
  for (;; ++at.level) {
    const unsigned level = at.level;
    const unsigned shift = half.granule + stride * (3 - level);
    const unsigned width = level == 4 - levels ? half.size - shift : stride;
    const PAddr entry{at.table + 8 * bits(request.address, shift, width)};
    const std::optional<u64> read = memory.read(entry, 8);
    if (!read) return failed(fsc::kExternalOnWalk | level);
    const u64 descriptor = *read;
    const bool is_table = level < 3 && (descriptor & 2);
    const bool block_possible = level == 2 || (level == 1 && half.granule == 12);
    if (!(descriptor & 1) || (level == 3 && !(descriptor & 2)) || (level < 3 && !is_table && !block_possible))
      return failed(fsc::kTranslation | level);
    const u64 output = bits(descriptor, 0, 48) & ~low_mask(is_table ? half.granule : shift);
    if (output >> oa_bits != 0) return failed(fsc::kAddressSize | level);
    if (!is_table) {
      WalkResult result = finish(r, request, at, descriptor, shift);
      result.mapping.origin = {at.packed(), entry, descriptor};
      if (known) *known = {region, at.packed()};
      return result;
    }
    if (!half.flat_permissions) at.above.add(descriptor);
    at.table = output;
  }
}

}  // namespace tiercel::arm
