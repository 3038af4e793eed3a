// The guest's accesses through the TLB, as the interpreter makes them, and what generated code's probes miss.
#include <bit>
#include <cstring>

#include "base/bits.h"
#include "engine/tlb.h"

namespace tiercel::engine {
namespace {

using backend::tlb_index;
using backend::TlbEntry;
using guest::Access;

constexpr u64 page_of(u64 address) {
  return align_down(address, kPageSize);
}
bool crosses_page(u64 address, unsigned bytes) {
  return address % kPageSize + bytes > kPageSize;
}

template <typename T>
bool cas_at(u8* host, U128& expected, const U128& desired) {
  T old = static_cast<T>(expected.lo);
  const bool equal = __atomic_compare_exchange_n(reinterpret_cast<T*>(host), &old, static_cast<T>(desired.lo), false,
                                                 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  expected = {old, 0};
  return equal;
}

void cas_16(u8* host, U128& expected, const U128& desired) {
  asm volatile("lock cmpxchg16b %2"
               : "+a"(expected.lo), "+d"(expected.hi), "+m"(*reinterpret_cast<U128*>(host))
               : "b"(desired.lo), "c"(desired.hi)
               : "cc", "memory");
}

void cas_host(u8* host, unsigned bytes, U128& expected, const U128& desired) {
  switch (bytes) {
    case 1:
      cas_at<u8>(host, expected, desired);
      break;
    case 2:
      cas_at<u16>(host, expected, desired);
      break;
    case 4:
      cas_at<u32>(host, expected, desired);
      break;
    case 8:
      cas_at<u64>(host, expected, desired);
      break;
    default:
      cas_16(host, expected, desired);
  }
}

/// One access of the host, so that an aligned one is single-copy atomic.
void load_host(const u8* host, unsigned bytes, U128& out) {
  out = {};
  switch (bytes) {
    case 1:
      out.lo = *host;
      break;
    case 2:
      out.lo = __atomic_load_n(reinterpret_cast<const u16*>(host), __ATOMIC_ACQUIRE);
      break;
    case 4:
      out.lo = __atomic_load_n(reinterpret_cast<const u32*>(host), __ATOMIC_ACQUIRE);
      break;
    case 8:
      out.lo = __atomic_load_n(reinterpret_cast<const u64*>(host), __ATOMIC_ACQUIRE);
      break;
    default:
      std::memcpy(&out, host, 16);
  }
}
void store_host(u8* host, unsigned bytes, const U128& value) {
  switch (bytes) {
    case 1:
      *host = static_cast<u8>(value.lo);
      break;
    case 2:
      __atomic_store_n(reinterpret_cast<u16*>(host), static_cast<u16>(value.lo), __ATOMIC_RELEASE);
      break;
    case 4:
      __atomic_store_n(reinterpret_cast<u32*>(host), static_cast<u32>(value.lo), __ATOMIC_RELEASE);
      break;
    case 8:
      __atomic_store_n(reinterpret_cast<u64*>(host), value.lo, __ATOMIC_RELEASE);
      break;
    default:
      std::memcpy(host, &value, 16);
  }
}

}  // namespace

std::optional<u64> Tlb::probe(u64 address, ir::MemAttr attr, bool is_write) {
  Context& c = context(attr.user);
  const TlbEntry e = (is_write ? c.write : c.read)[tlb_index(address)];
  if (e.page != page_of(address) || crosses_page(address, attr.bytes())) return std::nullopt;
  return e.distance + address;
}

std::optional<u64> Tlb::known_distance(u64 address) const {
  for (const TlbTable* table : {&current_->read, &current_->write})
    if (const TlbEntry e = (*table)[tlb_index(address)]; e.page == page_of(address)) return e.distance;
  return std::nullopt;
}

/// A load that has no entry, from a device or of two pages, is done here and its value given where the host reads it.
u64 Tlb::fill_from_code(backend::VmContext* context, u64 address, u32 access) {
  Tlb& tlb = *static_cast<Tlb*>(context->tlb);
  const unsigned bytes = access & 0xff;
  const bool write = access & backend::kTlbFillWrite, user = access & backend::kTlbFillUser;
  // An atomic access is refused as a read where it may not read either.
  const bool plain = !(access & backend::kTlbFillAtomic);
  tlb.refused_ = false;
  if (!crosses_page(address, bytes)) {
    if (!tlb.fill(address, write ? Access::Write : Access::Read, user)) {
      tlb.refused_ = plain;
      return 0;
    }
    Context& c = tlb.context(user);
    const TlbEntry e = (write ? c.write : c.read)[tlb_index(address)];
    if (e.page == page_of(address)) return e.distance + address;
  }
  if (write) return 0;
  const ir::MemAttr attr{.size_log2 = static_cast<u8>(std::countr_zero(bytes)), .user = user};
  U128& value = tlb.loaded_[access & backend::kTlbFillSecond ? 1 : 0];
  if (tlb.slow_load(address, attr, value)) return reinterpret_cast<u64>(&value);
  tlb.refused_ = true;
  return 0;
}

bool Tlb::load(u64 address, ir::MemAttr attr, U128& out) {
  const std::optional<u64> host = probe(address, attr, false);
  if (!host) return slow_load(address, attr, out);
  load_host(reinterpret_cast<const u8*>(*host), attr.bytes(), out);
  return true;
}

bool Tlb::store(u64 address, ir::MemAttr attr, const U128& value) {
  const std::optional<u64> host = probe(address, attr, true);
  if (!host) return slow_store(address, attr, value);
  store_host(reinterpret_cast<u8*>(*host), attr.bytes(), value);
  return true;
}

bool Tlb::refuse(u64 address, Access access, u32 status) {
  fault_ = {VAddr{address}, access, false, status};
  return false;
}

bool Tlb::cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) {
  u8* host;
  if (const std::optional<u64> known = probe(address, attr, true)) {
    host = reinterpret_cast<u8*>(*known);
  } else {
    if (crosses_page(address, attr.bytes())) return refuse(address, Access::Write, mmu_.alignment_status());
    const auto mapping = fill(address, Access::Write, attr.user);
    if (!mapping) {
      // Where reading is refused as well, that is the fault.
      const guest::Fault write = fault_;
      if (fill(address, Access::Read, attr.user)) fault_ = write;
      return false;
    }
    if (mapping->device && !is_aligned(address, attr.bytes()))
      return refuse(address, Access::Write, mmu_.alignment_status());
    // IMPLEMENTATION DEFINED: RAM does atomics however it is mapped (all of it is Device memory without an MMU), and
    // nothing else does.
    const auto direct = memory_.direct(mapping->address);
    if (!direct.host || !direct.writable) return refuse(address, Access::Write, mmu_.external_status());
    host = direct.host + address % kPageSize;
  }
  cas_host(host, attr.bytes(), expected, desired);
  return true;
}

/// `bytes` within one page.
bool Tlb::load_piece(u64 address, unsigned bytes, bool user, bool misaligned, u8* out) {
  const auto mapping = fill(address, Access::Read, user);
  if (!mapping) return false;
  if (mapping->device && misaligned) return refuse(address, Access::Read, mmu_.alignment_status());
  const PAddr at = mapping->address + address % kPageSize;
  if (const auto direct = memory_.direct(at); direct.host) {
    std::memcpy(out, direct.host, bytes);
    return true;
  }
  for (unsigned done = 0; done < bytes;) {
    // Devices take the largest aligned pieces.
    unsigned piece = 8;
    while (piece > bytes - done || (at.value + done) % piece != 0) piece /= 2;
    const auto value = memory_.read(at + done, piece);
    if (!value) return refuse(address, Access::Read, mmu_.external_status());
    std::memcpy(out + done, &*value, piece);
    done += piece;
  }
  return true;
}

bool Tlb::slow_load(u64 address, ir::MemAttr attr, U128& out) {
  out = {};
  u8* const bytes = reinterpret_cast<u8*>(&out);
  const unsigned size = attr.bytes();
  const bool misaligned = !is_aligned(address, size);
  const unsigned first = crosses_page(address, size) ? static_cast<unsigned>(kPageSize - address % kPageSize) : size;
  if (!load_piece(address, first, attr.user, misaligned, bytes)) return false;
  return first == size || load_piece(address + first, size - first, attr.user, misaligned, bytes + first);
}

bool Tlb::slow_store(u64 address, ir::MemAttr attr, const U128& value) {
  const unsigned size = attr.bytes();
  const bool misaligned = !is_aligned(address, size);
  const unsigned first = crosses_page(address, size) ? static_cast<unsigned>(kPageSize - address % kPageSize) : size;
  struct Piece {
    u64 address;
    unsigned offset, bytes;
    PAddr at;
  } pieces[2] = {{address, 0, first, {}}, {address + first, first, size - first, {}}};
  const unsigned count = first == size ? 1 : 2;
  // Both pages first, so that a fault leaves memory as it was.
  for (unsigned i = 0; i < count; ++i) {
    const auto mapping = fill(pieces[i].address, Access::Write, attr.user);
    if (!mapping) return false;
    if (mapping->device && misaligned) return refuse(address, Access::Write, mmu_.alignment_status());
    pieces[i].at = mapping->address + pieces[i].address % kPageSize;
  }
  const u8* const bytes = reinterpret_cast<const u8*>(&value);
  for (unsigned i = 0; i < count; ++i) {
    const Piece& p = pieces[i];
    const auto direct = memory_.direct(p.at);
    if (direct.host && direct.writable) {
      std::memcpy(direct.host, bytes + p.offset, p.bytes);
      continue;
    }
    for (unsigned done = 0; done < p.bytes;) {
      unsigned piece = 8;
      while (piece > p.bytes - done || (p.at.value + done) % piece != 0) piece /= 2;
      u64 v = 0;
      std::memcpy(&v, bytes + p.offset + done, piece);
      if (!memory_.write(p.at + done, piece, v)) return refuse(p.address, Access::Write, mmu_.external_status());
      done += piece;
    }
  }
  return true;
}

}  // namespace tiercel::engine
