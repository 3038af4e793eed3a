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
// Contexts that were not used for long give their memory back when all of them together take more than they should.
//
// A kernel's context serves all address spaces, whether its mappings are global or not (page-table isolation makes them
// not global): what holds in one of them is verified in the others, see engine/tlb_context.h.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backend/vm_context.h"
#include "engine/tlb_context.h"
#include "guest/frontend.h"
#include "ir/types.h"

namespace tiercel::engine {

class Tlb {
 public:
  /// `bytes`: what it may take, roughly; what the present contexts need, it takes anyway.
  Tlb(const guest::Mmu& mmu, guest::PhysicalMemory& memory, backend::VmContext& context, u64 bytes);

  /// Adopts what the state block says: to be called whenever it may have changed. `mode` is the block key's.
  void select(u32 mode);

  /// Where indirect branches lead in the present context and mode.
  backend::JumpCache& jumps() { return *jumps_; }
  /// Any thread, while this vCPU inserts nothing.
  void forget_jumps(u64 pc);
  void forget_jumps_at(const std::bitset<kPageSize>& places);
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

  /// How far the host's memory is from `address`, which the guest has read lately.
  std::optional<u64> known_distance(u64 address) const;

  /// Whether entries of the lower half may hold in every address space. Any thread.
  bool low_globals() const { return low_globals_.load(); }

  // Invalidation. select() follows before the TLB is used again.
  void flush();
  /// The contexts whose name ends in these 16 bits: an address space's.
  void flush_space(u16 space);
  /// [address, address + bytes) in one address space or all of them, and global entries.
  void flush_range(u64 address, u64 bytes, std::optional<u16> space);

  /// Bytes that it takes.
  u64 memory() const;

  /// Whether the access for which generated code left with SlowAccess is refused: `fault`. Else it is to be done.
  bool refused() const { return refused_; }

 private:
  using Context = TlbContext;
  static constexpr unsigned kContexts = 24;

  Context& find(u64 name);
  Context& unused_context();
  void give_back();
  void verify_code();
  void verify_common();
  struct Verified;
  void verify_entry(Context& c, Context::Tagged& entry, guest::WalkMemo& memo, Verified& found);
  void note_entry(Context& c, u64 page, const guest::Mapping& m);
  void inherit_code(Context& c);
  Context* find_donor(const Context& c);
  bool has_code_of(Context& other) const;
  Context& context(bool user) { return user ? *user_ : *current_; }
  /// The host address, if the tables have it.
  std::optional<u64> probe(u64 address, ir::MemAttr attr, bool is_write);
  /// The mapping, entered into the tables; nothing: `fault_`.
  std::optional<guest::Mapping> fill(u64 address, guest::Access access, bool user, guest::WalkMemo* memo = nullptr);
  bool refuse(u64 address, guest::Access access, u32 status);
  bool slow_load(u64 address, ir::MemAttr attr, U128& out);
  bool slow_store(u64 address, ir::MemAttr attr, const U128& value);
  bool load_piece(u64 address, unsigned bytes, bool user, bool misaligned, u8* out);

  static u64 fill_from_code(backend::VmContext* context, u64 address, u32 access);

  const guest::Mmu& mmu_;
  guest::PhysicalMemory& memory_;
  backend::VmContext& vm_;
  const void* const state_;
  const u64 bytes_;
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
