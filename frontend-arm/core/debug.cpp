// Debug exceptions: software step, breakpoints and watchpoints. Arm ARM (DDI 0487), "AArch64 Self-hosted Debug".
#include <algorithm>
#include <bit>
#include <iterator>

#include "base/bits.h"
#include "frontend-arm/core/syndrome.h"

namespace tiercel::arm {
namespace {

constexpr u64 kMdscrSs = 1 << 0, kMdscrKde = 1 << 13, kMdscrMde = 1 << 15;
constexpr u32 kDebugStatus = 0x22;                        // DFSC, IFSC: a debug exception
constexpr u32 kStepValid = 1 << 24, kExclusive = 1 << 6;  // ISS of a software step: ISV, EX

using Breakpoint = A64SystemState::Breakpoint;

/// DBGBCR and DBGWCR: E, and the ELs in PMC or PAC.
bool holds_at(u64 control, unsigned el) {
  return (control & 1) && bits(control, 1, 2) & (el == 0 ? 2 : 1);
}

/// LDXR, LDAXR, LDXP, LDAXP.
bool is_load_exclusive(u32 word) {
  return (word & 0x3fc0'0000) == 0x0840'0000;
}

}  // namespace

/// "Enabling debug exceptions from the current Exception level".
bool A64Core::debug_enabled() const {
  return s_.os_lock == 0 && (s_.el() == 0 || ((s_.mdscr_el1 & kMdscrKde) && !(s_.daif & pstate::kD)));
}

bool A64Core::debugged() const {
  if (!(s_.mdscr_el1 & (kMdscrSs | kMdscrMde)) || !debug_enabled()) return false;
  if (s_.mdscr_el1 & kMdscrSs) return true;
  const auto here = [this](const Breakpoint& b) { return holds_at(b.control, s_.el()); };
  return std::any_of(std::begin(s_.breakpoints), std::end(s_.breakpoints), here) ||
         std::any_of(std::begin(s_.watchpoints), std::end(s_.watchpoints), here);
}

/// Whether the breakpoint or watchpoint that is linked to a context allows it.
bool A64Core::context_matches(const Breakpoint& b) const {
  constexpr u64 kLinkedContext = 3;
  const u64 number = bits(b.control, 16, 4);
  if (number >= std::size(s_.breakpoints)) return false;
  const Breakpoint& linked = s_.breakpoints[number];
  return (linked.control & 1) && bits(linked.control, 20, 4) == kLinkedContext &&
         static_cast<u32>(linked.value) == static_cast<u32>(s_.contextidr_el1);
}

bool A64Core::breakpoint_matches(const Breakpoint& b) const {
  constexpr u64 kAddress = 0, kLinkedAddress = 1, kContext = 2;
  if (!holds_at(b.control, s_.el())) return false;
  const u64 type = bits(b.control, 20, 4);
  if (type == kContext) return static_cast<u32>(b.value) == static_cast<u32>(s_.contextidr_el1);
  if (type != kAddress && (type != kLinkedAddress || !context_matches(b))) return false;
  return static_cast<u64>(sign_extend(b.value, 49)) == s_.pc;
}

bool A64Core::take_debug_exception() {
  const u32 from = s_.el() == 0 ? 0 : 1;
  const bool steps = s_.mdscr_el1 & kMdscrSs;
  if (steps && !(s_.pstate & pstate::kSs)) {
    synchronous(ec::kStep + from, kDebugStatus | (stepped_ ? kStepValid : 0) | (stepped_exclusive_ ? kExclusive : 0),
                s_.pc);
    return true;
  }
  const auto matches = [this](const Breakpoint& b) { return breakpoint_matches(b); };
  if (!(s_.mdscr_el1 & kMdscrMde) || std::none_of(std::begin(s_.breakpoints), std::end(s_.breakpoints), matches))
    return false;
  synchronous(ec::kHardBreak + from, kDebugStatus, s_.pc);
  return true;
}

void A64Core::note_step(u32 word) {
  if (!(s_.pstate & pstate::kSs)) return;
  s_.pstate &= ~pstate::kSs;
  stepped_ = true;
  stepped_exclusive_ = is_load_exclusive(word);
}

u32 A64Core::next_insn() const {
  const guest::Walk walk = mmu_.walk(&s_, platform_.memory(), VAddr{s_.pc}, guest::Access::Execute, false);
  if (!walk.mapping) return 0;
  return static_cast<u32>(platform_.memory().read(walk.mapping->address + s_.pc % kPageSize, 4).value_or(0));
}

std::vector<A64Core::WatchedData> A64Core::watched_data() const {
  std::vector<WatchedData> list;
  if (!(s_.mdscr_el1 & kMdscrMde)) return list;
  for (const Breakpoint& w : s_.watchpoints) {
    if (!holds_at(w.control, s_.el()) || ((w.control >> 20 & 1) && !context_matches(w))) continue;
    const u64 address = static_cast<u64>(sign_extend(w.value, 49)) & ~u64{3};
    const bool reads = w.control >> 3 & 1, writes = w.control >> 4 & 1;
    // A power of two of bytes, or those of a doubleword that BAS selects.
    if (const u64 mask = bits(w.control, 24, 5); mask >= 3) {
      list.push_back({address & ~low_mask(static_cast<unsigned>(mask)), u64{1} << mask, reads, writes});
    } else if (const u64 selected = bits(w.control, 5, address & 4 ? 4 : 8); selected != 0) {
      const unsigned first = static_cast<unsigned>(std::countr_zero(selected));
      list.push_back({address + first, u64(std::bit_width(selected)) - first, reads, writes});
    }
  }
  return list;
}

void A64Core::take_watchpoint(u64 address, bool write) {
  synchronous(ec::kWatch + (s_.el() == 0 ? 0 : 1), kDebugStatus | (write ? iss::kWnr : 0), s_.pc);
  s_.far_el1 = address;
}

}  // namespace tiercel::arm
