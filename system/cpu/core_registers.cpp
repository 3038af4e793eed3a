#include "system/cpu/core_registers.h"

namespace tiercel::system {
namespace {

enum Timer : u32 {
  kFrequency = system_register(3, 3, 14, 0, 0),
  kPhysicalCount = system_register(3, 3, 14, 0, 1),
  kVirtualCount = system_register(3, 3, 14, 0, 2),
  kPhysicalValue = system_register(3, 3, 14, 2, 0),
  kPhysicalControl = system_register(3, 3, 14, 2, 1),
  kPhysicalCompare = system_register(3, 3, 14, 2, 2),
  kVirtualValue = system_register(3, 3, 14, 3, 0),
  kVirtualControl = system_register(3, 3, 14, 3, 1),
  kVirtualCompare = system_register(3, 3, 14, 3, 2),
};

}  // namespace

std::optional<u64> read_core_register(Gic3* gic, const GenericTimer& timer, unsigned cpu, u32 encoding) {
  using enum GenericTimer::Which;
  switch (encoding) {
    case kFrequency:
      return timer.frequency();
    case kPhysicalCount:
      return timer.count(cpu, kPhysical);
    case kVirtualCount:
      return timer.count(cpu, kVirtual);
    case kPhysicalValue:
      return timer.timer_value(cpu, kPhysical);
    case kPhysicalControl:
      return timer.control(cpu, kPhysical);
    case kPhysicalCompare:
      return timer.compare(cpu, kPhysical);
    case kVirtualValue:
      return timer.timer_value(cpu, kVirtual);
    case kVirtualControl:
      return timer.control(cpu, kVirtual);
    case kVirtualCompare:
      return timer.compare(cpu, kVirtual);
    default:
      if (!gic || !Gic3::has_icc(encoding)) return std::nullopt;
      return gic->read_icc(cpu, static_cast<Icc>(encoding));
  }
}

bool write_core_register(Gic3* gic, GenericTimer& timer, unsigned cpu, u32 encoding, u64 value) {
  using enum GenericTimer::Which;
  switch (encoding) {
    case kPhysicalValue:
      timer.set_timer_value(cpu, kPhysical, value);
      return true;
    case kPhysicalControl:
      timer.set_control(cpu, kPhysical, value);
      return true;
    case kPhysicalCompare:
      timer.set_compare(cpu, kPhysical, value);
      return true;
    case kVirtualValue:
      timer.set_timer_value(cpu, kVirtual, value);
      return true;
    case kVirtualControl:
      timer.set_control(cpu, kVirtual, value);
      return true;
    case kVirtualCompare:
      timer.set_compare(cpu, kVirtual, value);
      return true;
    default:
      return gic && Gic3::has_icc(encoding) && gic->write_icc(cpu, static_cast<Icc>(encoding), value);
  }
}

}  // namespace tiercel::system
