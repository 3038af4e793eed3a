#include "debug/gdb/signals.h"

#include <array>

namespace tiercel::debug::gdb {
namespace {

constexpr int kUnknown = 143, kReal32 = 77, kReal33 = 45, kReal64 = 78;

/// For 1 to 31 of Linux. GDB manual, "Remote Protocol: Stop Reply Packets", and its header gdb/signals.h.
constexpr std::array<int, 32> kStandard = {0,        1,  2,  3,  4,  5,  6,  10, 8,  9,  30, 11, 31, 13, 14, 15,
                                           kUnknown, 20, 19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28, 23, 32, 12};

}  // namespace

int signal_to_gdb(int linux_number) {
  if (linux_number < 0 || linux_number > 64) return kUnknown;
  if (linux_number < 32) return kStandard[static_cast<unsigned>(linux_number)];
  if (linux_number == 32) return kReal32;
  if (linux_number == 64) return kReal64;
  return kReal33 + linux_number - 33;
}

int signal_from_gdb(int number) {
  for (int linux_number = 1; linux_number <= 64; ++linux_number)
    if (number != kUnknown && signal_to_gdb(linux_number) == number) return linux_number;
  return 0;
}

}  // namespace tiercel::debug::gdb
