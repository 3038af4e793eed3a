#include "engine/tlb.h"

#include <algorithm>
#include <bit>
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
/// Tags in the top byte do not tell addresses apart here: invalidation may hit too much, never too little.
constexpr u64 kUntagged = low_mask(56);

/// BlockKey::space of code in that page.
u32 code_page(const guest::Mapping& m) {
  return guest::BlockKey::kPhysical | static_cast<u32>(m.address.value / kPageSize);
}

constexpr u64 kind_of(u64 name) {
  return name >> 16;
}
constexpr u16 space_of(u64 name) {
  return static_cast<u16>(name);
}

}  // namespace

// -- Contexts --------------------------------------------------------------------------------------------------------

void Tlb::Context::clear_data() {
  read.clear();
  write.clear();
  large.fill(0);
  has_huge = false;
  globals = 0;
  own.clear();
  owns_code = false;
}

template <typename Visit>
void Tlb::Context::for_each_code(Visit&& visit) {
  for (u32 w = 0; w < code_used.size(); ++w)
    for (u64 left = code_used[w]; left != 0; left &= left - 1) {
      const u32 i = w * 64 + static_cast<u32>(std::countr_zero(left));
      if (code[i].page != CodeEntry{}.page && !visit(i)) return;
    }
}

void Tlb::Context::clear(const backend::JumpCache* active) {
  clear_data();
  for_each_code([this](u32 i) {
    code[i] = {};
    return true;
  });
  code_used.fill(0);
  clear_jumps(active);
  doubted = code_evicted = false;
}

void Tlb::Context::doubt() {
  clear_data();
  doubted = true;
}

void Tlb::Context::clear_jumps(const backend::JumpCache* active) {
  for (Jumps& j : jumps)
    if (std::exchange(j.used, j.cache && j.cache.get() == active)) j.cache->clear();
  evicted_pages.fill(0);
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

/// Forgets what holds in one address space only.
void Tlb::Context::drop_own(const backend::JumpCache* active) {
  if (own.size() == kMostOwn) return clear(active);
  for (const u64 page : own) {
    const u32 i = tlb_index(page);
    if (read[i].page == page) read.drop(i);
    if (write[i].page == page) write.drop(i);
    if (CodeEntry& e = code[i % kCodeEntries]; e.page == page) e = {};
  }
  own.clear();
  if (std::exchange(owns_code, false)) clear_jumps(active);
}

void Tlb::Context::note(u64 page, const guest::Mapping& m, bool is_code) {
  if (m.global) {
    ++globals;
    return;
  }
  if (own.size() < kMostOwn) own.push_back(page);
  owns_code |= is_code;
}

Tlb::Tlb(const guest::Mmu& mmu, guest::PhysicalMemory& memory, backend::VmContext& context)
    : mmu_(mmu), memory_(memory), vm_(context), state_(backend::guest_state(&context)) {
  vm_.tlb = this;
  vm_.tlb_fill = fill_from_code;
  select(0);
}

Tlb::Context& Tlb::unused_context() {
  if (contexts_.size() < kContexts) return *contexts_.emplace_back(std::make_unique<Context>());
  Context* victim = nullptr;
  for (const auto& c : contexts_)
    if (c.get() != current_ && c.get() != user_ && !c->shared && (!victim || c->last_used < victim->last_used))
      victim = c.get();
  victim->clear(nullptr);
  return *victim;
}

/// The context of a kind whose mappings have turned out to be global nearly all, to be used for every address space.
Tlb::Context* Tlb::sharable(u64 kind) {
  constexpr u64 kEnough = 64, kRatio = 8;
  for (const auto& c : contexts_)
    if (kind_of(c->name) == kind && c->globals >= kEnough && c->own.size() * kRatio < c->globals) return c.get();
  return nullptr;
}

Tlb::Context& Tlb::find(u64 name) {
  Context *shared = nullptr, *known = nullptr;
  for (const auto& c : contexts_) {
    if (c->name == name) known = c.get();
    if (c->shared && kind_of(c->name) == kind_of(name)) shared = c.get();
  }
  if (known && (known->shared || !shared)) return *known;
  if (shared && shared->own.size() == kMostOwn) {
    // Nothing global about it any more.
    shared->clear(jumps_);
    shared->shared = false;
    shared = nullptr;
  }
  if (!shared) shared = sharable(kind_of(name));
  if (shared) {
    shared->shared = true;
    shared->drop_own(jumps_);
    shared->name = name;
    return *shared;
  }
  Context& c = unused_context();
  c.name = name;
  c.heir = true;
  return c;
}

void Tlb::select(u32 mode) {
  const u64 name = mmu_.context(state_, false), user_name = mmu_.context(state_, true);
  const bool same = current_ && current_->name == name && user_->name == user_name;
  if (same && mode == mode_ && !current_->doubted) return;
  const std::lock_guard guard(contexts_lock_);
  mode_ = mode;
  if (!same) {
    current_ = &find(name);
    user_ = &find(user_name);
    if (std::exchange(current_->heir, false)) inherit_code(*current_);
    current_->last_used = user_->last_used = ++uses_;
    vm_.tlb_read = current_->read.data();
    vm_.tlb_write = current_->write.data();
    vm_.tlb_user_read = user_->read.data();
    vm_.tlb_user_write = user_->write.data();
    vm_.tlb_code = current_->code.data();
  }
  if (std::exchange(current_->doubted, false)) verify_code();
  jumps_ = &current_->jumps_of(mode);
}

/// The code of the present context, which may have been mapped anew.
void Tlb::verify_code() {
  Context& c = *current_;
  unsigned same = 0, moved = 0;
  constexpr unsigned kHopeless = 8;
  std::optional<guest::Mapping> mapping;
  u64 mapped = 0;  // by `mapping`
  const auto is_same = [&](u32 i) {
    CodeEntry& e = c.code[i];
    if (mapping && (e.page ^ mapped) >> mapping->size_log2 == 0) {  // a block has many pages
      mapping->address = PAddr{mapping->address.value + (e.page - mapped)};
      c.note(e.page, *mapping, true);
    } else {
      mapping = fill(e.page, Access::Execute, false);
    }
    mapped = e.page;
    return mapping && code_page(*mapping) == e.space;
  };
  c.for_each_code([&](u32 i) {
    if (is_same(i))
      ++same;
    else
      c.code[i] = {}, ++moved;
    return moved <= same + kHopeless;
  });
  if (moved > same + kHopeless) return c.clear(jumps_);
  if (moved == 0 && !c.code_evicted) return;
  for (Context::Jumps& j : c.jumps)
    if (j.used) j.cache->keep_if([&](u64 pc) { return c.code[backend::tlb_code_index(pc)].page == page_of(pc); });
  c.code_evicted = false;
  c.evicted_pages.fill(0);
}

/// Whether the present context has most of some pages of code where `other` has them.
bool Tlb::has_code_of(Context& other) const {
  constexpr u32 kSamples = 4, kApart = kCodeEntries / kSamples;
  u32 next = 0, tried = 0, same = 0;
  other.for_each_code([&](u32 i) {
    if (i < next) return true;
    const CodeEntry& e = other.code[i];
    const guest::Walk walk = mmu_.walk(state_, memory_, VAddr{e.page}, Access::Execute, false);
    ++tried;
    if (walk.mapping && code_page(*walk.mapping) == e.space) ++same;
    next = align_down(i, kApart) + kApart;
    return true;
  });
  return 2 * same > tried;
}

/// Of those used last of the kind.
Tlb::Context* Tlb::find_donor(const Context& c) {
  constexpr int kMostTried = 3;
  u64 before = ~u64{0};
  for (int i = 0; i < kMostTried; ++i) {
    Context* donor = nullptr;
    for (const auto& other : contexts_)
      if (other.get() != &c && !other->heir && !other->doubted && kind_of(other->name) == kind_of(c.name) &&
          other->last_used < before && (!donor || other->last_used > donor->last_used))
        donor = other.get();
    if (!donor || has_code_of(*donor)) return donor;
    before = donor->last_used;
  }
  return nullptr;
}

/// Lets the present context, a new one, try the code that others of its kind execute.
void Tlb::inherit_code(Context& c) {
  Context* donor = find_donor(c);
  if (!donor) return;
  donor->for_each_code([&](u32 i) {
    c.code[i] = donor->code[i];
    return true;
  });
  c.code_used = donor->code_used;
  c.evicted_pages = donor->evicted_pages;
  c.code_evicted = donor->code_evicted;
  for (const Context::Jumps& j : donor->jumps)
    if (j.used) c.jumps_of(j.mode).copy(*j.cache);
  c.doubted = true;
}

// -- Invalidation ----------------------------------------------------------------------------------------------------

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
  for (const auto& c : contexts_) c->doubt();
}

void Tlb::flush_space(u16 space) {
  const std::lock_guard guard(contexts_lock_);
  for (const auto& c : contexts_) {
    if (space_of(c->name) != space) continue;
    c->shared ? c->drop_own(jumps_) : c->doubt();
  }
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
  constexpr u64 kFew = 16 * kPageSize;
  if (bytes <= kFew) {
    for (u64 page = first; page - first < bytes; page += kPageSize) {
      const u32 i = tlb_index(page), code = code_bit(page);
      if (inside(c.read[i].page)) c.read.drop(i);
      if (inside(c.write[i].page)) c.write.drop(i);
      c.doubted |=
          inside(c.code[i % kCodeEntries].page) || (c.code_evicted && (c.evicted_pages[code / 64] >> code % 64 & 1));
    }
  } else {
    c.read.drop_if(inside);
    c.write.drop_if(inside);
    c.doubted |= c.code_evicted || std::any_of(c.code.begin(), c.code.end(), [&](auto& e) { return inside(e.page); });
  }
}

void Tlb::flush_range(u64 address, u64 bytes, std::optional<u16> space) {
  const std::lock_guard guard(contexts_lock_);
  constexpr u64 kLarge = u64{1} << 21, kHuge = u64{1} << 30;
  for (const auto& c : contexts_) {
    if (space && space_of(c->name) != *space && c->globals == 0) continue;
    if (may_be_large(*c, address) || bytes > kPageSize * 16)
      drop_pages(*c, align_down(address, kLarge), align_up(address + bytes, kLarge) - align_down(address, kLarge));
    else
      drop_pages(*c, page_of(address), bytes);
    if (c->has_huge) drop_pages(*c, align_down(address, kHuge), kHuge);
  }
}

// -- Filling ---------------------------------------------------------------------------------------------------------

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
  const bool is_code = access == Access::Execute;
  const auto direct = is_code ? guest::PhysicalMemory::Direct{} : memory_.direct(m.address);
  if (!is_code && (!direct.host || m.device)) return m;
  c.note(page_of(address), m, is_code);
  if (is_code) return m;
  const TlbEntry entry{page_of(address), reinterpret_cast<u64>(direct.host)};
  if (m.read) c.read.set(tlb_index(address), entry);
  if (m.write && direct.writable) c.write.set(tlb_index(address), entry);
  return m;
}

std::optional<u32> Tlb::code_space(u64 pc) {
  CodeEntry& e = current_->code[backend::tlb_code_index(pc)];
  if (e.page == page_of(pc)) return e.space;
  const auto mapping = fill(pc, Access::Execute, false);
  if (!mapping) return std::nullopt;
  if (e.page != CodeEntry{}.page) {
    const u32 bit = code_bit(e.page);
    current_->evicted_pages[bit / 64] |= u64{1} << bit % 64;
    current_->code_evicted = true;
  }
  e = {page_of(pc), code_page(*mapping)};
  const u32 index = backend::tlb_code_index(pc);
  current_->code_used[index / 64] |= u64{1} << index % 64;
  return e.space;
}

std::optional<u32> Tlb::known_code_space(u64 pc) const {
  const CodeEntry& e = current_->code[backend::tlb_code_index(pc)];
  return e.page == page_of(pc) ? std::optional(e.space) : std::nullopt;
}

}  // namespace tiercel::engine
