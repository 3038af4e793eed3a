#include "system/interrupt/psci.h"

#include <algorithm>

namespace tiercel::system {
namespace {

enum Function : u32 {
  kSmcccVersion = 0x8000'0000,
  kVersion = 0x8400'0000,
  kCpuSuspend = 0x8400'0001,
  kCpuOff = 0x8400'0002,
  kCpuOn = 0x8400'0003,
  kAffinityInfo = 0x8400'0004,
  kMigrateInfoType = 0x8400'0006,
  kSystemOff = 0x8400'0008,
  kSystemReset = 0x8400'0009,
  kFeatures = 0x8400'000a,
  kSystemReset2 = 0x8400'0012,
};
constexpr u32 kSmc64 = 0x4000'0000;  // the same function with 64-bit arguments

constexpr u64 error(s64 code) {
  return static_cast<u64>(code);
}
constexpr u64 kSuccess = 0, kNotSupported = error(-1), kInvalidParameters = error(-2), kAlreadyOn = error(-4),
              kOnPending = error(-5), kInvalidAddress = error(-9);

/// Whether the function has an SMC64 form.
bool has_64(u32 function) {
  return function == kCpuSuspend || function == kCpuOn || function == kAffinityInfo || function == kSystemReset2;
}

bool known(u32 function) {
  if (function & kSmc64) return has_64(function & ~kSmc64) && known(function & ~kSmc64);
  switch (function) {
    case kSmcccVersion:
    case kVersion:
    case kCpuSuspend:
    case kCpuOff:
    case kCpuOn:
    case kAffinityInfo:
    case kMigrateInfoType:
    case kSystemOff:
    case kSystemReset:
    case kFeatures:
    case kSystemReset2:
      return true;
    default:
      return false;
  }
}

}  // namespace

unsigned Psci::cpu_of(u64 affinity) const {
  return static_cast<unsigned>(std::min<u64>(affinity & 0xff'00ff'ffff, host_.cpus()));
}

u64 Psci::start_cpu(u64 target, u64 entry, u64 context) {
  const unsigned cpu = cpu_of(target);
  if (cpu >= host_.cpus()) return kInvalidParameters;
  if (host_.power(cpu) == PsciHost::Power::On) return kAlreadyOn;
  if (host_.power(cpu) == PsciHost::Power::Starting) return kOnPending;
  if (entry % 4 != 0 || !host_.can_execute(PAddr{entry})) return kInvalidAddress;
  return host_.start(cpu, PAddr{entry}, context) ? kSuccess : kOnPending;
}

u64 Psci::affinity_info(u64 target, u64 level) const {
  const unsigned cpu = cpu_of(target);
  if (level != 0 || cpu >= host_.cpus()) return kInvalidParameters;
  switch (host_.power(cpu)) {
    case PsciHost::Power::On:
      return 0;
    case PsciHost::Power::Off:
      return 1;
    case PsciHost::Power::Starting:
      return 2;
  }
  return kInvalidParameters;
}

u64 Psci::call(unsigned cpu, u32 function, const std::array<u64, 3>& arguments) {
  if (!known(function)) return kNotSupported;
  const bool wide = function & kSmc64;
  const auto argument = [&](unsigned i) { return wide ? arguments[i] : u64{static_cast<u32>(arguments[i])}; };
  switch (function & ~kSmc64) {
    case kSmcccVersion:
    case kVersion:
      return 0x10001;
    case kFeatures:
      return known(static_cast<u32>(arguments[0])) ? kSuccess : kNotSupported;
    case kCpuSuspend:
      // Any power-down state may be entered as standby, whose return is the function's.
      host_.suspend_self(cpu);
      return kSuccess;
    case kCpuOff:
      host_.stop_self(cpu);
      return kSuccess;
    case kCpuOn:
      return start_cpu(argument(0), argument(1), argument(2));
    case kAffinityInfo:
      return affinity_info(argument(0), argument(1));
    case kMigrateInfoType:
      return 2;  // there is no Trusted OS to migrate
    case kSystemOff:
      host_.power_off();
      return kSuccess;
    case kSystemReset2:
      if (argument(0) != 0) return kInvalidParameters;  // only SYSTEM_WARM_RESET
      host_.reset(true);
      return kSuccess;
    case kSystemReset:
      host_.reset(false);
      return kSuccess;
    default:
      return kNotSupported;
  }
}

}  // namespace tiercel::system
