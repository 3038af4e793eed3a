#include "system/devices/pl031.h"

#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

constexpr u32 kPeripheralId = 0x00041031;

enum Register : u64 {
  kData = 0x00,
  kMatch = 0x04,
  kLoad = 0x08,
  kControl = 0x0c,
  kMask = 0x10,
  kRaw = 0x14,
  kMasked = 0x18,
  kClear = 0x1c,
};

}  // namespace

Pl031::Pl031(Clock& clock, IrqLine irq) : clock_(clock), irq_(irq), timer_(clock.add_timer([this] { alarm(); })) {}

void Pl031::reset() {
  const std::scoped_lock lock(mutex_);
  offset_ = match_ = load_ = 0;
  raw_ = mask_ = armed_ = false;
  clock_.disarm(timer_);
  update_line();
}

void Pl031::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  state(offset_, match_, load_, raw_, mask_, armed_);
  if (!state.loads()) return;
  if (armed_) set_alarm();
  update_line();
}

void Pl031::describe(FdtNode& node) const {
  node.set_strings("compatible", {"arm,pl031", "arm,primecell"});
  node.set_cells("clocks", {kApbClock});
  node.set_strings("clock-names", {"apb_pclk"});
}

void Pl031::set_alarm() {
  armed_ = true;
  // A match in the past comes around when the 32-bit counter does.
  clock_.arm(timer_, clock_.now() + u64{match_ - seconds()} * kNanosecondsPerSecond);
}

void Pl031::alarm() {
  const std::scoped_lock lock(mutex_);
  if (seconds() < match_) return set_alarm();  // wall time and the clock's time need not tick together
  raw_ = true;
  armed_ = false;
  update_line();
}

u32 Pl031::read32(u64 offset) {
  const std::scoped_lock lock(mutex_);
  switch (offset) {
    case kData:
      return seconds();
    case kMatch:
      return match_;
    case kLoad:
      return load_;
    case kControl:
      return 1;  // started, and only reset stops it
    case kMask:
      return mask_;
    case kRaw:
      return raw_;
    case kMasked:
      return raw_ && mask_;
    default:
      return primecell_id(offset, kPeripheralId);
  }
}

void Pl031::write32(u64 offset, u32 value) {
  const std::scoped_lock lock(mutex_);
  switch (offset) {
    case kMatch:
      match_ = value;
      set_alarm();
      break;
    case kLoad:
      load_ = value;
      offset_ += value - seconds();
      set_alarm();
      break;
    case kMask:
      mask_ = value & 1;
      break;
    case kClear:
      if (value & 1) raw_ = false;
      break;
    default:
      break;
  }
  update_line();
}

}  // namespace tiercel::system
