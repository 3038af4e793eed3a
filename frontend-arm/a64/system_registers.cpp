#include "frontend-arm/a64/system_registers.h"

#include <algorithm>
#include <array>

namespace tiercel::arm {
namespace {

// A64SystemState is not of standard layout, as it derives; GCC and clang define offsetof for it all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr SystemRegister kRegisters[] = {
#define SYSREG(field, name, op0, op1, crn, crm, op2, write, mask, reset) \
  {#name,                                                                \
   system_encoding(op0, op1, crn, crm, op2),                             \
   slot::k_##field,                                                      \
   offsetof(A64SystemState, field),                                      \
   RegisterWrite::write,                                                 \
   mask,                                                                 \
   reset},
#include "frontend-arm/system_registers.def"
#undef SYSREG
};
#pragma GCC diagnostic pop

/// By encoding: this is asked for every MSR and MRS that is translated.
constexpr auto sorted() {
  std::array<u8, std::size(kRegisters)> order{};
  for (u8 i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [](u8 a, u8 b) { return kRegisters[a].encoding < kRegisters[b].encoding; });
  return order;
}
constexpr auto kOrder = sorted();

}  // namespace

std::span<const SystemRegister> system_registers() {
  return kRegisters;
}

const SystemRegister* find_system_register(u32 encoding) {
  const auto at = std::lower_bound(kOrder.begin(), kOrder.end(), encoding,
                                   [](u8 i, u32 wanted) { return kRegisters[i].encoding < wanted; });
  return at != kOrder.end() && kRegisters[*at].encoding == encoding ? &kRegisters[*at] : nullptr;
}

}  // namespace tiercel::arm
