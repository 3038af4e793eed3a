// One vCPU's translation cache: guest virtual page -> host memory. Owned by its thread.
//
// A context is what guest::Mmu::context names: an address space at one privilege. Each has tables of its own, so that
// switching is a change of pointers and user and kernel stay hot side by side. A table is direct-mapped; reads and
// writes have one each, because an entry says with its mere presence that the access is allowed, and generated code
// compares once. What has no entry (devices, faults, pages crossed) goes the slow way.
//
// After an invalidation of an address space its code is doubted, not forgotten: before it is used again the pages it
// lies in are walked anew, some hundred for a kernel, and the jump caches keep what has not moved. A new context starts
// in the same way with the code of the one of its kind that was used last.
//
// Where nearly all mappings are global, as a kernel's are, one context serves all address spaces: it remembers the few
// entries that are not, and drops them when the address space changes.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backend/vm_context.h"
#include "engine/tlb_table.h"
#include "guest/frontend.h"
#include "ir/types.h"

namespace tiercel::engine {

class Tlb {
 public:
  Tlb(const guest::Mmu& mmu, guest::PhysicalMemory& memory, backend::VmContext& context);

  /// Adopts what the state block says: to be called whenever it may have changed. `mode` is the block key's.
  void select(u32 mode);

  /// Where indirect branches lead in the present context and mode.
  backend::JumpCache& jumps() { return *jumps_; }
  /// Any thread, while this vCPU inserts nothing.
  void forget_jumps(u64 pc);
  void forget_all_jumps();

  // Accesses of the guest. False: `fault` says why.
  bool load(u64 address, ir::MemAttr attr, U128& out);
  bool store(u64 address, ir::MemAttr attr, const U128& value);
  bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired);
  const guest::Fault& fault() const { return fault_; }

  /// BlockKey::space of the code at `pc`, or nothing: `fault`.
  std::optional<u32> code_space(u64 pc);
  /// The same, only if it was asked for before and is still known.
  std::optional<u32> known_code_space(u64 pc) const;

  /// Whether entries of the lower half may hold in every address space. Any thread.
  bool low_globals() const { return low_globals_.load(); }

  void flush();
  /// The contexts whose name ends in these 16 bits: an address space's.
  void flush_space(u16 space);
  /// [address, address + bytes) in one address space or all of them, and global entries.
  void flush_range(u64 address, u64 bytes, std::optional<u16> space);

  /// Whether the access for which generated code left with SlowAccess is refused: `fault`. Else it is to be done.
  bool refused() const { return refused_; }

 private:
  using CodeEntry = backend::TlbCodePage;
  static constexpr u32 kCodeEntries = backend::kTlbCodeSize;
  struct Context {
    u64 name = 0;
    u64 last_used = 0;
    TlbTable read, write;
    std::array<CodeEntry, kCodeEntries> code;
    std::array<u64, kCodeEntries / 64> code_used{};  // which entries may hold something
    /// Filter of the 2 MiB stretches in which a mapping larger than a page was used.
    std::array<u64, 64> large{};
    bool has_huge = false;  // larger than 2 MiB
    bool shared = false;    // by all address spaces; `name` is the present one's
    // Entries made: how many hold in every address space, and the pages of those that hold in this one only.
    u64 globals = 0;
    std::vector<u64> own;
    bool owns_code = false;
    bool heir = false;          // is to begin with the code of others when it executes for the first time
    bool doubted = false;       // `code` and `jumps` are to be verified before they are used
    bool code_evicted = false;  // the jump caches may lead to pages that `code` does not have
    /// Per mode of block keys. They know the present mapping of code, so they go with it.
    struct Jumps {
      u32 mode = 0;
      bool used = false;  // may hold something
      std::unique_ptr<backend::JumpCache> cache;
    };
    std::array<Jumps, 4> jumps;
    /// By code_bit: the pages of which code_evicted speaks.
    std::array<u64, 64> evicted_pages{};
    u32 next_jumps = 0;
    /// `active`: the jump cache in use, which may be filled again without being selected.
    void clear(const backend::JumpCache* active);
    template <typename Visit>
    void for_each_code(Visit&& visit);
    void clear_data();
    /// All of it may be stale.
    void doubt();
    void clear_jumps(const backend::JumpCache* active);
    void drop_own(const backend::JumpCache* active);
    void note(u64 page, const guest::Mapping& m, bool is_code);
    backend::JumpCache& jumps_of(u32 mode);
  };
  /// As many, and it is not told any more which they were.
  static constexpr std::size_t kMostOwn = 512;
  static constexpr unsigned kContexts = 24;

  Context& find(u64 name);
  Context* sharable(u64 kind);
  Context& unused_context();
  void verify_code();
  void inherit_code(Context& c);
  Context* find_donor(const Context& c);
  bool has_code_of(Context& other) const;
  Context& context(bool user) { return user ? *user_ : *current_; }
  const backend::TlbEntry* probe(u64 address, ir::MemAttr attr, bool is_write);
  /// The mapping, entered into the tables; nothing: `fault_`.
  std::optional<guest::Mapping> fill(u64 address, guest::Access access, bool user);
  void note_large(Context& c, u64 address, u8 size_log2);
  bool may_be_large(const Context& c, u64 address) const;
  void drop_pages(Context& c, u64 first, u64 bytes);
  bool refuse(u64 address, guest::Access access, u32 status);
  bool slow_load(u64 address, ir::MemAttr attr, U128& out);
  bool slow_store(u64 address, ir::MemAttr attr, const U128& value);
  bool load_piece(u64 address, unsigned bytes, bool user, bool misaligned, u8* out);

  static u64 fill_from_code(backend::VmContext* context, u64 address, u32 access);
  static u32 code_bit(u64 address) { return static_cast<u32>(address / kPageSize) & 4095; }
  static u32 large_bit(u64 address) { return static_cast<u32>((address >> 21) * 0x9e3779b1u >> 8) & 4095; }

  const guest::Mmu& mmu_;
  guest::PhysicalMemory& memory_;
  backend::VmContext& vm_;
  const void* const state_;
  std::mutex contexts_lock_;  // guards the list and its jump caches, which others clear
  std::vector<std::unique_ptr<Context>> contexts_;
  Context* current_ = nullptr;
  Context* user_ = nullptr;
  backend::JumpCache* jumps_ = nullptr;
  std::atomic<bool> low_globals_{false};
  u64 uses_ = 0;
  u32 mode_ = ~u32{0};
  guest::Fault fault_;
  bool refused_ = false;
  U128 loaded_[2];  // by fill_from_code, the halves of a pair
};

}  // namespace tiercel::engine
