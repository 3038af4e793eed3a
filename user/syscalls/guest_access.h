// Structures in guest memory, read and written from C++.
#pragma once

#include <cstring>
#include <type_traits>

#include "engine/guarded_access.h"

namespace tiercel::user {

/// False: the address faults.
template <typename T>
bool read_guest(u64 address, T& out) {
  static_assert(std::is_trivially_copyable_v<T>);
  return engine::guarded_copy(&out, reinterpret_cast<const void*>(address), sizeof(T)) == 0;
}
template <typename T>
bool write_guest(u64 address, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return engine::guarded_copy(reinterpret_cast<void*>(address), &value, sizeof(T)) == 0;
}

}  // namespace tiercel::user
