#include "engine/guarded_access.h"

#include <algorithm>

#include "base/bits.h"
#include "base/check.h"
#include "engine/guarded_ranges.h"

extern "C" {
std::size_t tiercel_guarded_copy(void* to, const void* from, std::size_t size);
bool tiercel_guarded_load1(tiercel::u64, tiercel::U128*);
bool tiercel_guarded_load2(tiercel::u64, tiercel::U128*);
bool tiercel_guarded_load4(tiercel::u64, tiercel::U128*);
bool tiercel_guarded_load8(tiercel::u64, tiercel::U128*);
bool tiercel_guarded_load16(tiercel::u64, tiercel::U128*);
bool tiercel_guarded_store1(tiercel::u64, const tiercel::U128*);
bool tiercel_guarded_store2(tiercel::u64, const tiercel::U128*);
bool tiercel_guarded_store4(tiercel::u64, const tiercel::U128*);
bool tiercel_guarded_store8(tiercel::u64, const tiercel::U128*);
bool tiercel_guarded_store16(tiercel::u64, const tiercel::U128*);
bool tiercel_guarded_cas1(tiercel::u64, tiercel::U128*, const tiercel::U128*);
bool tiercel_guarded_cas2(tiercel::u64, tiercel::U128*, const tiercel::U128*);
bool tiercel_guarded_cas4(tiercel::u64, tiercel::U128*, const tiercel::U128*);
bool tiercel_guarded_cas8(tiercel::u64, tiercel::U128*, const tiercel::U128*);
bool tiercel_guarded_cas16(tiercel::u64, tiercel::U128*, const tiercel::U128*);
extern const char tiercel_guarded_copy_begin[], tiercel_guarded_copy_end[], tiercel_guarded_copy_fault[];
extern const char tiercel_guarded_begin[], tiercel_guarded_end[], tiercel_guarded_fault[];
extern const char tiercel_guarded_cas16_begin[], tiercel_guarded_cas16_end[], tiercel_guarded_cas16_fault[];
}

namespace tiercel::engine {

std::size_t guarded_copy(void* to, const void* from, std::size_t size) {
  return tiercel_guarded_copy(to, from, size);
}

bool guarded_load(u64 host_address, unsigned bytes, U128& out) {
  switch (bytes) {
    case 1:
      return tiercel_guarded_load1(host_address, &out);
    case 2:
      return tiercel_guarded_load2(host_address, &out);
    case 4:
      return tiercel_guarded_load4(host_address, &out);
    case 8:
      return tiercel_guarded_load8(host_address, &out);
    case 16:
      return tiercel_guarded_load16(host_address, &out);
  }
  UNREACHABLE();
}

bool guarded_store(u64 host_address, unsigned bytes, const U128& value) {
  switch (bytes) {
    case 1:
      return tiercel_guarded_store1(host_address, &value);
    case 2:
      return tiercel_guarded_store2(host_address, &value);
    case 4:
      return tiercel_guarded_store4(host_address, &value);
    case 8:
      return tiercel_guarded_store8(host_address, &value);
    case 16:
      return tiercel_guarded_store16(host_address, &value);
  }
  UNREACHABLE();
}

bool guarded_cas(u64 host_address, unsigned bytes, U128& expected, const U128& desired) {
  switch (bytes) {
    case 1:
      return tiercel_guarded_cas1(host_address, &expected, &desired);
    case 2:
      return tiercel_guarded_cas2(host_address, &expected, &desired);
    case 4:
      return tiercel_guarded_cas4(host_address, &expected, &desired);
    case 8:
      return tiercel_guarded_cas8(host_address, &expected, &desired);
    case 16:
      return tiercel_guarded_cas16(host_address, &expected, &desired);
  }
  UNREACHABLE();
}

s64 guarded_strlen(u64 host_address, u64 limit) {
  u64 length = 0;
  while (length < limit) {
    char piece[256];
    // Never across a page border, so that a string just before an unmapped page is read in full.
    const u64 at = host_address + length;
    const u64 n = std::min({u64{sizeof piece}, limit - length, kPageSize - at % kPageSize});
    if (guarded_copy(piece, reinterpret_cast<const void*>(at), n) != 0) return -1;
    if (const char* end = std::find(piece, piece + n, '\0'); end != piece + n)
      return static_cast<s64>(length + (end - piece));
    length += n;
  }
  return static_cast<s64>(limit);
}

u64 guarded_fixup(u64 host_pc) {
  const auto within = [host_pc](const char* begin, const char* end) {
    return host_pc >= reinterpret_cast<u64>(begin) && host_pc < reinterpret_cast<u64>(end);
  };
  if (within(tiercel_guarded_copy_begin, tiercel_guarded_copy_end))
    return reinterpret_cast<u64>(tiercel_guarded_copy_fault);
  if (within(tiercel_guarded_begin, tiercel_guarded_end)) return reinterpret_cast<u64>(tiercel_guarded_fault);
  if (within(tiercel_guarded_cas16_begin, tiercel_guarded_cas16_end))
    return reinterpret_cast<u64>(tiercel_guarded_cas16_fault);
  return 0;
}

}  // namespace tiercel::engine
