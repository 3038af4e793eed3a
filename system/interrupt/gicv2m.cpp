#include "system/interrupt/gicv2m.h"

#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

constexpr u64 kType = 0x8, kIdentity = 0xfcc;

}  // namespace

void Gicv2mFrame::describe(FdtNode& node) const {
  node.set_string("compatible", "arm,gic-v2m-frame");
  node.set("msi-controller");
  node.set_cells("phandle", {kMsiController});
}

void Gicv2mFrame::signal(u32 data) {
  if (data - first_ < lines_.size()) lines_[data - first_].pulse();
}

u32 Gicv2mFrame::read32(u64 offset) {
  if (offset == kType) return first_ << 16 | static_cast<u32>(lines_.size());
  return offset == kIdentity ? 0x43b : 0;
}

void Gicv2mFrame::write32(u64 offset, u32 value) {
  if (offset == kSetSpi) signal(value);
}

}  // namespace tiercel::system
