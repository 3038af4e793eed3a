// What a debugger sees of a guest CPU's registers.
#pragma once

#include <span>
#include <string_view>

#include "base/types.h"

namespace tiercel::guest {

/// Registers have the numbers that the description gives them, from 0 on. Values are in the guest's byte order.
class DebugRegisters {
 public:
  virtual ~DebugRegisters() = default;
  /// A target description of GDB, in XML.
  virtual std::string_view description() const = 0;
  virtual u32 count() const = 0;
  /// Those a debugger wants to know whenever the guest stops: pc, sp, frame pointer.
  virtual std::span<const u32> expedited() const = 0;
  /// The size in bytes, and the value in `out`; 0: no such register. `fp_status` is Vcpu::fp_status.
  virtual std::size_t read(const void* state, u32 fp_status, u32 number, std::span<u8> out) const = 0;
  /// False: it cannot be written, or not like this.
  virtual bool write(void* state, u32& fp_status, u32 number, std::span<const u8> value) const = 0;
};

}  // namespace tiercel::guest
