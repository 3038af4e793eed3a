// The registers of system_registers.def as data.
#pragma once

#include <span>
#include <string_view>

#include "frontend-arm/a64_system_state.h"

namespace tiercel::arm {

enum class RegisterWrite : u8 { Plain, Handled };

struct SystemRegister {
  std::string_view name;
  u32 encoding;
  u16 slot;
  u32 offset;  // in A64SystemState
  RegisterWrite write;
  u64 mask;
  u64 reset;

  u64& in(A64SystemState& s) const { return *reinterpret_cast<u64*>(reinterpret_cast<u8*>(&s) + offset); }
  u64 in(const A64SystemState& s) const { return in(const_cast<A64SystemState&>(s)); }
  /// What the register holds after a write of `value`.
  u64 written(u64 value) const { return (value & mask) | (reset & ~mask); }
};

std::span<const SystemRegister> system_registers();
/// Null: none of the list.
const SystemRegister* find_system_register(u32 encoding);

}  // namespace tiercel::arm
