// Guest address -> host memory, as a personality provides it. User mode: flat, host address = guest address + base.
// A machine: physical memory, which the guest's own tables lead to.
#pragma once

#include <span>

#include "guest/frontend.h"

namespace tiercel::engine {

class AddressSpace {
 public:
  virtual ~AddressSpace() = default;

  /// The bytes from `pc` to the end of its page if the guest may execute there, else empty.
  virtual std::span<const u8> code_window(VAddr pc) = 0;

  /// The code of a block. Machines find it by the key's physical page.
  virtual std::span<const u8> code_of(const guest::BlockKey& key) { return code_window(VAddr{key.pc}); }

  /// Host address of guest address 0.
  virtual u64 flat_base() const = 0;

  /// Not null: a machine's, and the frontend has an Mmu.
  virtual guest::PhysicalMemory* physical() { return nullptr; }
};

}  // namespace tiercel::engine
