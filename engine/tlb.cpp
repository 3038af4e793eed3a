#include "engine/tlb.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"

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
/// Tags in the top byte do not tell addresses apart here: invalidation may hit too much, never too little.
constexpr u64 kUntagged = low_mask(56);

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

void Tlb::Context::clear(const backend::JumpCache* active) {
  read.fill({});
  write.fill({});
  read[0] = write[0] = backend::empty_tlb_entry(0);
  code.fill({});
  large.fill(0);
  has_huge = false;
  clear_jumps(active);
}

void Tlb::Context::clear_jumps(const backend::JumpCache* active) {
  for (Jumps& j : jumps)
    if (std::exchange(j.used, j.cache && j.cache.get() == active)) j.cache->clear();
  code_pages.fill(0);
}

backend::JumpCache& Tlb::Context::jumps_of(u32 mode) {
  for (Jumps& j : jumps)
    if (j.cache && j.mode == mode) return j.used = true, *j.cache;
  Jumps& j = jumps[next_jumps++ % jumps.size()];
  if (!j.cache) j.cache = std::make_unique<backend::JumpCache>();
  if (j.used) j.cache->clear();
  j.mode = mode;
  j.used = true;
  return *j.cache;
}

Tlb::Tlb(const guest::Mmu& mmu, guest::PhysicalMemory& memory, backend::VmContext& context)
    : mmu_(mmu), memory_(memory), vm_(context), state_(backend::guest_state(&context)) {
  vm_.tlb = this;
  vm_.tlb_fill = fill_from_code;
  select(0);
}

Tlb::Context& Tlb::find(u64 name) {
  for (const auto& c : contexts_)
    if (c->name == name) return *c;
  Context* victim = nullptr;
  if (contexts_.size() < kContexts) {
    victim = contexts_.emplace_back(std::make_unique<Context>()).get();
  } else {
    for (const auto& c : contexts_)
      if (c.get() != current_ && c.get() != user_ && (!victim || c->last_used < victim->last_used)) victim = c.get();
  }
  victim->name = name;
  victim->clear(nullptr);
  return *victim;
}

void Tlb::select(u32 mode) {
  const std::lock_guard guard(contexts_lock_);
  const u64 name = mmu_.context(state_, false), user_name = mmu_.context(state_, true);
  if (!current_ || current_->name != name) current_ = &find(name);
  if (!user_ || user_->name != user_name) user_ = &find(user_name);
  current_->last_used = user_->last_used = ++uses_;
  vm_.tlb_read = current_->read.data();
  vm_.tlb_write = current_->write.data();
  vm_.tlb_user_read = user_->read.data();
  vm_.tlb_user_write = user_->write.data();
  jumps_ = &current_->jumps_of(mode);
}

void Tlb::forget_jumps(u64 pc) {
  const std::lock_guard guard(contexts_lock_);
  for (const auto& c : contexts_)
    for (Context::Jumps& j : c->jumps)
      if (j.used) j.cache->forget(pc);
}

void Tlb::forget_all_jumps() {
  const std::lock_guard guard(contexts_lock_);
  for (const auto& c : contexts_) c->clear_jumps(jumps_);
}

void Tlb::flush() {
  const std::lock_guard guard(contexts_lock_);
  low_globals_.store(false, std::memory_order_relaxed);
  for (const auto& c : contexts_) c->clear(jumps_);
}

void Tlb::flush_space(u16 space) {
  const std::lock_guard guard(contexts_lock_);
  for (const auto& c : contexts_)
    if (static_cast<u16>(c->name) == space) c->clear(jumps_);
}

void Tlb::note_large(Context& c, u64 address, u8 size_log2) {
  if (size_log2 <= 12) return;
  if (size_log2 > 21) {
    c.has_huge = true;
    return;
  }
  const u32 bit = large_bit(address & kUntagged);
  c.large[bit / 64] |= u64{1} << bit % 64;
}

bool Tlb::may_be_large(const Context& c, u64 address) const {
  const u32 bit = large_bit(address & kUntagged);
  return c.large[bit / 64] >> bit % 64 & 1;
}

void Tlb::drop_pages(Context& c, u64 first, u64 bytes) {
  const auto inside = [&](u64 page) { return ((page - first) & kUntagged) < bytes; };
  bool jumps = false;
  const auto drop = [&](u32 i) {
    if (inside(c.read[i].page)) c.read[i] = backend::empty_tlb_entry(i);
    if (inside(c.write[i].page)) c.write[i] = backend::empty_tlb_entry(i);
    if (CodeEntry& e = c.code[i % kCodeEntries]; inside(e.page)) e = {};
    jumps |= c.code_pages[i / 64] >> i % 64 & 1;
  };
  if (bytes <= 16 * kPageSize) {
    for (u64 page = first; page - first < bytes; page += kPageSize) drop(tlb_index(page));
  } else {
    for (u32 i = 0; i < backend::kTlbSize; ++i) drop(i);
  }
  if (jumps) c.clear_jumps(jumps_);
}

void Tlb::flush_range(u64 address, u64 bytes) {
  const std::lock_guard guard(contexts_lock_);
  constexpr u64 kLarge = u64{1} << 21, kHuge = u64{1} << 30;
  for (const auto& c : contexts_) {
    if (may_be_large(*c, address) || bytes > kPageSize * 16)
      drop_pages(*c, align_down(address, kLarge), align_up(address + bytes, kLarge) - align_down(address, kLarge));
    else
      drop_pages(*c, page_of(address), bytes);
    if (c->has_huge) drop_pages(*c, align_down(address, kHuge), kHuge);
  }
}

std::optional<guest::Mapping> Tlb::fill(u64 address, Access access, bool user) {
  Context& c = context(user);
  const guest::Walk walk = mmu_.walk(state_, memory_, VAddr{address}, access, user);
  if (!walk.mapping) {
    fault_ = walk.fault;
    return std::nullopt;
  }
  const guest::Mapping& m = *walk.mapping;
  if (m.global && !(address >> 55 & 1) && !low_globals_.load(std::memory_order_relaxed)) {
    // Who invalidates it must know before the tables are read: once more.
    low_globals_.store(true);
    return fill(address, access, user);
  }
  note_large(c, address, m.size_log2);
  const auto direct = memory_.direct(m.address);
  if (!direct.host || m.device || access == Access::Execute) return m;
  const TlbEntry entry{page_of(address), reinterpret_cast<u64>(direct.host)};
  if (m.read) c.read[tlb_index(address)] = entry;
  if (m.write && direct.writable) c.write[tlb_index(address)] = entry;
  return m;
}

std::optional<u32> Tlb::code_space(u64 pc) {
  const u32 i = tlb_index(pc);
  current_->code_pages[i / 64] |= u64{1} << i % 64;
  CodeEntry& e = current_->code[i % kCodeEntries];
  if (e.page == page_of(pc)) return e.space;
  const auto mapping = fill(pc, Access::Execute, false);
  if (!mapping) return std::nullopt;
  e.page = page_of(pc);
  e.space = guest::BlockKey::kPhysical | static_cast<u32>(mapping->address.value / kPageSize);
  return e.space;
}

const TlbEntry* Tlb::probe(u64 address, ir::MemAttr attr, bool is_write) {
  Context& c = context(attr.user);
  const TlbEntry& e = (is_write ? c.write : c.read)[tlb_index(address)];
  return e.page == page_of(address) && !crosses_page(address, attr.bytes()) ? &e : nullptr;
}

u64 Tlb::fill_from_code(backend::VmContext* context, u64 address, u32 access) {
  Tlb& tlb = *static_cast<Tlb*>(context->tlb);
  const unsigned bytes = access & 0xff;
  const bool write = access & backend::kTlbFillWrite, user = access & backend::kTlbFillUser;
  if (crosses_page(address, bytes)) return 0;
  if (!tlb.fill(address, write ? Access::Write : Access::Read, user)) return 0;
  Context& c = tlb.context(user);
  const TlbEntry& e = (write ? c.write : c.read)[tlb_index(address)];
  return e.page == page_of(address) ? e.host + address % kPageSize : 0;
}

bool Tlb::load(u64 address, ir::MemAttr attr, U128& out) {
  const TlbEntry* e = probe(address, attr, false);
  if (!e) return slow_load(address, attr, out);
  load_host(reinterpret_cast<const u8*>(e->host + address % kPageSize), attr.bytes(), out);
  return true;
}

bool Tlb::store(u64 address, ir::MemAttr attr, const U128& value) {
  const TlbEntry* e = probe(address, attr, true);
  if (!e) return slow_store(address, attr, value);
  store_host(reinterpret_cast<u8*>(e->host + address % kPageSize), attr.bytes(), value);
  return true;
}

bool Tlb::refuse(u64 address, Access access, u32 status) {
  fault_ = {VAddr{address}, access, false, status};
  return false;
}

bool Tlb::cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) {
  const TlbEntry* e = probe(address, attr, true);
  if (!e) {
    if (crosses_page(address, attr.bytes())) return refuse(address, Access::Write, mmu_.alignment_status());
    if (!fill(address, Access::Write, attr.user)) {
      // Where reading is refused as well, that is the fault.
      const guest::Fault write = fault_;
      if (fill(address, Access::Read, attr.user)) fault_ = write;
      return false;
    }
    e = probe(address, attr, true);
    // Atomics on devices: IMPLEMENTATION DEFINED; here nothing answers.
    if (!e) return refuse(address, Access::Write, mmu_.external_status());
  }
  cas_host(reinterpret_cast<u8*>(e->host + address % kPageSize), attr.bytes(), expected, desired);
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
