#include "system/devices/pci/pci_host.h"

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {
namespace {

// ECAM: bus, device (5 bits), function (3), register (12).
unsigned slot_of(u64 offset) {
  return static_cast<unsigned>(bits(offset, 15, 5));
}
bool is_function_0(u64 offset) {
  return bits(offset, 12, 3) == 0 && bits(offset, 20, 8) == 0;
}

}  // namespace

PciHost::PciHost(const std::array<IrqLine, kIntxLines>& intx) {
  for (unsigned i = 0; i < kIntxLines; ++i) lines_[i].connect(intx[i]);
}

void PciHost::add(unsigned slot, PciFunction& function) {
  CHECK(slot < kSlots && !functions_[slot]);
  functions_[slot] = &function;
  function.connect(IrqLine(lines_[slot % kIntxLines], slot));
}

void PciHost::SharedLine::set_line(u32 slot, bool level) {
  const std::scoped_lock lock(mutex_);
  driving_ = level ? driving_ | u32{1} << slot : driving_ & ~(u32{1} << slot);
  line_.set(driving_ != 0);
}

u64 PciHost::read(u64 offset, unsigned bytes) {
  PciFunction* function = is_function_0(offset) ? functions_[slot_of(offset)] : nullptr;
  if (!function) return ~u64{0};  // as on a bus where nobody answers
  const u64 reg = bits(offset, 0, 12);
  if (bytes == 8) return function->read_config(reg, 4) | u64{function->read_config(reg + 4, 4)} << 32;
  return function->read_config(reg, bytes);
}

void PciHost::write(u64 offset, unsigned bytes, u64 value) {
  PciFunction* function = is_function_0(offset) ? functions_[slot_of(offset)] : nullptr;
  if (!function) return;
  const u64 reg = bits(offset, 0, 12);
  function->write_config(reg, bytes == 8 ? 4 : bytes, static_cast<u32>(value));
  if (bytes == 8) function->write_config(reg + 4, 4, static_cast<u32>(value >> 32));
}

void PciHost::reset() {
  for (PciFunction* function : functions_)
    if (function) function->reset();
}

void PciHost::serialize(Archive& state) {
  for (PciFunction* function : functions_)
    if (function) function->serialize(state);
}

u64 PciHost::Window::read(u64 offset, unsigned bytes) {
  u64 in_bar = 0;
  for (PciFunction* f : host_.functions_) {
    if (!f) continue;
    if (const unsigned bar = f->find_bar((base_ + offset).value, in_bar); bar < PciFunction::kBars)
      return f->read_bar(bar, in_bar, bytes);
  }
  return ~u64{0};
}

void PciHost::Window::write(u64 offset, unsigned bytes, u64 value) {
  u64 in_bar = 0;
  for (PciFunction* f : host_.functions_) {
    if (!f) continue;
    if (const unsigned bar = f->find_bar((base_ + offset).value, in_bar); bar < PciFunction::kBars)
      return f->write_bar(bar, in_bar, bytes, value);
  }
}

}  // namespace tiercel::system
