// Owns translated code: key -> block, host address -> block, guest page -> blocks, and the links between blocks.
//
// Every function needs the engine's lock unless it says otherwise. Blocks and their code stay where they are until
// clear(), which nobody may call while a vCPU executes generated code; an invalidated block is only unlinked and
// forgotten. Translation is frequent, so blocks and what hangs on them live in arenas and intrusive lists.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "backend/compiled_code.h"
#include "engine/arena.h"
#include "engine/block_table.h"
#include "engine/code_memory.h"
#include "engine/fault_rate.h"
#include "guest/frontend.h"

namespace tiercel::engine {

struct CachedBlock;

/// A direct exit of a cached block and, once linked, a member of its target's list of predecessors.
struct CachedExit {
  CachedBlock* from = nullptr;
  CachedBlock* target = nullptr;  // where it is linked to; null: to its stub
  CachedExit* next_incoming = nullptr;
  u64 target_pc = 0;
  u32 patch_offset = 0, stub_offset = 0;  // as backend::DirectExit
  bool counted = false;
};

/// A block's membership in a region.
struct RegionUse {
  CachedBlock* region = nullptr;
  RegionUse* next = nullptr;
};

/// A block, or what stands in for the block of the same key: a region, or the block with notes of its executions. Then
/// `plain` and `members` are set.
struct CachedBlock {
  guest::BlockKey key;
  u64 end_pc = 0;
  const u8* host = nullptr;  // null: only interpreted
  u32 host_size = 0;
  u32 number = 0;  // the n-th translation, from 1
  u32 insn_count = 0;
  u32 counter = 0;  // ir::Function::counter
  bool dead = false;
  u32 moved = 0;      // a region: how often it could not be entered because its code lay elsewhere
  u32 stopped = 0;    // ... and, in a machine, how often it was left at an access
  FaultRate faulted;  // ... and the same in a program
  std::span<CachedExit> exits;
  CachedExit* incoming = nullptr;
  std::span<backend::FaultSite> faults;
  CachedBlock* next_in_page = nullptr;     // of the page that holds the block's first byte
  const ir::Function* function = nullptr;  // kept for the interpreter and lockstep
  RegionUse* uses = nullptr;               // the regions this block was compiled into
  CachedBlock* plain = nullptr;            // a stand-in: the block it stands in for
  std::span<CachedBlock*> members;         // a stand-in: what it was made of, `plain` included
  CachedBlock* instead = nullptr;          // a watched block: what takes its place afterwards
  CachedBlock* gate = nullptr;             // of a plain block: what counted exits to it or a stand-in lead through
  bool settled = false;                    // a plain block: they need not

  u64 end_location() const { return key.location() + (end_pc - key.pc); }
};

/// The block itself, or what it stands in for.
inline CachedBlock& plain_of(CachedBlock& block) {
  return block.plain ? *block.plain : block;
}

class CodeCache {
 public:
  explicit CodeCache(CodeMemory memory);

  /// Copies code that stays forever (the runtime stubs) to the start. Returns its host address.
  const u8* install_runtime(const std::vector<u8>& code);

  /// True if a block of `bytes` still fits.
  bool has_room(u64 bytes) const { return next_ + bytes + 64 <= memory_.size(); }

  CachedBlock* find(const guest::BlockKey& key) const { return index_->by_key.find(key); }
  /// Adds a block; `code` may be null (interpreted only). The key must not be present.
  CachedBlock* add(const guest::BlockKey& key, const ir::Function& f, const backend::CompiledCode* code);
  /// Adds a region made of `members`, which are alive; the first one is its head: from now on find() gives the region
  /// for that key, and all links to the head lead to the region. A region the head has already is dropped.
  CachedBlock* add_region(std::span<CachedBlock* const> members, const backend::CompiledCode& code);
  /// Puts `code`, which does the same as `plain` and takes notes, in the place of whatever has plain's key, until
  /// unwatch().
  CachedBlock* watch(CachedBlock& plain, const backend::CompiledCode& code);
  void unwatch(CachedBlock& watched);
  /// Forgets a region: its head takes its place again.
  void drop_region(CachedBlock& region);
  /// Gives a plain block a gate, backend::Backend::make_gate's.
  void add_gate(CachedBlock& plain, const backend::CompiledCode& code);
  /// Whether counted exits to what has the key of `plain` lead through its gate, those linked now and later.
  void set_counting(CachedBlock& plain, bool counts);
  /// Keeps a copy of `f` with the block.
  void keep_function(CachedBlock& block, const ir::Function& f);

  /// The block whose code holds host address `pc`, dead ones included; null if none.
  CachedBlock* containing(u64 host_pc) const;
  /// The exit whose patchable field is at `site`.
  CachedExit& exit_at(u64 site) const;
  /// `target`: a block with the key that the exit leads to.
  void link(CachedExit& exit, CachedBlock& target);

  /// What invalidate() dropped.
  struct Dropped {
    std::vector<u64> pcs;  // of blocks and regions
    u32 blocks = 0;
    u32 regions = 0;  // with code of these blocks, those that were dropped before included
  };
  /// Forgets and unlinks the blocks overlapping [start, end), by BlockKey::location, and the regions made of any of
  /// them.
  Dropped invalidate(u64 start, u64 end);
  /// As invalidate, for blocks with an insn at one of these addresses in any address space.
  Dropped invalidate_pcs(std::span<const u64> pcs);
  /// Forgets everything but the runtime.
  void clear();
  /// As clear, when somebody has died while he changed the cache: nothing that is known of it is trusted.
  void abandon();

  CodeMemory& memory() { return memory_; }
  const CodeMemory& memory() const { return memory_; }
  u64 bytes_used() const { return next_; }

 private:
  // by_address is narrowed by the first block that starts in each stretch of code memory.
  static constexpr u64 kStretch = 1024;

  void install(CachedBlock& block, const backend::CompiledCode& code);
  void kill(CachedBlock& block, Dropped& dropped);
  void link_to(CachedExit& exit, CachedBlock& target);
  CachedBlock& add_stand_in(std::span<CachedBlock* const> members, const backend::CompiledCode& code);
  void move_links(CachedBlock& from, CachedBlock& to);
  void drop_links_to(CachedBlock& block);
  void unlink(CachedExit& exit);
  void patch(const CachedExit& exit, const u8* destination);
  std::vector<CachedBlock*> overlapping(u64 start, u64 end) const;
  void collect(u64 page, u64 start, u64 end, std::vector<CachedBlock*>& found) const;

  CodeMemory memory_;
  u64 runtime_end_ = 0;
  u64 next_ = 0;
  u64 longest_block_ = 0;  // guest bytes; a block may reach this far into the next pages
  struct Index {
    Arena arena;
    BlockTable by_key;
    std::vector<CachedBlock*> by_address;  // those with host code, ascending
    std::vector<u32> stretch_first;        // per stretch up to the last used: index into by_address
    std::unordered_map<u64, CachedBlock*> by_page;
    std::deque<ir::Function> functions;
  };
  std::unique_ptr<Index> index_ = std::make_unique<Index>();
};

}  // namespace tiercel::engine
