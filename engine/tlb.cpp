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
constexpr u64 kUsesUntilLook = 1024;  // at the memory that is taken
/// BlockKey::space of code in that page. The last one stands for all behind it, where no memory lies either.
u32 code_page(const guest::Mapping& m) {
  const u64 number = std::min(m.address.value / kPageSize, u64{guest::BlockKey::kPageNumber});
  return guest::BlockKey::kPhysical | static_cast<u32>(number);
}

}  // namespace

// -- Contexts --------------------------------------------------------------------------------------------------------

Tlb::Tlb(const guest::Mmu& mmu, guest::PhysicalMemory& memory, backend::VmContext& context, u64 bytes)
    : mmu_(mmu), memory_(memory), vm_(context), state_(backend::guest_state(&context)), bytes_(bytes) {
  vm_.tlb = this;
  vm_.tlb_fill = fill_from_code;
  select(0);
}

Tlb::Context& Tlb::unused_context() {
  if (contexts_.size() < kContexts) return *contexts_.emplace_back(std::make_unique<Context>());
  Context* victim = nullptr;
  for (const auto& c : contexts_)
    if (c.get() != current_ && c.get() != user_ && (!victim || c->last_used < victim->last_used)) victim = c.get();
  victim->clear(nullptr);
  return *victim;
}

u64 Tlb::memory() const {
  u64 bytes = 0;
  for (const auto& c : contexts_) bytes += c->memory();
  return bytes;
}

/// Of contexts that are not in use, those first that were not for longest.
void Tlb::give_back() {
  u64 bytes = memory();
  if (bytes <= bytes_) return;
  std::vector<Context*> others;
  for (const auto& c : contexts_)
    if (c.get() != current_ && c.get() != user_) others.push_back(c.get());
  std::sort(others.begin(), others.end(), [](auto* a, auto* b) { return a->last_used < b->last_used; });
  for (Context* c : others) {
    if (bytes <= bytes_) return;
    bytes -= c->memory();
    c->release();
    c->heir = !c->shared;
    bytes += c->memory();
  }
}

Tlb::Context& Tlb::find(u64 name) {
  Context* common = nullptr;
  bool apart = false;
  for (const auto& c : contexts_) {
    if (c->name == name) return *c;
    if (c->kind() != Context::kind_of(name)) continue;
    if (c->shared)
      common = c.get();
    else
      apart = true;
  }
  if (common) {
    common->enter_space(Context::space_of(name));
    return *common;
  }
  Context& c = unused_context();
  c.name = name;
  c.shared = (name & guest::Mmu::kCommon) && !apart;
  c.heir = !c.shared;
  return c;
}

void Tlb::select(u32 mode) {
  const u64 name = mmu_.context(state_, false), user_name = mmu_.context(state_, true);
  const bool same = current_ && current_->name == name && user_->name == user_name;
  if (same && mode == mode_ && !current_->doubted && current_->unconfirmed().empty()) return;
  const std::lock_guard guard(contexts_lock_);
  mode_ = mode;
  if (!same) {
    current_ = &find(name);
    user_ = &find(user_name);
    if (std::exchange(current_->heir, false)) inherit_code(*current_);
    current_->last_used = user_->last_used = ++uses_;
    if (uses_ % kUsesUntilLook == 0) give_back();
    vm_.tlb_read = current_->read.data();
    vm_.tlb_write = current_->write.data();
    vm_.tlb_user_read = user_->read.data();
    vm_.tlb_user_write = user_->write.data();
    vm_.tlb_code = current_->code.data();
  }
  if (!current_->unconfirmed().empty()) verify_common();
  if (std::exchange(current_->doubted, false)) verify_code();
  jumps_ = &current_->jumps_of(mode);
}

/// The code of the present context, which may have been mapped anew.
void Tlb::verify_code() {
  Context& c = *current_;
  unsigned same = 0, moved = 0;
  constexpr unsigned kHopeless = 8;
  guest::WalkMemo memo;
  std::optional<guest::Mapping> mapping;
  u64 mapped = 0;  // by `mapping`
  const auto is_same = [&](u32 i) {
    Context::CodeEntry& e = c.code[i];
    if (mapping && (e.page ^ mapped) >> mapping->size_log2 == 0) {  // a block has many pages
      mapping->address = PAddr{mapping->address.value + (e.page - mapped)};
      note_entry(c, e.page, *mapping);
    } else {
      mapping = fill(e.page, Access::Execute, false, &memo);
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
  if (moved != 0 || c.code_evicted) c.drop_lost_jumps();
}

struct Tlb::Verified {
  u32 same = 0, moved = 0;
  bool code_moved = false;  // or may have
};

/// One that was right in another address space.
void Tlb::verify_entry(Context& c, Context::Tagged& entry, guest::WalkMemo& memo, Verified& found) {
  const u64 page = entry.page;
  if (const guest::WalkMemo::Table& t = memo.at(page); entry.from && t.region == page >> memo.kRegionLog2 &&
                                                       t.path == entry.path &&
                                                       __atomic_load_n(entry.from, __ATOMIC_RELAXED) == entry.value) {
    ++found.same;
    return;
  }
  const u32 i = tlb_index(page);
  Context::CodeEntry& code = c.code[backend::tlb_code_index(page)];
  const bool reads = c.read[i].page == page, writes = c.write[i].page == page, executes = code.page == page;
  if (!reads && !writes && !executes) {
    found.code_moved |= c.may_lead_to(page);
    return;
  }
  const Access access = reads || writes ? Access::Read : Access::Execute;
  const guest::Walk walk = mmu_.walk(state_, memory_, VAddr{page}, access, false, &memo);
  const guest::Mapping m = walk.mapping.value_or(guest::Mapping{});
  c.note_size(page, m);
  guest::PhysicalMemory::Direct direct;
  if ((reads || writes) && walk.mapping && !m.device) direct = memory_.direct(m.address);
  const auto is_same = [&](const TlbEntry& e) { return direct.host && reinterpret_cast<u64>(direct.host) == e.host(); };
  // Who invalidates must know first.
  const bool global = m.global && !(page >> 55 & 1) && !low_globals_.load(std::memory_order_relaxed);
  const bool stays_readable = is_same(c.read[i]) && m.read && !global;
  const bool stays_writable = is_same(c.write[i]) && m.write && direct.writable && !global;
  const bool stays_code = walk.mapping && m.execute && code_page(m) == code.space && !global;
  if (reads && !stays_readable) c.read.drop(i);
  if (writes && !stays_writable) c.write.drop(i);
  if (executes && !stays_code) {
    code = {};
    found.code_moved = true;
  }
  ++(stays_readable >= reads && stays_writable >= writes && stays_code >= executes ? found.same : found.moved);
}

/// A context of several address spaces: what came into it since the present one was there last.
void Tlb::verify_common() {
  constexpr std::size_t kMost = 4096;  // of data: more is found anew as fast
  constexpr u32 kHopeless = 512;
  Context& c = *current_;
  guest::WalkMemo memo;
  Verified found;
  const std::span<Context::Tagged> entries = c.unconfirmed();
  for (std::size_t n = 0; n < entries.size(); ++n) {
    if (const u64 page = entries[n].page; entries.size() - n > kMost) {
      const u32 i = tlb_index(page);
      if (c.read[i].page == page) c.read.drop(i);
      if (c.write[i].page == page) c.write.drop(i);
    }
    verify_entry(c, entries[n], memo, found);
  }
  c.confirm();
  if (found.code_moved) c.drop_lost_jumps();
  if (found.moved < kHopeless || found.moved < found.same) return;
  c.clear(jumps_);
  c.shared = false;
}

void Tlb::note_entry(Context& c, u64 page, const guest::Mapping& m) {
  c.note_entry(page, m, c.shared && !m.global ? memory_.direct(m.origin.entry).host : nullptr);
}

/// Whether the present context has most of some pages of code where `other` has them.
bool Tlb::has_code_of(Context& other) const {
  constexpr u32 kSamples = 4, kApart = Context::kCodeEntries / kSamples;
  u32 next = 0, tried = 0, same = 0;
  other.for_each_code([&](u32 i) {
    if (i < next) return true;
    const Context::CodeEntry& e = other.code[i];
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
      if (other.get() != &c && !other->heir && !other->doubted && other->kind() == c.kind() &&
          other->last_used < before && (!donor || other->last_used > donor->last_used))
        donor = other.get();
    if (!donor || has_code_of(*donor)) return donor;
    before = donor->last_used;
  }
  return nullptr;
}

/// Lets the present context, a new one, try the code that others of its kind execute.
void Tlb::inherit_code(Context& c) {
  if (Context* donor = find_donor(c)) c.inherit_code(*donor);
}

// -- Invalidation ----------------------------------------------------------------------------------------------------

void Tlb::forget_jumps(u64 pc) {
  const std::lock_guard guard(contexts_lock_);
  for (const auto& c : contexts_) c->for_each_jumps([pc](backend::JumpCache& jumps) { jumps.forget(pc); });
}

void Tlb::forget_jumps_at(const std::bitset<kPageSize>& places) {
  const std::lock_guard guard(contexts_lock_);
  for (const auto& c : contexts_) c->for_each_jumps([&](backend::JumpCache& jumps) { jumps.forget_at(places); });
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
    if (c->shared)
      c->doubt_space(space);
    else if (c->space() == space)
      c->doubt();
  }
}

void Tlb::flush_range(u64 address, u64 bytes, std::optional<u16> space) {
  const std::lock_guard guard(contexts_lock_);
  constexpr u64 kLarge = u64{1} << 21, kHuge = u64{1} << 30;
  for (const auto& c : contexts_) {
    if (space && !c->shared && c->space() != *space && !c->has_globals) continue;
    if (c->may_be_large(address) || bytes > kPageSize * 16)
      c->drop_pages(align_down(address, kLarge), align_up(address + bytes, kLarge) - align_down(address, kLarge));
    else
      c->drop_pages(page_of(address), bytes);
    if (c->has_huge()) c->drop_pages(align_down(address, kHuge), kHuge);
  }
}

// -- Filling ---------------------------------------------------------------------------------------------------------

std::optional<guest::Mapping> Tlb::fill(u64 address, Access access, bool user, guest::WalkMemo* memo) {
  Context& c = context(user);
  const guest::Walk walk = mmu_.walk(state_, memory_, VAddr{address}, access, user, memo);
  if (!walk.mapping) {
    fault_ = walk.fault;
    return std::nullopt;
  }
  const guest::Mapping& m = *walk.mapping;
  if (m.global && !(address >> 55 & 1) && !low_globals_.load(std::memory_order_relaxed)) {
    // Who invalidates it must know before the tables are read: once more.
    low_globals_.store(true);
    return fill(address, access, user, memo);
  }
  c.note_size(address, m);
  const bool is_code = access == Access::Execute;
  const auto direct = is_code ? guest::PhysicalMemory::Direct{} : memory_.direct(m.address);
  if (!is_code && (!direct.host || m.device)) return m;
  note_entry(c, page_of(address), m);
  if (is_code) return m;
  const TlbEntry entry{page_of(address), reinterpret_cast<u64>(direct.host) - page_of(address)};
  if (m.read) c.read.set(tlb_index(address), entry);
  if (m.write && direct.writable) c.write.set(tlb_index(address), entry);
  return m;
}

std::optional<u32> Tlb::code_space(u64 pc) {
  const Context::CodeEntry& e = current_->code[backend::tlb_code_index(pc)];
  if (e.page == page_of(pc)) return e.space;
  const auto mapping = fill(pc, Access::Execute, false);
  if (!mapping) return std::nullopt;
  current_->set_code(pc, code_page(*mapping));
  return e.space;
}

std::optional<u32> Tlb::known_code_space(u64 pc) const {
  const Context::CodeEntry& e = current_->code[backend::tlb_code_index(pc)];
  return e.page == page_of(pc) ? std::optional(e.space) : std::nullopt;
}

}  // namespace tiercel::engine
