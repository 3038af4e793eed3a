// Fixed-width types and the three address kinds. Knows no guest and no host.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace tiercel {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

/// 128 bits as two little-endian halves: byte 0 is the low byte of `lo`.
struct alignas(16) U128 {
  u64 lo = 0;
  u64 hi = 0;
  friend bool operator==(const U128&, const U128&) = default;
};

namespace detail {
/// A 64-bit address that does not mix with addresses of another kind.
template <typename Tag>
struct Address {
  u64 value = 0;
  constexpr Address() = default;
  constexpr explicit Address(u64 v) : value(v) {}
  friend constexpr auto operator<=>(const Address&, const Address&) = default;
  constexpr Address operator+(u64 d) const { return Address{value + d}; }
  constexpr Address operator-(u64 d) const { return Address{value - d}; }
  constexpr u64 operator-(Address o) const { return value - o.value; }
};
}  // namespace detail

using VAddr = detail::Address<struct VirtualTag>;   // guest virtual
using PAddr = detail::Address<struct PhysicalTag>;  // guest physical
using HostAddr = detail::Address<struct HostTag>;   // an address in this process

inline constexpr u64 kPageSize = 4096;

}  // namespace tiercel
