#include "system/devices/pci/msix.h"

namespace tiercel::system {
namespace {

constexpr u16 kEnable = 1 << 15, kFunctionMask = 1 << 14;
constexpr u64 kEntryBytes = 16;

}  // namespace

void MsixTable::set_control(u16 control) {
  enabled_ = control & kEnable;
  masked_ = control & kFunctionMask;
  send_pending();
}

void MsixTable::signal(u16 vector) {
  if (!enabled_ || vector >= entries_.size()) return;
  entries_[vector].pending = true;
  send_pending();
}

void MsixTable::send_pending() {
  if (!enabled_ || masked_) return;
  for (Entry& e : entries_) {
    if (!e.pending || (e.words[3] & 1)) continue;
    e.pending = false;
    sink_(u64{e.words[1]} << 32 | e.words[0], e.words[2]);
  }
}

void MsixTable::reset() {
  for (Entry& e : entries_) e = {};
  enabled_ = masked_ = false;
}

u32 MsixTable::read(u64 offset) const {
  if (offset < kEntryBytes * entries_.size()) return entries_[offset / kEntryBytes].words[offset % kEntryBytes / 4];
  u32 pending = 0;
  if (offset == kPendingOffset || offset == kPendingOffset + 4)
    for (unsigned i = 0, first = offset == kPendingOffset ? 0 : 32; i < 32 && first + i < entries_.size(); ++i)
      pending |= u32{entries_[first + i].pending} << i;
  return pending;
}

void MsixTable::write(u64 offset, u32 value) {
  if (offset >= kEntryBytes * entries_.size()) return;
  entries_[offset / kEntryBytes].words[offset % kEntryBytes / 4] = value;
  send_pending();
}

}  // namespace tiercel::system
