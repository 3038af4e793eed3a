// Access to guest memory from C++ that survives a host fault: Engine::handle_host_fault redirects a fault inside these
// functions to their failure return. Plain guest-flat memory only.
#pragma once

#include <cstddef>

#include "base/types.h"

namespace tiercel::engine {

/// Copies `size` bytes; returns the number of bytes NOT copied because an address faulted (0: success).
/// Forward copy; bytes before the fault are copied.
std::size_t guarded_copy(void* to, const void* from, std::size_t size);

/// Loads 1, 2, 4, 8 or 16 bytes with a single host access (atomic when aligned). False: faulted, `out` unchanged.
bool guarded_load(u64 host_address, unsigned bytes, U128& out);
bool guarded_store(u64 host_address, unsigned bytes, const U128& value);
/// Atomic compare and swap of 1..16 bytes; `expected` receives the old memory value. False: faulted.
bool guarded_cas(u64 host_address, unsigned bytes, U128& expected, const U128& desired);

/// Length of the NUL-terminated string, at most `limit`; -1 when an address faults first.
s64 guarded_strlen(u64 host_address, u64 limit);

}  // namespace tiercel::engine
