// Owns translated code: key -> block, host address -> block, guest page -> blocks, and the links between blocks.
//
// Every function needs the engine's lock unless it says otherwise. Blocks and their code stay where they are until
// evict() or clear(), which nobody may call while a vCPU executes generated code; an invalidated block is only unlinked
// and forgotten. Translation is frequent, so blocks and what hangs on them live in arenas and intrusive lists.
//
// Code memory is filled segment by segment. When all are full the oldest one is emptied and filled again: what is still
// executed is translated anew then, and most of what is not is never seen again.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/block_table.h"
#include "engine/cached_block.h"
#include "engine/code_memory.h"
#include "engine/code_segment.h"

namespace tiercel::engine {

class CodeCache {
 public:
  explicit CodeCache(CodeMemory memory);

  /// Copies code that stays forever (the runtime stubs) to the start. Returns its host address.
  const u8* install_runtime(const std::vector<u8>& code);

  /// True if a block of `bytes` still fits into the present segment.
  bool has_room(u64 bytes) const { return current().has_room(bytes); }
  /// Goes on in the next segment, if that is empty.
  bool open_next();
  /// Empties the oldest segment and goes on there. The blocks in it are gone, and so are the regions made of any of
  /// them.
  void evict();
  /// Whether evict() would drop the block. There is only one segment: it drops all of them.
  bool is_oldest(const CachedBlock& block) const { return block.segment == next_segment(); }
  bool has_segments() const { return index_->segments.size() > 1; }

  CachedBlock* find(const guest::BlockKey& key) const { return index_->by_key.find(key); }
  /// Whether there is a block that begins in this page, by BlockKey::location.
  bool has_page(u64 page) const { return index_->by_page.contains(page); }
  /// Adds a block; `code` may be null (interpreted only). The key must not be present.
  CachedBlock* add(const guest::BlockKey& key, const ir::Function& f, const backend::CompiledCode* code);
  /// Adds a region made of `members`, which are alive; the first one is its head: from now on find() gives the region
  /// for that key, and all links to the head lead to the region. A region the head has already is dropped. `pages`:
  /// backend::RegionPlace::others.
  CachedBlock* add_region(std::span<CachedBlock* const> members, std::span<const backend::TlbCodePage> pages,
                          const backend::CompiledCode& code);
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
  /// Keeps a copy of `f` with the block. `number`: BlockDetails::number.
  void keep_function(CachedBlock& block, const ir::Function& f, u32 number);
  BlockDetails& details_of(CachedBlock& block) { return index_->segments[block.segment].details_of(block); }

  /// The block whose code holds host address `pc`, dead ones included; null if none.
  CachedBlock* containing(u64 host_pc) const;
  /// The exit whose patchable field is at `site`.
  CachedExit& exit_at(u64 site) const;
  /// `target`: a block with the key that the exit leads to.
  void link(CachedExit& exit, CachedBlock& target);

  /// What invalidate() dropped.
  struct Dropped {
    std::vector<guest::BlockKey> keys;  // of blocks and regions
    u32 blocks = 0;
    u32 regions = 0;  // with code of these blocks, those that were dropped before included
  };
  /// Forgets and unlinks the blocks overlapping [start, end), by BlockKey::location, and the regions made of any of
  /// them.
  Dropped invalidate(u64 start, u64 end);
  /// As invalidate, for blocks with an insn at one of these addresses in any address space. No block may be relative.
  Dropped invalidate_pcs(std::span<const u64> pcs);
  /// Forgets everything but the runtime.
  void clear();
  /// As clear, when somebody has died while he changed the cache: nothing that is known of it is trusted.
  void abandon();

  CodeMemory& memory() { return memory_; }
  const CodeMemory& memory() const { return memory_; }

 private:
  CodeSegment& current() { return index_->segments[index_->current]; }
  const CodeSegment& current() const { return index_->segments[index_->current]; }
  u32 next_segment() const { return (index_->current + 1) % static_cast<u32>(index_->segments.size()); }
  void make_index();
  CachedBlock& add_block(const guest::BlockKey& key, const backend::CompiledCode* code);
  void kill(CachedBlock& block, Dropped& dropped);
  void link_to(CachedExit& exit, CachedBlock& target);
  CachedBlock& add_stand_in(std::span<CachedBlock* const> members, const backend::CompiledCode& code);
  void move_links(CachedBlock& from, CachedBlock& to);
  void drop_links_to(CachedBlock& block);
  void unlink(CachedExit& exit);
  void patch(const CachedExit& exit, const u8* destination);
  std::vector<CachedBlock*> overlapping(u64 start, u64 end) const;
  void collect(u64 page, u64 start, u64 end, std::vector<CachedBlock*>& found) const;

  // evict(), of the segment with that number.
  void evict_names(CachedBlock& block, u8 segment);
  void evict_links(std::span<CachedBlock* const> blocks, u8 segment);
  void evict_from_pages(std::span<CachedBlock* const> blocks, u8 segment);
  void disband(CachedBlock& stand_in);

  CodeMemory memory_;
  u64 runtime_end_ = 0;
  u64 longest_block_ = 0;  // guest bytes; a block may reach this far into the next pages
  struct Index {
    std::deque<CodeSegment> segments;
    u32 current = 0;
    BlockTable by_key;
    std::unordered_map<u64, CachedBlock*> by_page;
  };
  std::unique_ptr<Index> index_;
};

}  // namespace tiercel::engine
