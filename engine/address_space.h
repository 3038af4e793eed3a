// Guest address -> host memory, as a personality provides it. User mode: flat, host address = guest address + base.
#pragma once

#include <span>

#include "base/types.h"

namespace tiercel::engine {

class AddressSpace {
 public:
  virtual ~AddressSpace() = default;

  /// The bytes from `pc` to the end of its page if the guest may execute there, else empty.
  virtual std::span<const u8> code_window(VAddr pc) = 0;

  /// Host address of guest address 0.
  virtual u64 flat_base() const = 0;
};

}  // namespace tiercel::engine
