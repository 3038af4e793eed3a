// What a TLB knows of one context, guest::Mmu::context: tables of its own, so that switching is a change of pointers.
//
// A context that has most of its mappings in common with other address spaces (a kernel's) serves all of them. It lists
// the pages of entries that are not global, in the order in which they were entered, and knows how many of the list
// were right in each address space: what came later is verified when that one comes back, all of it when it is new.
#pragma once

#include <array>
#include <bit>
#include <memory>
#include <span>
#include <vector>

#include "backend/jump_cache.h"
#include "engine/tlb_table.h"
#include "guest/machine.h"

namespace tiercel::engine {

class TlbContext {
 public:
  using CodeEntry = backend::TlbCodePage;
  static constexpr u32 kCodeEntries = backend::kTlbCodeSize;

  /// Everything but the address space.
  static constexpr u64 kind_of(u64 name) { return name >> 16; }
  static constexpr u16 space_of(u64 name) { return static_cast<u16>(name); }
  u64 kind() const { return kind_of(name); }
  u16 space() const { return space_of(name); }

  u64 name = 0;
  u64 last_used = 0;
  bool shared = false;  // by the address spaces of its kind; `name` is the present one's
  TlbTable read, write;
  std::array<CodeEntry, kCodeEntries> code;
  bool has_globals = false;   // entries that hold in every address space
  bool heir = false;          // is to begin with the code of others when it executes for the first time
  bool doubted = false;       // `code` and the jump caches are to be verified before they are used
  bool code_evicted = false;  // the jump caches may lead to pages that `code` does not have

  /// A new use. `active`: the jump cache in use, which may be filled again without being selected.
  void clear(const backend::JumpCache* active);
  /// The same, of one that is not in use, and the host has its memory back.
  void release();
  /// Bytes that it takes.
  u64 memory() const;
  /// All of it may be stale.
  void doubt();

  /// What a walk found for `address`.
  void note_size(u64 address, const guest::Mapping& m);
  /// That it is entered, as data or code. `entry`: the host's view of m.origin.entry, or null.
  void note_entry(u64 page, const guest::Mapping& m, const void* entry);
  void set_code(u64 pc, u32 space);
  /// Whether a mapping larger than 2 MiB was used, or one larger than a page near `address`.
  bool has_huge() const { return has_huge_; }
  bool may_be_large(u64 address) const;
  /// Of [first, first + bytes): data is dropped, code doubted. Addresses without their tags.
  void drop_pages(u64 first, u64 bytes);
  template <typename Visit>  // bool(index into code)
  void for_each_code(Visit&& visit);

  // Of a shared one.
  /// From now on for `space`. What is not confirmed is to be verified before it is used.
  void enter_space(u16 space);
  /// What it knows of `space` may be stale.
  void doubt_space(u16 space);
  /// What an entry that is not global came from.
  struct Tagged {
    u64 page;
    u64 path;         // WalkOrigin::path
    const u64* from;  // null: not told
    u64 value;
  };
  /// Those that are to be verified for the present address space.
  std::span<Tagged> unconfirmed() { return std::span(tagged_).subspan(confirmed_); }
  void confirm() { confirmed_ = static_cast<u32>(tagged_.size()); }

  // Jump caches. They know the present mapping of code, so they go with it.
  backend::JumpCache& jumps_of(u32 mode);
  void clear_jumps(const backend::JumpCache* active);
  /// Whether they may lead to the page of `address` without an entry in `code`.
  bool may_lead_to(u64 address) const;
  /// Forgets what leads to pages that `code` does not have.
  void drop_lost_jumps();
  /// Begins with the code of another one, which is to be verified.
  void inherit_code(TlbContext& donor);
  template <typename Visit>
  void for_each_jumps(Visit&& visit);

 private:
  struct Jumps {
    u32 mode = 0;
    bool used = false;  // may hold something
    std::unique_ptr<backend::JumpCache> cache;
  };
  struct Space {
    u16 space = 0;
    u32 confirmed = 0;
  };
  static constexpr std::size_t kMostSpaces = 64;
  static u32 code_bit(u64 address) { return static_cast<u32>(address / kPageSize) & 4095; }
  static u32 large_bit(u64 address) { return static_cast<u32>((address >> 21) * 0x9e3779b1u >> 8) & 4095; }

  void clear_data();
  void compact();

  std::array<u64, kCodeEntries / 64> code_used_{};  // which entries may hold something
  std::array<Jumps, 4> jumps_;                      // per mode of block keys
  u32 next_jumps_ = 0;
  std::array<u64, 64> evicted_pages_{};  // by code_bit: the pages of which code_evicted speaks
  std::array<u64, 64> large_{};          // filter of the stretches in which a mapping larger than a page was used
  bool has_huge_ = false;
  // A shared one: its entries that are not global, how many of them hold in the present address space, and in others,
  // those used last at the end.
  std::vector<Tagged> tagged_;
  u32 confirmed_ = 0;
  std::vector<Space> spaces_;
  std::size_t compacted_ = 0;  // how many tagged_ had
};

template <typename Visit>
void TlbContext::for_each_code(Visit&& visit) {
  for (u32 w = 0; w < code_used_.size(); ++w)
    for (u64 left = code_used_[w]; left != 0; left &= left - 1) {
      const u32 i = w * 64 + static_cast<u32>(std::countr_zero(left));
      if (code[i].page != CodeEntry{}.page && !visit(i)) return;
    }
}

template <typename Visit>
void TlbContext::for_each_jumps(Visit&& visit) {
  for (Jumps& j : jumps_)
    if (j.used) visit(*j.cache);
}

}  // namespace tiercel::engine
